// The three kinds of networks, for those who run them.
#pragma once

#include "core/nn/causal_decoder.h"
#include "core/nn/sequence_to_sequence.h"
#include "core/nn/text_encoder.h"
