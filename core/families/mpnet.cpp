// MPNet, Song et al. 2020: BERT's encoder without segments, whose scores also tell distances apart, as T5's do, by
// numbers that all layers share.
#include "core/families/parts.h"

namespace headlight {

namespace {

Weights::Naming naming() {
    return robertaNaming("mpnet.", {{".attention.self.query.", ".attention.attn.q."},
                                    {".attention.self.key.", ".attention.attn.k."},
                                    {".attention.self.value.", ".attention.attn.v."},
                                    {".attention.output.dense.", ".attention.attn.o."},
                                    {".attention.output.LayerNorm.", ".attention.LayerNorm."},
                                    {"encoder.relative_positions.", "mpnet.encoder.relative_attention_bias."}});
}

Network build(const ModelConfig& config, const Weights* weights) {
    auto options = readBertOptions(config, weights);
    options.tokenTypes = 0;
    setCountedPositions(config, options);
    options.relativeToo = true; // in 32 buckets, whatever the config says
    auto heads = bertHeads(options);
    changeHead(heads, EncoderHead::MaskedLanguage, [](auto& head) { head.activation = Activation::Gelu; });
    return makeEncoder(config, weights, naming(), options, heads);
}

} // namespace

Family mpnetFamily() {
    return {.modelType = "mpnet", .build = build, .naming = [](const ModelConfig&) { return naming(); }};
}

} // namespace headlight
