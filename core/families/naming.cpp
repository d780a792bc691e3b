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

Weights::Naming bertNaming(const std::string& prefix, const Renames& others) {
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
        {".self_attn.distances", ".attention.self.distance_embedding.weight"},
        {".self_attn_layer_norm.", ".attention.output.LayerNorm."},
        {".fc1.", ".intermediate.dense."},
        {".fc2.", ".output.dense."},
        {".final_layer_norm.", ".output.LayerNorm."},
        {"tokens.output.", "classifier."},
        {"answer.output.", "qa_outputs."},
        {"relationship.dense.", prefix + "pooler.dense."},
        {"choice.dense.", prefix + "pooler.dense."},
        {"choice.output.", "classifier."},
    };
    renames.insert(renames.end(), others.begin(), others.end());
    // What is read to say something of all, and numbers of positions, which some versions saved.
    const std::vector<std::string> unread{prefix + "pooler.", prefix + "embeddings.position_"};
    return {.canonical =
                [prefix](const std::string& theirs) {
                    return withPrefix(theirs, prefix, {"embeddings.", "encoder.", "pooler."});
                },
            .source = namedBy(renames),
            .ignorable = [unread](const std::string& theirs) { return startsWithAny(theirs, unread); },
            .tied = {{renamed("shared.weight", renames), renamed("masked.output.weight", renames)},
                     {renamed("masked.bias", renames), renamed("masked.output.bias", renames)}},
            .body = {prefix}};
}

Weights::Naming robertaNaming(const std::string& prefix, Renames others) {
    others.insert(others.end(), {{"masked.dense.", "lm_head.dense."},
                                 {"masked.norm.", "lm_head.layer_norm."},
                                 {"masked.output.", "lm_head.decoder."},
                                 {"masked.bias", "lm_head.bias"},
                                 {"classification.dense.", "classifier.dense."},
                                 {"classification.output.", "classifier.out_proj."}});
    return bertNaming(prefix, others);
}

Weights::Naming asDecoder(Weights::Naming naming) {
    naming.source = [source = std::move(naming.source)](const std::string& ours) {
        static const Renames usual{
            {"decoder.", "encoder."},
            {".encoder_attn.q_proj.", ".crossattention.self.query."},
            {".encoder_attn.k_proj.", ".crossattention.self.key."},
            {".encoder_attn.v_proj.", ".crossattention.self.value."},
            {".encoder_attn.out_proj.", ".crossattention.output.dense."},
            {".encoder_attn_layer_norm.", ".crossattention.output.LayerNorm."},
        };
        return source(ours.starts_with("decoder.") ? renamed(ours, usual) : ours);
    };
    return naming;
}

Weights::Naming gptNaming(const Renames& ends, std::vector<std::string> unread) {
    Renames renames{
        {"decoder.layers.", "transformer.h."},
        {".self_attn.q_proj.", ".attn.c_attn."},
        {".self_attn.k_proj.", ".attn.c_attn."},
        {".self_attn.v_proj.", ".attn.c_attn."},
        {".self_attn.out_proj.", ".attn.c_proj."},
        {".self_attn_layer_norm.", ".ln_1."},
        {".encoder_attn.q_proj.", ".crossattention.q_attn."},
        {".encoder_attn.k_proj.", ".crossattention.c_attn."},
        {".encoder_attn.v_proj.", ".crossattention.c_attn."},
        {".encoder_attn.out_proj.", ".crossattention.c_proj."},
        {".encoder_attn_layer_norm.", ".ln_cross_attn."},
        {".fc1.", ".mlp.c_fc."},
        {".fc2.", ".mlp.c_proj."},
        {".final_layer_norm.", ".ln_2."},
        {"classification.output.", "score."},
        {"tokens.output.", "classifier."},
    };
    std::vector<std::string> bare{"h."};
    for (const auto& [ours, theirs] : ends) {
        renames.emplace_back(ours, "transformer." + theirs);
        bare.push_back(theirs);
    }
    // A tied copy, and what draws the causal mask.
    unread.insert(unread.end(), {"lm_head.weight", ".attn.bias"});
    return {.canonical = [bare](const std::string& theirs) { return withPrefix(theirs, "transformer.", bare); },
            .source =
                [renames](const std::string& ours) {
                    const auto name = renamed(ours, renames);
                    const auto isOf = [&ours](const char* part) { return ours.find(part) != std::string::npos; };
                    // Those of attention to an encoder have no queries among them.
                    const int parts = name.find(".c_attn.") == std::string::npos ? 1 : isOf(".encoder_attn.") ? 2 : 3;
                    const int place = isOf(".k_proj.") ? 1 : isOf(".v_proj.") ? 2 : 0;
                    return Weights::Source{.name = name,
                                           .transposed = name.starts_with("transformer.h."),
                                           .part = parts == 1 ? 0 : place - (3 - parts),
                                           .parts = parts};
                },
            .ignorable =
                [unread = std::move(unread)](const std::string& theirs) {
                    // Of one that was taught to read an encoder, which is not there.
                    const bool ofCross = theirs.find(".crossattention.") != std::string::npos
                                         || theirs.find(".ln_cross_attn.") != std::string::npos;
                    return ofCross || endsWithAny(theirs, unread);
                },
            .tied = {{renamed("shared.weight", renames), "lm_head.weight"}},
            .body = {"transformer."}};
}

