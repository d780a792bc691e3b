#include "models/train/report.h"

#include "models/train/alignments.h"
#include "models/train/evaluate.h"
#include "models/train/head_table.h"
#include "models/train/language_scores.h"
#include "models/train/length_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <sstream>

namespace headlight {

namespace {

constexpr std::size_t lengthStep = 10;

std::string fixed(double value, int digits) {
    std::string text(64, '\0');
    text.resize(static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%.*f", digits, value)));
    return text;
}

std::string nameOf(const std::filesystem::path& path) {
    const auto name = path.filename();
    return (name.empty() ? path.parent_path().filename() : name).string();
}

/// These are minutes of work: what it is at goes to stderr.
void say(const std::filesystem::path& model, const std::filesystem::path& file) {
    std::fprintf(stderr, "%s on %s\n", nameOf(model).c_str(), nameOf(file).c_str());
}

class Table {
public:
    explicit Table(std::vector<std::string> header) {
        add(header);
        add(std::vector<std::string>(header.size(), "---"));
    }
    void add(const std::vector<std::string>& cells) {
        for (const auto& cell : cells)
            m_text += "| " + cell + " ";
        m_text += "|\n";
    }
    const std::string& text() const { return m_text; }

private:
    std::string m_text;
};

/// A group, its models open.
struct OpenedGroup {
    const ReportGroup& files;
    std::vector<OpenedModel> models;
    std::vector<std::optional<TrigramModel>>
        trigrams; ///< of each language model, where there is something to learn from

    const std::filesystem::path& folder(std::size_t model) const { return files.models[model]; }
    bool translates(std::size_t model) const { return models[model].network.translator != nullptr; }
    bool anyTranslates() const {
        for (std::size_t i = 0; i < models.size(); ++i)
            if (translates(i))
                return true;
        return false;
    }
};

OpenedGroup open(const ReportGroup& files, torch::Device device) {
    OpenedGroup group{files, {}, {}};
    for (std::size_t i = 0; i < files.models.size(); ++i) {
        group.models.push_back(OpenedModel::open(files.models[i], device));
        group.trigrams.emplace_back();
        if (!group.translates(i) && !files.corpora.empty())
            group.trigrams.back() = learnTrigrams(group.models.back(), files.corpora);
    }
    return group;
}

std::string modelsTable(const std::vector<OpenedGroup>& groups) {
    Table table({"model", "parameters", "model.safetensors"});
    for (const auto& group : groups)
        for (std::size_t i = 0; i < group.models.size(); ++i) {
            const auto bytes = std::filesystem::file_size(group.folder(i) / "model.safetensors");
            table.add({nameOf(group.folder(i)),
                       fixed(static_cast<double>(group.models[i].parameters()) / 1e6, 2) + " million",
                       fixed(static_cast<double>(bytes) / 1e6, 1) + " MB"});
        }
    return "## Models\n\n" + table.text() + "\n";
}

std::string translationTable(const OpenedGroup& group, const TextFile& file, int beam) {
    const auto texts = readParallelText(file.path);
    Table table({"model", "loss", "perplexity", "BLEU, greedy", "BLEU, beam " + std::to_string(beam)});
    for (std::size_t i = 0; i < group.models.size(); ++i) {
        if (!group.translates(i))
            continue;
        say(group.folder(i), file.path);
        const auto greedy = translationScores(group.models[i], texts, 1, group.files.words);
        const auto beamed = translationScores(group.models[i], texts, beam, group.files.words);
        table.add({nameOf(group.folder(i)), fixed(greedy.loss, 3), fixed(std::exp(greedy.loss), 2),
                   fixed(greedy.bleu, 1), fixed(beamed.bleu, 1)});
    }
    return std::to_string(texts.size()) + " pairs. Loss in nats per token; BLEU is " + bleuSignature(group.files.words)
           + ".\n\n" + table.text() + "\n";
}

std::string percent(std::int64_t part, std::int64_t whole) {
    return fixed(100 * static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(whole, 1)), 1) + " %";
}

/// One language model on one file, with its baselines.
std::string languageTable(const OpenedGroup& group, std::size_t model, const std::vector<Lines>& texts) {
    const auto& trigrams = group.trigrams[model];
    const auto scores = languageScores(group.models[model], texts, trigrams ? &*trigrams : nullptr);
    std::vector<std::pair<std::string, const Guesses*>> guessers{{nameOf(group.folder(model)), &scores.model}};
    if (scores.unigram && scores.trigram) {
        guessers.emplace_back("unigrams", &*scores.unigram);
        guessers.emplace_back("trigrams", &*scores.trigram);
    }
    auto text = std::to_string(scores.asked) + (scores.masked ? " hidden tokens" : " tokens") + " in "
                + std::to_string(scores.rows) + " rows of " + std::to_string(scores.words) + " words"
                + (scores.tooLong > 0 ? ", " + std::to_string(scores.tooLong) + " longer lines left out" : "")
                + ".\n\n";
    auto table = scores.masked ? Table({"guessed by", "first guess", "five guesses"})
                               : Table({"guessed by", "perplexity of a token", "perplexity of a word"});
    for (const auto& [name, guesses] : guessers) {
        if (scores.masked)
            table.add({name, percent(guesses->first, scores.asked), percent(guesses->five, scores.asked)});
        else
            table.add({name, fixed(std::exp(guesses->nats / static_cast<double>(scores.asked)), 1),
                       fixed(std::exp(guesses->nats / static_cast<double>(scores.words)), 1)});
    }
    return text + table.text() + "\n";
}

std::string testSection(const OpenedGroup& group, const TextFile& file, int beam) {
    auto text = "### " + nameOf(file.path) + "\n\n";
    if (group.anyTranslates())
        text += translationTable(group, file, beam);
    for (std::size_t i = 0; i < group.models.size(); ++i) {
        if (group.translates(i))
            continue;
        say(group.folder(i), file.path);
        text += languageTable(group, i, readTexts(file));
    }
    return text;
}

std::string lengthTable(const OpenedGroup& group, const std::filesystem::path& file, int beam,
                        std::map<std::string, std::string>& pictures) {
    std::map<std::size_t, std::vector<TextPair>> buckets;
    for (const auto& text : readParallelText(file)) {
        std::istringstream stream(text.source);
        std::size_t words = 0;
        for (std::string word; stream >> word;)
            ++words;
        buckets[words == 0 ? 0 : (words - 1) / lengthStep].push_back(text);
    }
    std::vector<std::string> header{"words of the source", "pairs"};
    std::vector<std::size_t> shown;
    for (std::size_t i = 0; i < group.models.size(); ++i)
        if (group.translates(i))
            shown.push_back(i);
    for (const auto model : shown)
        header.push_back(nameOf(group.folder(model)));
    Table table(header);
    std::vector<LengthCurve> curves;
    const auto places = buckets.empty() ? 0 : buckets.rbegin()->first + 1;
    for (const auto model : shown)
        curves.push_back({nameOf(group.folder(model)), std::vector<float>(places, NAN)});
    for (const auto& [bucket, texts] : buckets) {
        std::vector<std::string> cells{std::to_string(bucket * lengthStep + 1) + "–"
                                           + std::to_string((bucket + 1) * lengthStep),
                                       std::to_string(texts.size())};
        for (std::size_t i = 0; i < shown.size(); ++i) {
            say(group.folder(shown[i]), nameOf(file) + ", " + cells.front() + " words");
            const double bleu = translationScores(group.models[shown[i]], texts, beam, group.files.words).bleu;
            cells.push_back(fixed(bleu, 1));
            curves[i].bleu[bucket] = static_cast<float>(bleu);
        }
        table.add(cells);
    }
    const auto picture = file.stem().string() + "-by-length.svg";
    pictures[picture] = drawLengthPicture(curves, static_cast<int>(lengthStep), "BLEU by sentence length");
    return "### " + nameOf(file) + ", by length\n\nBLEU, beam " + std::to_string(beam)
           + ", as in Fig. 2 of Bahdanau et al. 2015.\n\n" + table.text() + "\n![BLEU by the number of words]("
           + picture + ")\n\n";
}

std::vector<std::filesystem::path> pathsOf(const std::vector<TextFile>& files) {
    std::vector<std::filesystem::path> paths;
    for (const auto& file : files)
        paths.push_back(file.path);
    return paths;
}

/// Every cross head of every model on every gold file.
std::string goldTable(const ReportGroup& inputs) {
    std::vector<std::string> header{"what"}, counts, diagonal{"the diagonal"};
    std::vector<std::vector<GoldAlignment>> golds;
    for (const auto& file : inputs.gold) {
        golds.push_back(readGoldAlignments(file));
        header.insert(header.end(), {file.stem().string() + ": given out", "taken in"});
        counts.push_back(std::to_string(golds.back().size()) + " of " + nameOf(file));
        diagonal.insert(diagonal.end(), {fixed(diagonalErrors(golds.back()), 3), ""});
    }
    Table table(header);
    table.add(diagonal);
    if (!inputs.corpora.empty()) {
        std::vector<std::string> cells{"IBM Model 1, from the same pairs"};
        for (const double rate : model1Errors(golds, pathsOf(inputs.corpora), 5))
            cells.insert(cells.end(), {fixed(rate, 3), ""});
        table.add(cells);
    }
    for (const auto& folder : inputs.models) {
        const auto engine = Engine::open(folder);
        if (engine->info().heads == 0)
            continue;
        std::vector<std::vector<std::string>> rows;
        for (std::size_t i = 0; i < golds.size(); ++i) {
            say(folder, inputs.gold[i]);
            const auto scores = alignmentScores(*engine, golds[i]);
            rows.resize(scores.size());
            double best = 1;
            for (const auto& score : scores)
                best = std::min(best, score.best());
            for (std::size_t row = 0; row < scores.size(); ++row) {
                if (i == 0)
                    rows[row].push_back(engine->info().name + " " + scores[row].name);
                for (const double rate : {scores[row].emitted, scores[row].takenIn})
                    rows[row].push_back(rate == best ? "**" + fixed(rate, 3) + "**" : fixed(rate, 3));
            }
        }
        for (const auto& row : rows)
            table.add(row);
    }
    std::string sentences;
    for (const auto& count : counts)
        sentences += (sentences.empty() ? "" : ", ") + count;
    return "### Alignment error rates\n\nSentences: " + sentences
           + "; the reference forced,\npieces of words merged. Each head and each mean is read at the step that gives "
             "a word out and at the one that\ntakes it in; lower is better, and each model's best is bold.\n\n"
           + table.text() + "\n";
}

/// A few hundred lines of the first test, those of a translator with their references.
std::vector<Request> requestsOf(const TextFile& file, bool translates) {
    constexpr std::size_t most = 200;
    std::vector<Request> requests;
    const auto add = [&](const std::string& source, const std::optional<std::string>& target) {
        if (requests.size() >= most)
            return;
        requests.emplace_back();
        requests.back().source = source;
        requests.back().target = target;
    };
    if (translates) {
        for (const auto& text : readParallelText(file.path))
            add(text.source, text.target);
    } else {
        for (const auto& text : readTexts({file.path, false}))
            add(text.front(), {});
    }
    return requests;
}

std::string headSection(const OpenedGroup& group, std::size_t model) {
    const auto& file = group.files.tests.front();
    const auto engine = Engine::open(group.folder(model));
    if (engine->info().heads == 0)
        return {};
    say(group.folder(model), file.path);
    const auto requests = requestsOf(file, group.translates(model));
    constexpr std::array stacks{"encoder", "decoder", "cross"};
    Table table({"head", "previous", "next", "itself", "first", "special", "distance", "entropy", "kind"});
    for (const auto& row : headTable(*engine, requests)) {
        const auto& relative = row.metrics.relative;
        const auto share = [](float part) { return fixed(static_cast<double>(part), 2); };
        const auto own = [&](float RelativeMetrics::*part) {
            return relative ? share((*relative).*part) : std::string("–");
        };
        table.add({std::string(stacks[static_cast<std::size_t>(row.kind)]) + " L" + std::to_string(row.layer.value)
                       + " H" + std::to_string(row.head.value),
                   own(&RelativeMetrics::previous), row.kind == BlockKind::Decoder ? "–" : own(&RelativeMetrics::next),
                   own(&RelativeMetrics::self), share(row.metrics.first), share(row.metrics.special),
                   own(&RelativeMetrics::distance), share(row.metrics.entropy),
                   std::string(headKindName(row.metrics.kind))});
    }
    return "### Heads of " + nameOf(group.folder(model)) + "\n\nShares of attention over the first "
           + std::to_string(requests.size()) + " lines of " + nameOf(file.path)
           + ": on the token before, behind, itself, the first\nand special ones; distance in tokens, entropy in bits."
             "\n\n"
           + table.text() + "\n";
}

} // namespace

Report report(const ReportInputs& inputs) {
    std::vector<OpenedGroup> groups;
    for (const auto& group : inputs.groups)
        groups.push_back(open(group, inputs.device));
    Report made;
    made.page = modelsTable(groups);
    for (const auto& group : groups) {
        std::string names;
        for (const auto& folder : group.files.models)
            names += (names.empty() ? "" : ", ") + nameOf(folder);
        made.page += "## " + names + "\n\n";
        for (const auto& file : group.files.tests)
            made.page += testSection(group, file, inputs.beam);
        for (const auto& file : group.files.byLength)
            made.page += lengthTable(group, file, inputs.beam, made.pictures);
        if (!group.files.gold.empty())
            made.page += goldTable(group.files);
        if (!group.files.tests.empty())
            for (std::size_t i = 0; i < group.models.size(); ++i)
                made.page += headSection(group, i);
    }
    return made;
}

} // namespace headlight
