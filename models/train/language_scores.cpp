#include "models/train/language_scores.h"

#include "core/error.h"
#include "models/train/batches.h"
#include "models/train/objective.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace headlight {

namespace {

/// A token that was asked for: which row of the corpus, which token of it.
struct Place {
    std::size_t row;
    std::size_t token;
};

/// @param logits [N, V] @param expected [N]
void count(const torch::Tensor& logits, const torch::Tensor& expected, Guesses& guesses) {
    const auto said = torch::log_softmax(logits.to(torch::kFloat32), -1); // [N, V]
    const auto right = said.gather(1, expected.unsqueeze(1));             // [N, 1]
    const auto better = said.gt(right).sum(1);                            // [N]
    guesses.nats -= right.sum(torch::kFloat64).item<double>();
    guesses.first += better.lt(1).sum().item<std::int64_t>();
    guesses.five += better.lt(5).sum().item<std::int64_t>();
}

/// @param weights of each token of the vocabulary, whatever their sum
void count(const std::vector<double>& weights, std::int64_t expected, Guesses& guesses) {
    const double right = weights[static_cast<std::size_t>(expected)];
    const auto better = std::count_if(weights.begin(), weights.end(), [&](double weight) { return weight > right; });
    guesses.nats -= std::log(right / std::accumulate(weights.begin(), weights.end(), 0.0));
    guesses.first += better < 1;
    guesses.five += better < 5;
}

} // namespace

TrigramModel learnTrigrams(const OpenedModel& model, const std::vector<TextFile>& files) {
    TrigramModel trigrams(model.network.vocabulary);
    for (const auto& file : files) {
        const auto corpus =
            readCorpus(file, *model.tokenizer, model.network, static_cast<std::size_t>(model.network.maxPositions));
        for (const auto& row : corpus.pairs)
            trigrams.add(row.source);
    }
    trigrams.finish();
    return trigrams;
}

LanguageScores languageScores(const OpenedModel& model, const std::vector<Lines>& texts, const TrigramModel* baseline) {
    const auto& network = model.network;
    if (network.translator || (network.encoder && network.encoder->head() != EncoderHead::MaskedLanguage))
        throw Error(Error::Kind::Unsupported, model.folder.string(), "is no language model");
    torch::NoGradGuard noGradients;
    network.module().eval();
    const auto corpus = encodeRows(texts, *model.tokenizer, network, static_cast<std::size_t>(network.maxPositions));
    auto masking = maskingOf(*model.tokenizer, network);
    masking.masked = 1;
    masking.random = 0;

    LanguageScores scores;
    scores.masked = network.encoder != nullptr;
    scores.rows = static_cast<std::int64_t>(corpus.pairs.size());
    scores.words = corpus.words;
    scores.tooLong = corpus.tooLong;
    std::vector<Place> places;
    std::uint64_t seed = 0;
    for (const auto& indices : planBatches(corpus.pairs, evaluationTokens, 0)) {
        const auto ids = makeRows(corpus.pairs, indices); // [B, S]
        const auto length = ids.size(1);
        torch::Tensor asked; // [N], indices into B S
        torch::Tensor read;  // [N, W], what the output layer reads of them
        if (scores.masked) {
            const auto hidden = hideTokens(ids, masking, seed++);
            asked = hidden.places;
            read = network.encoder->encode(hidden.ids.to(model.device), {}, {}, Context())
                       .flatten(0, 1)
                       .index_select(0, asked.to(model.device));
        } else {
            DecoderState fresh;
            asked = torch::arange(ids.numel()).view({-1, length}).narrow(1, 1, length - 1).flatten();
            read =
                network.causal->decode(ids.narrow(1, 0, length - 1).to(model.device), fresh, Context()).flatten(0, 1);
        }
        const auto logits = scores.masked ? network.encoder->logits(read) : network.causal->logits(read);
        count(logits, ids.flatten().index_select(0, asked).to(model.device), scores.model);
        scores.asked += asked.size(0);
        for (std::int64_t i = 0; i < asked.size(0); ++i) {
            const auto place = asked.data_ptr<std::int64_t>()[i];
            places.push_back(
                {indices[static_cast<std::size_t>(place / length)], static_cast<std::size_t>(place % length)});
        }
    }
    if (!baseline)
        return scores;

    auto& unigram = scores.unigram.emplace();
    auto& trigram = scores.trigram.emplace();
    std::vector<double> alone;
    for (std::int64_t token = 0; token < network.vocabulary; ++token)
        alone.push_back(baseline->unigram(token));
    for (const auto& place : places) {
        const auto& row = corpus.pairs[place.row].source;
        const auto expected = row[place.token];
        if (scores.masked) {
            count(alone, expected, unigram);
            count(baseline->between(row, place.token), expected, trigram);
        } else {
            unigram.nats -= std::log(alone[static_cast<std::size_t>(expected)]);
            trigram.nats -= std::log(baseline->trigram(row, place.token));
        }
    }
    return scores;
}

} // namespace headlight
