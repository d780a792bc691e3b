#include "models/train/adam.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

constexpr double keptOfMeans = 0.9, keptOfSquares = 0.98, smallest = 1e-9;
constexpr std::int64_t weightsAtOnce = 1 << 14;

} // namespace

Adam::Adam(std::vector<torch::Tensor> parameters) : m_parameters(std::move(parameters)) {
    for (const auto& parameter : m_parameters) {
        m_means.push_back(torch::zeros({parameter.numel()}, parameter.options().requires_grad(false)));
        m_squares.push_back(torch::zeros_like(m_means.back()));
    }
}

void Adam::step(double learningRate, double clip) {
    torch::NoGradGuard noGradients;
    ++m_steps;
    std::vector<torch::Tensor> norms;
    for (const auto& parameter : m_parameters)
        if (parameter.grad().defined())
            norms.push_back(parameter.grad().norm());
    if (norms.empty())
        return;
    const double scale = std::min(1.0, clip / (torch::stack(norms).norm().item<double>() + 1e-6));
    const auto steps = static_cast<double>(m_steps);
    const double rate = learningRate / (1 - std::pow(keptOfMeans, steps));
    const double squareScale = 1 / std::sqrt(1 - std::pow(keptOfSquares, steps));
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
        auto& parameter = m_parameters[i];
        if (!parameter.grad().defined())
            continue;
        const auto all = parameter.view({-1}), gradients = parameter.grad().reshape({-1});
        for (std::int64_t first = 0; first < all.numel(); first += weightsAtOnce) {
            const auto count = std::min(weightsAtOnce, all.numel() - first);
            const auto gradient = gradients.narrow(0, first, count) * scale;
            auto mean = m_means[i].narrow(0, first, count), square = m_squares[i].narrow(0, first, count);
            mean.lerp_(gradient, 1 - keptOfMeans);
            square.mul_(keptOfSquares).addcmul_(gradient, gradient, 1 - keptOfSquares);
            all.narrow(0, first, count).addcdiv_(mean, square.sqrt().mul_(squareScale).add_(smallest), -rate);
        }
        parameter.mutable_grad() = torch::Tensor();
    }
}

void Adam::save(torch::serialize::OutputArchive& archive) const {
    archive.write("steps", torch::IValue(m_steps));
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
        archive.write("mean " + std::to_string(i), m_means[i]);
        archive.write("square " + std::to_string(i), m_squares[i]);
    }
}

void Adam::load(torch::serialize::InputArchive& archive) {
    torch::IValue steps;
    archive.read("steps", steps);
    m_steps = steps.toInt();
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
        for (auto& [name, moments] :
             {std::pair<const char*, torch::Tensor&>{"mean ", m_means[i]}, {"square ", m_squares[i]}}) {
            torch::Tensor read;
            archive.read(name + std::to_string(i), read);
            TORCH_CHECK(read.sizes() == moments.sizes(), "its ", name, i, " is of another size");
            moments.copy_(read);
        }
    }
}

} // namespace headlight
