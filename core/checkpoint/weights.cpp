#include "core/checkpoint/weights.h"

#include <torch/torch.h>

#include <set>

namespace headlight {

namespace {

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

Error wrongShape(const std::string& place, const TensorView& tensor, const std::vector<std::int64_t>& expected) {
    return Error(Error::Kind::Mismatch, place,
                 "tensor \"" + tensor.name + "\" has shape " + shapeText(tensor.shape) + ", the config asks for "
                     + shapeText(expected),
                 "config.json and the weights must be of the same model");
}

Error missing(const std::string& place, const std::string& name) {
    return Error(Error::Kind::Mismatch, place, "tensor \"" + name + "\" is missing",
                 "config.json and the weights must be of the same model");
}

} // namespace

Weights Weights::open(const std::filesystem::path& folder) {
    return Weights(SafetensorsFile::open(folder / "model.safetensors"));
}

void Weights::requireShape(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto* tensor = m_file.find(name);
    if (!tensor)
        throw missing(m_file.place(), name);
    if (tensor->shape != shape)
        throw wrongShape(m_file.place(), *tensor, shape);
}

void Weights::loadInto(torch::nn::Module& network, const Naming& naming) const {
    torch::NoGradGuard noGradients;
    std::set<std::string> used;
    const auto load = [&](const std::string& ours, torch::Tensor& parameter) {
        const auto name = naming.checkpointName(ours);
        const auto shape = parameter.sizes().vec();
        requireShape(name, shape);
        auto values = toFloats(*m_file.find(name));
        parameter.copy_(torch::from_blob(values.data(), shape, torch::kFloat32));
        used.insert(name);
    };
    for (auto& parameter : network.named_parameters())
        load(parameter.key(), parameter.value());
    for (auto& buffer : network.named_buffers())
        load(buffer.key(), buffer.value());
    for (const auto& tensor : m_file.tensors()) {
        if (!used.contains(tensor.name) && !naming.ignorable(tensor.name))
            throw Error(Error::Kind::Mismatch, m_file.place(),
                        "tensor \"" + tensor.name + "\" " + shapeText(tensor.shape) + " has no place in the model",
                        "config.json and the weights must be of the same model");
    }
}

std::int64_t Weights::parameterCount() const {
    std::int64_t count = 0;
    for (const auto& tensor : m_file.tensors())
        count += static_cast<std::int64_t>(tensor.elementCount());
    return count;
}

} // namespace headlight
