// Writes the files of torch.save byte by byte: pickles, the zip around them, the older layout, and hostile ones of
// each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headlight {

/// `value` in so many bytes, lowest first.
inline std::string littleEndian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) {
        text += static_cast<char>(value & 0xff);
        value >>= 8;
    }
    return text;
}

/// Opcodes of a pickle, one after another.
class PickleWriter {
public:
    explicit PickleWriter(int protocol = 2) { raw("\x80").raw(littleEndian(static_cast<std::uint64_t>(protocol), 1)); }

    PickleWriter& raw(std::string_view opcodes) {
        bytes += opcodes;
        return *this;
    }
    PickleWriter& text(std::string_view value) { return raw("X").raw(littleEndian(value.size(), 4)).raw(value); }
    PickleWriter& integer(std::int64_t value) {
        return raw("\x8a\x08").raw(littleEndian(static_cast<std::uint64_t>(value), 8));
    }
    PickleWriter& global(const std::string& module, const std::string& name) {
        return raw("c" + module + "\n" + name + "\n");
    }
    PickleWriter& integers(const std::vector<std::int64_t>& values) {
        raw("(");
        for (const auto value : values)
            integer(value);
        return raw("t");
    }
    PickleWriter& storage(const std::string& type, const std::string& key, std::int64_t elements) {
        raw("(").text("storage").global("torch", type).text(key).text("cpu").integer(elements);
        return raw("tQ");
    }
    PickleWriter& tensor(const std::string& type, const std::string& key, std::int64_t elements, std::int64_t offset,
                         const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
        global("torch._utils", "_rebuild_tensor_v2").raw("(").storage(type, key, elements).integer(offset);
        integers(shape).integers(strides).raw("\x89").global("collections", "OrderedDict");
        return raw(")RtR");
    }
    /// With the opcode that ends it.
    std::string end() const { return bytes + "."; }

    std::string bytes;
};

inline std::uint32_t crc32Of(std::string_view bytes) {
    std::uint32_t crc = 0xffffffffU;
    for (const char byte : bytes) {
        crc ^= static_cast<std::uint8_t>(byte);
        for (int bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0U);
    }
    return ~crc;
}

/// One entry of a zip, and what is said of it, which need not be true.
struct ZipEntry {
    ZipEntry(std::string entryName, std::string entryBytes)
        : name(std::move(entryName)), bytes(std::move(entryBytes)), size(bytes.size()), storedSize(bytes.size()),
          crc(crc32Of(bytes)) {}

    std::string name;
    std::string bytes;
    std::uint64_t size;
    std::uint64_t storedSize;
    std::uint32_t crc;
    std::uint16_t method = 0; ///< stored
    std::uint16_t flags = 0;
};

inline std::string zipOf(const std::vector<ZipEntry>& entries) {
    std::string file;
    std::string directory;
    for (const auto& entry : entries) {
        const auto common = littleEndian(20, 2) + littleEndian(entry.flags, 2) + littleEndian(entry.method, 2)
                            + littleEndian(0, 4) + littleEndian(entry.crc, 4) + littleEndian(entry.storedSize, 4)
                            + littleEndian(entry.size, 4) + littleEndian(entry.name.size(), 2) + littleEndian(0, 2);
        directory += "PK\x01\x02" + littleEndian(20, 2) + common + littleEndian(0, 10) + littleEndian(file.size(), 4)
                     + entry.name;
        file += "PK\x03\x04" + common + entry.name + entry.bytes;
    }
    const auto count = littleEndian(entries.size(), 2);
    return file + directory + std::string("PK\x05\x06") + littleEndian(0, 4) + count + count
           + littleEndian(directory.size(), 4) + littleEndian(file.size(), 4) + littleEndian(0, 2);
}

/// FOLDER/data.pkl and FOLDER/data/KEY, as torch.save writes them.
inline std::string torchZip(const std::string& pickle, const std::vector<std::pair<std::string, std::string>>& storages,
                            const std::string& folder = "archive") {
    std::vector<ZipEntry> entries{{folder + "/data.pkl", pickle}};
    for (const auto& [key, bytes] : storages)
        entries.emplace_back(folder + "/data/" + key, bytes);
    entries.emplace_back(folder + "/version", "3\n");
    return zipOf(entries);
}

struct LegacyStorage {
    std::string key;
    std::int64_t elements;
    std::string bytes;
};

/// The layout before the zip.
inline std::string torchLegacy(const std::string& pickle, const std::vector<LegacyStorage>& storages,
                               bool littleEndianMachine = true) {
    std::string file = PickleWriter().raw("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").end();
    file += PickleWriter().integer(1001).end();
    file += PickleWriter().raw("}(").text("little_endian").raw(littleEndianMachine ? "\x88u" : "\x89u").end();
    file += pickle;
    PickleWriter keys;
    keys.raw("](");
    for (const auto& storage : storages)
        keys.text(storage.key);
    file += keys.raw("e").end();
    for (const auto& storage : storages)
        file += littleEndian(static_cast<std::uint64_t>(storage.elements), 8) + storage.bytes;
    return file;
}

inline std::string floatBytes(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

inline std::vector<std::byte> bytesOf(std::string_view text) {
    std::vector<std::byte> bytes(text.size());
    std::transform(text.begin(), text.end(), bytes.begin(), [](char letter) { return static_cast<std::byte>(letter); });
    return bytes;
}

} // namespace headlight
