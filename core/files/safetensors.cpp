// Safetensors to and from bytes. A file comes from anywhere, so each field of its header is checked before it is used.
#include "core/files/safetensors.h"

#include "core/files/json.h"
#include "core/files/whole_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

namespace headlight {

static_assert(std::endian::native == std::endian::little, "tensors are used as they lie in the file");

namespace {

constexpr std::size_t lengthBytes = 8;
constexpr std::uint64_t longestHeader = 32U << 20; // ten times that of the largest files in use
constexpr std::size_t mostHeaderValues = 1U << 20; // of a hundred thousand tensors
constexpr int deepestHeader = 3;                   // { tensor: { field: [ ] } }
constexpr auto metadataKey = "__metadata__";
constexpr auto fetchAgain = "the file is damaged or incomplete; fetch or export it again";

struct TypeInfo {
    DType dtype;
    std::string_view name;
    std::size_t size;
};
constexpr std::array<TypeInfo, 10> types{{
    {DType::F64, "F64", 8},
    {DType::F32, "F32", 4},
    {DType::F16, "F16", 2},
    {DType::BF16, "BF16", 2},
    {DType::I64, "I64", 8},
    {DType::I32, "I32", 4},
    {DType::I16, "I16", 2},
    {DType::I8, "I8", 1},
    {DType::U8, "U8", 1},
    {DType::Bool, "BOOL", 1},
}};
static_assert(types.back().dtype == DType::Bool && static_cast<std::size_t>(DType::Bool) + 1 == types.size());

/// Checks one header, field by field, against the size of the data that follows it.
class HeaderReader {
public:
    HeaderReader(std::span<const std::byte> data, const std::string& place) : m_data(data), m_place(place) {}

    nlohmann::json parse(std::string_view text) const {
        auto header = parseJson(text, m_place,
                                {.deepest = deepestHeader,
                                 .mostValues = mostHeaderValues,
                                 .differentNames = true,
                                 .subject = "the header ",
                                 .remedy = fetchAgain});
        if (!header.is_object())
            corrupt("the header is not a JSON object");
        return header;
    }

    std::map<std::string, std::string> metadata(const nlohmann::json& entry) const {
        if (!entry.is_object())
            corrupt("the header's metadata is not a JSON object");
        std::map<std::string, std::string> found;
        for (const auto& [key, value] : entry.items()) {
            if (!value.is_string())
                corrupt("the header's metadata " + inQuotes(key) + " is not a string");
            found.emplace(key, value.get<std::string>());
        }
        return found;
    }

    TensorView tensor(const std::string& tensorName, const nlohmann::json& entry) const {
        const auto label = "tensor " + inQuotes(tensorName);
        if (!entry.is_object())
            corrupt(label + " is not a JSON object");
        TensorView tensor;
        tensor.name = tensorName;
        tensor.dtype = dtype(label, entry);
        std::size_t size = elementSize(tensor.dtype);
        for (const auto extent : numbers(label, entry, "shape")) {
            if (extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
                || __builtin_mul_overflow(size, extent, &size))
                corrupt(label + " has a shape whose size overflows, at extent " + std::to_string(extent));
            tensor.shape.push_back(static_cast<std::int64_t>(extent));
        }
        const auto offsets = numbers(label, entry, "data_offsets");
        if (offsets.size() != 2)
            corrupt(label + " has " + std::to_string(offsets.size()) + " data_offsets instead of 2");
        const auto begin = offsets[0];
        const auto end = offsets[1];
        const auto range = "bytes " + std::to_string(begin) + " to " + std::to_string(end);
        if (begin > end)
            corrupt(label + " has its offsets reversed: " + range);
        if (end > m_data.size())
            corrupt(label + " is at " + range + ", but the file has only " + std::to_string(m_data.size())
                    + " bytes of data");
        if (end - begin != size)
            corrupt(label + " is at " + range + ", but its shape and type take " + std::to_string(size) + " bytes");
        tensor.bytes = m_data.subspan(begin, size);
        return tensor;
    }

    /// Sorts by place in the file; every byte of data must belong to exactly one tensor.
    void checkCoverage(std::vector<TensorView>& tensors) const {
        std::sort(tensors.begin(), tensors.end(), [](const TensorView& left, const TensorView& right) {
            return std::pair(left.bytes.data(), left.bytes.size()) < std::pair(right.bytes.data(), right.bytes.size());
        });
        std::size_t position = 0;
        for (const auto& tensor : tensors) {
            const auto begin = static_cast<std::size_t>(tensor.bytes.data() - m_data.data());
            if (begin != position)
                corrupt("tensor " + inQuotes(tensor.name) + " begins at byte " + std::to_string(begin)
                        + (begin < position ? ", inside of the tensor before it, which ends at "
                                            : ", behind a hole from byte ")
                        + std::to_string(position));
            position += tensor.bytes.size();
        }
        if (position != m_data.size())
            corrupt("the tensors end at byte " + std::to_string(position) + ", but the file has "
                    + std::to_string(m_data.size()) + " bytes of data");
    }

