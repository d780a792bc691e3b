// The weights of a model folder, by the names they have there, and their way into a network's parameters.
#pragma once

#include "core/files/safetensors.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace headlight {

/// A checkpoint's tensors. Loading is complete or throws: each parameter finds its tensor, of its shape, and each
/// tensor that is left over is one that the family said it does not need. Copies share the files.
class Weights {
public:
    /// What the folder holds, looked for as transformers does: model.safetensors, model.safetensors.index.json with its
    /// shards, pytorch_model.bin, pytorch_model.bin.index.json with its shards.
    /// @throws Error when there is none of them, or one is broken
    static Weights open(const std::filesystem::path& folder);
    /// How large the files are that open() reads, all of them to their ends; 0 where there are none.
    static std::uintmax_t bytesOnDisk(const std::filesystem::path& folder);

    /// Where a parameter of ours lies in the checkpoint.
    struct Source {
        std::string name;        ///< empty: not in checkpoints, our parameter stays as it was initialised
        bool transposed = false; ///< a matrix lies there as [in, out]; vectors are as they are
        int part = 0;            ///< which one of `parts` slices of the outputs: rows of an [out, in] matrix
        int parts = 1;
        std::int64_t groups = 1; ///< the rows are so many groups, each with slices of its own (GPT-NeoX: one a head)
        std::int64_t from = 0;   ///< where the slices are not equal: the first row of ours
        std::int64_t rows = 0;   ///< and how many all are; 0: they are equal
    };
    /// How a network's names become the checkpoint's, and what of the checkpoint may be left over.
    struct Naming {
        /// Optional: what the names of old or headless files are called today, `LayerNorm.gamma` or a missing `bert.`.
        std::function<std::string(const std::string& theirs)> canonical;
        /// The checkpoint's tensor of our parameter or buffer.
        std::function<Source(const std::string& ours)> source;
        /// True for a tensor that the network has no use for: tied copies, computed tables. None when it is absent.
        std::function<bool(const std::string& theirs)> ignorable;
        /// Canonical names of one and the same tensor, that which `source` gives first: if it is not there, another is
        /// taken for it, since files keep any one of them.
        std::vector<std::vector<std::string>> tied = {};
        /// How names of the network itself begin. What is left over of others, such as a head that is not known, is
        /// left out. Empty: nothing may be left over.
        std::vector<std::string> body = {};
    };

    /// The same tensors by their canonical names, which all the rest then goes by.
    /// @throws Error when two tensors become one name
    Weights renamed(const Naming& naming) const;
    /// Those whose names begin so, without that beginning.
    Weights under(const std::string& prefix) const;
    /// The same tensors without what all their names begin with up to a dot, such as `module.`; nothing where they have
    /// nothing in common.
    std::optional<Weights> withoutCommonPrefix() const;

    bool has(const std::string& name) const { return m_tensors.contains(name); }
    /// @throws Error when it is missing
    std::vector<std::int64_t> shapeOf(const std::string& name) const;

    /// Compares a tensor with what the config promises, before a network of that size is made.
    /// @throws Error naming the tensor, when it is missing or has another shape
    void requireShape(const std::string& name, const std::vector<std::int64_t>& shape) const;
    /// The same for a parameter of ours: `shape` is what our slice has, [out, in], once it is turned.
    void requireShape(const Source& source, const std::vector<std::int64_t>& shape) const;

    /// Copies every parameter and buffer of the network, converted to its type there.
    /// @param leftOut gets the tensors that are not of the network's body; null: they are not worth telling
    /// @returns the tensors that hold NaN or an infinity, which is worth telling but no reason to refuse them
    /// @throws Error naming the tensor that is missing, misshapen (with both shapes), of integers where the network has
    /// fractions, or not wanted
    std::vector<std::string> loadInto(torch::nn::Module& network, const Naming& naming,
                                      std::vector<std::string>* leftOut = nullptr) const;

    /// A tensor whose name ends so, by which some kinds of weights are told; empty when there is none.
    std::string endingWith(const std::vector<std::string>& endings) const;
    const std::string& place() const { return m_place; }

    /// Numbers stored in all tensors, those that share their bytes counted once.
    std::int64_t parameterCount() const;

private:
    struct Entry {
        TensorView tensor; ///< its name is the one in the file
        std::shared_ptr<const std::string> file;
    };

    Weights() = default;
    void add(const std::vector<TensorView>& tensors, const std::string& file, std::shared_ptr<const void> owner);
    void addFile(const std::filesystem::path& file);
    void addShards(const std::filesystem::path& index);
    const Entry& find(const std::string& name) const;
    const Entry& findShaped(const Source& source, const std::vector<std::int64_t>& shape) const;

    std::string m_place; ///< the file, or the index of the shards
    std::map<std::string, Entry> m_tensors;
    std::vector<std::shared_ptr<const void>> m_files; ///< keep the memory that the tensors point into
};

} // namespace headlight
