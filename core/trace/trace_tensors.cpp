// Tensors to blocks and back. A file comes from anywhere: each tensor's shape is checked against those it belongs to.
#include "core/trace/trace_tensors.h"

#include "core/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace headlight {

namespace {

constexpr int mostLayers = 1024, mostHeads = 1024, mostMaps = 1 << 16;
constexpr double rowSumTolerance = 0.02; // of bfloat16 weights that were cut, not rounded
constexpr auto exportAgain = "export the trace again";
/// How weights of transformers become what is read, `outputs` being what the model gave out for one text.
constexpr auto saveLikeThis =
    "save torch.cat(outputs.attentions) of a batch of one text: [layers, heads, queries, keys]";

/// Takes tensors out of a file, each with the shape that it must have.
class TensorReader {
public:
    explicit TensorReader(const SafetensorsFile& file) : m_file(file) {}

    bool has(const std::string& name) const { return m_file.find(name) != nullptr; }

    /// [layers, heads, queries, keys] of weights as people save them: with a batch of one text, or one layer alone.
    std::vector<int> weightsShape(const std::string& name) const {
        auto shape = find(name).shape;
        if (shape.size() == 5 && shape[1] == 1) // torch.stack of each layer's [1, heads, queries, keys]
            shape.erase(shape.begin() + 1);
        else if (shape.size() == 5 && shape[0] == 1)
            shape.erase(shape.begin());
        else if (shape.size() == 3)
            shape.insert(shape.begin(), 1);
        if (shape.size() != 4)
            mismatch(name,
                     "has the shape " + shapeText(shape) + " instead of [layers, heads, queries, keys]"
                         + (shape.size() == 2 ? ", as logits have" : ""),
                     saveLikeThis);
        return extentsOf(name, shape);
    }

    /// Extents of the tensor, of which there must be as many as asked for, none of them 0.
    std::vector<int> shape(const std::string& name, std::size_t dimensions) const {
        const auto& tensor = find(name);
        if (tensor.shape.size() != dimensions)
            mismatch(name, "has the shape " + shapeText(tensor.shape) + " instead of " + std::to_string(dimensions)
                               + " dimensions");
        return extentsOf(name, tensor.shape);
    }
    /// The last extent of vectors, [layers, heads, queries, headSize].
    int headSize(const std::string& name) const {
        const auto extents = extentsOf(name, find(name).shape);
        if (extents.empty())
            mismatch(name, "is a single number");
        return extents.back();
    }
    std::vector<float> floats(const std::string& name, const std::vector<int>& expected) const {
        const auto& tensor = find(name);
        const auto withoutOnes = [](const auto& shape) { // an axis of 1 changes nothing of what lies where
            std::vector<std::int64_t> kept;
            for (const auto extent : shape)
                if (extent != 1)
                    kept.push_back(extent);
            return kept;
        };
        if (withoutOnes(expected) != withoutOnes(tensor.shape))
            mismatch(name, "has the shape " + shapeText(tensor.shape) + " instead of " + shapeText(expected));
        if (tensor.dtype != DType::F64 && tensor.dtype != DType::F32 && tensor.dtype != DType::F16
            && tensor.dtype != DType::BF16)
            throw Error(Error::Kind::Unsupported, place(name), "has the type " + std::string(dtypeName(tensor.dtype)),
                        "save it as float32");
        return toFloats(tensor);
    }
    /// Rows of keys or values, of each head: where groups of heads share some, theirs repeated for each of them.
    std::vector<float> keyRows(const std::string& name, const AttentionBlock& block) const {
        const auto& shape = find(name).shape;
        const auto groups = shape.size() >= 3 ? shape[shape.size() - 3] : 0;
        if (groups < 1 || groups == block.heads || block.heads % groups != 0)
            return floats(name, {block.layers, block.heads, block.keys, block.headSize});
        const auto shared = floats(name, {block.layers, static_cast<int>(groups), block.keys, block.headSize});
        const auto rows = static_cast<std::size_t>(block.keys) * static_cast<std::size_t>(block.headSize);
        std::vector<float> repeated;
        for (std::size_t group = 0; group * rows < shared.size(); ++group)
            for (std::int64_t head = 0; head < block.heads / groups; ++head)
                repeated.insert(repeated.end(), shared.begin() + static_cast<std::ptrdiff_t>(group * rows),
                                shared.begin() + static_cast<std::ptrdiff_t>((group + 1) * rows));
        return repeated;
    }
    [[noreturn]] void mismatch(const std::string& name, const std::string& detail,
                               const char* remedy = exportAgain) const {
        throw Error(Error::Kind::Mismatch, place(name), detail, remedy);
    }

