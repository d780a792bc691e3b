// BigBird, Zaheer et al. 2020: BERT's encoder, whose tokens look, in long texts, at blocks of their neighbourhood, the
// first and last block and a few random ones.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return bertNaming("bert.", {{"masked.dense.", "cls.predictions.transform.dense."},
                                {"masked.norm.", "cls.predictions.transform.LayerNorm."},
                                {"masked.output.", "cls.predictions.decoder."},
                                {"masked.bias", "cls.predictions.bias"},
                                {"relationship.output.", "cls.seq_relationship."},
                                {"relationship.dense.", "bert.pooler."},
                                {"classification.dense.", "classifier.dense."},
                                {"classification.output.", "classifier.out_proj."}});
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    options.activation = readActivation(config, "hidden_act", "gelu_new");
    options.scaleEmbedding = config.flagOr("rescale_embeddings", false);
    options.projectionBias = config.flagOr("use_bias", true);
    const auto attention = config.textOr("attention_type", "block_sparse");
    if (attention == "block_sparse")
        options.blocks = {.blockSize = config.integerOr("block_size", 64, 1, 1 << 16),
                          .randomBlocks = config.integerOr("num_random_blocks", 3, 0, 1024),
                          .maxPositions = options.maxPositions,
                          .kind = randomBlocksOf(config.textOr("transformers_version", ""))};
    else if (attention != "original_full")
        config.fail(Error::Kind::Unsupported, "the attention_type \"" + attention + "\" is not known",
                    "known are: block_sparse, original_full");
    auto heads = bertHeads(options);
    changeHead(heads, EncoderHead::Classification, [&](auto& head) { head.activation = options.activation; });
    return makeEncoder(config, weights, naming(), options, heads);
}

} // namespace

Family bigbirdFamily() {
    return {.modelType = "big_bird", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
