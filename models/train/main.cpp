// headlight-train: trains the bundled models and says how good they are, on the modules that the program itself runs.
#include "core/checkpoint/model_folder.h"
#include "core/checkpoint/safetensors.h"
#include "core/checkpoint/whole_file.h"
#include "core/engine.h"
#include "core/text/sentencepiece.h"
#include "models/train/alignments.h"
#include "models/train/evaluate.h"
#include "models/train/report.h"
#include "models/train/trainer.h"

#include <torch/cuda.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>
#include <span>

namespace {

using namespace headlight;

constexpr const char* help = R"(headlight-train makes and measures the models of Headlight.

headlight-train train --architecture transformer|additive|recurrent --corpus FILE --valid FILE --vocabulary FILE
                      --out FOLDER [options]
headlight-train evaluate --model FOLDER --corpus FILE [--beam N] [--limit N] [--translations FILE]
headlight-train align --gold FILE [--model FOLDER] [--corpus FILE]
headlight-train blank --config FILE --out FOLDER
headlight-train report --model FOLDER --out FILE [--test FILE] [--by-length FILE] [--gold FILE] [--corpus FILE] [--beam N]

A corpus has a source, a tab and its translation on each line; --corpus and --valid may be given several times.
blank writes a model of random weights for any config.json whose family Headlight knows, to see how a model of its size
runs. align prints alignment error rates: of the model's attention, of the diagonal, and of IBM Model 1 learnt from --corpus;
report writes a page with all that evaluate and align tell of several models, and the picture of BLEU by length. Of both, all files may be given several
times. A gold file has an id, source words, target words, sure links and
links that are possible only on each line, apart by tabs.

The vocabulary is a SentencePiece model with </s> as id 0 and <unk> as id 1. FOLDER gets the model each time it is
better on the validation than before; FOLDER.state is what the same command goes on from after it was stopped.

Options of train                                     default
  --width N           Transformer: d_model           192
  --heads N           Transformer                    4
  --layers N          Transformer: of each stack     3
  --feed-forward N    Transformer                    768
  --embedding N       additive, recurrent            192
  --hidden N          additive, recurrent            256
  --alignment N       additive                       192
  --dropout X                                        0.1
  --longest N         tokens of a training sentence  60
  --steps N           updates in all                 10000
  --batch-tokens N    target tokens of an update     1000
  --learning-rate X   at the end of the warm-up      0.001
  --warmup N          updates                        500
  --smoothing X       label smoothing                0.1
  --clip X            norm of the gradients          1
  --validate-every N  updates                        500
  --patience N        validations                    10
  --seed N                                           1
  --precision float32|bfloat16                       float32
Options of both
  --device cpu|cuda                                  cpu
  --threads N                                        all cores
)";

/// The words after the command: every option has a value.
class Arguments {
public:
    Arguments(int count, char** words, std::span<const char* const> known) {
        for (int i = 2; i < count; i += 2) {
            const std::string name = words[i];
            if (std::find(known.begin(), known.end(), name) == known.end())
                throw Error(Error::Kind::Invalid, name, "is not an option of this command",
                            "see headlight-train --help");
            if (i + 1 == count)
                throw Error(Error::Kind::Invalid, name, "has no value");
            m_values[name].push_back(words[i + 1]);
        }
    }

    std::string text(const std::string& name) const {
        const auto found = m_values.find(name);
        if (found == m_values.end())
            throw Error(Error::Kind::Invalid, name, "is missing", "see headlight-train --help");
        return found->second.back();
    }
    std::string textOr(const std::string& name, const std::string& otherwise) const {
        return m_values.contains(name) ? text(name) : otherwise;
    }
    std::vector<std::string> texts(const std::string& name) const {
        text(name);
        return m_values.at(name);
    }
    std::vector<std::string> textsOr(const std::string& name) const {
        return m_values.contains(name) ? texts(name) : std::vector<std::string>();
    }
    template <class Number>
    Number numberOr(const std::string& name, Number otherwise, Number least) const {
        if (!m_values.contains(name))
            return otherwise;
        const auto value = text(name);
        Number number{};
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size() || !(number >= least))
            throw Error(Error::Kind::Invalid, name,
                        "\"" + value + "\" is not a number of at least " + std::to_string(least));
        return number;
    }
    std::int64_t countOr(const std::string& name, std::int64_t otherwise, std::int64_t least = 1) const {
        return numberOr<std::int64_t>(name, otherwise, least);
    }

private:
    std::map<std::string, std::vector<std::string>> m_values;
};

