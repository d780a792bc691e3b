// Finds the files that hold a folder's weights, and copies their tensors into networks.
#include "core/checkpoint/weights.h"

#include "core/checkpoint/torch_file.h"
#include "core/files/json.h"
#include "core/files/whole_file.h"

#include <torch/nn/module.h>
#include <torch/utils.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

namespace headlight {

namespace {

constexpr auto sameModel = "config.json and the weights must be of the same model";
constexpr std::uintmax_t largestIndex = 64u << 20;
constexpr std::string_view indexEnding = ".index.json";
/// In the order of transformers.
constexpr std::array weightFiles{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                 "pytorch_model.bin.index.json"};

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

/// Also true for a link whose target is gone: opening it says so.
bool isThere(const std::filesystem::path& file) {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::symlink_status(file, ignored));
}

/// What a folder without weights that we read holds instead; anything, in it or in a folder of it, that others read.
std::string noWeights(const std::filesystem::path& folder) {
    constexpr std::array<std::pair<const char*, const char*>, 9> others{{
        {".onnx", "of ONNX"},
        {".gguf", "of llama.cpp (GGUF)"},
        {"tf_model.h5", "of TensorFlow"},
        {"tf_model.h5.index.json", "of TensorFlow"},
        {"model.ckpt.index", "of TensorFlow 1"},
        {"flax_model.msgpack", "of Flax"},
        {"rust_model.ot", "of rust-bert"},
        {"adapter_model.safetensors", "an adapter without its model"},
        {"adapter_model.bin", "an adapter without its model"},
    }};
    std::set<std::filesystem::path> files; // sorted, so that the same one is named each time
    std::error_code problem;               // what cannot be looked at does not count
    for (std::filesystem::recursive_directory_iterator entry(folder, problem), end; !problem && entry != end;
         entry.increment(problem)) {
        if (entry.depth() > 1)
            entry.disable_recursion_pending();
        files.insert(entry->path().lexically_relative(folder));
    }
    for (const auto& [ending, kind] : others)
        for (const auto& file : files)
            if (file.string().ends_with(ending))
                return "the folder has weights only as " + file.string() + ", which is " + kind;
    return "the folder has neither model.safetensors nor pytorch_model.bin, nor an index of their shards";
}

c10::ScalarType scalarType(DType dtype) {
    switch (dtype) {
    case DType::F64:
        return torch::kFloat64;
    case DType::F32:
        return torch::kFloat32;
    case DType::F16:
        return torch::kFloat16;
    case DType::BF16:
        return torch::kBFloat16;
    case DType::I64:
        return torch::kInt64;
    case DType::I32:
        return torch::kInt32;
    case DType::I16:
        return torch::kInt16;
    case DType::I8:
        return torch::kInt8;
    case DType::U8:
        return torch::kUInt8;
    case DType::Bool:
        return torch::kBool;
    }
    return torch::kFloat32;
}

/// The tensor as it lies in the file; what is not aligned to its element, or holds bytes that are no bool, is copied.
torch::Tensor asStored(const TensorView& view) {
    const auto type = scalarType(view.dtype);
    const auto address = reinterpret_cast<std::uintptr_t>(view.bytes.data());
    if (view.dtype == DType::Bool) {
        auto* bytes = const_cast<std::byte*>(view.bytes.data());
        return torch::from_blob(bytes, view.shape, torch::kUInt8).to(torch::kBool);
    }
    if (view.bytes.empty() || address % elementSize(view.dtype) != 0) {
        auto copy = torch::empty(view.shape, type);
        if (!view.bytes.empty())
            std::memcpy(copy.data_ptr(), view.bytes.data(), view.bytes.size());
        return copy;
    }
    // from_blob knows no const; nothing here writes to what it returns.
    return torch::from_blob(const_cast<std::byte*>(view.bytes.data()), view.shape, type);
}

/// What the tensor in the file must be for our parameter of that shape.
std::vector<std::int64_t> storedShape(const Weights::Source& source, std::vector<std::int64_t> shape) {
    if (!shape.empty())
        shape[0] = source.rows > 0 ? source.rows : shape[0] * source.parts;
    if (source.transposed && shape.size() == 2)
        std::swap(shape[0], shape[1]);
    return shape;
}

/// The rows of a stored tensor that are a parameter's of that size.
torch::Tensor sliceOf(const torch::Tensor& stored, const Weights::Source& source, const torch::Tensor& parameter) {
    if (source.rows > 0)
        return stored.narrow(0, source.from, parameter.size(0));
    if (source.parts == 1)
        return stored;
    auto shape = parameter.sizes().vec();
    shape[0] /= source.groups;
    shape.insert(shape.begin(), {source.groups, source.parts}); // [groups, parts, rows of a group, …]
    return stored.reshape(shape).select(1, source.part).reshape(parameter.sizes());
}

bool holdsNotFinite(const torch::Tensor& values) {
    // A sum costs a fraction of looking at each number; it is finite only where all of them are.
    return values.is_floating_point() && !std::isfinite(values.sum().item<double>())
           && !values.isfinite().all().item<bool>();
}

/// Copies what is stored to our parameter some rows at a time and lets each piece of the file go, so that never much
/// more than the network itself is in memory.
/// @returns false when it holds NaN or an infinity
bool copyPieces(const Weights::Source& source, const TensorView& file, const torch::Tensor& stored,
                const torch::Tensor& to) {
    bool finite = true;
    const auto copy = [&finite](const torch::Tensor& target, const torch::Tensor& piece) {
        target.copy_(piece.to(target.scalar_type()));
        finite = finite && !holdsNotFinite(target);
    };
    const bool turned = source.transposed && stored.dim() == 2;
    if (stored.dim() != 2 || source.parts > 1 || source.rows > 0 || file.bytes.empty()) {
        copy(to, sliceOf(turned ? stored.t() : stored, source, to));
        requireRead(file.bytes);
        letGo(file.bytes);
        return finite;
    }
    const auto parameter = turned ? to.t() : to; // as it is stored
    const auto whole = stored.size(0);
    constexpr std::int64_t rowsAtOnce = 256; // a turned copy has a line of each in the nearest cache
    const auto rowBytes = file.bytes.size() / static_cast<std::size_t>(whole);
    for (std::int64_t first = 0; first < whole; first += rowsAtOnce) {
        const auto rows = std::min(rowsAtOnce, whole - first);
        copy(parameter.narrow(0, first, rows), stored.narrow(0, first, rows));
        const auto read =
            file.bytes.subspan(static_cast<std::size_t>(first) * rowBytes, static_cast<std::size_t>(rows) * rowBytes);
        requireRead(read);
        letGo(read);
    }
    return finite;
}

} // namespace

