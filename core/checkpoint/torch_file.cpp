// Reads the layouts of torch.save: https://pytorch.org/docs/stable/notes/serialization.html. libzip reads the zip.
#include "core/checkpoint/torch_file.h"

#include "core/checkpoint/pickle.h"
#include "core/error.h"
#include "core/files/whole_file.h"

#include <zip.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace headlight {

namespace {

constexpr auto fetchAgain = "the file is damaged or incomplete; fetch or export it again";
using Bytes = std::span<const std::byte>;
using Kind = Pickle::Value::Kind;

std::string_view asText(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A pickle and where its tensors' numbers are.
struct Content {
    std::unique_ptr<Pickle> pickle;
    std::vector<Bytes> storages; ///< in the order of the pickle's
};

/// The bytes that a storage must have.
std::uint64_t bytesOf(const Pickle::Storage& storage, const std::string& place) {
    const auto size = storage.dtype ? elementSize(*storage.dtype) : 1;
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(storage.elements), size, &bytes))
        throw Error(Error::Kind::Corrupt, place, "the length of stored numbers overflows", fetchAgain);
    return bytes;
}

/// The zip layout: FOLDER/data.pkl, FOLDER/data/KEY for each storage, all of them stored as they are.
class ZipReader {
public:
    ZipReader(Bytes file, const std::string& place) : m_place(place), m_left(file.size()) {
        zip_error_t error;
        zip_error_init(&error);
        zip_source_t* source = zip_source_buffer_create(file.data(), file.size(), 0, &error);
        m_zip.reset(source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr);
        if (!m_zip) {
            const std::string reason = zip_error_strerror(&error);
            zip_source_free(source);
            zip_error_fini(&error);
            corrupt("the zip cannot be read: " + reason);
        }
        zip_error_fini(&error);
        const auto count = zip_get_num_entries(m_zip.get(), 0);
        for (zip_int64_t i = 0; i < count; ++i) {
            const char* name = zip_get_name(m_zip.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
            if (!name || !m_entries.emplace(name, static_cast<zip_uint64_t>(i)).second)
                corrupt("the zip has an entry without a name, or the same name twice");
        }
    }

    Content read(std::vector<std::shared_ptr<const void>>& owners) {
        constexpr std::string_view pickleName = "/data.pkl";
        std::string folder;
        for (const auto& [name, index] : m_entries) {
            if (!name.ends_with(pickleName) || name.find('/') != name.size() - pickleName.size())
                continue;
            if (!folder.empty())
                corrupt("the zip has more than one data.pkl");
            folder = name.substr(0, name.size() - pickleName.size());
        }
        if (folder.empty())
            throw Error(Error::Kind::Unsupported, m_place, "the zip has no data.pkl, so it is not one of torch.save",
                        "choose a file of weights");
        if (const auto order = folder + "/byteorder";
            m_entries.contains(order) && asText(read(order, owners)) != "little")
            throw Error(Error::Kind::Unsupported, m_place, "the numbers are not little-endian",
                        "save it again on a little-endian machine");
        Content content;
        content.pickle = std::make_unique<Pickle>(read(folder + pickleName.data(), owners), m_place);
        for (const auto& storage : content.pickle->storages()) {
            const auto bytes = bytesOf(storage, m_place);
            const auto name = folder + "/data/" + storage.key;
            // A storage of no bytes may lack its entry.
            const auto data = bytes == 0 && !m_entries.contains(name) ? Bytes{} : read(name, owners);
            if (data.size() != bytes)
                corrupt("entry " + inQuotes(name) + " has " + std::to_string(data.size())
                        + " bytes, but the pickle says " + std::to_string(bytes));
            content.storages.push_back(data);
        }
        return content;
    }

private:
    struct Close {
        void operator()(zip_t* zip) const { zip_discard(zip); }
        void operator()(zip_file_t* file) const { zip_fclose(file); }
    };

    /// The bytes of an entry. All together may not be larger than the zip, whatever the entries claim.
    Bytes read(const std::string& name, std::vector<std::shared_ptr<const void>>& owners) {
        const auto found = m_entries.find(name);
        if (found == m_entries.end())
            corrupt("the zip has no entry " + inQuotes(name));
        zip_stat_t status;
        constexpr zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD;
        if (zip_stat_index(m_zip.get(), found->second, 0, &status) != 0 || (status.valid & needed) != needed)
            corrupt("entry " + inQuotes(name) + " cannot be read: " + zip_strerror(m_zip.get()));
        if (status.comp_method != ZIP_CM_STORE
            || ((status.valid & ZIP_STAT_ENCRYPTION_METHOD) && status.encryption_method != ZIP_EM_NONE))
            throw Error(Error::Kind::Unsupported, m_place,
                        "entry " + inQuotes(name) + " is compressed or encrypted, which torch.save never does",
                        "load it in PyTorch and save it again");
        if (status.size != status.comp_size || status.size > m_left)
            corrupt("entry " + inQuotes(name) + " claims " + std::to_string(status.size)
                    + " bytes, more than the file has left for it");
        m_left -= status.size;
        const auto bytes = std::make_shared<std::vector<std::byte>>(status.size);
        const std::unique_ptr<zip_file_t, Close> file(zip_fopen_index(m_zip.get(), found->second, 0));
        std::size_t done = 0;
        while (file && done < bytes->size()) {
            const auto got = zip_fread(file.get(), bytes->data() + done, bytes->size() - done);
            if (got <= 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        // The checksum is compared where the entry ends, so one more byte is asked for.
        std::byte beyond{};
        if (!file || done != bytes->size() || zip_fread(file.get(), &beyond, 1) != 0)
            corrupt("entry " + inQuotes(name) + " is damaged: "
                    + (file ? zip_error_strerror(zip_file_get_error(file.get())) : zip_strerror(m_zip.get())));
        owners.push_back(bytes);
        return *bytes;
    }

    [[noreturn]] void corrupt(const std::string& detail) const {
        throw Error(Error::Kind::Corrupt, m_place, detail, fetchAgain);
    }

    const std::string& m_place;
    std::unique_ptr<zip_t, Close> m_zip;
    std::map<std::string, zip_uint64_t> m_entries;
    std::uint64_t m_left; ///< bytes that entries not yet read may take
};

/// The layout before the zip: pickles of a magic number, the protocol's version, the system, the object and the keys of
/// its storages; then for each key a count and so many numbers.
class LegacyReader {
public:
    LegacyReader(Bytes file, const std::string& place) : m_file(file), m_place(place) {}

    static bool isMagic(const Pickle::Value& value) {
        return value.kind == Kind::Long && value.text == std::string_view("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19");
    }

    Content read() {
        if (!isMagic(next().root()))
            throw Error(Error::Kind::Unsupported, m_place, "this is a pickle, but not one of torch.save",
                        "choose a file of weights");
        if (const auto version = next(); version.root().kind != Kind::Integer || version.root().number != 1001)
            throw Error(Error::Kind::Unsupported, m_place, "the version of torch.save's protocol is not 1001",
                        "load it in PyTorch and save it again");
        const auto system = next();
        if (system.root().kind == Kind::Dict) {
            for (const auto& [key, value] : system.entries(system.root()))
                if (key.kind == Kind::Text && key.text == "little_endian"
                    && (value.kind != Kind::Bool || value.number == 0))
                    throw Error(Error::Kind::Unsupported, m_place, "the numbers are not little-endian",
                                "save it again on a little-endian machine");
        }
        Content content;
        content.pickle = std::make_unique<Pickle>(next());
        const auto keys = next();
        if (keys.root().kind != Kind::List)
            corrupt("the list of stored numbers is missing");

        const auto& storages = content.pickle->storages();
        std::map<std::string_view, std::size_t> places;
        for (std::size_t i = 0; i < storages.size(); ++i)
            places.emplace(storages[i].key, i);
        content.storages.resize(storages.size());
        for (const auto& key : keys.items(keys.root())) {
            const auto place = places.find(key.kind == Kind::Text ? key.text : std::string_view());
            if (place == places.end())
                corrupt("stored numbers belong to no tensor, or to two");
            const auto& storage = storages[place->second];
            std::int64_t elements = 0;
            std::memcpy(&elements, take(sizeof elements).data(), sizeof elements);
            if (elements != storage.elements)
                corrupt("there are " + std::to_string(elements) + " stored numbers, but the pickle says "
                        + std::to_string(storage.elements));
            content.storages[place->second] = take(bytesOf(storage, m_place));
            places.erase(place);
        }
        if (!places.empty())
            corrupt("the stored numbers " + inQuotes(places.begin()->first) + " are missing");
        return content;
    }

private:
    Pickle next() {
        Pickle pickle(m_file.subspan(m_position), m_place);
        m_position += pickle.size();
        return pickle;
    }

    Bytes take(std::uint64_t count) {
        const auto left = m_file.size() - m_position;
        if (count > left)
            corrupt("the file ends " + std::to_string(count - left) + " bytes too early");
        const auto taken = m_file.subspan(m_position, count);
        m_position += count;
        return taken;
    }

    [[noreturn]] void corrupt(const std::string& detail) const {
        throw Error(Error::Kind::Corrupt, m_place, detail, fetchAgain);
    }

    Bytes m_file;
    const std::string& m_place;
    std::size_t m_position = 0;
};

/// Makes views of a pickle's tensors, and row-major copies of those that are not.
class TensorReader {
public:
    TensorReader(const Content& content, std::size_t fileSize, const std::string& place,
                 std::vector<std::shared_ptr<const void>>& owners)
        : m_content(content), m_place(place), m_owners(owners), m_left(fileSize) {}

    std::vector<TensorView> read() {
        const auto& pickle = *m_content.pickle;
        const auto* dict = &pickle.root();
        if (dict->kind == Kind::Dict) {
            for (const auto& [key, value] : pickle.entries(*dict))
                if (value.kind == Kind::Dict && key.kind == Kind::Text
                    && (key.text == "state_dict" || key.text == "model" || key.text == "model_state_dict"))
                    dict = &value;
        }
        std::vector<TensorView> tensors;
        std::set<std::string_view> names;
        if (dict->kind == Kind::Dict) {
            for (const auto& [key, value] : pickle.entries(*dict)) {
                if (value.kind != Kind::Tensor) // such as an epoch's number
                    continue;
                if (key.kind != Kind::Text)
                    corrupt("a tensor's name is no text");
                if (!names.insert(key.text).second)
                    corrupt("tensor " + inQuotes(key.text) + " is there twice");
                tensors.push_back(view(key.text, pickle.tensors()[static_cast<std::size_t>(value.number)]));
            }
        }
        if (tensors.empty())
            throw Error(Error::Kind::Unsupported, m_place, "the file holds no dictionary of tensors",
                        "save the model's state_dict");
        return tensors;
    }

private:
    TensorView view(std::string_view name, const Pickle::Tensor& tensor) {
        const auto label = "tensor " + inQuotes(name);
        const auto size = elementSize(tensor.dtype);
        const auto& stored = m_content.pickle->storages()[tensor.storage.storage];
        auto numbers = m_content.storages[tensor.storage.storage];
        const auto storedSize = stored.dtype ? elementSize(*stored.dtype) : 1;
        numbers = numbers.subspan(static_cast<std::size_t>(tensor.storage.offset) * storedSize,
                                  static_cast<std::size_t>(tensor.storage.elements) * storedSize);
        const auto available = numbers.size() / size;

        std::size_t count = 1;
        bool isEmpty = false;
        for (const auto extent : tensor.shape) {
            if (extent < 0)
                corrupt(label + " has the negative extent " + std::to_string(extent));
            isEmpty = isEmpty || extent == 0;
        }
        std::uint64_t last = 0; // the element that lies farthest from the first
        bool isRowMajor = true;
        for (std::size_t axis = tensor.shape.size(); !isEmpty && axis-- > 0;) {
            const auto extent = static_cast<std::uint64_t>(tensor.shape[axis]);
            const auto stride = tensor.strides[axis];
            std::uint64_t reach = 0;
            if (stride < 0)
                corrupt(label + " has the negative stride " + std::to_string(stride));
            isRowMajor = isRowMajor && (extent == 1 || static_cast<std::uint64_t>(stride) == count);
            if (__builtin_mul_overflow(extent - 1, static_cast<std::uint64_t>(stride), &reach)
                || __builtin_add_overflow(last, reach, &last) || __builtin_mul_overflow(count, extent, &count))
                corrupt(label + " has a shape whose size overflows, at extent " + std::to_string(extent));
        }
        TensorView result{std::string(name), tensor.dtype, tensor.shape, {}};
        if (isEmpty)
            return result;
        if (tensor.offset < 0 || static_cast<std::uint64_t>(tensor.offset) >= available
            || last >= available - static_cast<std::uint64_t>(tensor.offset))
            corrupt(label + " reaches beyond its " + std::to_string(available) + " stored numbers");
        const auto begin = numbers.subspan(static_cast<std::size_t>(tensor.offset) * size);
        result.bytes = isRowMajor ? begin.first(count * size) : rowMajor(label, tensor, begin, count);
        return result;
    }

    /// The numbers one after another; the same once for tensors that share them.
    Bytes rowMajor(const std::string& label, const Pickle::Tensor& tensor, Bytes from, std::size_t count) {
        const auto [known, isNew] =
            m_copies.emplace(std::tuple(from.data(), tensor.dtype, tensor.shape, tensor.strides), Bytes{});
        if (!isNew)
            return known->second;
        // Strides of 0 make much of little.
        const auto size = elementSize(tensor.dtype);
        if (count > m_left / size)
            corrupt(label + " repeats its stored numbers until they take more than the file");
        m_left -= count * size;
        const auto copy = std::make_shared<std::vector<std::byte>>(count * size);
        m_owners.push_back(copy);
        struct Axis {
            std::int64_t extent, stride, index;
        };
        std::vector<Axis> axes;
        for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis)
            if (tensor.shape[axis] > 1) // the others' strides may be anything
                axes.push_back({tensor.shape[axis], tensor.strides[axis], 0});
        std::int64_t element = 0;
        for (std::size_t done = 0; done < copy->size(); done += size) {
            std::memcpy(copy->data() + done, from.data() + static_cast<std::size_t>(element) * size, size);
            for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
                element += axis->stride;
                if (++axis->index < axis->extent)
                    break;
                element -= axis->stride * axis->extent;
                axis->index = 0;
            }
        }
        return known->second = *copy;
    }

    [[noreturn]] void corrupt(const std::string& detail) const {
        throw Error(Error::Kind::Corrupt, m_place, detail, fetchAgain);
    }

    const Content& m_content;
    const std::string& m_place;
    std::vector<std::shared_ptr<const void>>& m_owners;
    std::map<std::tuple<const std::byte*, DType, std::vector<std::int64_t>, std::vector<std::int64_t>>, Bytes> m_copies;
    std::uint64_t m_left; ///< bytes that copies may still take
};

} // namespace