    std::string place(const std::string& name) const { return m_file.place() + ", tensor '" + name + "'"; }

private:
    std::vector<int> extentsOf(const std::string& name, const std::vector<std::int64_t>& shape) const {
        std::vector<int> extents;
        for (const auto extent : shape) {
            if (extent < 1 || extent > std::numeric_limits<int>::max())
                mismatch(name, "has the shape " + shapeText(shape) + ", of which nothing can be shown");
            extents.push_back(static_cast<int>(extent));
        }
        return extents;
    }
    const TensorView& find(const std::string& name) const {
        const auto* tensor = m_file.find(name);
        if (!tensor)
            mismatch(name, "is missing, though others that belong to it are there");
        return *tensor;
    }
    template <class Number>
    static std::string shapeText(const std::vector<Number>& shape) {
        std::string text = "[";
        for (const auto extent : shape)
            text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
        return text + "]";
    }

    const SafetensorsFile& m_file;
};

AttentionBlock readBlock(const TensorReader& reader, const NamedBlock& named, const Trace& trace) {
    const std::string name = named.name;
    const auto shape = reader.weightsShape(name);
    AttentionBlock block;
    block.kind = named.kind;
    block.layers = shape[0];
    block.heads = shape[1];
    block.queries = shape[2];
    block.keys = shape[3];
    if (block.layers > mostLayers || block.heads > mostHeads || block.layers * block.heads > mostMaps)
        throw Error(Error::Kind::Unsupported, reader.place(name),
                    "has " + std::to_string(block.layers) + " layers of " + std::to_string(block.heads)
                        + " heads; no model has so many",
                    "save [layers, heads, queries, keys]");
    const auto fits = [&](const char* axis, int extent, const std::vector<Token>& tokens) {
        if (static_cast<std::size_t>(extent) != tokens.size())
            reader.mismatch(name, "has " + std::to_string(extent) + " " + axis + ", but the file names "
                                      + std::to_string(tokens.size()) + " tokens for them");
    };
    fits("queries", block.queries, trace.queryTokens(block.kind));
    fits("keys", block.keys, trace.keyTokens(block.kind));
    block.weights = reader.floats(name, shape);
    if (reader.has(name + ".scores"))
        block.scores = reader.floats(name + ".scores", shape);
    if (reader.has(name + ".queries") || reader.has(name + ".keys")) {
        block.headSize = reader.headSize(name + ".queries");
        block.queryRows = reader.floats(name + ".queries", {block.layers, block.heads, block.queries, block.headSize});
        block.keyRows = reader.keyRows(name + ".keys", block);
        if (reader.has(name + ".values"))
            block.valueRows = reader.keyRows(name + ".values", block);
        if (reader.has(name + ".scales"))
            block.scales = reader.floats(name + ".scales", {block.layers});
    }
    return block;
}

std::optional<InputVectors> readInput(const TensorReader& reader, const std::string& stack, std::size_t tokens) {
    if (!reader.has(stack + ".input.sums"))
        return std::nullopt;
    const auto shape = reader.shape(stack + ".input.sums", 2);
    if (static_cast<std::size_t>(shape[0]) != tokens)
        reader.mismatch(stack + ".input.sums", "has " + std::to_string(shape[0]) + " rows, but the file names "
                                                   + std::to_string(tokens) + " tokens for them");
    InputVectors input{shape[0],
                       shape[1],
                       reader.floats(stack + ".input.tokens", shape),
                       {},
                       reader.floats(stack + ".input.sums", shape)};
    if (reader.has(stack + ".input.positions"))
        input.positions = reader.floats(stack + ".input.positions", shape);
    return input;
}

/// @param first the stack's is the only table in files of before stacks had tables of their own
void readPositions(const TensorReader& reader, const std::string& name, bool first,
                   std::optional<PositionTable>& table) {
    const auto found = first && !reader.has(name) ? std::string("positions") : name;
    if (!reader.has(found))
        return table.reset();
    auto& positions = table ? *table : table.emplace();
    const auto shape = reader.shape(found, 2);
    positions.positions = shape[0];
    positions.dimensions = shape[1];
    positions.values = reader.floats(found, shape);
}

/// A word of warning on rows that are no distributions; empty when all are.
std::string rowNotice(const char* name, const AttentionBlock& block) {
    std::size_t wrong = 0;
    const auto rows = block.weights.size() / static_cast<std::size_t>(block.keys);
    for (std::size_t row = 0; row < rows; ++row) {
        double sum = 0;
        for (std::size_t key = 0; key < static_cast<std::size_t>(block.keys); ++key)
            sum += static_cast<double>(block.weights[row * static_cast<std::size_t>(block.keys) + key]);
        if (!(std::abs(sum - 1) <= rowSumTolerance))
            ++wrong;
    }
    if (wrong == 0)
        return {};
    return std::string(name) + ": " + std::to_string(wrong) + " of " + std::to_string(rows) + " rows do not sum to 1";
}

} // namespace

