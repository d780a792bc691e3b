#include "models/train/report.h"

#include "models/train/alignments.h"
#include "models/train/length_picture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
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

std::string modelsTable(const std::vector<OpenedModel>& models, const ReportInputs& inputs) {
    Table table({"model", "parameters", "model.safetensors"});
    for (std::size_t i = 0; i < models.size(); ++i) {
        const auto bytes = std::filesystem::file_size(inputs.models[i] / "model.safetensors");
        table.add({nameOf(inputs.models[i]), fixed(static_cast<double>(models[i].parameters()) / 1e6, 2) + " million",
                   fixed(static_cast<double>(bytes) / 1e6, 1) + " MB"});
    }
    return "## Models\n\n" + table.text() + "\n";
}

std::string testTable(const std::vector<OpenedModel>& models, const ReportInputs& inputs,
                      const std::filesystem::path& file) {
    const auto texts = readParallelText(file);
    const auto beamed = "BLEU, beam " + std::to_string(inputs.beam);
    Table table({"model", "loss", "perplexity", "BLEU, greedy", beamed});
    for (std::size_t i = 0; i < models.size(); ++i) {
        say(inputs.models[i], file);
        const auto greedy = translationScores(models[i], texts, 1, BleuWords::Mteval13a);
        const auto beam = translationScores(models[i], texts, inputs.beam, BleuWords::Mteval13a);
        table.add({nameOf(inputs.models[i]), fixed(greedy.loss, 3), fixed(std::exp(greedy.loss), 2),
                   fixed(greedy.bleu, 1), fixed(beam.bleu, 1)});
    }
    return "## " + nameOf(file) + "\n\n" + std::to_string(texts.size()) + " pairs. Loss in nats per token.\n\n"
           + table.text() + "\n";
}

std::string lengthTable(const std::vector<OpenedModel>& models, const ReportInputs& inputs,
                        const std::filesystem::path& file, std::map<std::string, std::string>& pictures) {
    std::map<std::size_t, std::vector<TextPair>> buckets;
    for (const auto& text : readParallelText(file)) {
        std::istringstream stream(text.source);
        std::size_t words = 0;
        for (std::string word; stream >> word;)
            ++words;
        buckets[words == 0 ? 0 : (words - 1) / lengthStep].push_back(text);
    }
    std::vector<std::string> header{"words of the source", "pairs"};
    for (const auto& model : inputs.models)
        header.push_back(nameOf(model));
    Table table(header);
    std::vector<LengthCurve> curves;
    const auto places = buckets.empty() ? 0 : buckets.rbegin()->first + 1;
    for (const auto& model : inputs.models)
        curves.push_back({nameOf(model), std::vector<float>(places, NAN)});
    for (const auto& [bucket, texts] : buckets) {
        std::vector<std::string> cells{std::to_string(bucket * lengthStep + 1) + "–"
                                           + std::to_string((bucket + 1) * lengthStep),
                                       std::to_string(texts.size())};
        for (std::size_t i = 0; i < models.size(); ++i) {
            say(inputs.models[i], nameOf(file) + ", " + cells.front() + " words");
            const double bleu = translationScores(models[i], texts, inputs.beam, BleuWords::Mteval13a).bleu;
            cells.push_back(fixed(bleu, 1));
            curves[i].bleu[bucket] = static_cast<float>(bleu);
        }
        table.add(cells);
    }
    const auto picture = file.stem().string() + "-by-length.svg";
    pictures[picture] = drawLengthPicture(curves, static_cast<int>(lengthStep), "BLEU by sentence length");
    return "## " + nameOf(file) + ", by length\n\nBLEU, beam " + std::to_string(inputs.beam)
           + ", as in Fig. 2 of Bahdanau et al. 2015.\n\n" + table.text() + "\n![BLEU by the number of words]("
           + picture + ")\n\n";
}

std::string goldTable(const ReportInputs& inputs, const std::filesystem::path& file) {
    constexpr std::size_t shown = 3;
    const auto gold = readGoldAlignments(file);
    Table table({"what", "error rate"});
    table.add({"the diagonal", fixed(diagonalErrors(gold), 3)});
    if (!inputs.corpora.empty())
        table.add({"IBM Model 1, from the same pairs", fixed(model1Errors(gold, inputs.corpora, 5), 3)});
    for (const auto& folder : inputs.models) {
        const auto engine = Engine::open(folder);
        if (engine->info().heads == 0)
            continue;
        say(folder, file);
        const auto scores = alignmentScores(*engine, gold);
        for (std::size_t i = 0; i < std::min(shown, scores.size()); ++i)
            table.add({engine->info().name + ": " + scores[i].name, fixed(scores[i].rate, 3)});
    }
    return "## " + nameOf(file) + "\n\n" + std::to_string(gold.size())
           + " sentences, the reference forced. Of each model the three best of its heads and means, with both "
             "readings of the\n"
             "decoder's rows; lower is better.\n\n"
           + table.text() + "\n";
}

} // namespace

Report report(const ReportInputs& inputs) {
    std::vector<OpenedModel> models;
    for (const auto& folder : inputs.models)
        models.push_back(OpenedModel::open(folder, inputs.device));
    Report made;
    made.page = modelsTable(models, inputs);
    for (const auto& file : inputs.tests)
        made.page += testTable(models, inputs, file);
    for (const auto& file : inputs.byLength)
        made.page += lengthTable(models, inputs, file, made.pictures);
    for (const auto& file : inputs.gold)
        made.page += goldTable(inputs, file);
    return made;
}

} // namespace headlight