Weights::Naming llamaNaming(Renames others) {
    const Renames usual{
        {"shared.", "model.embed_tokens."},
        {"decoder.layers.", "model.layers."},
        {"decoder.layer_norm.", "model.norm."},
        {".self_attn.out_proj.", ".self_attn.o_proj."},
        {".self_attn_layer_norm.", ".input_layernorm."},
        {".fc1.", ".mlp.gate_proj."},
        {".fc3.", ".mlp.up_proj."},
        {".fc2.", ".mlp.down_proj."},
        {".final_layer_norm.", ".post_attention_layernorm."},
        {"classification.output.", "score."},
        {"tokens.output.", "score."},
    };
    others.insert(others.end(), usual.begin(), usual.end());
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "model.", {"layers.", "embed_tokens.", "norm."});
                },
            .source = namedBy(std::move(others)),
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight" || theirs.ends_with(".rotary_emb.inv_freq");
                },
            .tied = {{"model.embed_tokens.weight", "lm_head.weight"}},
            .body = {"model."}};
}

Weights::Source joinedByHead(const std::string& ours, const Renames& renames, std::int64_t heads) {
    Weights::Source source{.name = renamed(ours, renames)};
    int part = 0;
    for (const std::string name : {".self_attn.q_proj.", ".self_attn.k_proj.", ".self_attn.v_proj."}) {
        if (ours.find(name) != std::string::npos) {
            source.part = part;
            source.parts = 3;
            source.groups = heads;
        }
        ++part;
    }
    return source;
}

Weights::Naming changed(Weights::Naming naming,
                        const std::function<Weights::Source(const std::string& ours, Weights::Source)>& change) {
    naming.source = [source = naming.source, change](const std::string& ours) { return change(ours, source(ours)); };
    return naming;
}

Weights::Naming bartNaming() {
    return {.canonical =
                [](const std::string& theirs) {
                    return withPrefix(theirs, "model.", {"shared.", "encoder.", "decoder."});
                },
            .source =
                [](const std::string& ours) {
                    if (startsWithAny(ours, {"final_logits_bias", "lm_head."}))
                        return Weights::Source{.name = ours};
                    static const Renames head{{"classification.dense.", "classification_head.dense."},
                                              {"classification.output.", "classification_head.out_proj."}};
                    return Weights::Source{.name = ours.starts_with("classification.") ? renamed(ours, head)
                                                                                       : "model." + ours};
                },
            // Copies of the shared embedding, tables that are computed, and marks of the first conversions.
            .ignorable =
                [](const std::string& theirs) {
                    return theirs == "lm_head.weight"
                           || endsWithAny(
                               theirs, {"coder.embed_tokens.weight", "coder.embed_positions.weight", "coder.version"});
                },
            .tied = {{"model.shared.weight", "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight",
                      "lm_head.weight"}},
            .body = {"model."}};
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