    [[noreturn]] void corrupt(const std::string& detail) const {
        throw Error(Error::Kind::Corrupt, m_place, detail, fetchAgain);
    }

private:
    const nlohmann::json& field(const std::string& label, const nlohmann::json& entry, const char* key) const {
        const auto found = entry.find(key);
        if (found == entry.end())
            corrupt(label + " has no " + key);
        return *found;
    }

    DType dtype(const std::string& label, const nlohmann::json& entry) const {
        const auto& value = field(label, entry, "dtype");
        if (!value.is_string())
            corrupt(label + " has a dtype that is not a string");
        const auto text = value.get<std::string>();
        const auto type =
            std::find_if(types.begin(), types.end(), [&](const auto& known) { return known.name == text; });
        if (type == types.end())
            throw Error(Error::Kind::Unsupported, m_place, label + " has the unknown type " + inQuotes(text),
                        "export it as F32, F16 or BF16");
        return type->dtype;
    }

    std::vector<std::uint64_t> numbers(const std::string& label, const nlohmann::json& entry, const char* key) const {
        const auto& value = field(label, entry, key);
        if (!value.is_array())
            corrupt(label + " has a " + key + " that is not a list");
        std::vector<std::uint64_t> found;
        for (const auto& number : value) {
            if (!number.is_number_unsigned())
                corrupt(label + " has a " + key + " with an entry that is not a count: " + inQuotes(number.dump()));
            found.push_back(number.get<std::uint64_t>());
        }
        return found;
    }

    std::span<const std::byte> m_data;
    const std::string& m_place;
};

} // namespace

std::string inQuotes(std::string_view name) {
    constexpr std::size_t longest = 80;
    std::string text = "'";
    for (const char letter : name.substr(0, longest))
        text += static_cast<unsigned char>(letter) < 0x20 ? '?' : letter;
    return text + (name.size() > longest ? "…'" : "'");
}

std::string_view dtypeName(DType dtype) {
    return types[static_cast<std::size_t>(dtype)].name;
}

std::size_t elementSize(DType dtype) {
    return types[static_cast<std::size_t>(dtype)].size;
}

SafetensorsFile::SafetensorsFile(std::shared_ptr<const void> owner, std::span<const std::byte> bytes, std::string place)
    : m_owner(std::move(owner)), m_place(std::move(place)) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text.starts_with("version https://git-lfs"))
        throw Error(Error::Kind::Corrupt, m_place, "this is a Git LFS pointer, not the tensors themselves",
                    "run `git lfs pull` in its folder");
    const HeaderReader lengthReader({}, m_place);
    if (bytes.size() < lengthBytes)
        lengthReader.corrupt("the file has " + std::to_string(bytes.size())
                             + " bytes, too few for the length of a header");
    std::uint64_t headerLength = 0;
    std::memcpy(&headerLength, bytes.data(), lengthBytes);
    if (headerLength > longestHeader)
        lengthReader.corrupt("the header claims " + std::to_string(headerLength) + " bytes, the limit is "
                             + std::to_string(longestHeader));
    if (headerLength > bytes.size() - lengthBytes)
        lengthReader.corrupt("the header claims " + std::to_string(headerLength) + " bytes, the file has only "
                             + std::to_string(bytes.size() - lengthBytes) + " after the length");

    const HeaderReader reader(bytes.subspan(lengthBytes + headerLength), m_place);
    const std::string headerText(text.substr(lengthBytes, headerLength));
    requireRead(bytes);
    const auto header = reader.parse(headerText);
    for (const auto& [key, entry] : header.items()) {
        if (key == metadataKey)
            m_metadata = reader.metadata(entry);
        else
            m_tensors.push_back(reader.tensor(key, entry));
    }
    reader.checkCoverage(m_tensors);
    for (std::size_t position = 0; position < m_tensors.size(); ++position)
        m_positions.emplace(m_tensors[position].name, position);
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
    auto file = mapWholeFile(path);
    return SafetensorsFile(std::move(file.owner), file.bytes, path.string());
}

SafetensorsFile SafetensorsFile::fromBytes(std::vector<std::byte> bytes, std::string place) {
    const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return SafetensorsFile(owner, *owner, std::move(place));
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
    const auto found = m_positions.find(name);
    return found == m_positions.end() ? nullptr : &m_tensors[found->second];
}

