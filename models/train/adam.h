// The optimizer: Adam with clipped gradients, all of it in one pass over the weights, some thousand at a time: what is
// read once stays in the processor's cache until it is written. LibTorch's takes some twenty passes over what no cache
// holds.
#pragma once

#include <torch/serialize/archive.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace headlight {

/// Kingma and Ba 2015, with the constants of Vaswani et al. 2017, 5.3.
class Adam {
public:
    explicit Adam(std::vector<torch::Tensor> parameters);

    /// One update from the gradients, which it lets go.
    /// @param clip most norm of all gradients together: larger ones are scaled down to it
    void step(double learningRate, double clip);

    void save(torch::serialize::OutputArchive& archive) const;
    /// @throws c10::Error when the archive is not of such parameters
    void load(torch::serialize::InputArchive& archive);

private:
    std::vector<torch::Tensor> m_parameters;
    std::vector<torch::Tensor> m_means, m_squares; ///< moving averages of each parameter's gradient, flat
    std::int64_t m_steps = 0;
};

} // namespace headlight
