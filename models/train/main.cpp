// headlight-train: trains the bundled models and says how good they are, on the modules that the program itself runs.
#include "core/engine.h"
#include "core/files/model_config.h"
#include "core/files/whole_file.h"
#include "models/train/alignments.h"
#include "models/train/arguments.h"
#include "models/train/evaluate.h"
#include "models/train/folder_writer.h"
#include "models/train/language_scores.h"
#include "models/train/report.h"
#include "models/train/subwords.h"
#include "models/train/train_command.h"
#include "models/train/trainer.h"

#include <torch/cuda.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace headlight;

constexpr const char* help = R"(headlight-train makes and measures the models of Headlight.

headlight-train vocabulary --kind wordpiece|bytes --text FILE --out FOLDER [--size N]
headlight-train train --architecture transformer|additive|recurrent|masked|causal --corpus FILE --valid FILE
                      --vocabulary FILE --out FOLDER [options]
headlight-train evaluate --model FOLDER --corpus FILE [--limit N] [--beam N] [--tokenize 13a|zh] [--translations FILE]
                         [--baseline FILE]
headlight-train align --gold FILE [--model FOLDER] [--corpus FILE]
headlight-train blank --config FILE --out FOLDER
headlight-train report --out FILE --model FOLDER [--test FILE] [--by-length FILE] [--gold FILE] [--corpus FILE]
                       [--tokenize 13a|zh] [--model …] [--beam N]

A corpus of pairs has a source, a tab and its translation on each line; --corpus and --valid may be given several times.
Language models, masked as BERT and causal as GPT-2, read the first column alone, each line a text by itself; a novel's
lines follow from each other: give such a file as running:FILE, whose texts end where the second column, if there is one,
changes, and at an empty line.
blank writes a model of random weights for any config.json whose family Headlight knows, to see how a model of its size
runs.
evaluate tells a translator's loss and BLEU, a causal model's perplexity of tokens and of words, and how often a masked
one guesses hidden tokens; both of the latter beside unigrams and trigrams learnt from --baseline, of which there may be
several. align prints alignment error rates: of the model's attention, of the diagonal, and of IBM Model 1 learnt from
--corpus. A gold file has an id, source words, target words, sure links and links that are possible only on each line,
apart by tabs.
report writes a page with all that evaluate and align tell of several models, what each of their heads attends to, and
the picture of BLEU by length. All files may be given several times; they are for the models before them, up to the next
--model that follows a file.

A translator's vocabulary is a SentencePiece model with </s> as id 0 and <unk> as id 1, made by spm_train. A language
model's is a folder, made by vocabulary: wordpiece for a masked one, bytes for a causal one. FOLDER gets the model each
time it is better on the validation than before; FOLDER.state is what the same command goes on from after it was stopped.

Options of train                                            default
  --width N           Transformer, masked, causal           192
  --heads N           Transformer, masked, causal           4
  --layers N          of each of their stacks               3
  --feed-forward N    Transformer, masked, causal           768
  --embedding N       additive, recurrent                   192
  --hidden N          additive, recurrent                   256
  --alignment N       additive                              192
  --decoder paper|conditional                               conditional
                      additive, recurrent: whether the state that is asked knows the word before
  --dropout X                                               0.1
  --longest N         tokens of a sentence, or of a row     60
  --steps N           updates in all                        10000
  --until N           updates after which it rests; gone    --steps
                      on with, it may have other texts
  --batch-tokens N    target tokens, or tokens, an update   1000
  --learning-rate X   at the end of the warm-up             0.001
  --warmup N          updates                               500
  --smoothing X       label smoothing                       0.1; masked, causal 0
  --clip X            norm of the gradients                 1
  --validate-every N  updates                               500
  --patience N        validations                           10
  --seed N                                                  1
  --precision float32|bfloat16                              float32
  --from FOLDER       weights to begin with: what fits of another model; the rest begins anew
Options of train, evaluate and report
  --device cpu|cuda                                         cpu
  --threads N                                               all cores
)";

