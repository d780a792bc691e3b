// Tensors on disk in the safetensors format: an 8-byte little-endian header length, a JSON header, then the raw bytes
// of all tensors without gaps. Format: https://github.com/huggingface/safetensors#format
#pragma once

#include "core/error.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headlight {

enum class DType { F64, F32, F16, BF16, I64, I32, I16, I8, U8, Bool };

/// The format's own name, such as `BF16`.
std::string_view dtypeName(DType dtype);
/// Bytes of one element.
std::size_t elementSize(DType dtype);

/// A name from a file for a message: on one line and not endless.
std::string inQuotes(std::string_view name);

/// One tensor, row-major and little-endian. It owns nothing: `bytes` points into the file it was read from, or into
/// the caller's memory when it is to be written. In a file `bytes` need not be aligned to the element.
struct TensorView {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;

    std::size_t elementCount() const { return bytes.size() / elementSize(dtype); }
};

/// An open file, mapped into memory and wholly checked: every tensor's bytes lie in the file, are as many as its
/// shape and type say, and belong to no other tensor. Copies share the map, which lives as long as one of them does.
class SafetensorsFile {
public:
    /// @throws Error NotFound, Unreadable, Corrupt or Unsupported, naming the file, the tensor and the numbers
    static SafetensorsFile open(const std::filesystem::path& path);
    /// The same for a file already in memory. @param place what errors call it
    static SafetensorsFile fromBytes(std::vector<std::byte> bytes, std::string place);

    /// In the order of their bytes.
    const std::vector<TensorView>& tensors() const { return m_tensors; }
    /// Null when the file has no tensor of that name.
    const TensorView* find(std::string_view name) const;
    const std::map<std::string, std::string>& metadata() const { return m_metadata; }
    /// What errors call this file: its path.
    const std::string& place() const { return m_place; }

private:
    SafetensorsFile(std::shared_ptr<const void> owner, std::span<const std::byte> bytes, std::string place);

    std::shared_ptr<const void> m_owner; ///< keeps the memory that the tensors point into
    std::string m_place;
    std::vector<TensorView> m_tensors;
    std::map<std::string, std::size_t, std::less<>> m_positions; ///< name to place in m_tensors
    std::map<std::string, std::string> m_metadata;
};

/// Every element as a float, whatever the type; bools become 0 and 1. @throws Error when the file has them no longer
std::vector<float> toFloats(const TensorView& tensor);

/// The nearest half-precision number, ties to even; what is too large becomes infinite.
std::uint16_t toHalf(float value);
float fromHalf(std::uint16_t half);

/// The bytes of a file with these tensors: wide types first, then by name, the header padded so that every tensor is
/// aligned to its element. Names must differ and bytes fit the shape.
std::vector<std::byte> serializeSafetensors(std::span<const TensorView> tensors,
                                            const std::map<std::string, std::string>& metadata = {});

} // namespace headlight