torch::Device readDevice(const Arguments& arguments) {
    const auto name = arguments.textOr("--device", "cpu");
    if (const auto threads = arguments.countOr("--threads", 0, 0); threads > 0)
        torch::set_num_threads(static_cast<int>(threads));
    const auto compute = Engine::compute();
    std::fprintf(stderr, "LibTorch %s, %s%s, threads: %d\n", compute.libtorch.c_str(), compute.blas.c_str(),
                 compute.slowBlas ? " (slow: OpenBLAS is many times faster)" : "", compute.threads);
    if (name == "cpu")
        return torch::kCPU;
    if (name != "cuda")
        throw Error(Error::Kind::Invalid, "--device", "\"" + name + "\" is neither cpu nor cuda");
    if (!torch::cuda::is_available())
        throw Error(Error::Kind::Invalid, "--device", "this LibTorch sees no CUDA device");
    return torch::kCUDA;
}

void writeText(const std::filesystem::path& file, const std::string& text) {
    writeFileAtomically(file, std::as_bytes(std::span(text)));
}

constexpr std::uintmax_t largestFile = 64U << 20;

/// A file that says what the weights of the folder mean. Where a training goes on it must be there as it was.
void writeOrKeep(const std::filesystem::path& file, const std::string& text, bool goesOn) {
    if (!goesOn || !std::filesystem::exists(file))
        writeText(file, text);
    else if (readWholeFile(file, largestFile) != text)
        throw Error(Error::Kind::Mismatch, file.string(), "is not what this command would have made",
                    "give the options and the vocabulary it was begun with, or remove " + file.parent_path().string()
                        + ".state to begin anew");
}

/// source.spm, target.spm and vocab.json, laid out as Marian folders have them: ids are those of the vocabulary, and
/// <pad> follows them. Returns the number of ids.
std::int64_t writeTokenizer(const std::filesystem::path& vocabulary, const std::filesystem::path& folder, bool goesOn) {
    const auto model = SentencePiece::open(vocabulary);
    const auto size = static_cast<std::int64_t>(model.pieces().size());
    nlohmann::json ids;
    for (std::int64_t id = 0; id < size; ++id)
        ids[model.pieces()[static_cast<std::size_t>(id)].text] = id;
    if (ids.value("</s>", -1) != 0 || ids.value("<unk>", -1) != 1)
        throw Error(Error::Kind::Unsupported, vocabulary.string(), "</s> and <unk> are not its ids 0 and 1",
                    "train it with --eos_id=0 --unk_id=1 --bos_id=-1 --pad_id=-1");
    ids["<pad>"] = size;
    for (const char* name : {"source.spm", "target.spm"})
        writeOrKeep(folder / name, readWholeFile(vocabulary, largestFile), goesOn);
    writeOrKeep(folder / "vocab.json", ids.dump(0) + "\n", goesOn);
    return size + 1;
}

nlohmann::json makeConfig(const Arguments& arguments, std::int64_t vocabulary) {
    const auto architecture = arguments.text("--architecture");
    nlohmann::json config{
        {"vocab_size", vocabulary},
        {"pad_token_id", vocabulary - 1},
        {"eos_token_id", 0},
        {"decoder_start_token_id", vocabulary - 1},
        {"max_position_embeddings", 256},
        {"dropout", arguments.numberOr("--dropout", 0.1, 0.0)},
        {"is_encoder_decoder", true},
    };
    if (architecture == "transformer") {
        const auto layers = arguments.countOr("--layers", 3);
        const auto heads = arguments.countOr("--heads", 4);
        const auto feedForward = arguments.countOr("--feed-forward", 768);
        config.update({{"model_type", "marian"},
                       {"architectures", {"MarianMTModel"}},
                       {"d_model", arguments.countOr("--width", 192)},
                       {"encoder_layers", layers},
                       {"decoder_layers", layers},
                       {"encoder_attention_heads", heads},
                       {"decoder_attention_heads", heads},
                       {"encoder_ffn_dim", feedForward},
                       {"decoder_ffn_dim", feedForward},
                       {"activation_function", "relu"},
                       {"scale_embedding", true},
                       {"static_position_embeddings", true},
                       {"share_encoder_decoder_embeddings", true}});
    } else if (architecture == "additive" || architecture == "recurrent") {
        config.update({{"model_type", "headlight_recurrent"},
                       {"attention", architecture == "additive" ? "additive" : "none"},
                       {"embedding_size", arguments.countOr("--embedding", 192)},
                       {"hidden_size", arguments.countOr("--hidden", 256)},
                       {"alignment_size", arguments.countOr("--alignment", 192)}});
    } else {
        throw Error(Error::Kind::Invalid, "--architecture", "\"" + architecture + "\" is not known",
                    "known are: transformer, additive, recurrent");
    }
    return config;
}

