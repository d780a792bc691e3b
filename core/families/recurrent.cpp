// The recurrent encoder–decoder with or without additive attention (Bahdanau, Cho & Bengio 2015), its decoder theirs or
// the conditional one of Sennrich et al. 2017: the bundled en-fr-additive and its like. The config's keys and the
// tensors' names are this project's own.
#include "core/nn/recurrent.h"
#include "core/families/family.h"

#include <algorithm>

namespace headlight {

namespace {

RecurrentAttention attention(const ModelConfig& config) {
    const auto name = config.text("attention");
    if (name == "none")
        return RecurrentAttention::None;
    if (name == "additive")
        return RecurrentAttention::Additive;
    config.fail(Error::Kind::Unsupported, "the attention \"" + name + "\" is not known", "known are: none, additive");
}

RecurrentDecoder decoderOf(const ModelConfig& config) {
    const auto name = config.textOr("decoder", "paper");
    if (name == "paper")
        return RecurrentDecoder::Paper;
    if (name == "conditional")
        return RecurrentDecoder::Conditional;
    config.fail(Error::Kind::Unsupported, "the decoder \"" + name + "\" is not known", "known are: paper, conditional");
}

Network build(const ModelConfig& config, const Weights* weights) {
    RecurrentOptions options;
    const auto decoder = decoderOf(config);
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.embedding = config.integer("embedding_size", 1, 65536);
    options.hidden = config.integer("hidden_size", 1, 65536);
    options.alignment = config.integer("alignment_size", 1, 65536);
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.attention = attention(config);
    options.dropout = config.numberOr("dropout", 0, 0, 1);

    if (weights) {
        weights->requireShape("embedding.weight", {options.vocabulary, options.embedding});
        weights->requireShape("initial.weight", {options.hidden, options.hidden});
        weights->requireShape("readout.weight", {2 * options.embedding, options.embedding + 3 * options.hidden});
        if (options.attention == RecurrentAttention::Additive)
            weights->requireShape("attention.w.weight", {options.alignment, options.hidden});
        if (decoder == RecurrentDecoder::Conditional)
            weights->requireShape("context_decoder.weight_ih", {3 * options.hidden, 2 * options.hidden});
    }

    const auto last = options.vocabulary - 1;
    const SpecialIds ids{.start = config.integer("decoder_start_token_id", 0, last),
                         .end = config.integer("eos_token_id", 0, last),
                         .pad = config.integer("pad_token_id", 0, last)};
    const bool watched = options.attention == RecurrentAttention::Additive;
    return {.translator = std::make_shared<Recurrent>(options, decoder),
            .ids = ids,
            .banned = {},
            .vocabulary = options.vocabulary,
            .maxPositions = options.maxPositions,
            .crossLayers = watched ? 1 : 0,
            .heads = watched ? 1 : 0,
            .headSize = std::max(options.alignment, 2 * options.hidden), // of what stands for queries and keys
            .width = options.hidden,
            .feedForward = 3 * options.hidden};
}

} // namespace

Family recurrentFamily() {
    return {.modelType = "headlight_recurrent", .build = build, .naming = [](const ModelConfig&) -> Weights::Naming {
                return {.canonical = {},
                        .source = [](const std::string& ours) { return Weights::Source{.name = ours}; },
                        .ignorable = {}};
            }};
}

} // namespace headlight
