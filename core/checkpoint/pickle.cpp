// A stack machine for the opcodes of protocols 2 to 5 that torch.save uses; it has no recursion, and what it makes is
// bounded by the bytes it reads.
#include "core/checkpoint/pickle.h"

#include "core/error.h"

#include <array>
#include <cstring>

namespace headlight {

namespace {

using Kind = Pickle::Value::Kind;

/// A model of ten thousand tensors makes a quarter of a million; a hostile file should not fill the memory.
constexpr std::size_t mostValues = 1u << 21;
constexpr std::size_t mostExtents = 64; // PyTorch's own limit
constexpr std::size_t longestKey = 255;

struct NamedType {
    std::string_view name;
    DType dtype;
};
constexpr std::array<NamedType, 10> storageTypes{{
    {"DoubleStorage", DType::F64},
    {"FloatStorage", DType::F32},
    {"HalfStorage", DType::F16},
    {"BFloat16Storage", DType::BF16},
    {"LongStorage", DType::I64},
    {"IntStorage", DType::I32},
    {"ShortStorage", DType::I16},
    {"CharStorage", DType::I8},
    {"ByteStorage", DType::U8},
    {"BoolStorage", DType::Bool},
}};
constexpr std::array<NamedType, 16> elementTypes{{
    {"float64", DType::F64},
    {"double", DType::F64},
    {"float32", DType::F32},
    {"float", DType::F32},
    {"float16", DType::F16},
    {"half", DType::F16},
    {"bfloat16", DType::BF16},
    {"int64", DType::I64},
    {"long", DType::I64},
    {"int32", DType::I32},
    {"int", DType::I32},
    {"int16", DType::I16},
    {"short", DType::I16},
    {"int8", DType::I8},
    {"uint8", DType::U8},
    {"bool", DType::Bool},
}};

std::optional<DType> findType(std::span<const NamedType> types, std::string_view name) {
    for (const auto& type : types) {
        if (type.name == name)
            return type.dtype;
    }
    return {};
}

std::string hexadecimal(std::uint8_t opcode) {
    constexpr auto digits = "0123456789abcdef";
    return {'0', 'x', digits[opcode >> 4], digits[opcode & 15]};
}

} // namespace

Pickle::Pickle(std::span<const std::byte> bytes, const std::string& place) : m_bytes(bytes), m_place(place) {
    constexpr std::uint8_t stop = '.';
    for (;;) {
        const auto opcode = static_cast<std::uint8_t>(take(1)[0]);
        if (opcode == stop)
            break;
        step(opcode);
    }
    m_root = pop();
    m_memo.clear();
    m_stack = {};
}

void Pickle::fail(Error::Kind kind, const std::string& detail) const {
    throw Error(kind, m_place, detail + ", at byte " + std::to_string(m_position) + " of its pickle",
                kind == Error::Kind::Corrupt ? "the file is damaged or not one of torch.save; fetch or export it again"
                                             : "export the weights alone, best as model.safetensors");
}

std::span<const Pickle::Value> Pickle::items(const Value& list) const {
    return m_lists[static_cast<std::size_t>(list.number)];
}

std::span<const Pickle::Entry> Pickle::entries(const Value& dict) const {
    return m_dicts[static_cast<std::size_t>(dict.number)];
}

std::span<const std::byte> Pickle::take(std::uint64_t count) {
    const auto left = m_bytes.size() - m_position;
    if (count > left)
        corrupt("it ends " + std::to_string(count - left) + " bytes too early");
    const auto taken = m_bytes.subspan(m_position, count);
    m_position += count;
    return taken;
}

std::uint64_t Pickle::takeNumber(std::size_t bytes) {
    std::uint64_t number = 0;
    const auto taken = take(bytes);
    std::memcpy(&number, taken.data(), bytes); // little-endian, as the machine is
    return number;
}

std::string_view Pickle::takeText(std::uint64_t length) {
    const auto taken = take(length);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

std::string_view Pickle::takeLine() {
    const std::string_view left(reinterpret_cast<const char*>(m_bytes.data()) + m_position,
                                m_bytes.size() - m_position);
    const auto end = left.find('\n');
    if (end == std::string_view::npos)
        corrupt("a name does not end");
    m_position += end + 1;
    return left.substr(0, end);
}

void Pickle::count(std::size_t values) {
    m_made += values;
    if (m_made > mostValues)
        fail(Error::Kind::Unsupported, "it makes more than " + std::to_string(mostValues) + " values");
}

void Pickle::push(Value value) {
    count(1);
    m_stack.push_back(value);
}

Pickle::Value Pickle::pop() {
    if (m_stack.size() <= (m_marks.empty() ? 0 : m_marks.back()))
        corrupt("it takes a value from an empty stack");
    const auto value = m_stack.back();
    m_stack.pop_back();
    return value;
}

std::vector<Pickle::Value> Pickle::popToMark() {
    if (m_marks.empty())
        corrupt("a mark is missing");
    const auto begin = m_stack.begin() + static_cast<std::ptrdiff_t>(m_marks.back());
    std::vector<Value> values(begin, m_stack.end());
    m_stack.erase(begin, m_stack.end());
    m_marks.pop_back();
    return values;
}

void Pickle::pushLong(std::uint64_t length) {
    const auto text = takeText(length);
    if (text.size() > sizeof(std::int64_t))
        return push({Kind::Long, 0, text});
    std::int64_t number = !text.empty() && (text.back() & 0x80) ? -1 : 0;
    std::memcpy(&number, text.data(), text.size());
    push({Kind::Integer, number, {}});
}

void Pickle::pushTuple(std::vector<Value> values) {
    m_lists.push_back(std::move(values));
    push({Kind::Tuple, static_cast<std::int64_t>(m_lists.size() - 1), {}});
}

void Pickle::pushDict(std::span<const Value> keysAndValues) {
    m_dicts.emplace_back();
    push({Kind::Dict, static_cast<std::int64_t>(m_dicts.size() - 1), {}});
    setItems(keysAndValues);
}

void Pickle::remember(std::uint64_t slot) {
    const auto value = pop();
    m_memo[slot] = value;
    m_stack.push_back(value);
}

void Pickle::recall(std::uint64_t slot) {
    const auto found = m_memo.find(slot);
    if (found == m_memo.end())
        corrupt("it recalls value " + std::to_string(slot) + ", which it never kept");
    push(found->second);
}

/// To the list on top of the stack.
void Pickle::append(std::span<const Value> values) {
    const auto list = pop();
    if (list.kind != Kind::List)
        corrupt("it appends to what is no list");
    auto& into = m_lists[static_cast<std::size_t>(list.number)];
    into.insert(into.end(), values.begin(), values.end());
    m_stack.push_back(list);
}

/// In the dictionary on top of the stack.
void Pickle::setItems(std::span<const Value> keysAndValues) {
    const auto dict = pop();
    if (dict.kind != Kind::Dict)
        corrupt("it sets an entry of what is no dictionary");
    if (keysAndValues.size() % 2 != 0)
        corrupt("a dictionary has a key without a value");
    auto& entries = m_dicts[static_cast<std::size_t>(dict.number)];
    for (std::size_t i = 0; i < keysAndValues.size(); i += 2)
        entries.emplace_back(keysAndValues[i], keysAndValues[i + 1]);
    m_stack.push_back(dict);
}

void Pickle::step(std::uint8_t opcode) {
    switch (opcode) {
    case 0x80: // PROTO
        if (const auto protocol = takeNumber(1); protocol < 2 || protocol > 5)
            fail(Error::Kind::Unsupported, "it is of protocol " + std::to_string(protocol) + ", known are 2 to 5");
        return;
    case 0x95: // FRAME: lets a reader fetch ahead
        take(8);
        return;
    case '(': // MARK
        count(1);
        m_marks.push_back(m_stack.size());
        return;
    case '0': // POP
        if (!m_marks.empty() && m_marks.back() == m_stack.size())
            m_marks.pop_back();
        else
            pop();
        return;
    case '1': // POP_MARK
        popToMark();
        return;
    case '2': { // DUP
        const auto value = pop();
        m_stack.push_back(value);
        return push(value);
    }
    case 'N':
        return push({});
    case 0x88: // NEWTRUE
        return push({Kind::Bool, 1, {}});
    case 0x89: // NEWFALSE
        return push({Kind::Bool, 0, {}});
    case 'J': // BININT
        return push({Kind::Integer, static_cast<std::int32_t>(takeNumber(4)), {}});
    case 'K': // BININT1
        return push({Kind::Integer, static_cast<std::int64_t>(takeNumber(1)), {}});
    case 'M': // BININT2
        return push({Kind::Integer, static_cast<std::int64_t>(takeNumber(2)), {}});
    case 0x8a: // LONG1
        return pushLong(takeNumber(1));
    case 0x8b: // LONG4: a negative length is a large one here
        return pushLong(takeNumber(4));
    case 'G': // BINFLOAT
        take(8);
        return push({Kind::Other, 0, {}});
    case 'U':  // SHORT_BINSTRING
    case 'C':  // SHORT_BINBYTES
    case 0x8c: // SHORT_BINUNICODE
        return pushText(takeText(takeNumber(1)));
    case 'T': // BINSTRING
    case 'B': // BINBYTES
    case 'X': // BINUNICODE
        return pushText(takeText(takeNumber(4)));
    case 0x8d: // BINUNICODE8
    case 0x8e: // BINBYTES8
        return pushText(takeText(takeNumber(8)));
    case ']': // EMPTY_LIST
        m_lists.emplace_back();
        return push({Kind::List, static_cast<std::int64_t>(m_lists.size() - 1), {}});
    case 'l': // LIST
        m_lists.push_back(popToMark());
        return push({Kind::List, static_cast<std::int64_t>(m_lists.size() - 1), {}});
    case 'a': { // APPEND
        const auto value = pop();
        return append({&value, 1});
    }
    case 'e': // APPENDS
        return append(popToMark());
    case ')': // EMPTY_TUPLE
        return pushTuple({});
    case 't': // TUPLE
        return pushTuple(popToMark());
    case 0x85:   // TUPLE1
    case 0x86:   // TUPLE2
    case 0x87: { // TUPLE3
        std::vector<Value> values(opcode - 0x84U);
        for (auto value = values.rbegin(); value != values.rend(); ++value)
            *value = pop();
        return pushTuple(std::move(values));
    }
    case '}': // EMPTY_DICT
        return pushDict({});
    case 'd': // DICT
        return pushDict(popToMark());
    case 's': { // SETITEM
        const auto value = pop();
        const auto key = pop();
        return setItems(std::array{key, value});
    }
    case 'u': // SETITEMS
        return setItems(popToMark());
    case 'q': // BINPUT
        return remember(takeNumber(1));
    case 'r': // LONG_BINPUT
        return remember(takeNumber(4));
    case 0x94: // MEMOIZE
        return remember(m_memo.size());
    case 'h': // BINGET
        return recall(takeNumber(1));
    case 'j': // LONG_BINGET
        return recall(takeNumber(4));
    case 'c': { // GLOBAL
        const auto module = takeLine();
        return refer(module, takeLine());
    }
    case 0x93: { // STACK_GLOBAL
        const auto name = pop();
        const auto module = pop();
        if (name.kind != Kind::Text || module.kind != Kind::Text)
            corrupt("it refers to something by what is no name");
        return refer(module.text, name.text);
    }
    case 'R':
        return reduce();
    case 'b':
        return build();
    case 'Q': // BINPERSID
        return resolveStorage();
    default:
        fail(Error::Kind::Unsupported,
             "it has the opcode " + hexadecimal(opcode) + ", which torch.save does not write for tensors");
    }
}

/// Pushes what a module's name stands for. All that is known is listed here; the rest is refused, unseen.
void Pickle::refer(std::string_view module, std::string_view name) {
    const auto function = [&](Function known) { push({Kind::Function, static_cast<std::int64_t>(known), {}}); };
    if (module == "collections" && name == "OrderedDict")
        return function(Function::OrderedDict);
    if (module == "torch._utils" && name == "_rebuild_tensor")
        return function(Function::Tensor);
    if (module == "torch._utils" && name == "_rebuild_tensor_v2")
        return function(Function::TensorV2);
    if (module == "torch._utils" && name == "_rebuild_tensor_v3")
        return function(Function::TensorV3);
    if (module == "torch._utils" && name == "_rebuild_parameter")
        return function(Function::Parameter);
    if (module == "torch" && name == "Size")
        return function(Function::Size);
    if (module == "torch" && name == "device")
        return function(Function::Device);
    if ((module == "torch" || module == "torch.storage") && (name == "UntypedStorage" || name == "TypedStorage"))
        return push({Kind::StorageType, -1, {}});
    if (module == "torch") {
        if (const auto type = findType(storageTypes, name))
            return push({Kind::StorageType, static_cast<std::int64_t>(*type), {}});
        if (const auto type = findType(elementTypes, name))
            return push({Kind::DType, static_cast<std::int64_t>(*type), {}});
    }
    fail(Error::Kind::Unsupported, "it refers to " + inQuotes(std::string(module) + "." + std::string(name))
                                       + ", which is no part of a tensor; nothing of the file was run");
}

/// Replaces a function and its arguments by what the function would make of them.
void Pickle::reduce() {
    const auto arguments = pop();
    const auto callee = pop();
    if (callee.kind != Kind::Function || arguments.kind != Kind::Tuple)
        corrupt("it calls what is no function");
    const auto given = items(arguments);
    const auto function = static_cast<Function>(callee.number);
    switch (function) {
    case Function::OrderedDict:
        return push(orderedDict(given));
    case Function::Parameter:
        if (given.empty() || given[0].kind != Kind::Tensor)
            corrupt("a parameter is no tensor");
        return push(given[0]);
    case Function::Size:
        if (given.size() != 1 || (given[0].kind != Kind::Tuple && given[0].kind != Kind::List))
            corrupt("a size is no list of extents");
        return push(given[0]);
    case Function::Device:
        return push({Kind::Other, 0, {}});
    case Function::Tensor:
    case Function::TensorV2:
    case Function::TensorV3:
        return push(tensor(function, given));
    }
}

Pickle::Value Pickle::orderedDict(std::span<const Value> arguments) {
    m_dicts.emplace_back();
    auto& entries = m_dicts.back();
    if (arguments.size() > 1 || (arguments.size() == 1 && arguments[0].kind != Kind::List))
        corrupt("an OrderedDict is made of what is no list of pairs");
    if (arguments.size() == 1) {
        const auto pairs = items(arguments[0]);
        count(pairs.size()); // one list may become any number of dictionaries
        entries.reserve(pairs.size());
        for (const auto& pair : pairs) {
            if ((pair.kind != Kind::Tuple && pair.kind != Kind::List) || items(pair).size() != 2)
                corrupt("an OrderedDict is made of what is no list of pairs");
            entries.emplace_back(items(pair)[0], items(pair)[1]);
        }
    }
    return {Kind::Dict, static_cast<std::int64_t>(m_dicts.size() - 1), {}};
}

/// Attributes of a dictionary, such as a state_dict's _metadata, are left out.
void Pickle::build() {
    pop();
    const auto object = pop();
    if (object.kind != Kind::Dict)
        fail(Error::Kind::Unsupported, "it sets attributes of what is no dictionary");
    m_stack.push_back(object);
}

/// Replaces ("storage", type, key, device, elements[, (view's key, offset, elements)]).
void Pickle::resolveStorage() {
    const auto id = pop();
    const auto parts = id.kind == Kind::Tuple ? items(id) : std::span<const Value>{};
    if (parts.size() < 5 || parts.size() > 6 || parts[0].kind != Kind::Text || parts[0].text != "storage"
        || parts[1].kind != Kind::StorageType || parts[2].kind != Kind::Text || parts[2].text.size() > longestKey)
        corrupt("a reference to stored numbers is not one");
    const auto type = parts[1].number < 0 ? std::optional<DType>() : std::optional(static_cast<DType>(parts[1].number));
    const Storage storage{std::string(parts[2].text), type, integer(parts[4], "the length of stored numbers")};
    if (storage.elements < 0)
        corrupt("there are " + std::to_string(storage.elements) + " stored numbers");

    const auto [known, isNew] = m_storageOf.emplace(storage.key, m_storages.size());
    if (isNew)
        m_storages.push_back(storage);
    const auto& first = m_storages[known->second];
    if (first.dtype != storage.dtype || first.elements != storage.elements)
        corrupt("the stored numbers " + inQuotes(storage.key) + " are told to be of two kinds or lengths");

    StorageView view{.storage = known->second, .offset = 0, .elements = storage.elements};
    if (parts.size() == 6 && parts[5].kind != Kind::None) {
        const auto part = parts[5].kind == Kind::Tuple ? items(parts[5]) : std::span<const Value>{};
        if (part.size() != 3)
            corrupt("a part of stored numbers is not one");
        view.offset = integer(part[1], "the offset of a part of stored numbers");
        view.elements = integer(part[2], "the length of a part of stored numbers");
        if (view.offset < 0 || view.elements < 0 || view.offset > storage.elements
            || view.elements > storage.elements - view.offset)
            corrupt("a part of stored numbers lies outside of them");
    }
    m_storageViews.push_back(view);
    push({Kind::Storage, static_cast<std::int64_t>(m_storageViews.size() - 1), {}});
}

Pickle::Value Pickle::tensor(Function function, std::span<const Value> arguments) {
    // v1: storage, offset, size, stride; v2: the same, requires_grad, hooks[, metadata]; v3: v2's, with a dtype before
    // its metadata.
    constexpr std::size_t dtypeOfV3 = 6;
    if (arguments.size() < (function == Function::TensorV3 ? dtypeOfV3 + 1 : 4) || arguments[0].kind != Kind::Storage)
        corrupt("a tensor is made of something else than stored numbers");
    Tensor tensor;
    tensor.storage = m_storageViews[static_cast<std::size_t>(arguments[0].number)];
    tensor.offset = integer(arguments[1], "a tensor's offset");
    tensor.shape = integers(arguments[2], "a tensor's shape");
    tensor.strides = integers(arguments[3], "a tensor's strides");
    if (tensor.shape.size() != tensor.strides.size())
        corrupt("a tensor has " + std::to_string(tensor.shape.size()) + " extents but "
                + std::to_string(tensor.strides.size()) + " strides");
    const auto& storage = m_storages[tensor.storage.storage];
    if (function == Function::TensorV3 && arguments[dtypeOfV3].kind != Kind::DType)
        corrupt("a tensor's type is not one");
    const auto told =
        function == Function::TensorV3 ? std::optional(static_cast<DType>(arguments[dtypeOfV3].number)) : storage.dtype;
    if (!told || (storage.dtype && storage.dtype != told))
        corrupt("a tensor's type is not that of its stored numbers");
    tensor.dtype = *told;
    m_tensors.push_back(std::move(tensor));
    return {Kind::Tensor, static_cast<std::int64_t>(m_tensors.size() - 1), {}};
}

std::int64_t Pickle::integer(const Value& value, const char* what) const {
    if (value.kind != Kind::Integer)
        corrupt(std::string(what) + " is no whole number of 64 bits");
    return value.number;
}

std::vector<std::int64_t> Pickle::integers(const Value& value, const char* what) {
    if (value.kind != Kind::Tuple && value.kind != Kind::List)
        corrupt(std::string(what) + " is no list");
    const auto values = items(value);
    if (values.size() > mostExtents)
        corrupt(std::string(what) + " has " + std::to_string(values.size()) + " entries");
    count(values.size()); // one tuple may become the shape of any number of tensors
    std::vector<std::int64_t> numbers;
    for (const auto& each : values)
        numbers.push_back(integer(each, what));
    return numbers;
}

} // namespace headlight
