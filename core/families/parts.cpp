#include "core/families/parts.h"

#include "core/nn/transformer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace headlight {

namespace {

/// Compares what the config promises with the checkpoint, layer by layer.
void requireSizes(const Weights& weights, const Weights::Naming& naming, const TransformerOptions& options) {
    const auto require = [&](const std::string& ours, const std::vector<std::int64_t>& shape) {
        weights.requireShape(naming.source(ours), shape);
    };
    const auto embedded = options.widthOfEmbedding();
    require("shared.weight", {options.vocabulary, embedded});
    if (options.tokenTypes > 0)
        require("token_types.weight", {options.tokenTypes, embedded});
    if (options.targetVocabulary > 0)
        require("target_shared.weight", {options.targetVocabulary, embedded});
    const auto requireStack = [&](const std::string& stack, int layers, const TransformerOptions& own) {
        if (layers > 0 && own.position == PositionKind::Learned)
            require(stack + ".embed_positions.weight",
                    {own.maxPositions + own.positionOffset, own.projectsTokens ? own.width : embedded});
        if (layers > 0 && own.position == PositionKind::Relative)
            require(stack + ".embed_positions.weight", {own.relativeBuckets, own.heads});
        if (layers > 0 && own.disentangled)
            require(stack + ".distances.weight", {2 * own.disentangled->span, own.width});
        const auto size = own.sizeOfHead();
        const auto different = own.differentLayers > 0 ? std::min(own.differentLayers, layers) : layers;
        for (int layer = 0; layer < different; ++layer) {
            const auto name = stack + ".layers." + std::to_string(layer);
            require(name + ".self_attn.q_proj.weight", {own.heads * size, own.width});
            require(name + ".self_attn.k_proj.weight", {own.headsOfKeys() * size, own.width});
            if (own.distanceVectors != DistanceVectors::None)
                require(name + ".self_attn.distances", {2 * own.maxPositions - 1, size});
            require(name + ".fc1.weight", {own.feedForward, own.width});
        }
    };
    requireStack("encoder", options.encoderLayers, options);
    requireStack("decoder", options.decoderLayers, options.ofDecoder());
}

/// What all shapes say of themselves.
Network described(const TransformerOptions& options) {
    Network network;
    const auto ofDecoder = options.ofDecoder();
    network.vocabulary = options.wordsOfTarget();
    if (options.targetVocabulary > 0)
        network.sourceVocabulary = options.vocabulary;
    network.maxPositions = options.maxPositions;
    network.encoderLayers = options.encoderLayers;
    network.decoderLayers = options.decoderLayers;
    network.crossLayers = options.encoderLayers > 0 ? options.decoderLayers : 0;
    network.heads = static_cast<int>(options.heads);
    if (ofDecoder.heads != options.heads)
        network.decoderHeads = static_cast<int>(ofDecoder.heads);
    network.headSize = std::max(options.sizeOfHead(), ofDecoder.sizeOfHead());
    network.width = options.width;
    network.feedForward = std::max(options.feedForward, ofDecoder.feedForward);
    network.blockSparse = options.blocks.has_value();
    return network;
}

/// Which of the heads that a family knows this is: the architecture names it, else the checkpoint's tensors show that
/// of a masked language model; a head whose tensors are not there is none.
EncoderHeadOptions chosenHead(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                              const std::vector<EncoderHeadOptions>& heads, Network& network) {
    constexpr std::array<std::pair<const char*, EncoderHead>, 9> endings{{
        {"ForMaskedLM", EncoderHead::MaskedLanguage},
        {"ForPreTraining", EncoderHead::MaskedLanguage},
        {"ForPreTraining", EncoderHead::ReplacedTokens},
        {"ForSequenceClassification", EncoderHead::Classification},
        {"ForTokenClassification", EncoderHead::TokenClassification},
        {"ForQuestionAnswering", EncoderHead::QuestionAnswering},
        {"ForNextSentencePrediction", EncoderHead::NextSentence},
        {"ForMultipleChoice", EncoderHead::Choice},
        {"LMHeadModel", EncoderHead::MaskedLanguage},
    }};
    const auto isThere = [&](const EncoderHeadOptions& head) {
        const std::string name = OutputHead::nameOf(head.kind);
        return !weights || weights->has(naming.source(name + (head.dense ? ".dense.weight" : ".output.weight")).name);
    };
    const bool named =
        std::any_of(endings.begin(), endings.end(), [&](const auto& one) { return isArchitecture(config, one.first); });
    bool isKnown = false;
    for (const auto& head : heads) {
        const bool meant = named ? std::any_of(endings.begin(), endings.end(),
                                               [&](const auto& one) {
                                                   return one.second == head.kind && isArchitecture(config, one.first);
                                               })
                                 : weights && head.kind == EncoderHead::MaskedLanguage;
        isKnown = isKnown || (named && meant);
        if (meant && isThere(head))
            return head;
    }
    if (isKnown)
        network.notices.push_back("the weights hold no head of " + config.architectures().front());
    return {};
}

/// How many outputs a head has, and what they are called.
void nameLabels(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                EncoderHeadOptions& head, Network& network) {
    if (head.kind != EncoderHead::Classification && head.kind != EncoderHead::TokenClassification)
        return;
    network.labels = config.labels();
    if (weights) { // a config's names are decoration: there are as many labels as the layer has outputs
        const auto output = naming.source(std::string(OutputHead::nameOf(head.kind)) + ".output.weight").name;
        const auto rows = static_cast<std::size_t>(weights->shapeOf(output).at(0));
        for (auto id = network.labels.size(); id < rows; ++id)
            network.labels.push_back("LABEL_" + std::to_string(id));
        network.labels.resize(rows);
    }
    head.labels = static_cast<std::int64_t>(network.labels.size());
    network.labelsExclude = config.textOr("problem_type", "") != "multi_label_classification";
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

bool isArchitecture(const ModelConfig& config, const std::string& ending) {
    const auto architectures = config.architectures();
    return !architectures.empty() && architectures.front().ends_with(ending);
}

bool readTied(const ModelConfig& config, const Weights* weights, const std::string& output, bool otherwise) {
    return (weights && !weights->has(output)) || config.flagOr("tie_word_embeddings", otherwise);
}

RotaryOptions readRotary(const ModelConfig& config, const TransformerOptions& options, const RotaryKeys& keys) {
    // Where newer files put all of it, for all layers or for each kind of them.
    auto parameters = config.object("rope_parameters");
    if (parameters && keys.layers && parameters->has(keys.layers))
        parameters = parameters->object(keys.layers);
    const auto& holder = parameters ? *parameters : config;
    RotaryOptions rotary;
    rotary.base = config.numberOr(keys.base, keys.otherwise, 1, 1e12);
    if (parameters)
        rotary.base = parameters->numberOr("rope_theta", rotary.base, 1, 1e12);
    const auto part = holder.numberOr(
        "partial_rotary_factor",
        config.numberOr("partial_rotary_factor", config.numberOr("rotary_pct", keys.part, 0, 1), 0, 1), 0, 1);
    const auto size = options.sizeOfHead();
    rotary.dimensions = static_cast<std::int64_t>(static_cast<double>(size) * part);
    if (rotary.dimensions < 2 || rotary.dimensions % 2 != 0)
        config.fail(Error::Kind::Corrupt, "rotary positions turn pairs of dimensions, and of heads of "
                                              + std::to_string(size) + " they are to turn "
                                              + std::to_string(rotary.dimensions));
    const auto scaling = parameters ? parameters : keys.scaled ? config.object("rope_scaling") : std::nullopt;
    if (!scaling)
        return rotary;
    auto kind = scaling->textOr("rope_type", scaling->textOr("type", "default"));
    if (kind == "default" || kind == "mrope") // of images as well; a text's positions are the usual ones
        return rotary;
    if (kind == "su" || (kind == "yarn" && config.modelType() == "phi3")) // what Phi-3 called it first
        kind = "longrope";
    const auto positions = static_cast<double>(options.maxPositions);
    const auto original =
        scaling->integerOr("original_max_position_embeddings",
                           config.integerOr("original_max_position_embeddings", 0, 1, 1 << 24), 1, 1 << 24);
    rotary.factor = scaling->numberOr("factor", 1, 1e-3, 1e6);
    if (kind == "linear")
        return rotary;
    rotary.originalPositions = original > 0 ? original : options.maxPositions;
    if (kind == "dynamic") {
        rotary.scaling = RotaryScaling::Dynamic;
        rotary.originalPositions = options.maxPositions;
        if (rotary.dimensions < 4)
            config.fail(Error::Kind::Corrupt, "dynamic rotary positions need more than one pair of dimensions");
    } else if (kind == "llama3") {
        rotary.scaling = RotaryScaling::Llama3;
        rotary.originalPositions = scaling->integer("original_max_position_embeddings", 1, 1 << 20);
        rotary.low = scaling->numberOr("low_freq_factor", 1, 1e-3, 1e6);
        rotary.high = scaling->numberOr("high_freq_factor", 4, 1e-3, 1e6);
        if (rotary.high <= rotary.low)
            scaling->fail(Error::Kind::Corrupt, "\"high_freq_factor\" is not above \"low_freq_factor\"");
    } else if (kind == "yarn") {
        rotary.scaling = RotaryScaling::Yarn;
        if (original > 0 && !parameters) // as transformers before 5 has it
            rotary.factor = positions / static_cast<double>(original);
        rotary.low = scaling->numberOr("beta_slow", 1, 1e-6, 1e6);
        rotary.high = scaling->numberOr("beta_fast", 32, 1e-6, 1e6);
        rotary.wholePairs = scaling->flagOr("truncate", true);
        const auto grown = [&](double share) {
            return rotary.factor <= 1 ? 1.0 : 0.1 * share * std::log(rotary.factor) + 1;
        };
        const auto all = scaling->numberOr("mscale_all_dim", 0, 0, 1e3), some = scaling->numberOr("mscale", 0, 0, 1e3);
        rotary.amplitude =
            scaling->numberOr("attention_factor", all > 0 && some > 0 ? grown(some) / grown(all) : grown(1), 1e-3, 1e3);
    } else if (kind == "longrope") {
        rotary.scaling = RotaryScaling::LongRope;
        const auto factors = [&](const char* key) {
            const auto found = scaling->numbers(key, 1e-3, 1e6);
            if (2 * static_cast<std::int64_t>(found.size()) != rotary.dimensions)
                scaling->fail(Error::Kind::Corrupt, "\"" + std::string(key) + "\" has " + std::to_string(found.size())
                                                        + " numbers for " + std::to_string(rotary.dimensions / 2)
                                                        + " pairs of dimensions");
            return found;
        };
        rotary.shortFactors = factors("short_factor");
        rotary.longFactors = factors("long_factor");
        const auto grown = original > 0 ? positions / static_cast<double>(original) : rotary.factor;
        const auto amplitude =
            grown > 1 ? std::sqrt(1 + std::log(grown) / std::log(static_cast<double>(rotary.originalPositions))) : 1;
        rotary.amplitude = scaling->numberOr("attention_factor", amplitude, 1e-3, 1e3);
    } else {
        scaling->fail(Error::Kind::Unsupported, "rotary positions of the type \"" + kind + "\" are not known",
                      "known are: default, linear, dynamic, yarn, llama3, longrope");
    }
    return rotary;
}

void setRotary(const ModelConfig& config, TransformerOptions& options, const RotaryKeys& keys) {
    options.position = PositionKind::Rotary;
    options.rotary = readRotary(config, options, keys);
    if (options.rotary.scaling == RotaryScaling::Dynamic) // what it is for
        options.maxPositions =
            std::max(options.maxPositions, static_cast<std::int64_t>(static_cast<double>(options.maxPositions)
                                                                     * std::min(options.rotary.factor, 1024.0)));
}

void setWindows(const ModelConfig& config, TransformerOptions& options, std::int64_t window,
                const std::function<bool(std::int64_t layer)>& slides) {
    if (window <= 0)
        return;
    const auto types = config.texts("layer_types");
    const auto layers = std::max(options.encoderLayers, options.decoderLayers);
    if (!types.empty() && types.size() != static_cast<std::size_t>(layers))
        config.fail(Error::Kind::Corrupt, "\"layer_types\" has " + std::to_string(types.size()) + " entries for "
                                              + std::to_string(layers) + " layers");
    for (std::int64_t layer = 0; layer < layers; ++layer) {
        bool sliding = types.empty() && slides(layer);
        if (!types.empty()) {
            const auto& type = types[static_cast<std::size_t>(layer)];
            sliding = type == "sliding_attention";
            if (!sliding && type != "full_attention")
                config.fail(Error::Kind::Unsupported, "layers of the type \"" + type + "\" are not known",
                            "known are: full_attention, sliding_attention");
        }
        options.windows.push_back(sliding ? window : 0);
    }
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
    options.tokenTypes = config.integerOr("type_vocab_size", 2, 0, 65536);
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
    if (kind == "relative_key" || kind == "relative_key_query") {
        options.position = PositionKind::None;
        options.distanceVectors = kind == "relative_key" ? DistanceVectors::Queries : DistanceVectors::QueriesAndKeys;
    } else if (kind != "absolute") {
        config.fail(Error::Kind::Unsupported, "the position_embedding_type \"" + kind + "\" is not known",
                    "known are: absolute, relative_key, relative_key_query");
    }
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

TransformerOptions readLlamaOptions(const ModelConfig& config, const Weights* weights, const RotaryKeys& keys) {
    TransformerOptions options;
    options.vocabulary = config.integer("vocab_size", 2, 10'000'000);
    options.width = config.integer("hidden_size", 2, 65536);
    options.heads = config.integer("num_attention_heads", 1, 1024);
    options.keyValueHeads = config.integerOr("num_key_value_heads", options.heads, 1, 1024);
    options.feedForward = config.integer("intermediate_size", 1, 1 << 20);
    options.decoderLayers = static_cast<int>(config.integer("num_hidden_layers", 1, 256));
    options.maxPositions = config.integerOr("max_position_embeddings", 2048, 1, 1 << 24);
    options.scaleEmbedding = false;
    options.norm = NormPlacement::Pre;
    options.normKind = NormKind::RmsNorm;
    options.normEpsilon = config.numberOr("rms_norm_eps", 1e-6, 0, 1);
    options.activation = readActivation(config, "hidden_act", "silu");
    options.gated = true;
    options.tiedOutput = readTied(config, weights, "lm_head.weight", false);
    options.dropout = config.numberOr("attention_dropout", 0, 0, 1);
    options.initialise = weights == nullptr;
    options.projectionBias = options.joiningBias = config.flagOr("attention_bias", false);
    options.feedForwardBias = config.flagOr("mlp_bias", false);

    options.headSize = config.integerOr("head_dim", 0, 1, 65536);
    if (options.headSize == 0) {
        requireHeads(config, "hidden_size", options.width, "num_attention_heads", options.heads);
        options.headSize = options.width / options.heads;
    }
    requireHeads(config, "num_attention_heads", options.heads, "num_key_value_heads", options.keyValueHeads);
    setRotary(config, options, keys);
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
    options.decoderHeads = config.integerOr("decoder_attention_heads", options.heads, 1, 1024);
    options.decoderFeedForward = config.integerOr("decoder_ffn_dim", options.feedForward, 1, 1 << 20);
    options.maxPositions = config.integer("max_position_embeddings", 1, 1 << 20);
    options.activation = readActivation(config, "activation_function", "gelu");
    options.scaleEmbedding = config.flagOr("scale_embedding", false);
    options.tiedOutput = readTied(config, weights, "lm_head.weight", true);
    options.outputBias = !weights || weights->has("final_logits_bias"); // the bare model has none
    options.initialise = weights == nullptr;
    requireHeads(config, "d_model", options.width, "encoder_attention_heads", options.heads);
    requireHeads(config, "d_model", options.width, "decoder_attention_heads", options.decoderHeads);
    return options;
}

void setCountedPositions(const ModelConfig& config, TransformerOptions& options) {
    options.uncounted = config.integerOr("pad_token_id", 1, 0, options.vocabulary - 1);
    options.positionOffset = options.uncounted + 1;
    options.maxPositions -= options.positionOffset;
    if (options.maxPositions < 1)
        config.fail(Error::Kind::Corrupt, "\"max_position_embeddings\" "
                                              + std::to_string(options.maxPositions + options.positionOffset)
                                              + " leaves no position after that of the \"pad_token_id\" "
                                              + std::to_string(options.uncounted));
}

void requireHeads(const ModelConfig& config, const char* widthKey, std::int64_t width, const char* headsKey,
                  std::int64_t heads) {
    if (width % heads != 0)
        config.fail(Error::Kind::Corrupt, "\"" + std::string(widthKey) + "\" " + std::to_string(width)
                                              + " is no multiple of the " + std::to_string(heads) + " heads of \""
                                              + headsKey + "\"");
}

std::vector<EncoderHeadOptions> bertHeads(const TransformerOptions& options) {
    const EncoderHeadOptions none{.dense = false};
    const EncoderHeadOptions pooled{.activation = Activation::Tanh};
    const auto of = [](EncoderHead kind, EncoderHeadOptions like, std::int64_t labels) {
        like.kind = kind;
        like.labels = labels;
        return like;
    };
    return {of(EncoderHead::MaskedLanguage,
               {.activation = options.activation, .norm = true, .width = options.widthOfEmbedding()},
               options.vocabulary),
            of(EncoderHead::Classification, pooled, 0),
            of(EncoderHead::TokenClassification, none, 0),
            of(EncoderHead::QuestionAnswering, none, 2),
            of(EncoderHead::NextSentence, pooled, 2),
            of(EncoderHead::Choice, pooled, 1)};
}

void changeHead(std::vector<EncoderHeadOptions>& heads, EncoderHead kind,
                const std::function<void(EncoderHeadOptions&)>& change) {
    for (auto& head : heads)
        if (head.kind == kind)
            change(head);
}

Network makeEncoder(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                    TransformerOptions options, const std::vector<EncoderHeadOptions>& heads) {
    if (config.flagOr("is_decoder", false))
        config.fail(Error::Kind::Unsupported,
                    "\"is_decoder\" is true: a " + config.modelType() + " that is used as a decoder is not supported");
    auto network = described(options);
    auto head = chosenHead(config, weights, naming, heads, network);
    if (head.kind == EncoderHead::MaskedLanguage)
        options.tiedOutput = readTied(config, weights, naming.source("masked.output.weight").name, true);
    nameLabels(config, weights, naming, head, network);
    if (weights)
        requireSizes(*weights, naming, options);
    // Beside the masked words BERT's pre-training asked for the next sentence.
    const auto next =
        std::find_if(heads.begin(), heads.end(), [](const auto& one) { return one.kind == EncoderHead::NextSentence; });
    const bool both = head.kind == EncoderHead::MaskedLanguage && isArchitecture(config, "ForPreTraining")
                      && next != heads.end() && weights
                      && weights->has(naming.source("relationship.output.weight").name);
    network.ids = readIds(config, options.vocabulary);
    network.segments = options.tokenTypes;
    network.encoder = std::make_shared<TransformerEncoder>(options, head, both ? &*next : nullptr);
    return network;
}

namespace {

bool isDecoder(const ModelConfig& config) {
    return config.flagOr("is_decoder", false);
}

/// Sets whether a decoder attends to an encoder as well, and says that alone it has none to look at.
void setCross(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
              TransformerOptions& options, Network& network) {
    options.cross = config.flagOr("add_cross_attention", false)
                    && (!weights || weights->has(naming.source("decoder.layers.0.encoder_attn.q_proj.weight").name));
    if (options.cross)
        network.notices.push_back("its attention to an encoder is left out, for there is none");
}

} // namespace

Weights::Naming encoderOrDecoderNaming(const ModelConfig& config, Weights::Naming naming) {
    return isDecoder(config) ? asDecoder(std::move(naming)) : naming;
}

Network makeEncoderOrDecoder(const ModelConfig& config, const Weights* weights, const Weights::Naming& encoders,
                             TransformerOptions options, const std::vector<EncoderHeadOptions>& heads) {
    if (!isDecoder(config))
        return makeEncoder(config, weights, encoders, options, heads);
    const auto naming = asDecoder(encoders);
    options.decoderLayers = std::exchange(options.encoderLayers, 0);
    auto network = described(options);
    setCross(config, weights, naming, options, network);
    auto head = chosenHead(config, weights, naming, heads, network);
    if (head.kind == EncoderHead::MaskedLanguage)
        options.tiedOutput = readTied(config, weights, naming.source("masked.output.weight").name, true);
    else
        network.notices.push_back("the weights hold no language model's head: what comes next is read off the "
                                  "embedding, and means little");
    if (weights)
        requireSizes(*weights, naming, options);
    network.ids = readIds(config, options.vocabulary);
    network.causal = std::make_shared<TransformerDecoder>(
        options, head.kind == EncoderHead::MaskedLanguage ? head : EncoderHeadOptions());
    return network;
}

Network makeCausal(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                   TransformerOptions options) {
    auto network = described(options);
    setCross(config, weights, naming, options, network);
    auto head = chosenHead(config, weights, naming,
                           {{.kind = EncoderHead::Classification, .dense = false, .bias = false},
                            {.kind = EncoderHead::TokenClassification, .dense = false}},
                           network);
    nameLabels(config, weights, naming, head, network);
    if (weights)
        requireSizes(*weights, naming, options);
    network.ids = readIds(config, options.vocabulary);
    network.causal = std::make_shared<TransformerDecoder>(options, head);
    return network;
}

Network makeTranslator(const ModelConfig& config, const Weights* weights, const Weights::Naming& naming,
                       TransformerOptions options, const SpecialIds& ids) {
    if (weights && !weights->has(naming.source("decoder.layers.0.self_attn.q_proj.weight").name)) {
        options.decoderLayers = 0;
        return makeEncoder(config, weights, naming, options, {});
    }
    auto network = described(options);
    auto head = chosenHead(config, weights, naming,
                           {{.kind = EncoderHead::Classification, .activation = Activation::Tanh}}, network);
    nameLabels(config, weights, naming, head, network);
    if (weights)
        requireSizes(*weights, naming, options);
    network.ids = ids;
    if (const auto forced = readSpecialId(config, "forced_bos_token_id", options.vocabulary); forced >= 0)
        network.forcedBegin = forced;
    network.banned = config.singleIntegers("bad_words_ids", 0, options.vocabulary - 1);
    network.translator = std::make_shared<Transformer>(options, head);
    return network;
}

} // namespace headlight