torch::Device readDevice(const Arguments& arguments) {
    const auto name = arguments.textOr("--device", "cpu");
    if (const auto threads = arguments.countOr("--threads", 0, 0); threads > 0)
        torch::set_num_threads(static_cast<int>(threads));
    Engine::setThreads(torch::get_num_threads());
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

/// A folder of random weights for any configuration that a family knows.
int blank(const Arguments& arguments) {
    const std::filesystem::path file = arguments.text("--config"), folder = arguments.text("--out");
    const auto text = readWholeFile(file, 64U << 20);
    const ModelConfig config(parseJson(text, file.string()), file.string());
    torch::manual_seed(static_cast<std::uint64_t>(arguments.countOr("--seed", 1, 0)));
    const auto& family = findFamily(config);
    const auto network = family.build(config, nullptr);
    std::filesystem::create_directories(folder);
    writeText(folder / "config.json", text);
    writeWeights(network, family.naming(config), folder);
    return 0;
}

int beamOf(const Arguments& arguments, std::int64_t otherwise) {
    constexpr std::int64_t most = 64; // as the program itself allows
    const auto beam = arguments.countOr("--beam", otherwise);
    if (beam > most)
        throw Error(Error::Kind::Invalid, "--beam", "is at most " + std::to_string(most));
    return static_cast<int>(beam);
}

std::vector<TextFile> textFilesOf(const Arguments& arguments, const std::string& name) {
    std::vector<TextFile> files;
    for (const auto& typed : arguments.textsOr(name))
        files.push_back(textFile(typed));
    return files;
}

int evaluateTranslator(const Arguments& arguments, const OpenedModel& model, std::size_t limit) {
    auto texts = readParallelText(arguments.text("--corpus"));
    texts.resize(std::min(texts.size(), limit));
    const auto words = bleuWordsNamed(arguments.textOr("--tokenize", "13a"));
    const auto scores = translationScores(model, texts, beamOf(arguments, 1), words);
    if (const auto file = arguments.textOr("--translations", ""); !file.empty()) {
        std::string lines;
        for (const auto& translation : scores.translations)
            lines += translation + "\n";
        writeText(file, lines);
    }
    std::printf("%zu pairs  loss %.4f  perplexity %.3f  BLEU %.2f (%s)\n", texts.size(), scores.loss,
                std::exp(scores.loss), scores.bleu, bleuSignature(words).c_str());
    return 0;
}

int evaluateLanguageModel(const Arguments& arguments, const OpenedModel& model, std::size_t limit) {
    auto texts = readTexts(textFile(arguments.text("--corpus")));
    texts.resize(std::min(texts.size(), limit));
    std::optional<TrigramModel> trigrams;
    if (const auto files = textFilesOf(arguments, "--baseline"); !files.empty())
        trigrams = learnTrigrams(model, files);
    const auto scores = languageScores(model, texts, trigrams ? &*trigrams : nullptr);
    const auto asked = static_cast<double>(scores.asked), words = static_cast<double>(scores.words);
    std::printf("%lld rows  %lld words  %lld %s  %zu lines too long\n", static_cast<long long>(scores.rows),
                static_cast<long long>(scores.words), static_cast<long long>(scores.asked),
                scores.masked ? "hidden tokens" : "tokens", scores.tooLong);
    const auto print = [&](const char* name, const Guesses& guesses) {
        if (scores.masked)
            std::printf("%-8s  first guess %.2f %%  five guesses %.2f %%\n", name,
                        100 * static_cast<double>(guesses.first) / asked,
                        100 * static_cast<double>(guesses.five) / asked);
        else
            std::printf("%-8s  nats per token %.4f  perplexity of a token %.2f, of a word %.2f\n", name,
                        guesses.nats / asked, std::exp(guesses.nats / asked), std::exp(guesses.nats / words));
    };
    print("model", scores.model);
    if (scores.unigram)
        print("unigrams", *scores.unigram);
    if (scores.trigram)
        print("trigrams", *scores.trigram);
    return 0;
}

int evaluate(const Arguments& arguments) {
    const auto model = OpenedModel::open(arguments.text("--model"), readDevice(arguments));
    const auto limit = static_cast<std::size_t>(arguments.countOr("--limit", INT64_MAX));
    return model.network.translator ? evaluateTranslator(arguments, model, limit)
                                    : evaluateLanguageModel(arguments, model, limit);
}

std::vector<std::filesystem::path> filesOf(const Arguments& arguments, const std::string& name) {
    const auto texts = arguments.textsOr(name);
    return {texts.begin(), texts.end()};
}

int makeVocabulary(const Arguments& arguments) {
    const auto texts = filesOf(arguments, "--text");
    if (texts.empty())
        throw Error(Error::Kind::Invalid, "--text", "is missing", "see headlight-train --help");
    const auto size = static_cast<std::size_t>(arguments.countOr("--size", 8000, 300));
    const auto kind = arguments.text("--kind");
    if (kind == "wordpiece")
        writeWordPieces(texts, size, arguments.text("--out"));
    else if (kind == "bytes")
        writeBytePairs(texts, size, arguments.text("--out"));
    else
        throw Error(Error::Kind::Invalid, "--kind", "\"" + kind + "\" is neither wordpiece nor bytes");
    return 0;
}

int align(const Arguments& arguments) {
    const auto gold = readGoldAlignments(arguments.text("--gold"));
    std::printf("%zu sentences\n%.3f         the diagonal\n", gold.size(), diagonalErrors(gold));
    if (const auto corpora = filesOf(arguments, "--corpus"); !corpora.empty())
        std::printf("%.3f         IBM Model 1\n",
                    model1Errors({gold}, corpora, static_cast<int>(arguments.countOr("--iterations", 5))).front());
    std::printf("given  taken, the word: at the step that gives it out, and at the one that takes it in\n");
    for (const auto& folder : filesOf(arguments, "--model")) {
        const auto engine = Engine::open(folder);
        auto scores = alignmentScores(*engine, gold);
        std::stable_sort(scores.begin(), scores.end(),
                         [](const auto& a, const auto& b) { return a.best() < b.best(); });
        for (const auto& score : scores)
            std::printf("%.3f  %.3f  %s: %s\n", score.emitted, score.takenIn, engine->info().name.c_str(),
                        score.name.c_str());
    }
    return 0;
}

constexpr auto reportOptionNames =
    std::to_array<const char*>({"--model", "--test", "--by-length", "--gold", "--corpus", "--tokenize", "--beam",
                                "--out", "--device", "--threads"});

/// Files are for the models before them: a model that follows a file begins a new group.
std::vector<ReportGroup> reportGroups(const std::vector<std::string>& words) {
    std::vector<std::vector<std::string>> parts;
    bool begins = true;
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
        const bool model = words[i] == "--model";
        if (model && begins)
            parts.push_back({words[0], words[1]});
        begins = !model;
        if (!parts.empty())
            parts.back().insert(parts.back().end(), {words[i], words[i + 1]});
    }
    std::vector<ReportGroup> groups;
    for (const auto& part : parts) {
        const Arguments arguments(part, reportOptionNames);
        groups.push_back({.models = filesOf(arguments, "--model"),
                          .tests = textFilesOf(arguments, "--test"),
                          .byLength = filesOf(arguments, "--by-length"),
                          .gold = filesOf(arguments, "--gold"),
                          .corpora = textFilesOf(arguments, "--corpus"),
                          .words = bleuWordsNamed(arguments.textOr("--tokenize", "13a"))});
    }
    return groups;
}