namespace {

/// Reads each element as a Stored, which need not be aligned, and turns it into a float.
template <class Stored, class Convert>
std::vector<float> converted(const TensorView& tensor, Convert convert) {
    std::vector<float> values(tensor.elementCount());
    for (std::size_t i = 0; i < values.size(); ++i) {
        Stored element;
        std::memcpy(&element, tensor.bytes.data() + i * sizeof(Stored), sizeof(Stored));
        values[i] = convert(element);
    }
    return values;
}

template <class Stored>
std::vector<float> cast(const TensorView& tensor) {
    return converted<Stored>(tensor, [](Stored element) { return static_cast<float>(element); });
}

std::vector<float> elementsOf(const TensorView& tensor) {
    switch (tensor.dtype) {
    case DType::F64:
        return cast<double>(tensor);
    case DType::F32:
        return cast<float>(tensor);
    case DType::F16:
        return converted<std::uint16_t>(tensor, fromHalf);
    case DType::BF16:
        return converted<std::uint16_t>(tensor, [](std::uint16_t element) {
            return std::bit_cast<float>(static_cast<std::uint32_t>(element) << 16);
        });
    case DType::I64:
        return cast<std::int64_t>(tensor);
    case DType::I32:
        return cast<std::int32_t>(tensor);
    case DType::I16:
        return cast<std::int16_t>(tensor);
    case DType::I8:
        return cast<std::int8_t>(tensor);
    case DType::U8:
        return cast<std::uint8_t>(tensor);
    case DType::Bool:
        return converted<std::uint8_t>(tensor, [](std::uint8_t element) { return element ? 1.0F : 0.0F; });
    }
    return {};
}

} // namespace

std::vector<float> toFloats(const TensorView& tensor) {
    auto values = elementsOf(tensor);
    requireRead(tensor.bytes);
    return values;
}

float fromHalf(std::uint16_t half) {
    const std::uint32_t magnitude = (half & 0x7fffU) << 13;
    // As a float the exponent is 112 too small; the product puts that right for subnormal numbers too.
    auto bits = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
    if (magnitude >= 0x7c00U << 13) // infinite or not a number
        bits = magnitude | 0x7f800000U;
    return std::bit_cast<float>(bits | (half & 0x8000U) << 16);
}

std::uint16_t toHalf(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = bits >> 16 & 0x8000U;
    const auto magnitude = bits & 0x7fffffffU;
    std::uint32_t half = 0;
    if (magnitude > 0x7f800000U) // not a number
        half = 0x7e00U;
    else if (magnitude >= 0x477ff000U) // 65520 and more round to infinity
        half = 0x7c00U;
    else if (magnitude < 0x38800000U) // below 2^-14, where halves are multiples of 2^-24
        half = static_cast<std::uint32_t>(std::nearbyint(std::bit_cast<float>(magnitude) * 0x1p24F));
    else
        half = (magnitude - 0x38000000U + 0xfffU + (magnitude >> 13 & 1U)) >> 13;
    return static_cast<std::uint16_t>(sign | half);
}

std::vector<std::byte> serializeSafetensors(std::span<const TensorView> tensors,
                                            const std::map<std::string, std::string>& metadata) {
    std::vector<const TensorView*> order;
    for (const auto& tensor : tensors)
        order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [](const TensorView* left, const TensorView* right) {
        return std::pair(elementSize(right->dtype), std::string_view(left->name))
               < std::pair(elementSize(left->dtype), std::string_view(right->name));
    });

    auto header = nlohmann::ordered_json::object();
    if (!metadata.empty())
        header[metadataKey] = metadata;
    std::size_t position = 0;
    for (const auto* tensor : order) {
        assert(!header.contains(tensor->name));
        assert(std::accumulate(tensor->shape.begin(), tensor->shape.end(), std::int64_t{1}, std::multiplies())
                   * static_cast<std::int64_t>(elementSize(tensor->dtype))
               == static_cast<std::int64_t>(tensor->bytes.size()));
        const auto end = position + tensor->bytes.size();
        header[tensor->name] = {
            {"dtype", dtypeName(tensor->dtype)}, {"shape", tensor->shape}, {"data_offsets", {position, end}}};
        position = end;
    }
    auto text = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    text.resize((text.size() + 7) / 8 * 8, ' ');

    const std::uint64_t headerLength = text.size();
    std::vector<std::byte> bytes(lengthBytes + text.size());
    bytes.reserve(bytes.size() + position);
    std::memcpy(bytes.data(), &headerLength, lengthBytes);
    std::memcpy(bytes.data() + lengthBytes, text.data(), text.size());
    for (const auto* tensor : order)
        bytes.insert(bytes.end(), tensor->bytes.begin(), tensor->bytes.end());
    return bytes;
}

} // namespace headlight
