#include "models/train/folder_writer.h"

#include "core/error.h"
#include "core/files/safetensors.h"
#include "core/files/whole_file.h"
#include "core/text/sentencepiece.h"

#include <nlohmann/json.hpp>
#include <torch/torch.h>

#include <map>
#include <span>
#include <vector>

namespace headlight {

namespace {

constexpr std::uintmax_t largestFile = 64U << 20;

} // namespace

void writeText(const std::filesystem::path& file, const std::string& text) {
    writeFileAtomically(file, std::as_bytes(std::span(text)));
}

void writeOrKeep(const std::filesystem::path& file, const std::string& text, bool goesOn) {
    if (!goesOn || !std::filesystem::exists(file))
        writeText(file, text);
    else if (readWholeFile(file, largestFile) != text)
        throw Error(Error::Kind::Mismatch, file.string(), "is not what this command would have made",
                    "give the options and the vocabulary it was begun with, or remove " + file.parent_path().string()
                        + ".state to begin anew");
}

std::int64_t writeSentencePieces(const std::filesystem::path& vocabulary, const std::filesystem::path& folder,
                                 bool goesOn) {
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

void copyTokenizer(const std::filesystem::path& vocabulary, const std::filesystem::path& folder, bool goesOn) {
    bool any = false;
    for (const char* name : {"tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "tokenizer_config.json",
                             "special_tokens_map.json"}) {
        if (!std::filesystem::exists(vocabulary / name))
            continue;
        writeOrKeep(folder / name, readWholeFile(vocabulary / name, largestFile), goesOn);
        any = true;
    }
    if (!any)
        throw Error(Error::Kind::NotFound, vocabulary.string(), "holds no vocabulary",
                    "headlight-train vocabulary makes one");
}

void writeWeights(const Network& network, const Weights::Naming& naming, const std::filesystem::path& folder) {
    struct Tensor {
        std::vector<torch::Tensor> parts;
        bool transposed = false;
        std::int64_t groups = 1;
    };
    std::map<std::string, Tensor> tensors;
    const auto add = [&](const std::string& name, const torch::Tensor& values) {
        const auto source = naming.source(name);
        if (source.name.empty())
            return;
        auto& tensor = tensors[source.name];
        tensor.parts.resize(static_cast<std::size_t>(source.parts));
        tensor.parts[static_cast<std::size_t>(source.part)] = values.detach().to(torch::kCPU, torch::kHalf);
        tensor.transposed = source.transposed;
        tensor.groups = source.groups;
    };
    for (const auto& parameter : network.module().named_parameters())
        add(parameter.key(), parameter.value());
    for (const auto& buffer : network.module().named_buffers())
        add(buffer.key(), buffer.value());
    std::vector<torch::Tensor> kept;
    std::vector<TensorView> views;
    for (const auto& [name, tensor] : tensors) {
        auto whole = torch::cat(tensor.parts);
        if (tensor.groups > 1) { // [parts, groups, rows, …] -> [groups, parts, rows, …]
            auto shape = whole.sizes().vec();
            shape[0] /= tensor.groups * static_cast<std::int64_t>(tensor.parts.size());
            shape.insert(shape.begin(), {static_cast<std::int64_t>(tensor.parts.size()), tensor.groups});
            whole = whole.view(shape).transpose(0, 1).reshape(whole.sizes());
        }
        if (tensor.transposed && whole.dim() == 2)
            whole = whole.t();
        kept.push_back(whole.contiguous());
        const auto* bytes = static_cast<const std::byte*>(kept.back().data_ptr());
        views.push_back({name, DType::F16, kept.back().sizes().vec(), {bytes, kept.back().nbytes()}});
    }
    const auto bytes = serializeSafetensors(views, {{"format", "pt"}});
    writeFileAtomically(folder / "model.safetensors", bytes);
}

} // namespace headlight
