// The command `headlight-train train`: from options, texts and a vocabulary to a model folder.
#pragma once

#include "models/train/arguments.h"

#include <torch/types.h>

#include <array>

namespace headlight {

inline constexpr auto trainOptionNames = std::to_array<const char*>(
    {"--architecture", "--corpus",    "--valid",          "--vocabulary",   "--out",           "--width",
     "--heads",        "--layers",    "--feed-forward",   "--embedding",    "--hidden",        "--alignment",
     "--dropout",      "--longest",   "--steps",          "--batch-tokens", "--learning-rate", "--warmup",
     "--smoothing",    "--clip",      "--validate-every", "--patience",     "--seed",          "--device",
     "--threads",      "--precision", "--from",           "--until",        "--decoder"});

/// Trains, or goes on. Returns the program's exit code.
/// @param arguments of trainOptionNames
/// @throws Error when an option or a file is not as it must be
int trainCommand(const Arguments& arguments, torch::Device device);

} // namespace headlight