std::vector<TensorView> tensorsOf(const Trace& trace) {
    std::vector<TensorView> tensors;
    const auto add = [&](const std::string& name, const std::vector<float>& values, std::vector<std::int64_t> shape) {
        if (!values.empty())
            tensors.push_back({name, DType::F32, std::move(shape), std::as_bytes(std::span(values))});
    };
    for (const auto& [kind, blockName] : blockNames) {
        const auto* block = trace.block(kind);
        if (!block)
            continue;
        const std::string name = blockName;
        add(name, block->weights, {block->layers, block->heads, block->queries, block->keys});
        add(name + ".scores", block->scores, {block->layers, block->heads, block->queries, block->keys});
        add(name + ".queries", block->queryRows, {block->layers, block->heads, block->queries, block->headSize});
        add(name + ".keys", block->keyRows, {block->layers, block->heads, block->keys, block->headSize});
        add(name + ".values", block->valueRows, {block->layers, block->heads, block->keys, block->headSize});
        add(name + ".scales", block->scales, {block->layers});
    }
    if (const auto& additive = trace.additive) {
        add("additive.queries", additive->queryPart, {additive->queries, additive->size});
        add("additive.keys", additive->keyPart, {additive->keys, additive->size});
        add("additive.v", additive->v, {additive->size});
        add("additive.energies", additive->energies, {additive->queries, additive->keys});
        if (additive->annotationSize > 0)
            add("additive.annotations", additive->annotations, {additive->keys, additive->annotationSize});
    }
    for (const auto& [kind, stack] : {std::pair(BlockKind::Encoder, "encoder"), {BlockKind::Decoder, "decoder"}}) {
        if (const auto* table = trace.positions(kind))
            add(std::string(stack) + ".positions", table->values, {table->positions, table->dimensions});
        const auto* input = trace.input(kind);
        if (!input)
            continue;
        const std::string name = std::string(stack) + ".input.";
        add(name + "tokens", input->tokens, {input->rows, input->dimensions});
        add(name + "positions", input->positions, {input->rows, input->dimensions});
        add(name + "sums", input->sums, {input->rows, input->dimensions});
    }
    add("context", trace.fixedContext, {static_cast<std::int64_t>(trace.fixedContext.size())});
    const auto sizeOf = [](const std::vector<float>& values) { return static_cast<std::int64_t>(values.size()); };
    if (const auto& answer = trace.answer) {
        add("start_logits", answer->startLogits, {sizeOf(answer->startLogits)});
        add("end_logits", answer->endLogits, {sizeOf(answer->endLogits)});
    }
    if (const auto& relationship = trace.relationship)
        add("seq_relationship_logits", relationship->logits, {sizeOf(relationship->logits)});
    if (const auto& logits = trace.logits)
        add("logits", logits->values, {logits->rows, logits->vocabulary});
    return tensors;
}

void readTensors(const SafetensorsFile& file, Trace& trace) {
    const TensorReader reader(file);
    for (const auto& named : blockNames) {
        if (!reader.has(named.name))
            continue;
        auto block = readBlock(reader, named, trace);
        auto notice = rowNotice(named.name, block);
        block.distributions = notice.empty();
        if (!notice.empty() && std::find(trace.notices.begin(), trace.notices.end(), notice) == trace.notices.end())
            trace.notices.push_back(std::move(notice));
        auto& place = named.kind == BlockKind::Encoder   ? trace.encoder
                      : named.kind == BlockKind::Decoder ? trace.decoder
                                                         : trace.cross;
        place = std::move(block);
    }
    if (reader.has("additive.energies")) {
        auto& additive = trace.additive ? *trace.additive : trace.additive.emplace();
        additive.queries = static_cast<int>(trace.target.size());
        additive.keys = static_cast<int>(trace.source.size());
        additive.size = reader.shape("additive.v", 1)[0];
        additive.queryPart = reader.floats("additive.queries", {additive.queries, additive.size});
        additive.keyPart = reader.floats("additive.keys", {additive.keys, additive.size});
        additive.v = reader.floats("additive.v", {additive.size});
        additive.energies = reader.floats("additive.energies", {additive.queries, additive.keys});
        if (reader.has("additive.annotations")) {
            additive.annotationSize = reader.shape("additive.annotations", 2)[1];
            additive.annotations = reader.floats("additive.annotations", {additive.keys, additive.annotationSize});
        }
    } else {
        trace.additive.reset();
    }
    if (reader.has("context"))
        trace.fixedContext = reader.floats("context", reader.shape("context", 1));
    trace.encoderInput = readInput(reader, "encoder", trace.source.size());
    trace.decoderInput = readInput(reader, "decoder", trace.target.size());
    readPositions(reader, "encoder.positions", !trace.source.empty(), trace.encoderPositions);
    readPositions(reader, "decoder.positions", trace.source.empty(), trace.decoderPositions);
    const auto numbers = [&](const char* name) { return reader.floats(name, reader.shape(name, 1)); };
    if (trace.answer && reader.has("start_logits") && reader.has("end_logits")) {
        trace.answer->startLogits = numbers("start_logits");
        trace.answer->endLogits = numbers("end_logits");
    }
    if (trace.relationship && reader.has("seq_relationship_logits"))
        trace.relationship->logits = numbers("seq_relationship_logits");
    if (reader.has("logits")) {
        const auto shape = reader.shape("logits", 2);
        trace.logits = Logits{shape[0], shape[1], reader.floats("logits", shape)};
    }
}

} // namespace headlight