int writeReport(const std::vector<std::string>& words) {
    const Arguments arguments(words, reportOptionNames);
    arguments.text("--model");
    const std::filesystem::path out = arguments.text("--out");
    const auto made =
        report({.groups = reportGroups(words), .beam = beamOf(arguments, 5), .device = readDevice(arguments)});
    for (const auto& [name, svg] : made.pictures)
        writeText(out.parent_path() / name, svg);
    std::string command = "headlight-train";
    for (std::size_t i = 1; i < words.size(); ++i)
        command += " " + words[i];
    writeText(out,
              "# The bundled models, measured\n\nMade by\n\n    " + command
                  + "\n\nBLEU is counted as sacreBLEU does (Post 2018), alignment error rates as Och and Ney (2003) "
                    "do.\nUnigrams and trigrams are those of the model's own tokens, learnt from the corpora; "
                    "trigrams are interpolated\nKneser-Ney (Chen and Goodman 1999), and beside a masked model they "
                    "weigh the neighbours on both sides.\nPerplexity of a word is the exponential of all nats over "
                    "the words that spaces part.\n\n"
                  + made.page);
    return 0;
}

int run(const std::vector<std::string>& words) {
    const std::string command = words.size() > 1 ? words[1] : "";
    if (command == "train") {
        const Arguments arguments(words, trainOptionNames);
        return trainCommand(arguments, readDevice(arguments));
    }
    if (command == "vocabulary") {
        constexpr auto known = std::to_array<const char*>({"--kind", "--text", "--out", "--size"});
        return makeVocabulary(Arguments(words, known));
    }
    if (command == "blank") {
        constexpr auto known = std::to_array<const char*>({"--config", "--out", "--seed"});
        return blank(Arguments(words, known));
    }
    if (command == "evaluate") {
        constexpr auto known = std::to_array<const char*>({"--model", "--corpus", "--beam", "--limit", "--tokenize",
                                                           "--translations", "--baseline", "--device", "--threads"});
        return evaluate(Arguments(words, known));
    }
    if (command == "align") {
        constexpr auto known = std::to_array<const char*>({"--gold", "--model", "--corpus", "--iterations"});
        return align(Arguments(words, known));
    }
    if (command == "report")
        return writeReport(words);
    const bool asked = command == "--help" || command == "help";
    std::fputs(help, asked ? stdout : stderr);
    return asked ? 0 : 2;
}

} // namespace

int main(int count, char** words) {
    keepFreedMemory();
    try {
        return run({words, words + count});
    } catch (const c10::Error& error) { // whose what() is many lines long
        std::fprintf(stderr, "headlight-train: %s\n", error.what_without_backtrace());
        return 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "headlight-train: %s\n", error.what());
        return 1;
    }
}