std::uintmax_t Weights::bytesOnDisk(const std::filesystem::path& folder) {
    std::error_code problem; // what cannot be looked at is told of when it is opened
    for (const std::filesystem::path name : weightFiles) {
        if (!isThere(folder / name))
            continue;
        if (name.extension() != ".json") {
            const auto size = std::filesystem::file_size(folder / name, problem);
            return problem ? 0 : size;
        }
        const auto ofShards = name.stem().stem().extension(); // of model.safetensors.index.json: .safetensors
        std::uintmax_t all = 0;
        for (std::filesystem::directory_iterator file(folder, problem), end; !problem && file != end;
             file.increment(problem)) {
            if (file->path().extension() != ofShards)
                continue;
            std::error_code unknown;
            const auto size = std::filesystem::file_size(file->path(), unknown);
            all += unknown ? 0 : size;
        }
        return all;
    }
    return 0;
}

Weights Weights::open(const std::filesystem::path& folder) {
    for (const char* name : weightFiles) {
        if (!isThere(folder / name))
            continue;
        Weights weights;
        weights.m_place = (folder / name).string();
        if (weights.m_place.ends_with(indexEnding))
            weights.addShards(folder / name);
        else
            weights.addFile(folder / name);
        return weights;
    }
    throw Error(
        Error::Kind::NotFound, folder.string(), noWeights(folder),
        "give the folder that holds config.json and model.safetensors or pytorch_model.bin, or fetch these from "
        "where the folder is from");
}