TorchFile::TorchFile(std::shared_ptr<const void> owner, Bytes bytes, std::string place) : m_place(std::move(place)) {
    m_owners.push_back(std::move(owner));
    const auto text = asText(bytes);
    constexpr std::size_t tarMark = 257;
    Content content;
    if (text.starts_with("PK"))
        content = ZipReader(bytes, m_place).read(m_owners);
    else if (text.starts_with('\x80'))
        content = LegacyReader(bytes, m_place).read();
    else if (text.starts_with("version https://git-lfs"))
        throw Error(Error::Kind::Corrupt, m_place, "this is a Git LFS pointer, not the tensors themselves",
                    "run `git lfs pull` in its folder");
    else if (text.size() > tarMark && text.substr(tarMark).starts_with("ustar"))
        throw Error(Error::Kind::Unsupported, m_place, "this is the tar of PyTorch before 0.1.10",
                    "load it in PyTorch and save it again");
    else
        throw Error(Error::Kind::Corrupt, m_place,
                    "with " + std::to_string(bytes.size()) + " bytes this is no file of torch.save", fetchAgain);
    m_tensors = TensorReader(content, bytes.size(), m_place, m_owners).read();
    requireRead(bytes);
}

TorchFile TorchFile::open(const std::filesystem::path& path) {
    auto file = mapWholeFile(path);
    return TorchFile(std::move(file.owner), file.bytes, path.string());
}

TorchFile TorchFile::fromBytes(std::vector<std::byte> bytes, std::string place) {
    const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return TorchFile(owner, *owner, std::move(place));
}

} // namespace headlight
