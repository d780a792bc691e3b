#include "core/families/naming.h"

#include <algorithm>

namespace headlight {

std::string renamed(std::string name, const Renames& renames) {
    for (const auto& [first, second] : renames) {
        const auto at = name.find(first);
        if (at != std::string::npos)
            name.replace(at, first.size(), second);
    }
    return name;
}

std::function<Weights::Source(const std::string& ours)> namedBy(Renames renames) {
    return [renames = std::move(renames)](const std::string& ours) {
        return Weights::Source{.name = renamed(ours, renames)};
    };
}

Weights::Naming bertNaming(const std::string& prefix, const Renames& head, std::vector<std::string> unread) {
    Renames renames{
        {"shared.", prefix + "embeddings.word_embeddings."},
        {"token_types.", prefix + "embeddings.token_type_embeddings."},
        {"encoder.embed_positions.", prefix + "embeddings.position_embeddings."},
        {"encoder.layernorm_embedding.", prefix + "embeddings.LayerNorm."},
        {"encoder.layers.", prefix + "encoder.layer."},
        {".self_attn.q_proj.", ".attention.self.query."},
        {".self_attn.k_proj.", ".attention.self.key."},
        {".self_attn.v_proj.", ".attention.self.value."},
        {".self_attn.out_proj.", ".attention.output.dense."},
        {".self_attn_layer_norm.", ".attention.output.LayerNorm."},
        {".fc1.", ".intermediate.dense."},
        {".fc2.", ".output.dense."},
        {".final_layer_norm.", ".output.LayerNorm."},
    };
    renames.insert(renames.end(), head.begin(), head.end());
    unread.insert(unread.end(), {prefix + "pooler.", prefix + "embeddings.position_ids"});
    return {
        .canonical =
            [prefix](const std::string& theirs) {
                return withPrefix(theirs, prefix, {"embeddings.", "encoder.", "pooler."});
            },
        .source = namedBy(renames),
        .ignorable = [unread = std::move(unread)](const std::string& theirs) { return startsWithAny(theirs, unread); },
        .tied = {{renamed("shared.weight", renames), renamed("head_output.weight", renames)},
                 {renamed("head_bias", renames), renamed("head_output.bias", renames)}}};
}

Weights::Naming gptNaming(const Renames& ends, std::vector<std::string> unread) {
    Renames renames{
        {"decoder.layers.", "transformer.h."},
        {".self_attn.q_proj.", ".attn.c_attn."},
        {".self_attn.k_proj.", ".attn.c_attn."},
        {".self_attn.v_proj.", ".attn.c_attn."},
        {".self_attn.out_proj.", ".attn.c_proj."},
        {".self_attn_layer_norm.", ".ln_1."},
        {".fc1.", ".mlp.c_fc."},
        {".fc2.", ".mlp.c_proj."},
        {".final_layer_norm.", ".ln_2."},
    };
    std::vector<std::string> bare{"h."};
    for (const auto& [ours, theirs] : ends) {
        renames.emplace_back(ours, "transformer." + theirs);
        bare.push_back(theirs);
    }
    // A tied copy, and what draws the causal mask.
    unread.insert(unread.end(), {"lm_head.weight", ".attn.bias"});
    return {
        .canonical = [bare](const std::string& theirs) { return withPrefix(theirs, "transformer.", bare); },
        .source =
            [renames](const std::string& ours) {
                const auto name = renamed(ours, renames);
                const bool joined = name.find(".c_attn.") != std::string::npos;
                const auto third = ours.find(".k_proj.") != std::string::npos   ? 1
                                   : ours.find(".v_proj.") != std::string::npos ? 2
                                                                                : 0;
                return Weights::Source{.name = name,
                                       .transposed = name.starts_with("transformer.h."),
                                       .part = third,
                                       .parts = joined ? 3 : 1};
            },
        .ignorable = [unread = std::move(unread)](const std::string& theirs) { return endsWithAny(theirs, unread); },
        .tied = {{renamed("shared.weight", renames), "lm_head.weight"}}};
}

Weights::Naming bartNaming() {
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "model.", {"shared.", "encoder.", "decoder."});
                },
            .source =
                [](const std::string& ours) {
                    const bool outside = startsWithAny(ours, {"final_logits_bias", "lm_head."});
                    return Weights::Source{.name = outside ? ours : "model." + ours};
                },
            // Copies of the shared embedding, tables that are computed, and marks of the first conversions.
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight"
                           || endsWithAny(
                               theirs, {"coder.embed_tokens.weight", "coder.embed_positions.weight", "coder.version"});
                },
            .tied = {{"model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight",
                      "lm_head.weight"}}};
}

std::string withPrefix(std::string name, const std::string& prefix, const std::vector<std::string>& bare) {
    if (name.ends_with(".gamma"))
        name.replace(name.size() - 5, 5, "weight");
    else if (name.ends_with(".beta"))
        name.replace(name.size() - 4, 4, "bias");
    return startsWithAny(name, bare) ? prefix + name : name;
}

bool startsWithAny(const std::string& name, const std::vector<std::string>& beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](const std::string& text) { return name.starts_with(text); });
}

bool endsWithAny(const std::string& name, const std::vector<std::string>& endings) {
    return std::any_of(endings.begin(), endings.end(), [&](const std::string& text) { return name.ends_with(text); });
}

} // namespace headlight
