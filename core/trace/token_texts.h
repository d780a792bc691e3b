// Traces in files that others made, who name no more than the tokens' texts.
#pragma once

#include "core/trace/trace.h"

namespace headlight {

class SafetensorsFile;

/// What the metadata entry `tokens` tells; trace_file.h says how it must be.
/// @throws Error when it is not there, or does not fit the file's blocks
Trace traceOfTokenTexts(const SafetensorsFile& file);

} // namespace headlight
