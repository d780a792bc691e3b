// BigBird, Zaheer et al. 2020: BERT's encoder, whose tokens look, in long texts, at blocks of their neighbourhood, the
// first and last block and a few random ones.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return bertNaming("bert.",
                      {{"head_dense.", "cls.predictions.transform.dense."},
                       {"head_layer_norm.", "cls.predictions.transform.LayerNorm."},
                       {"head_output.", "cls.predictions.decoder."},
                       {"head_bias", "cls.predictions.bias"},
                       {"classifier.", "classifier.out_proj."},
                       {"pooler.", "classifier.dense."}},
                      {"cls.", "classifier.", "qa_classifier."});
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
    const auto head = readEncoderHead(config, weights, "cls.predictions.transform.dense.weight");
    return makeEncoder(config, weights, naming(), options, {.kind = head, .activation = options.activation});
}

} // namespace

Family bigbirdFamily() {
    return {.modelType = "big_bird", .build = build, .naming = naming()};
}

} // namespace headlight
