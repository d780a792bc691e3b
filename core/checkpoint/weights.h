// The weights of a model folder, by the names they have there, and their way into a network's parameters.
#pragma once

#include "core/checkpoint/safetensors.h"

#include <torch/nn/module.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace headlight {

/// A checkpoint's tensors. Loading is complete or throws: each parameter finds its tensor, of its shape, and each
/// tensor that is left over is one that the family said it does not need.
class Weights {
public:
    /// model.safetensors of the folder.
    /// @throws Error when it is missing or broken
    static Weights open(const std::filesystem::path& folder);

    /// How a network's names become the checkpoint's, and what of the checkpoint may be left over.
    struct Naming {
        /// The checkpoint's name of our parameter or buffer.
        std::function<std::string(const std::string& ours)> checkpointName;
        /// True for a tensor that the network has no use for: tied copies, computed tables.
        std::function<bool(const std::string& theirs)> ignorable;
    };
    /// Copies every parameter and buffer of the network, converted to float32.
    /// @throws Error naming the tensor that is missing , misshapen (with both shapes), or not wanted
    void loadInto(torch::nn::Module& network, const Naming& naming) const;

    /// Compares a tensor with what the config promises, before a network of that size is made.
    /// @throws Error naming the tensor, when it is missing or has another shape
    void requireShape(const std::string& name, const std::vector<std::int64_t>& shape) const;

    /// Numbers stored in all tensors.
    std::int64_t parameterCount() const;

private:
    explicit Weights(SafetensorsFile file) : m_file(std::move(file)) {}

    SafetensorsFile m_file;
};

} // namespace headlight