/// model.safetensors in half precision, under the names of the family's checkpoints.
void writeWeights(const Network& network, const Family& family, const std::filesystem::path& folder) {
    struct Tensor {
        std::vector<torch::Tensor> parts;
        bool transposed = false;
    };
    std::map<std::string, Tensor> tensors;
    const auto add = [&](const std::string& name, const torch::Tensor& values) {
        const auto source = family.naming.source(name);
        if (source.name.empty())
            return;
        auto& tensor = tensors[source.name];
        tensor.parts.resize(static_cast<std::size_t>(source.parts));
        tensor.parts[static_cast<std::size_t>(source.part)] = values.detach().to(torch::kCPU, torch::kHalf);
        tensor.transposed = source.transposed;
    };
    for (const auto& parameter : network.module().named_parameters())
        add(parameter.key(), parameter.value());
    for (const auto& buffer : network.module().named_buffers())
        add(buffer.key(), buffer.value());
    std::vector<torch::Tensor> kept;
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors) {
        auto whole = torch::cat(tensor.parts);
        if (tensor.transposed && whole.dim() == 2)
            whole = whole.t();
        kept.push_back(whole.contiguous());
        const auto* bytes = static_cast<const std::byte*>(kept.back().data_ptr());
        views.push_back({name, DType::F16, kept.back().sizes().vec(), {bytes, kept.back().nbytes()}});
    }
    const auto bytes = serializeSafetensors(views, {{"format", "pt"}});
    writeFileAtomically(folder / "model.safetensors", bytes);
}

/// A folder of random weights for any configuration that a family knows.
int blank(const Arguments& arguments) {
    const std::filesystem::path file = arguments.text("--config"), folder = arguments.text("--out");
    const auto text = readWholeFile(file, largestFile);
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object())
        throw Error(Error::Kind::Corrupt, file.string(), "is not a JSON object");
    const ModelConfig config(json, file.string());
    torch::manual_seed(static_cast<std::uint64_t>(arguments.countOr("--seed", 1, 0)));
    const auto& family = findFamily(config);
    const auto network = family.build(config, nullptr);
    std::filesystem::create_directories(folder);
    writeText(folder / "config.json", text);
    writeWeights(network, family, folder);
    return 0;
}

std::string readableTime(double seconds) {
    const auto minutes = static_cast<int>(seconds / 60);
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%d:%02d h", minutes / 60, minutes % 60);
    return text.data();
}

std::atomic<bool> stopRequested = false;

int train(const Arguments& arguments) {
    const auto device = readDevice(arguments);
    TrainOptions options;
    options.device = device;
    options.steps = arguments.countOr("--steps", options.steps);
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

    auto folder = std::filesystem::absolute(arguments.text("--out")).lexically_normal();
    if (!folder.has_filename()) // a path that ends in a slash
        folder = folder.parent_path();
    const auto state = folder.string() + ".state";
    const bool goesOn = std::filesystem::exists(state);
    std::filesystem::create_directories(folder);
    const auto vocabulary = writeTokenizer(arguments.text("--vocabulary"), folder, goesOn);
    const auto json = makeConfig(arguments, vocabulary);
    const ModelConfig config(json, "the options");
    writeOrKeep(folder / "config.json", json.dump(2) + "\n", goesOn);
    const auto tokenizer = openTokenizer(folder);

    torch::manual_seed(options.seed);
    const auto& family = findFamily(config);
    auto network = family.build(config, nullptr);
    std::int64_t parameters = 0;
    for (const auto& parameter : network.translator->parameters())
        parameters += parameter.numel();

    const auto longest = static_cast<std::size_t>(arguments.countOr("--longest", 60, 2));
    Corpus corpus;
    for (const auto& file : arguments.texts("--corpus")) {
        auto part = encodeCorpus(readParallelText(file), *tokenizer, network.ids, longest);
        std::fprintf(stderr, "%s: %zu pairs, %zu too long\n", file.c_str(), part.pairs.size(), part.tooLong);
        std::move(part.pairs.begin(), part.pairs.end(), std::back_inserter(corpus.pairs));
    }
    std::vector<Corpus> validation;
    for (const auto& file : arguments.texts("--valid"))
        validation.push_back(encodeCorpus(readParallelText(file), *tokenizer, network.ids, longest));

    Trainer trainer(std::move(network), std::move(corpus), std::move(validation), options, state);
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
                             writeWeights(trainer.network(), family, folder);
                     }},
                stopRequested);
    std::fprintf(stderr, "%s at step %lld, best validation %.4f\n", stopRequested ? "stopped" : "done",
                 static_cast<long long>(trainer.step()), trainer.bestLoss());
    return 0;
}

int beamOf(const Arguments& arguments, std::int64_t otherwise) {
    constexpr std::int64_t most = 64; // as the program itself allows
    const auto beam = arguments.countOr("--beam", otherwise);
    if (beam > most)
        throw Error(Error::Kind::Invalid, "--beam", "is at most " + std::to_string(most));
    return static_cast<int>(beam);
}

