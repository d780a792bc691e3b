// Two models that were trained apart and then joined, Rothe et al. 2020: an encoder such as BERT, and a decoder such as
// BERT or GPT-2 that attends to it. config.json holds the configurations of both; tensors bear the names that they have
// alone, behind `encoder.` and `decoder.`.
#include "core/families/parts.h"

#include "core/nn/encoder_decoder.h"

#include <algorithm>
#include <array>

namespace headlight {

namespace {

constexpr std::array halves{"encoder", "decoder"};

ModelConfig configOf(const ModelConfig& config, const char* half) {
    const auto own = config.object(half);
    if (!own)
        config.fail(Error::Kind::Corrupt, "\"" + std::string(half) + "\" is missing, the configuration of that half");
    const auto type = own->textOr("model_type", "");
    if (type == config.modelType())
        own->fail(Error::Kind::Unsupported, "the " + std::string(half) + " is made of two models itself");
    return own->as(type);
}

/// What the naming of each half says of the names behind `encoder.` and `decoder.`.
class Names {
public:
    explicit Names(const ModelConfig& config) {
        for (const char* half : halves) {
            const auto own = configOf(config, half);
            m_halves.push_back({std::string(half) + ".", findFamily(own).naming(own)});
        }
    }

    Weights::Naming joined() const {
        Weights::Naming all;
        all.canonical = [this_ = *this](const std::string& theirs) {
            const auto* half = this_.halfOf(theirs);
            if (!half || !half->naming.canonical)
                return theirs;
            return half->prefix + half->naming.canonical(theirs.substr(half->prefix.size()));
        };
        all.source = [this_ = *this](const std::string& ours) {
            const auto* half = this_.halfOf(ours);
            if (!half)
                return Weights::Source{.name = ours};
            auto source = half->naming.source(ours.substr(half->prefix.size()));
            if (!source.name.empty())
                source.name.insert(0, half->prefix);
            return source;
        };
        all.ignorable = [this_ = *this](const std::string& theirs) {
            const auto* half = this_.halfOf(theirs);
            return half && half->naming.ignorable && half->naming.ignorable(theirs.substr(half->prefix.size()));
        };
        for (const auto& [prefix, naming] : m_halves) {
            for (auto names : naming.tied) {
                for (auto& name : names)
                    name.insert(0, prefix);
                all.tied.push_back(std::move(names));
            }
            for (const auto& body : naming.body)
                all.body.push_back(prefix + body);
        }
        return all;
    }

private:
    struct Half {
        std::string prefix;
        Weights::Naming naming;
    };
    const Half* halfOf(const std::string& name) const {
        const auto half = std::find_if(m_halves.begin(), m_halves.end(),
                                       [&](const Half& one) { return name.starts_with(one.prefix); });
        return half == m_halves.end() ? nullptr : &*half;
    }

    std::vector<Half> m_halves;
};

Network build(const ModelConfig& config, const Weights* weights) {
    const auto half = [&](const char* name, const char* needed) {
        const auto own = configOf(config, name);
        std::optional<Weights> part;
        if (weights)
            part = weights->under(std::string(name) + ".");
        auto network = findFamily(own).build(own, part ? &*part : nullptr);
        if (needed == std::string("encoder") ? !network.encoder : !network.causal)
            own.fail(Error::Kind::Unsupported, "a " + own.modelType() + " is no " + needed + " alone",
                     "as a decoder it has \"is_decoder\": true");
        return network;
    };
    auto source = half("encoder", "encoder"), target = half("decoder", "decoder");
    const auto decoder = configOf(config, "decoder");
    const auto cross = findFamily(decoder).naming(decoder).source("decoder.layers.0.encoder_attn.q_proj.weight").name;
    if (!decoder.flagOr("add_cross_attention", false) || (weights && !weights->has("decoder." + cross)))
        decoder.fail(Error::Kind::Unsupported, "this decoder does not attend to the encoder",
                     "it has \"add_cross_attention\": true, and tensors for it");

    Network network;
    network.vocabulary = target.vocabulary;
    if (source.vocabulary != target.vocabulary)
        network.sourceVocabulary = source.vocabulary;
    network.maxPositions = std::min(source.maxPositions, target.maxPositions);
    network.encoderLayers = source.encoderLayers;
    network.decoderLayers = network.crossLayers = target.decoderLayers;
    network.heads = source.heads;
    if (target.heads != source.heads)
        network.decoderHeads = target.heads;
    network.headSize = std::max(source.headSize, target.headSize);
    network.width = std::max(source.width, target.width);
    network.feedForward = std::max(source.feedForward, target.feedForward);
    network.blockSparse = source.blockSparse;

    // Old files have the ids with the decoder.
    const auto last = network.vocabulary - 1;
    const auto id = [&](std::initializer_list<const char*> keys) {
        for (const char* key : keys)
            for (const auto* holder : {&config, &decoder})
                if (holder->has(key))
                    return holder->integer(key, 0, last);
        return config.integer(*keys.begin(), 0, last); // which says that it is missing
    };
    network.ids = {.start = id({"decoder_start_token_id", "bos_token_id"}),
                   .end = id({"eos_token_id", "sep_token_id"}),
                   .pad = id({"pad_token_id"})};
    const LinearOptions projection{.inputs = source.width != target.width ? source.width : 0,
                                   .outputs = target.width,
                                   .initialise = weights == nullptr};
    network.translator = std::make_shared<EncoderDecoder>(source.encoder, target.causal, projection);
    return network;
}

} // namespace

Family encoderDecoderFamily() {
    return {.modelType = "encoder-decoder", .build = build, .naming = [](const ModelConfig& config) {
                return Names(config).joined();
            }};
}

} // namespace headlight
