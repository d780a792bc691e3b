// What torch.save writes between its tensors' bytes: a pickle, of which only dictionaries, lists, tuples, numbers,
// strings and tensors are built. A pickle is a program; no function that it names is ever called.
// Opcodes: Python's Lib/pickletools.py.
#pragma once

#include "core/files/safetensors.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headlight {

/// One pickle, read. Values refer to each other by number, so that lists within themselves and values used a million
/// times cost no more than the bytes that say so. Texts point into the bytes that were read.
class Pickle {
public:
    struct Value {
        enum class Kind {
            None,
            Bool,        ///< `number` is 0 or 1
            Integer,     ///< `number`
            Text,        ///< `text`: a string, or the bytes of a string
            Long,        ///< `text`: an integer beyond 64 bits, little-endian
            Other,       ///< read, of no use here: fractions, devices
            Tuple,       ///< `items(number)`
            List,        ///< `items(number)`
            Dict,        ///< `entries(number)`
            Function,    ///< `number` is a Pickle::Function
            DType,       ///< `number` is a headlight::DType
            StorageType, ///< `number` is a headlight::DType, or -1 for bytes of no type
            Storage,     ///< `storageViews()[number]`
            Tensor,      ///< `tensors()[number]`
        };
        Kind kind = Kind::None;
        std::int64_t number = 0;
        std::string_view text;
    };
    using Entry = std::pair<Value, Value>;

    /// The numbers of some tensors, stored elsewhere in the file.
    struct Storage {
        std::string key;
        std::optional<DType> dtype; ///< none: bytes, whose type each tensor tells
        std::int64_t elements = 0;  ///< bytes when there is no type
    };
    /// Part of a storage; old files name it.
    struct StorageView {
        std::size_t storage = 0;
        std::int64_t offset = 0; ///< in elements
        std::int64_t elements = 0;
    };
    /// As the file says it, not yet held against the storage.
    struct Tensor {
        StorageView storage;
        DType dtype = DType::F32;
        std::int64_t offset = 0; ///< in elements of the view
        std::vector<std::int64_t> shape;
        std::vector<std::int64_t> strides; ///< in elements, as many as there are extents
    };

    /// Reads one pickle from the beginning of `bytes`, which must outlive this.
    /// @param place what errors call the file
    /// @throws Error; Unsupported names what the pickle refers to when that is no part of a tensor
    Pickle(std::span<const std::byte> bytes, const std::string& place);

    const Value& root() const { return m_root; }
    /// Bytes that it took; another pickle may follow.
    std::size_t size() const { return m_position; }

    std::span<const Value> items(const Value& list) const;
    std::span<const Entry> entries(const Value& dict) const;
    const std::vector<Storage>& storages() const { return m_storages; }
    const std::vector<Tensor>& tensors() const { return m_tensors; }

private:
    enum class Function : std::int64_t { OrderedDict, Tensor, TensorV2, TensorV3, Parameter, Size, Device };

    void step(std::uint8_t opcode);
    std::span<const std::byte> take(std::uint64_t count);
    std::uint64_t takeNumber(std::size_t bytes);
    std::string_view takeText(std::uint64_t length);
    std::string_view takeLine();

    /// Bounds the memory: each value that is made is counted.
    void count(std::size_t values);
    void push(Value value);
    void pushText(std::string_view text) { push({Value::Kind::Text, 0, text}); }
    void pushLong(std::uint64_t length);
    Value pop();
    std::vector<Value> popToMark();
    void pushTuple(std::vector<Value> items);
    void pushDict(std::span<const Value> keysAndValues);
    void remember(std::uint64_t slot);
    void recall(std::uint64_t slot);

    void append(std::span<const Value> items);
    void setItems(std::span<const Value> keysAndValues);
    void refer(std::string_view module, std::string_view name);
    void reduce();
    void build();
    void resolveStorage();
    Value orderedDict(std::span<const Value> arguments);
    Value tensor(Function function, std::span<const Value> arguments);

    std::int64_t integer(const Value& value, const char* what) const;
    std::vector<std::int64_t> integers(const Value& value, const char* what);
    [[noreturn]] void fail(Error::Kind kind, const std::string& detail) const;
    [[noreturn]] void corrupt(const std::string& detail) const { fail(Error::Kind::Corrupt, detail); }

    std::span<const std::byte> m_bytes;
    const std::string& m_place;
    std::size_t m_position = 0;
    std::size_t m_made = 0; ///< values so far

    std::vector<Value> m_stack;
    std::vector<std::size_t> m_marks; ///< heights of the stack
    std::map<std::uint64_t, Value> m_memo;
    std::deque<std::vector<Value>> m_lists; ///< and tuples
    std::deque<std::vector<Entry>> m_dicts;
    std::vector<Storage> m_storages;
    std::map<std::string, std::size_t, std::less<>> m_storageOf;
    std::vector<StorageView> m_storageViews;
    std::vector<Tensor> m_tensors;
    Value m_root;
};

} // namespace headlight
