#include "models/train/evaluate.h"

#include "core/checkpoint/weights.h"
#include "core/error.h"
#include "core/files/model_config.h"
#include "core/nn/decode.h"
#include "models/train/batches.h"
#include "models/train/objective.h"

#include <torch/torch.h>

#include <algorithm>

namespace headlight {

namespace {

/// Translations of sources, in their order.
std::vector<std::string> translate(const OpenedModel& model, const std::vector<IdPair>& pairs, int beam) {
    torch::NoGradGuard noGradients;
    const auto& network = model.network;
    network.translator->eval();
    const Context unwatched;
    std::vector<std::string> texts(pairs.size());
    for (const auto& indices : planBatches(pairs, evaluationTokens / beam, 0)) {
        const auto batch = makeBatch(pairs, indices, network.ids, model.device);
        const auto memory = network.translator->encode(batch.source, {}, unwatched);
        const DecodeOptions options{.beam = beam,
                                    .maxLength = std::min(network.maxPositions, 2 * batch.source.size(1) + 10),
                                    .ids = network.ids,
                                    .banned = network.banned};
        const auto best = decodeBest(*network.translator, memory, options, unwatched);
        for (std::size_t row = 0; row < indices.size(); ++row)
            texts[indices[row]] = model.tokenizer->decode(best[row]);
    }
    return texts;
}

} // namespace

OpenedModel OpenedModel::open(const std::filesystem::path& folder, torch::Device device) {
    const auto config = ModelConfig::open(folder);
    OpenedModel opened{folder, openNetwork(config, Weights::open(folder)), openTokenizer(folder), device};
    opened.network.module().to(device);
    return opened;
}

std::int64_t OpenedModel::parameters() const {
    std::int64_t count = 0;
    for (const auto& parameter : network.module().parameters())
        count += parameter.numel();
    return count;
}

Scores translationScores(const OpenedModel& model, const std::vector<TextPair>& texts, int beam, BleuWords words) {
    const auto& network = model.network;
    if (!network.translator)
        throw Error(Error::Kind::Unsupported, model.folder.string(), "is no translator");
    const auto corpus =
        encodeCorpus(texts, *model.tokenizer, network.ids, static_cast<std::size_t>(network.maxPositions));
    if (corpus.tooLong > 0)
        throw Error(Error::Kind::Invalid, model.folder.string(),
                    std::to_string(corpus.tooLong) + " sentences of the corpus are longer than the model reads");
    Scores scores;
    const auto objective = makeObjective(network);
    scores.loss = meanLoss(*objective, corpus.pairs, model.device);
    scores.translations = translate(model, corpus.pairs, beam);
    std::vector<std::string> references;
    for (const auto& text : texts)
        references.push_back(text.target);
    scores.bleu = bleu(scores.translations, references, words);
    return scores;
}

} // namespace headlight
