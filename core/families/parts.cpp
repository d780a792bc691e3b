#include "core/families/parts.h"

#include "core/nn/transformer.h"

#include <algorithm>
#include <array>

namespace headlight {

namespace {

/// Compares what the config promises with the checkpoint, layer by layer.
void requireSizes(const Weights& weights, const Weights::Naming& naming, const TransformerOptions& options) {
    const auto require = [&](const std::string& ours, const std::vector<std::int64_t>& shape) {
        weights.requireShape(naming.source(ours), shape);
    };
    const auto size = options.sizeOfHead();
    require("shared.weight", {options.vocabulary, options.width});
    if (options.tokenTypes > 0)
        require("token_types.weight", {options.tokenTypes, options.width});
    const auto requireStack = [&](const std::string& stack, int layers) {
        if (layers > 0 && options.position == PositionKind::Learned)
            require(stack + ".embed_positions.weight", {options.maxPositions + options.positionOffset, options.width});
        if (layers > 0 && options.position == PositionKind::Relative)
            require(stack + ".embed_positions.weight", {options.relativeBuckets, options.heads});
        for (int layer = 0; layer < layers; ++layer) {
            const auto name = stack + ".layers." + std::to_string(layer);
            require(name + ".self_attn.q_proj.weight", {options.heads * size, options.width});
            require(name + ".self_attn.k_proj.weight", {options.headsOfKeys() * size, options.width});
            require(name + ".fc1.weight", {options.feedForward, options.width});
        }
    };
    requireStack("encoder", options.encoderLayers);
    requireStack("decoder", options.decoderLayers);
}

/// What all shapes say of themselves.
Network described(const TransformerOptions& options) {
    Network network;
    network.vocabulary = options.vocabulary;
    network.maxPositions = options.maxPositions;
    network.encoderLayers = options.encoderLayers;
    network.decoderLayers = options.decoderLayers;
    network.crossLayers = options.encoderLayers > 0 ? options.decoderLayers : 0;
    network.heads = static_cast<int>(options.heads);
    network.headSize = options.sizeOfHead();
    network.width = options.width;
    network.feedForward = options.feedForward;
    network.blockSparse = options.blocks.has_value();
    return network;
}

SpecialIds readIds(const ModelConfig& config, std::int64_t vocabulary) {
    return {.start = readSpecialId(config, "bos_token_id", vocabulary),
            .end = readSpecialId(config, "eos_token_id", vocabulary),
            .pad = readSpecialId(config, "pad_token_id", vocabulary)};
}

} // namespace

Activation readActivation(const ModelConfig& config, const std::string& key, const std::string& otherwise) {
    return activationNamed(config, key, config.textOr(key, otherwise));
}

Activation activationNamed(const ModelConfig& config, const std::string& key, const std::string& name) {
    constexpr std::array<std::pair<const char*, Activation>, 11> known{{
        {"relu", Activation::Relu},
        {"gelu", Activation::Gelu},
        {"gelu_python", Activation::Gelu},
        {"gelu_new", Activation::GeluTanh},
        {"gelu_fast", Activation::GeluTanh},
        {"gelu_pytorch_tanh", Activation::GeluTanh},
        {"quick_gelu", Activation::QuickGelu},
        {"silu", Activation::Silu},
        {"swish", Activation::Silu},
        {"tanh", Activation::Tanh},
        {"gelu_accurate", Activation::GeluTanh},
    }};
    std::string names;
    for (const auto& [text, activation] : known) {
        if (name == text)
            return activation;
        names += (names.empty() ? "" : ", ") + std::string(text);
    }
    config.fail(Error::Kind::Unsupported, "the " + key + " \"" + name + "\" is not known", "known are: " + names);
}

std::string readArchitecture(const ModelConfig& config, std::initializer_list<const char*> known) {
    const auto architectures = config.architectures();
    if (architectures.empty())
        return {};
    std::string names;
    for (const std::string ending : known) {
        if (architectures.front().ends_with(ending))
            return ending;
        names += (names.empty() ? "…" : ", …") + ending;
    }
    config.fail(Error::Kind::Unsupported, "the architecture \"" + architectures.front() + "\" is not known",
                "of the model_type " + config.modelType() + " known are: " + names);
}

EncoderHead readEncoderHead(const ModelConfig& config, const Weights* weights, const std::string& maskedHead) {
    if (config.flagOr("is_decoder", false))
        config.fail(Error::Kind::Unsupported,
                    "\"is_decoder\" is true: a " + config.modelType() + " that is used as a decoder is not supported");
    const auto ending = readArchitecture(config, {"ForMaskedLM", "ForPreTraining", "ForSequenceClassification",
                                                  "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice",
                                                  "ForNextSentencePrediction", "Model"});
    if (ending == "ForMaskedLM" || ending == "ForPreTraining")
        return EncoderHead::MaskedLanguage;
    if (ending == "ForSequenceClassification")
        return EncoderHead::Classification;
    return ending.empty() && weights && weights->has(maskedHead) ? EncoderHead::MaskedLanguage : EncoderHead::None;
}

std::int64_t readSpecialId(const ModelConfig& config, const std::string& key, std::int64_t vocabulary) {
    const auto ids = config.integers(key, INT64_MIN, INT64_MAX);
    return !ids.empty() && ids.front() >= 0 && ids.front() < vocabulary ? ids.front() : -1;
}

TransformerOptions readBertOptions(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integer("num_attention_heads", 1, 1024);
    options.feedForward = config.integer("intermediate_size", 1, 1 << 20);
    options.encoderLayers = static_cast<int>(config.integer("num_hidden_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.tokenTypes = config.integerOr("type_vocab_size", 2, 1, 65536);
    options.position = PositionKind::Learned;
    options.scaleEmbedding = false;
    options.embeddingNorm = true;
    options.norm = NormPlacement::Post;
    options.normEpsilon = config.numberOr("layer_norm_eps", 1e-12, 0, 1);
    options.activation = readActivation(config, "hidden_act", "gelu");
    options.tiedOutput = config.flagOr("tie_word_embeddings", true);
    options.dropout = config.numberOr("hidden_dropout_prob", 0.1, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "hidden_size", options.width, "num_attention_heads", options.heads);
    const auto kind = config.textOr("position_embedding_type", "absolute");
    if (kind != "absolute")
        config.fail(Error::Kind::Unsupported, "the position_embedding_type \"" + kind + "\" is not known",
                    "known is: absolute");
    return options;
}

TransformerOptions readGptOptions(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("n_embd", 2, 65536);
    options.heads = config.integer("n_head", 1, 1024);
    options.feedForward = 4 * options.width;
    options.decoderLayers = static_cast<int>(config.integer("n_layer", 1, 256));
    options.maxPositions = config.integer("n_positions", 1, 1 << 20);
    options.position = PositionKind::Learned;
    options.scaleEmbedding = false;
    options.normEpsilon = config.numberOr("layer_norm_epsilon", 1e-5, 0, 1);
    options.tiedOutput = config.flagOr("tie_word_embeddings", true);
    options.dropout = config.numberOr("resid_pdrop", 0.1, 0, 1);
    options.initialise = weights == nullptr;
    requireHeads(config, "n_embd", options.width, "n_head", options.heads);
    return options;
}

TransformerOptions readBartOptions(const ModelConfig& config, const Weights* weights) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("d_model", 2, 65536);
    options.heads = config.integer("encoder_attention_heads", 1, 1024);
    options.feedForward = config.integer("encoder_ffn_dim", 1, 1 << 20);
    options.encoderLayers = static_cast<int>(config.integer("encoder_layers", 1, 256));
    options.decoderLayers = static_cast<int>(config.integer("decoder_layers", 1, 256));
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.activation = readActivation(config, "activation_function", "gelu");
    options.scaleEmbedding = config.flagOr("scale_embedding", false);
    options.initialise = weights == nullptr;
    requireHeads(config, "d_model", options.width, "encoder_attention_heads", options.heads);
    const auto heads = config.integerOr("decoder_attention_heads", options.heads, 1, 1024);
    const auto feedForward = config.integerOr("decoder_ffn_dim", options.feedForward, 1, 1 << 20);
    if (heads != options.heads || feedForward != options.feedForward)
        config.fail(Error::Kind::Unsupported,
                    "the encoder has " + std::to_string(options.heads) + " heads and a feed-forward size of "
                        + std::to_string(options.feedForward) + ", the decoder " + std::to_string(heads) + " and "
                        + std::to_string(feedForward),
                    "both must be equal");
    return options;
}

void requireHeads(const ModelConfig& config, const char* widthKey, std::int64_t width, const char* headsKey,
                  std::int64_t heads) {
    if (width % heads != 0)
        config.fail(Error::Kind::Corrupt, "\"" + std::string(widthKey) + "\" " + std::to_string(width)
                                              + " is no multiple of the " + std::to_string(heads) + " heads of \""
                                              + headsKey + "\"");
}

Network makeEncoder(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                    TransformerOptions options, EncoderHeadOptions head) {
    auto network = described(options);
    if (head.kind == EncoderHead::Classification) {
        network.labels = config.labels();
        head.labels = static_cast<std::int64_t>(network.labels.size());
    }
    if (weights) {
        requireSizes(*weights, naming, options);
        if (head.kind == EncoderHead::Classification)
            weights->requireShape(naming.source("classifier.weight"), {head.labels, options.width});
    }
    network.ids = readIds(config, options.vocabulary);
    network.segments = options.tokenTypes;
    network.encoder = std::make_shared<TransformerEncoder>(options, head);
    return network;
}

Network makeCausal(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                   TransformerOptions options) {
    readArchitecture(config, {"LMHeadModel", "ForCausalLM", "Model"});
    if (weights)
        requireSizes(*weights, naming, options);
    auto network = described(options);
    network.ids = readIds(config, options.vocabulary);
    network.causal = std::make_shared<TransformerDecoder>(options);
    return network;
}

Network makeTranslator(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                       TransformerOptions options, const SpecialIds& ids) {
    readArchitecture(config, {"ForConditionalGeneration", "Model"});
    if (weights)
        requireSizes(*weights, naming, options);
    auto network = described(options);
    network.ids = ids;
    network.banned = config.singleIntegers("bad_words_ids", 0, options.vocabulary - 1);
    network.translator = std::make_shared<Transformer>(options);
    return network;
}

} // namespace headlight
