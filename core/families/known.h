// Which models there are families for, asked before there are weights. No LibTorch passes through it.
#pragma once

#include "core/files/model_config.h"

namespace headlight {

/// Loads what runs models, as Engine::open does.
/// @throws Error naming the unknown model_type and listing the known ones
void requireFamily(const ModelConfig& config);

} // namespace headlight