void Weights::addFile(const std::filesystem::path& file) {
    const auto addAll = [&](auto opened) {
        const auto owner = std::make_shared<const decltype(opened)>(std::move(opened));
        add(owner->tensors(), owner->place(), owner);
    };
    if (file.extension() == ".safetensors")
        addAll(SafetensorsFile::open(file));
    else
        addAll(TorchFile::open(file));
}

void Weights::addShards(const std::filesystem::path& index) {
    const auto corrupt = [&](const std::string& detail) {
        return Error(Error::Kind::Corrupt, m_place, detail, "fetch the file again");
    };
    const auto json = parseJson(readWholeFile(index, largestIndex), m_place);
    const auto map = json.is_object() ? json.find("weight_map") : json.end();
    if (map == json.end() || !map->is_object() || map->empty())
        throw corrupt("has no \"weight_map\" from tensors to files");
    std::map<std::string, std::string> shardOf;
    std::set<std::string> shards;
    for (const auto& [tensor, shard] : map->items()) {
        const std::filesystem::path file = shard.is_string() ? shard.get<std::string>() : "";
        if (file.empty() || file != file.filename() || file == "." || file == "..")
            throw corrupt("the shard of tensor \"" + tensor + "\" is not the name of a file beside the index");
        shardOf.emplace(tensor, file.string());
        shards.insert(file.string());
    }
    for (const auto& shard : shards)
        addFile(index.parent_path() / shard);
    for (const auto& [tensor, shard] : shardOf) {
        if (!has(tensor))
            throw Error(Error::Kind::Corrupt, m_place,
                        "tensor \"" + tensor + "\" should be in " + shard + ", but is not",
                        "fetch the index and all its shards again");
    }
}

void Weights::add(const std::vector<TensorView>& tensors, const std::string& file, std::shared_ptr<const void> owner) {
    const auto place = std::make_shared<const std::string>(file);
    for (const auto& tensor : tensors) {
        const auto [existing, isNew] = m_tensors.emplace(tensor.name, Entry{tensor, place});
        if (!isNew)
            throw Error(Error::Kind::Corrupt, m_place,
                        "tensor \"" + tensor.name + "\" is both in " + *existing->second.file + " and in " + file,
                        "fetch the index and all its shards again");
    }
    m_files.push_back(std::move(owner));
}

Weights Weights::renamed(const Naming& naming) const {
    Weights result;
    result.m_place = m_place;
    result.m_files = m_files;
    for (const auto& [name, entry] : m_tensors) {
        const auto [existing, isNew] =
            result.m_tensors.emplace(naming.canonical ? naming.canonical(name) : name, entry);
        if (!isNew)
            throw Error(Error::Kind::Mismatch, m_place,
                        "tensors \"" + existing->second.tensor.name + "\" and \"" + name + "\" are both \""
                            + existing->first + "\"",
                        "keep one of them");
    }
    for (const auto& names : naming.tied) {
        for (const auto& name : names) {
            auto stored = result.m_tensors.extract(name);
            if (stored.empty())
                continue;
            stored.key() = names.front();
            result.m_tensors.insert(std::move(stored));
            break;
        }
    }
    return result;
}

Weights Weights::under(const std::string& prefix) const {
    Weights result;
    result.m_place = m_place;
    result.m_files = m_files;
    for (const auto& [name, entry] : m_tensors)
        if (name.starts_with(prefix))
            result.m_tensors.emplace(name.substr(prefix.size()), entry);
    return result;
}

std::optional<Weights> Weights::withoutCommonPrefix() const {
    if (m_tensors.empty())
        return std::nullopt;
    const auto& first = m_tensors.begin()->first;
    const auto prefix = first.substr(0, first.find('.') + 1);
    if (prefix.empty())
        return std::nullopt;
    auto result = under(prefix);
    return result.m_tensors.size() == m_tensors.size() ? std::optional(std::move(result)) : std::nullopt;
}

std::string Weights::endingWith(const std::vector<std::string>& endings) const {
    for (const auto& [name, entry] : m_tensors)
        for (const auto& ending : endings)
            if (name.ends_with(ending))
                return entry.tensor.name;
    return {};
}

