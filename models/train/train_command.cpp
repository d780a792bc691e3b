#include "models/train/train_command.h"

#include "core/files/model_config.h"
#include "core/text/tokenizer.h"
#include "models/train/folder_writer.h"
#include "models/train/trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>

namespace headlight {

namespace {

/// What all of our Transformers are asked for.
struct Sizes {
    explicit Sizes(const Arguments& arguments)
        : width(arguments.countOr("--width", 192)), heads(arguments.countOr("--heads", 4)),
          layers(arguments.countOr("--layers", 3)), feedForward(arguments.countOr("--feed-forward", 768)),
          dropout(arguments.numberOr("--dropout", 0.1, 0.0)), longest(arguments.countOr("--longest", 60, 2)) {}

    std::int64_t width, heads, layers, feedForward;
    double dropout;
    std::int64_t longest; ///< tokens of a training sentence
};

/// BERT's and GPT-2's. Positions are learned, so there are no more of them than a row of the corpus has tokens.
nlohmann::json languageModelConfig(const std::string& architecture, const Sizes& sizes, const Tokenizer& tokenizer) {
    const auto roles = tokenizer.roles();
    if (architecture == "masked") {
        if (!roles.mask || !roles.classify || !roles.separator)
            throw Error(Error::Kind::Mismatch, "--vocabulary", "lacks [MASK], [CLS] or [SEP]",
                        "make one with headlight-train vocabulary --kind wordpiece");
        return {{"model_type", "bert"},
                {"architectures", {"BertForMaskedLM"}},
                {"vocab_size", tokenizer.size()},
                {"hidden_size", sizes.width},
                {"num_hidden_layers", sizes.layers},
                {"num_attention_heads", sizes.heads},
                {"intermediate_size", sizes.feedForward},
                {"hidden_act", "gelu"},
                {"hidden_dropout_prob", sizes.dropout},
                {"attention_probs_dropout_prob", sizes.dropout},
                {"max_position_embeddings", sizes.longest},
                {"position_embedding_type", "absolute"},
                {"type_vocab_size", 1},
                {"layer_norm_eps", 1e-12},
                {"pad_token_id", roles.pad.value_or(0)}};
    }
    if (!roles.end)
        throw Error(Error::Kind::Mismatch, "--vocabulary", "lacks <|endoftext|>",
                    "make one with headlight-train vocabulary --kind bytes");
    return {{"model_type", "gpt2"},
            {"architectures", {"GPT2LMHeadModel"}},
            {"vocab_size", tokenizer.size()},
            {"n_embd", sizes.width},
            {"n_layer", sizes.layers},
            {"n_head", sizes.heads},
            {"n_inner", sizes.feedForward},
            {"n_positions", sizes.longest},
            {"activation_function", "gelu_new"},
            {"embd_pdrop", sizes.dropout},
            {"attn_pdrop", sizes.dropout},
            {"resid_pdrop", sizes.dropout},
            {"layer_norm_epsilon", 1e-5},
            {"bos_token_id", roles.begin.value_or(*roles.end)},
            {"eos_token_id", *roles.end}};
}

nlohmann::json translatorConfig(const std::string& architecture, const Sizes& sizes, const Arguments& arguments,
                                std::int64_t vocabulary) {
    nlohmann::json config{
        {"vocab_size", vocabulary},
        {"pad_token_id", vocabulary - 1},
        {"eos_token_id", 0},
        {"decoder_start_token_id", vocabulary - 1},
        {"max_position_embeddings", 256},
        {"dropout", sizes.dropout},
        {"is_encoder_decoder", true},
    };
    if (architecture == "transformer") {
        config.update({{"model_type", "marian"},
                       {"architectures", {"MarianMTModel"}},
                       {"d_model", sizes.width},
                       {"encoder_layers", sizes.layers},
                       {"decoder_layers", sizes.layers},
                       {"encoder_attention_heads", sizes.heads},
                       {"decoder_attention_heads", sizes.heads},
                       {"encoder_ffn_dim", sizes.feedForward},
                       {"decoder_ffn_dim", sizes.feedForward},
                       {"activation_function", "relu"},
                       {"scale_embedding", true},
                       {"static_position_embeddings", true},
                       {"share_encoder_decoder_embeddings", true}});
    } else {
        config.update({{"model_type", "headlight_recurrent"},
                       {"attention", architecture == "additive" ? "additive" : "none"},
                       {"decoder", arguments.textOr("--decoder", "conditional")},
                       {"embedding_size", arguments.countOr("--embedding", 192)},
                       {"hidden_size", arguments.countOr("--hidden", 256)},
                       {"alignment_size", arguments.countOr("--alignment", 192)}});
    }
    return config;
}

/// Weights to begin with: of another model what fits, most of it. The rest, such as a decoder of another kind, stays as
/// it was made.
void beginFrom(const std::filesystem::path& folder, const Weights::Naming& usual, torch::nn::Module& network) {
    const auto weights = Weights::open(folder).renamed(usual);
    const auto parameters = network.named_parameters();
    auto naming = usual;
    std::int64_t fitting = 0, all = 0;
    naming.ignorable = [](const std::string&) { return true; };
    naming.source = [&](const std::string& ours) -> Weights::Source {
        const auto source = usual.source(ours);
        const auto* parameter = parameters.find(ours);
        if (source.name.empty() || !parameter)
            return {};
        all += parameter->numel();
        try {
            weights.requireShape(source, parameter->sizes().vec());
        } catch (const Error&) {
            std::fprintf(stderr, "%s begins anew\n", ours.c_str());
            return {};
        }
        fitting += parameter->numel();
        return source;
    };
    if (const auto broken = weights.loadInto(network, naming); !broken.empty())
        throw Error(Error::Kind::Invalid, folder.string(),
                    "its " + broken.front() + " holds numbers that are not finite", "nothing can be learnt from there");
    if (2 * fitting < all)
        throw Error(Error::Kind::Mismatch, folder.string(), "fits less than half of this model",
                    "give one of the same sizes and vocabulary");
}

std::string readableTime(double seconds) {
    const auto minutes = static_cast<int>(seconds / 60);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%d:%02d h", minutes / 60, minutes % 60);
    return text.data();
}

std::atomic<bool> stopRequested = false;

TrainOptions readOptions(const Arguments& arguments, torch::Device device, bool translates) {
    TrainOptions options;
    options.device = device;
    // A language model is asked how probable its words are, and smoothed labels teach it to say less than it knows.
    options.smoothing = translates ? options.smoothing : 0;
    options.steps = arguments.countOr("--steps", options.steps);
    options.until = arguments.countOr("--until", options.until);
    options.batchTokens = arguments.countOr("--batch-tokens", options.batchTokens);
    options.learningRate = arguments.numberOr("--learning-rate", options.learningRate, 0.0);
    options.warmup = arguments.countOr("--warmup", options.warmup, 0);
    options.smoothing = arguments.numberOr("--smoothing", options.smoothing, 0.0);
    options.clip = arguments.numberOr("--clip", options.clip, 0.0);
    options.validateEvery = arguments.countOr("--validate-every", options.validateEvery);
    options.patience = static_cast<int>(arguments.countOr("--patience", options.patience));
    options.seed = static_cast<std::uint64_t>(arguments.countOr("--seed", 1, 0));

    const auto precision = arguments.textOr("--precision", "float32");
    if (precision != "float32" && precision != "bfloat16")
        throw Error(Error::Kind::Invalid, "--precision", "\"" + precision + "\" is neither float32 nor bfloat16");
    options.bfloat16 = precision == "bfloat16";
    return options;
}

} // namespace

int trainCommand(const Arguments& arguments, torch::Device device) {
    const auto architecture = arguments.text("--architecture");
    constexpr std::array known{"transformer", "additive", "recurrent", "masked", "causal"};
    if (std::find(known.begin(), known.end(), architecture) == known.end())
        throw Error(Error::Kind::Invalid, "--architecture", "\"" + architecture + "\" is not known",
                    "known are: transformer, additive, recurrent, masked, causal");
    const bool translates = architecture != "masked" && architecture != "causal";
    const auto options = readOptions(arguments, device, translates);

    auto folder = std::filesystem::absolute(arguments.text("--out")).lexically_normal();
    if (!folder.has_filename()) // a path that ends in a slash
        folder = folder.parent_path();
    const auto state = folder.string() + ".state";
    const bool goesOn = std::filesystem::exists(state);
    std::filesystem::create_directories(folder);
    const std::filesystem::path vocabulary = arguments.text("--vocabulary");
    const Sizes sizes(arguments);
    nlohmann::json json;
    if (translates) {
        const auto ids = writeSentencePieces(vocabulary, folder, goesOn);
        json = translatorConfig(architecture, sizes, arguments, ids);
    } else {
        copyTokenizer(vocabulary, folder, goesOn);
        json = languageModelConfig(architecture, sizes, *openTokenizer(folder));
    }
    const ModelConfig config(json, "the options");
    writeOrKeep(folder / "config.json", json.dump(2) + "\n", goesOn);
    const auto tokenizer = openTokenizer(folder);

    torch::manual_seed(options.seed);
    const auto& family = findFamily(config);
    auto network = family.build(config, nullptr);
    if (const auto from = arguments.textOr("--from", ""); !from.empty() && !goesOn)
        beginFrom(from, family.naming(config), network.module());
    std::int64_t parameters = 0;
    for (const auto& parameter : network.module().parameters())
        parameters += parameter.numel();

    const auto longest = static_cast<std::size_t>(sizes.longest);
    const auto read = [&](const std::string& typed) {
        auto corpus = readCorpus(textFile(typed), *tokenizer, network, longest);
        std::size_t tokens = 0;
        for (const auto& pair : corpus.pairs)
            tokens += pair.outputs();
        std::fprintf(stderr, "%s: %zu %s of %zu tokens in all, %zu too long\n", typed.c_str(), corpus.pairs.size(),
                     translates ? "pairs" : "rows", tokens, corpus.tooLong);
        return corpus;
    };
    Corpus corpus;
    for (const auto& file : arguments.texts("--corpus")) {
        auto part = read(file);
        std::move(part.pairs.begin(), part.pairs.end(), std::back_inserter(corpus.pairs));
    }
    std::vector<Corpus> validation;
    for (const auto& file : arguments.texts("--valid"))
        validation.push_back(read(file));

    auto objective = makeObjective(network, maskingOf(*tokenizer, network));
    Trainer trainer(std::move(objective), std::move(corpus), std::move(validation), options, state);
    std::fprintf(stderr, "%lld parameters, %s step %lld of %lld\n", static_cast<long long>(parameters),
                 trainer.resumed() ? "going on from" : "beginning at", static_cast<long long>(trainer.step()),
                 static_cast<long long>(options.steps));
    for (const int signal : {SIGINT, SIGTERM})
        std::signal(signal, [](int) { stopRequested = true; });
    trainer.run({.progress =
                     [&](const Progress& progress) {
                         std::fprintf(stderr,
                                      "step %lld/%lld  epoch %lld  loss %.3f  rate %.2e  %.0f tokens/s  %s left\n",
                                      static_cast<long long>(progress.step), static_cast<long long>(options.steps),
                                      static_cast<long long>(progress.epoch), progress.loss, progress.rate,
                                      progress.tokensPerSecond, readableTime(progress.secondsLeft).c_str());
                     },
                 .validated =
                     [&](const std::vector<double>& losses, bool best) {
                         std::fprintf(stderr, "step %lld  validation", static_cast<long long>(trainer.step()));
                         for (const double loss : losses)
                             std::fprintf(stderr, " %.4f", loss);
                         std::fprintf(stderr, "%s\n", best ? "  best so far" : "");
                         if (best)
                             writeWeights(trainer.network(), family.naming(config), folder);
                     }},
                stopRequested);
    std::fprintf(stderr, "%s at step %lld, best validation %.4f\n", stopRequested ? "stopped" : "done",
                 static_cast<long long>(trainer.step()), trainer.bestLoss());
    return 0;
}

} // namespace headlight
