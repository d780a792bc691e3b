// An encoder alone: one watched pass, then what its head says: a word at each place, or a label of the whole.
#include "core/runs/open_model.h"

#include <torch/types.h>

#include <algorithm>

namespace headlight {

namespace {

class EncoderEngine : public OpenModel {
public:
    explicit EncoderEngine(LoadedModel loaded) : OpenModel(std::move(loaded)) {
        auto& info = changeInfo();
        info.hasEncoder = true;
        info.readsPairs = hasTokenizer() && network().segments > 1;
        if (network().encoder->head() == EncoderHead::Classification) {
            info.labels = network().labels;
            info.readsPairs = hasTokenizer(); // a classifier of pairs may tell them by the token between them alone
        }
        if (network().encoder->head() == EncoderHead::MaskedLanguage && hasTokenizer())
            m_mask = tokenizer().roles().mask;
        if (m_mask) {
            info.mask = tokenOf(*m_mask).text;
            info.readsSpaces = !tokenizer().encode(" ").empty();
        }
    }

protected:
    void runWatched(const Request& request, Watch& watch, const std::stop_token& stop, Trace& trace) override {
        if (request.target || !request.targetIds.empty())
            throw Error(Error::Kind::Unsupported, info().name, "an encoder alone has no target",
                        "leave the target out");
        trace.source = readSource(
            request, false, [](std::int64_t tokens) { return RunLength{.source = tokens}; }, trace);
        if (trace.source.empty())
            throw Error(Error::Kind::Invalid, info().name, "there is nothing to read",
                        "its tokenizer adds no tokens of its own: type something");
        readSegments(request, trace);
        const Context context{&watch, stop, &request.intervention};
        auto& model = *network().encoder;
        const auto ids = batchOfOne(idsOf(trace.source));
        const auto hidden = model.encode(ids, segments(trace), {}, context);
        context.checkStop();
        if (model.head() == EncoderHead::None) {
            warnOfNaN(hidden, trace);
            return;
        }
        const auto logits = model.logits(hidden).to(torch::kFloat32).contiguous();
        if (model.head() == EncoderHead::Classification) {
            classify(logits, request, trace);
            return;
        }
        std::vector<bool> masked;
        for (const auto& token : trace.source)
            masked.push_back(m_mask && token.id == *m_mask);
        predict(logits.squeeze(0), request, masked, trace);
    }

private:
    void readSegments(const Request& request, Trace& trace) const {
        if (request.segmentIds.empty())
            return;
        if (request.segmentIds.size() != request.sourceIds.size())
            throw Error(Error::Kind::Invalid, "--segment-ids",
                        std::to_string(request.segmentIds.size()) + " for " + std::to_string(request.sourceIds.size())
                            + " ids");
        const auto most = std::max<std::int64_t>(network().segments, 1);
        for (std::size_t i = 0; i < trace.source.size(); ++i) {
            if (request.segmentIds[i] < 0 || request.segmentIds[i] >= most)
                throw Error(Error::Kind::Invalid, "--segment-ids",
                            std::to_string(request.segmentIds[i]) + " is not a segment of this model",
                            "its segments go from 0 to " + std::to_string(most - 1));
            trace.source[i].segment = static_cast<int>(request.segmentIds[i]);
        }
    }

    /// [1, T]; undefined for a model that does not tell texts apart.
    torch::Tensor segments(const Trace& trace) const {
        if (network().segments < 2)
            return {};
        std::vector<std::int64_t> ids;
        for (const auto& token : trace.source)
            ids.push_back(token.segment);
        return batchOfOne(ids);
    }

    /// @param logits [1, labels]
    void classify(const torch::Tensor& logits, const Request& request, Trace& trace) const {
        warnOfNaN(logits, trace);
        keepLogits(logits, request, trace);
        const auto [values, indices] = torch::softmax(logits, -1).squeeze(0).sort(-1, true);
        const auto probability = values.contiguous(), id = indices.contiguous();
        for (std::int64_t k = 0; k < id.size(0); ++k) {
            const auto label = id.data_ptr<std::int64_t>()[k];
            const auto& name = network().labels.at(static_cast<std::size_t>(label));
            trace.labels.push_back({label, name, probability.data_ptr<float>()[k], name});
        }
    }

    std::optional<std::int64_t> m_mask;
};

} // namespace

std::unique_ptr<Engine> encoderEngine(LoadedModel loaded) {
    return std::make_unique<EncoderEngine>(std::move(loaded));
}

} // namespace headlight