const Weights::Entry& Weights::find(const std::string& name) const {
    const auto found = m_tensors.find(name);
    if (found == m_tensors.end())
        throw Error(Error::Kind::Mismatch, m_place, "tensor \"" + name + "\" is missing", sameModel);
    return found->second;
}

const Weights::Entry& Weights::findShaped(const Source& source, const std::vector<std::int64_t>& shape) const {
    const auto& entry = find(source.name);
    const auto expected = storedShape(source, shape);
    if (entry.tensor.shape != expected)
        throw Error(Error::Kind::Mismatch, *entry.file,
                    "tensor \"" + entry.tensor.name + "\" has shape " + shapeText(entry.tensor.shape)
                        + ", the config asks for " + shapeText(expected),
                    sameModel);
    return entry;
}

std::vector<std::int64_t> Weights::shapeOf(const std::string& name) const {
    return find(name).tensor.shape;
}

void Weights::requireShape(const std::string& name, const std::vector<std::int64_t>& shape) const {
    requireShape(Source{.name = name}, shape);
}

void Weights::requireShape(const Source& source, const std::vector<std::int64_t>& shape) const {
    findShaped(source, shape);
}

std::vector<std::string> Weights::loadInto(torch::nn::Module& network, const Naming& naming,
                                           std::vector<std::string>* leftOut) const {
    torch::NoGradGuard noGradients;
    std::set<std::string> used;
    std::set<std::string> notFinite;
    const auto load = [&](const std::string& ours, torch::Tensor& parameter) {
        const auto source = naming.source(ours);
        if (source.name.empty())
            return;
        const auto& entry = findShaped(source, parameter.sizes().vec());
        const auto theirs = asStored(entry.tensor);
        if (theirs.is_floating_point() != parameter.is_floating_point())
            throw Error(Error::Kind::Mismatch, *entry.file,
                        "tensor \"" + entry.tensor.name + "\" is of type " + std::string(dtypeName(entry.tensor.dtype))
                            + ", the model has "
                            + (parameter.is_floating_point() ? "numbers with a fraction" : "whole numbers") + " there",
                        sameModel);
        if (!copyPieces(source, entry.tensor, theirs, parameter))
            notFinite.insert(entry.tensor.name);
        used.insert(source.name);
    };
    for (auto& parameter : network.named_parameters())
        load(parameter.key(), parameter.value());
    for (auto& buffer : network.named_buffers())
        load(buffer.key(), buffer.value());
    // A part of the body that the network has, such as `bert.encoder`, is the network's; any other is a head of its
    // own.
    const auto partOf = [&](const std::string& name) {
        for (const auto& beginning : naming.body)
            if (name.starts_with(beginning))
                return name.substr(0, name.find('.', beginning.size()));
        return std::string();
    };
    std::set<std::string> parts;
    for (const auto& name : used)
        parts.insert(partOf(name));
    parts.erase("");
    const auto isOfBody = [&](const std::string& name) { return naming.body.empty() || parts.contains(partOf(name)); };
    for (const auto& [name, entry] : m_tensors) {
        if (used.contains(name) || (naming.ignorable && naming.ignorable(name)))
            continue;
        // Scales, by which others store keys and values in 8 bits, change nothing of what is computed in full.
        if (name.ends_with("_scale") || !isOfBody(name)) {
            if (leftOut)
                leftOut->push_back(entry.tensor.name);
        } else
            throw Error(Error::Kind::Mismatch, *entry.file,
                        "tensor \"" + entry.tensor.name + "\" " + shapeText(entry.tensor.shape)
                            + " has no place in the model",
                        sameModel);
    }
    return {notFinite.begin(), notFinite.end()};
}

std::int64_t Weights::parameterCount() const {
    std::set<std::pair<const std::byte*, std::size_t>> counted;
    std::int64_t count = 0;
    for (const auto& [name, entry] : m_tensors) {
        if (counted.emplace(entry.tensor.bytes.data(), entry.tensor.bytes.size()).second)
            count += static_cast<std::int64_t>(entry.tensor.elementCount());
    }
    return count;
}

} // namespace headlight