int evaluate(const Arguments& arguments) {
    const auto device = readDevice(arguments);
    auto texts = readParallelText(arguments.text("--corpus"));
    texts.resize(std::min(texts.size(), static_cast<std::size_t>(arguments.countOr("--limit", INT64_MAX))));
    const auto scores = Translator::open(arguments.text("--model"), device).score(texts, beamOf(arguments, 1));
    if (const auto file = arguments.textOr("--translations", ""); !file.empty()) {
        std::string lines;
        for (const auto& translation : scores.translations)
            lines += translation + "\n";
        writeText(file, lines);
    }
    std::printf("%zu pairs  loss %.4f  perplexity %.3f  BLEU %.2f (%s)\n", texts.size(), scores.loss,
                std::exp(scores.loss), scores.bleu, bleuSignature);
    return 0;
}

std::vector<std::filesystem::path> filesOf(const Arguments& arguments, const std::string& name) {
    const auto texts = arguments.textsOr(name);
    return {texts.begin(), texts.end()};
}

int align(const Arguments& arguments) {
    const auto gold = readGoldAlignments(arguments.text("--gold"));
    std::printf("%zu sentences\n%.3f  the diagonal\n", gold.size(), diagonalErrors(gold));
    if (const auto corpora = filesOf(arguments, "--corpus"); !corpora.empty())
        std::printf("%.3f  IBM Model 1\n",
                    model1Errors(gold, corpora, static_cast<int>(arguments.countOr("--iterations", 5))));
    for (const auto& folder : filesOf(arguments, "--model")) {
        const auto engine = Engine::open(folder);
        for (const auto& score : alignmentScores(*engine, gold))
            std::printf("%.3f  %s: %s\n", score.rate, engine->info().name.c_str(), score.name.c_str());
    }
    return 0;
}

int writeReport(const Arguments& arguments, const std::string& command) {
    const auto made = report({.models = filesOf(arguments, "--model"),
                              .tests = filesOf(arguments, "--test"),
                              .byLength = filesOf(arguments, "--by-length"),
                              .gold = filesOf(arguments, "--gold"),
                              .corpora = filesOf(arguments, "--corpus"),
                              .beam = beamOf(arguments, 5),
                              .device = readDevice(arguments)});
    const std::filesystem::path out = arguments.text("--out");
    for (const auto& [name, svg] : made.pictures)
        writeText(out.parent_path() / name, svg);
    writeText(out, "# The bundled models, measured\n\nMade by\n\n    " + command
                       + "\n\nBLEU is counted as sacreBLEU does, " + bleuSignature
                       + ".\nAlignment error rates are those of Och and Ney 2003.\n\n" + made.page);
    return 0;
}

int run(int count, char** words) {
    const std::string command = count > 1 ? words[1] : "";
    if (command == "train") {
        constexpr auto known = std::to_array<const char*>(
            {"--architecture", "--corpus",   "--valid",          "--vocabulary",   "--out",           "--width",
             "--heads",        "--layers",   "--feed-forward",   "--embedding",    "--hidden",        "--alignment",
             "--dropout",      "--longest",  "--steps",          "--batch-tokens", "--learning-rate", "--warmup",
             "--smoothing",    "--clip",     "--validate-every", "--patience",     "--seed",          "--device",
             "--threads",      "--precision"});
        return train(Arguments(count, words, known));
    }
    if (command == "blank") {
        constexpr auto known = std::to_array<const char*>({"--config", "--out", "--seed"});
        return blank(Arguments(count, words, known));
    }
    if (command == "evaluate") {
        constexpr auto known = std::to_array<const char*>(
            {"--model", "--corpus", "--beam", "--limit", "--translations", "--device", "--threads"});
        return evaluate(Arguments(count, words, known));
    }
    if (command == "align") {
        constexpr auto known = std::to_array<const char*>({"--gold", "--model", "--corpus", "--iterations"});
        return align(Arguments(count, words, known));
    }
    if (command == "report") {
        constexpr auto known = std::to_array<const char*>(
            {"--model", "--test", "--by-length", "--gold", "--corpus", "--beam", "--out", "--device", "--threads"});
        std::string typed = "headlight-train";
        for (int i = 1; i < count; ++i)
            typed += std::string(" ") + words[i];
        return writeReport(Arguments(count, words, known), typed);
    }
    const bool asked = command == "--help" || command == "help";
    std::fputs(help, asked ? stdout : stderr);
    return asked ? 0 : 2;
}

} // namespace

int main(int count, char** words) {
    try {
        return run(count, words);
    } catch (const c10::Error& error) { // whose what() is many lines long
        std::fprintf(stderr, "headlight-train: %s\n", error.what_without_backtrace());
        return 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "headlight-train: %s\n", error.what());
        return 1;
    }
}
