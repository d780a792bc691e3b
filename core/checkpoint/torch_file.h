// Tensors as torch.save writes them (pytorch_model.bin): a zip of a pickle and the tensors' bytes, or before PyTorch
// 1.6 pickles with the bytes behind them.
#pragma once

#include "core/files/safetensors.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace headlight {

/// An open file of torch.save that holds a dictionary of tensors, by itself or as its "state_dict" or "model". Wholly
/// checked: every tensor lies within its stored numbers. What the file takes in memory is bounded by its size.
class TorchFile {
public:
    /// @throws Error NotFound, Unreadable, Corrupt or Unsupported; what a pickle may not refer to is named
    static TorchFile open(const std::filesystem::path& path);
    /// The same for a file already in memory. @param place what errors call it
    static TorchFile fromBytes(std::vector<std::byte> bytes, std::string place);

    /// In the order of the dictionary; those that share their numbers share their bytes.
    const std::vector<TensorView>& tensors() const { return m_tensors; }
    /// What errors call this file: its path.
    const std::string& place() const { return m_place; }

private:
    TorchFile(std::shared_ptr<const void> owner, std::span<const std::byte> bytes, std::string place);

    std::vector<std::shared_ptr<const void>> m_owners; ///< keep the memory that the tensors point into
    std::string m_place;
    std::vector<TensorView> m_tensors;
};

} // namespace headlight
