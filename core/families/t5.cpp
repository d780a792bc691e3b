// T5, Raffel et al. 2020, its second version with gated layers (v1.1, Shazeer 2020) and mT5 (Xue et al. 2021): an
// encoder–decoder whose scores are not scaled and tell distances apart by a learned number for each head; RMS norm, no
// biases, heads as wide as one likes.
#include "core/families/parts.h"

#include <cmath>

namespace headlight {

namespace {

Weights::Naming naming() {
    return {// The plain layer's wi and the gated one's first half, wi_0, are one thing to us.
            .canonical =
                [](const std::string& theirs) {
                    return renamed(theirs, {{".wi_0.", ".wi."}});
                },
            .source =
                [](const std::string& ours) {
                    static const Renames encoder{
                        {".fc", ".layer.1.DenseReluDense.fc"},
                        {".final_layer_norm.", ".layer.1.layer_norm."},
                    };
                    static const Renames decoder{
                        {".encoder_attn.", ".layer.1.EncDecAttention."},
                        {".encoder_attn_layer_norm.", ".layer.1.layer_norm."},
                        {".fc", ".layer.2.DenseReluDense.fc"},
                        {".final_layer_norm.", ".layer.2.layer_norm."},
                    };
                    static const Renames both{
                        {"coder.layer_norm.", "coder.final_layer_norm."},
                        {"coder.embed_positions.", "coder.layers.0.self_attn.relative_attention_bias."},
                        {"coder.layers.", "coder.block."},
                        {".self_attn.", ".layer.0.SelfAttention."},
                        {".self_attn_layer_norm.", ".layer.0.layer_norm."},
                        {".q_proj.", ".q."},
                        {".k_proj.", ".k."},
                        {".v_proj.", ".v."},
                        {".out_proj.", ".o."},
                        {".fc1.", ".wi."},
                        {".fc2.", ".wo."},
                        {".fc3.", ".wi_1."},
                    };
                    const auto name = renamed(ours, ours.starts_with("encoder.") ? encoder : decoder);
                    return Weights::Source{.name = renamed(name, both)};
                },
            // Copies of the shared embedding, and a table that the first conversions had and nobody reads.
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight"
                           || endsWithAny(theirs, {"coder.embed_tokens.weight",
                                                   ".EncDecAttention.relative_attention_bias.weight"});
                },
            .tied = {{"shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}},
            .body = {"encoder.", "decoder.", "shared."}};
}

Network build(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("d_model", 2, 65536);
    options.heads = config.integer("num_heads", 1, 1024);
    options.headSize = config.integer("d_kv", 1, 65536);
    options.feedForward = config.integer("d_ff", 1, 1 << 20);
    options.encoderLayers = static_cast<int>(config.integer("num_layers", 1, 256));
    options.decoderLayers = static_cast<int>(config.integerOr("num_decoder_layers", options.encoderLayers, 1, 256));
    options.maxPositions = 1 << 16; // distances have no end
    options.position = PositionKind::Relative;
    options.relativeBuckets = config.integerOr("relative_attention_num_buckets", 32, 4, 65536);
    options.relativeDistance =
        config.integerOr("relative_attention_max_distance", 128, options.relativeBuckets / 2 + 1, 1 << 20);
    options.scaleEmbedding = false;
    options.norm = NormPlacement::Pre;
    options.normKind = NormKind::RmsNorm;
    options.normEpsilon = config.numberOr("layer_norm_epsilon", 1e-6, 0, 1);
    options.attentionScale = 1;
    options.projectionBias = options.joiningBias = options.feedForwardBias = options.outputBias = false;
    options.dropout = config.numberOr("dropout_rate", 0.1, 0, 1);
    options.initialise = weights == nullptr;

    auto activation = config.textOr("feed_forward_proj", "relu");
    options.gated = activation.starts_with("gated-");
    if (options.gated)
        activation.erase(0, 6);
    if (options.gated && activation == "gelu") // so transformers reads the name that v1.1 came with
        activation = "gelu_new";
    options.activation = activationNamed(config, "feed_forward_proj", activation);

    options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
    if (options.tiedOutput)
        options.outputScale = 1.0 / std::sqrt(static_cast<double>(options.width));

    const auto last = options.vocabulary - 1;
    const auto pad = config.integerOr("pad_token_id", 0, 0, last);
    auto network = makeTranslator(config, weights, naming(), options,
                                  {.start = config.integerOr("decoder_start_token_id", pad, 0, last),
                                   .end = config.integerOr("eos_token_id", 1, 0, last),
                                   .pad = pad});
    if (const auto tasks = config.object("task_specific_params"))
        for (const auto& name : tasks->names())
            if (const auto task = tasks->object(name); task && !task->textOr("prefix", "").empty())
                network.tasks.push_back({name, task->text("prefix")});
    return network;
}

} // namespace

Family t5Family(const std::string& modelType) {
    return {.modelType = modelType,
            .build = build,
            .naming = [](const ModelConfig&) { return naming(); },
            .sameAs = modelType == "t5" ? "" : "t5"};
}

} // namespace headlight
