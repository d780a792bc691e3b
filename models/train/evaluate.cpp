#include "models/train/evaluate.h"

#include "core/checkpoint/model_folder.h"
#include "core/checkpoint/weights.h"
#include "core/error.h"
#include "core/nn/decode.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <span>

namespace headlight {

namespace {

constexpr std::int64_t evaluationTokens = 4000;

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

std::string replaceAll(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

} // namespace

torch::Tensor tokenLoss(SequenceToSequence& model, const Batch& batch, std::int64_t pad, double smoothing) {
    const Context unwatched;
    const auto memory = model.encode(batch.source, {}, unwatched);
    const auto states = model.decode(batch.targetIn, memory, unwatched); // [B, T, D]
    const auto expected = batch.targetOut.flatten();                     // [B T]
    // The output layer is the widest of all: it is spared the padding.
    const auto rows = expected.ne(pad).nonzero().squeeze(1);
    const auto logits = model.logits(states.flatten(0, 1).index_select(0, rows)); // [tokens, V]
    return torch::nn::functional::cross_entropy(
        logits.to(torch::kFloat32), expected.index_select(0, rows),
        torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum).label_smoothing(smoothing));
}

double meanLoss(Network& network, const std::vector<IdPair>& pairs, torch::Device device) {
    torch::NoGradGuard noGradients;
    network.translator->eval();
    double sum = 0;
    std::int64_t tokens = 0;
    for (const auto& indices : planBatches(pairs, evaluationTokens, 0)) {
        const auto batch = makeBatch(pairs, indices, network.ids, device);
        sum += tokenLoss(*network.translator, batch, network.ids.pad, 0).item<double>();
        tokens += batch.tokens;
    }
    return tokens > 0 ? sum / static_cast<double>(tokens) : 0;
}

std::vector<std::string> translate(Network& network, const Tokenizer& tokenizer, const std::vector<IdPair>& pairs,
                                   int beam, torch::Device device) {
    torch::NoGradGuard noGradients;
    network.translator->eval();
    const Context unwatched;
    std::vector<std::string> texts(pairs.size());
    for (const auto& indices : planBatches(pairs, evaluationTokens / beam, 0)) {
        const auto batch = makeBatch(pairs, indices, network.ids, device);
        const auto memory = network.translator->encode(batch.source, {}, unwatched);
        const DecodeOptions options{.beam = beam,
                                    .maxLength = std::min(network.maxPositions, 2 * batch.source.size(1) + 10),
                                    .ids = network.ids,
                                    .banned = network.banned};
        const auto best = decodeBest(*network.translator, memory, options, unwatched);
        for (std::size_t row = 0; row < indices.size(); ++row)
            texts[indices[row]] = tokenizer.decode(best[row]);
    }
    return texts;
}

std::vector<std::string> wordsOf13a(const std::string& text) {
    auto line = text;
    for (const auto* space : {"\n", "\r", "\v", "\f", "\u0085", "\u00a0", "\u2009", "\u202f", "\u3000"})
        line = replaceAll(line, space, " ");
    for (const auto& [entity, letter] : {std::pair{"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}})
        line = replaceAll(line, entity, letter);
    // Signs stand alone, but a full stop or comma only where no digit is on that side, and a hyphen after a digit.
    line = " " + line + " ";
    std::string spaced;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const char before = i > 0 ? line[i - 1] : ' ';
        const char after = i + 1 < line.size() ? line[i + 1] : ' ';
        const bool sign = (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= '!' && c <= '&')
                          || (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
        const bool point = (c == '.' || c == ',') && (!isDigit(before) || !isDigit(after));
        if (sign || point || (c == '-' && isDigit(before)))
            spaced += std::string(" ") + c + " ";
        else
            spaced += c;
    }
    std::vector<std::string> words;
    std::string word;
    for (const char c : spaced + " ") {
        if (c != ' ' && c != '\t') {
            word += c;
        } else if (!word.empty()) {
            words.push_back(word);
            word.clear();
        }
    }
    return words;
}

double bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references) {
    constexpr std::size_t longest = 4;
    std::array<double, longest> matched{}, counted{};
    double hypothesisLength = 0, referenceLength = 0;
    using Counts = std::map<std::vector<std::string>, int>;
    const auto count = [](const std::vector<std::string>& words, std::size_t n) {
        Counts counts;
        for (std::size_t i = 0; i + n <= words.size(); ++i)
            ++counts[{words.begin() + static_cast<std::ptrdiff_t>(i),
                      words.begin() + static_cast<std::ptrdiff_t>(i + n)}];
        return counts;
    };
    for (std::size_t line = 0; line < hypotheses.size(); ++line) {
        const auto hypothesis = wordsOf13a(hypotheses[line]);
        const auto reference = wordsOf13a(references[line]);
        hypothesisLength += static_cast<double>(hypothesis.size());
        referenceLength += static_cast<double>(reference.size());
        for (std::size_t n = 1; n <= longest; ++n) {
            const auto expected = count(reference, n);
            for (const auto& [words, times] : count(hypothesis, n)) {
                const auto found = expected.find(words);
                matched[n - 1] += found == expected.end() ? 0 : std::min(times, found->second);
                counted[n - 1] += times;
            }
        }
    }
    if (std::all_of(matched.begin(), matched.end(), [](double matches) { return matches == 0; }))
        return 0;
    double logPrecision = 0;
    double smooth = 1;
    for (std::size_t n = 0; n < longest; ++n) {
        if (counted[n] == 0)
            return 0;
        if (matched[n] == 0)
            smooth *= 2;
        const double precision = matched[n] == 0 ? 1 / (smooth * counted[n]) : matched[n] / counted[n];
        logPrecision += std::log(precision) / static_cast<double>(longest);
    }
    const double brevity = hypothesisLength < referenceLength ? 1 - referenceLength / hypothesisLength : 0;
    return 100 * std::exp(brevity + logPrecision);
}

Translator Translator::open(const std::filesystem::path& folder, torch::Device device) {
    const auto config = ModelConfig::open(folder);
    Translator opened;
    opened.m_place = folder.string();
    opened.m_network = openNetwork(config, Weights::open(folder));
    opened.m_network.translator->to(device);
    opened.m_tokenizer = openTokenizer(folder);
    opened.m_device = device;
    return opened;
}

Scores Translator::score(const std::vector<TextPair>& texts, int beam) {
    const auto corpus =
        encodeCorpus(texts, *m_tokenizer, m_network.ids, static_cast<std::size_t>(m_network.maxPositions));
    if (corpus.tooLong > 0)
        throw Error(Error::Kind::Invalid, m_place,
                    std::to_string(corpus.tooLong) + " sentences of the corpus are longer than the model reads");
    Scores scores;
    scores.loss = meanLoss(m_network, corpus.pairs, m_device);
    scores.translations = translate(m_network, *m_tokenizer, corpus.pairs, beam, m_device);
    std::vector<std::string> references;
    for (const auto& text : texts)
        references.push_back(text.target);
    scores.bleu = bleu(scores.translations, references);
    return scores;
}

std::int64_t Translator::parameters() const {
    std::int64_t count = 0;
    for (const auto& parameter : m_network.translator->parameters())
        count += parameter.numel();
    return count;
}

} // namespace headlight
