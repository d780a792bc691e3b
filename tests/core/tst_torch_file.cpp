// pytorch_model.bin: what torch.save wrote reads back number by number; what is damaged, lies or would run something is
// refused, with the fault named, and without taking more memory than the file has bytes.
#include "core/checkpoint/torch_file.h"
#include "core/error.h"
#include "tests/support/slowness.h"
#include "tests/support/torch_files.h"

#include <QTest>

#include <sys/resource.h>

#include <functional>

using namespace headlight;

namespace {

const std::filesystem::path models = std::filesystem::path(HEADLIGHT_FIXTURES) / "models_more";

/// "name F32 2x3: 1 2 3 4 5 6" for each tensor.
QStringList describe(const TorchFile& file) {
    QStringList lines;
    for (const auto& tensor : file.tensors()) {
        QStringList shape, values;
        for (const auto extent : tensor.shape)
            shape.append(QString::number(extent));
        for (const auto value : toFloats(tensor))
            values.append(QString::number(static_cast<double>(value)));
        const auto type = dtypeName(tensor.dtype);
        lines.append(QStringLiteral("%1 %2 %3: %4")
                         .arg(QString::fromStdString(tensor.name),
                              QString::fromLatin1(type.data(), static_cast<qsizetype>(type.size())), shape.join('x'),
                              values.join(' '))
                         .trimmed());
    }
    return lines;
}

const std::string six = floatBytes({1, 2, 3, 4, 5, 6});

/// {"w": a tensor of six stored floats}
std::string oneTensor(std::int64_t offset, const std::vector<std::int64_t>& shape,
                      const std::vector<std::int64_t>& strides, std::int64_t elements = 6) {
    return PickleWriter()
        .raw("}")
        .text("w")
        .tensor("FloatStorage", "0", elements, offset, shape, strides)
        .raw("s")
        .end();
}

/// A zip around a pickle that needs no numbers.
std::string zipAround(const PickleWriter& pickle) {
    return torchZip(pickle.end(), {{"0", six}});
}

} // namespace

class TestTorchFile : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void goodFiles_data();
    void goodFiles();
    void sharedNumbersShareBytes();
    void badFiles_data();
    void badFiles();
    void everyCutIsAnError_data();
    void everyCutIsAnError();
    void savedByPyTorch_data();
    void savedByPyTorch();
};

void TestTorchFile::goodFiles_data() {
    QTest::addColumn<std::string>("bytes");
    QTest::addColumn<QStringList>("tensors");
    const auto row = [](const char* name, const std::string& bytes, const QStringList& tensors) {
        QTest::newRow(name) << bytes << tensors;
    };
    const QStringList plain{"w F32 2x3: 1 2 3 4 5 6"};
    const auto pickle = oneTensor(0, {2, 3}, {3, 1});
    row("zip", torchZip(pickle, {{"0", six}}), plain);
    row("zip, another folder", torchZip(pickle, {{"0", six}}, "pytorch_model"), plain);
    row("zip that says little", zipOf({{"a/data.pkl", pickle}, {"a/byteorder", "little"}, {"a/data/0", six}}), plain);
    row("before the zip", torchLegacy(pickle, {{"0", 6, six}}), plain);
    row("transposed", torchZip(oneTensor(0, {3, 2}, {1, 3}), {{"0", six}}), {"w F32 3x2: 1 4 2 5 3 6"});
    row("part of the numbers", torchZip(oneTensor(2, {2}, {2}), {{"0", six}}), {"w F32 2: 3 5"});
    row("repeated", torchZip(oneTensor(1, {2, 2}, {0, 1}), {{"0", six}}), {"w F32 2x2: 2 3 2 3"});
    row("extents of 1 with any strides", torchZip(oneTensor(0, {1, 6, 1}, {77, 1, INT64_MAX}), {{"0", six}}),
        {"w F32 1x6x1: 1 2 3 4 5 6"});
    row("the same, transposed", torchZip(oneTensor(0, {2, 1, 3}, {1, INT64_MAX, 2}), {{"0", six}}),
        {"w F32 2x1x3: 1 3 5 2 4 6"});
    row("a scalar", torchZip(oneTensor(5, {}, {}), {{"0", six}}), {"w F32 : 6"});
    row("empty", torchZip(oneTensor(0, {0, 3}, {3, 1}, 0), {{"0", ""}}), {"w F32 0x3:"});
    row("empty, without its entry", torchZip(oneTensor(0, {0}, {1}, 0), {}), {"w F32 0:"});

    const auto typed = [&](const char* type, std::int64_t count, const std::string& bytes, const char* line) {
        const auto one = PickleWriter().raw("}").text("w").tensor(type, "0", count, 0, {count}, {1}).raw("s").end();
        row(type, torchZip(one, {{"0", bytes}}), {line});
    };
    typed("DoubleStorage", 1, littleEndian(0x3ff8000000000000, 8), "w F64 1: 1.5");
    typed("HalfStorage", 2, littleEndian(0xc0003c00, 4), "w F16 2: 1 -2");
    typed("BFloat16Storage", 2, littleEndian(0xc0003f80, 4), "w BF16 2: 1 -2");
    typed("LongStorage", 1, littleEndian(~std::uint64_t{0}, 8), "w I64 1: -1");
    typed("IntStorage", 1, littleEndian(7, 4), "w I32 1: 7");
    typed("ShortStorage", 1, littleEndian(7, 2), "w I16 1: 7");
    typed("CharStorage", 1, littleEndian(255, 1), "w I8 1: -1");
    typed("ByteStorage", 1, littleEndian(255, 1), "w U8 1: 255");
    typed("BoolStorage", 2, littleEndian(256, 2), "w BOOL 2: 0 1");

    const auto tensor = [](PickleWriter writer) -> PickleWriter {
        return writer.tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
    };
    for (const char* key : {"state_dict", "model", "model_state_dict"}) {
        auto wrapped = PickleWriter().raw("}(").text("epoch").raw("K\x03").text(key).raw("}").text("w");
        row(key, zipAround(tensor(wrapped).raw("su")), plain);
    }
    row("an OrderedDict with attributes",
        zipAround(tensor(PickleWriter().global("collections", "OrderedDict").raw(")R(").text("w"))
                      .raw("u}")
                      .text("_metadata")
                      .global("collections", "OrderedDict")
                      .raw(")Rsb")),
        plain);
    row("an OrderedDict of pairs, as Python 2 has it",
        zipAround(tensor(PickleWriter().global("collections", "OrderedDict").raw("(](](U\x01w")).raw("eetR")), plain);
    row("a parameter",
        zipAround(tensor(PickleWriter().raw("}").text("w").global("torch._utils", "_rebuild_parameter").raw("("))
                      .raw("\x88")
                      .global("collections", "OrderedDict")
                      .raw(")RtRs")),
        plain);
    row("without hooks, with a torch.Size",
        zipAround(PickleWriter()
                      .raw("}")
                      .text("w")
                      .global("torch._utils", "_rebuild_tensor")
                      .raw("(")
                      .storage("FloatStorage", "0", 6)
                      .integer(0)
                      .global("torch", "Size")
                      .integers({2, 3})
                      .raw("\x85R")
                      .integers({3, 1})
                      .raw("tRs")),
        plain);
    row("bytes without a type, which the tensor tells",
        zipAround(PickleWriter()
                      .raw("}")
                      .text("w")
                      .global("torch._utils", "_rebuild_tensor_v3")
                      .raw("((")
                      .text("storage")
                      .global("torch.storage", "UntypedStorage")
                      .text("0")
                      .text("cuda:0")
                      .integer(24)
                      .raw("tQ")
                      .integer(0)
                      .integers({2, 3})
                      .integers({3, 1})
                      .raw("\x89N")
                      .global("torch", "float32")
                      .raw("tRs")),
        plain);
    row("values that are no tensors",
        zipAround(tensor(PickleWriter()
                             .raw("}(")
                             .text("a")
                             .raw("G@@@@@@@@")
                             .text("b")
                             .raw("]")
                             .text("c")
                             .global("torch", "device")
                             .text("cpu")
                             .raw("\x85R")
                             .text("w"))
                      .raw("u")),
        plain);
    row("a list within itself beside the tensor",
        zipAround(tensor(PickleWriter().raw("}(").text("a").raw("]q\x01h\x01").raw("a").text("w")).raw("u")), plain);
    // Protocol 4: a frame, short names, a memo without numbers.
    const auto name = [](const std::string& text) {
        return PickleWriter(4).raw("\x8c").raw(littleEndian(text.size(), 1)).raw(text).raw("\x94").bytes.substr(2);
    };
    row("protocol 4",
        zipAround(PickleWriter(4)
                      .raw("\x95")
                      .raw(littleEndian(99, 8))
                      .raw("}\x94")
                      .raw(name("w") + name("torch._utils") + name("_rebuild_tensor_v2") + "\x93\x94(("
                           + name("storage") + name("torch") + name("FloatStorage") + "\x93\x94" + name("0")
                           + name("cpu") + "K\x06t\x94QK" + '\0'
                           + "K\x02K\x03\x86\x94K\x03K\x01\x86\x94\x89Nt\x94R\x94s")),
        plain);

    // Before the zip a storage may be a part of another.
    row("parts of stored numbers",
        torchLegacy(PickleWriter()
                        .raw("}")
                        .text("w")
                        .global("torch._utils", "_rebuild_tensor_v2")
                        .raw("((")
                        .text("storage")
                        .global("torch", "FloatStorage")
                        .text("9")
                        .text("cpu")
                        .integer(6)
                        .raw("(")
                        .text("part")
                        .integer(2)
                        .integer(3)
                        .raw("ttQ")
                        .integer(1)
                        .integers({2})
                        .integers({1})
                        .raw("\x89NtRs")
                        .end(),
                    {{"9", 6, six}}),
        {"w F32 2: 4 5"});
}

void TestTorchFile::goodFiles() {
    QFETCH(std::string, bytes);
    QFETCH(QStringList, tensors);
    const auto file = TorchFile::fromBytes(bytesOf(bytes), "memory");
    QCOMPARE(describe(file), tensors);
}

void TestTorchFile::sharedNumbersShareBytes() {
    PickleWriter pickle;
    pickle.raw("}(");
    pickle.text("tied").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
    pickle.text("also").tensor("FloatStorage", "0", 6, 0, {2, 3}, {3, 1});
    pickle.text("turned").tensor("FloatStorage", "0", 6, 0, {3, 2}, {1, 3});
    pickle.text("turned too").tensor("FloatStorage", "0", 6, 0, {3, 2}, {1, 3});
    const auto file = TorchFile::fromBytes(bytesOf(zipAround(pickle.raw("u"))), "memory");
    const auto& tensors = file.tensors();
    QCOMPARE(tensors.size(), std::size_t(4));
    QCOMPARE(tensors[0].bytes.data(), tensors[1].bytes.data());
    QCOMPARE(tensors[2].bytes.data(), tensors[3].bytes.data());
    QCOMPARE(toFloats(tensors[3]), std::vector<float>({1, 4, 2, 5, 3, 6}));
}

void TestTorchFile::badFiles_data() {
    QTest::addColumn<std::string>("bytes");
    QTest::addColumn<Error::Kind>("kind");
    QTest::addColumn<QByteArray>("said");
    const auto row = [](const char* name, const std::string& bytes, Error::Kind kind, const char* said) {
        QTest::newRow(name) << bytes << kind << QByteArray(said);
    };
    const auto corrupt = [&](const char* name, const std::string& bytes, const char* said) {
        row(name, bytes, Error::Kind::Corrupt, said);
    };
    const auto unsupported = [&](const char* name, const std::string& bytes, const char* said) {
        row(name, bytes, Error::Kind::Unsupported, said);
    };
    const auto good = oneTensor(0, {2, 3}, {3, 1});

    corrupt("empty", "", "0 bytes");
    corrupt("rubbish", "<html>404</html>", "no file of torch.save");
    corrupt("Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer");
    unsupported("tar", std::string(257, 'a') + "ustar" + std::string(200, 'a'), "before 0.1.10");
    unsupported("some other pickle", PickleWriter().raw("N").end(), "not one of torch.save");

    // What a pickle may not refer to.
    const auto refers = [&](const char* name, const PickleWriter& pickle, const char* said) {
        unsupported(name, zipAround(pickle), said);
    };
    refers("os.system", PickleWriter().global("os", "system").text("true").raw("\x85R"), "'os.system'");
    refers("posix.system by name on the stack", PickleWriter(4).raw("\x8c\x05posix\x8c\x06system\x93"),
           "'posix.system'");
    refers("builtins.eval", PickleWriter().global("builtins", "eval"), "'builtins.eval'");
    refers("a class of torch that is no tensor", PickleWriter().global("torch.nn.modules.linear", "Linear"),
           "'torch.nn.modules.linear.Linear'");
    refers("a function that torch has in torch", PickleWriter().global("torch", "load"), "'torch.load'");
    refers("complex numbers", PickleWriter().global("torch", "ComplexFloatStorage"), "'torch.ComplexFloatStorage'");
    refers("a name with a line break in it", PickleWriter(4).raw("\x8c\x03o\ns\x8c\x01x\x93"), "'o?s.x'");
    refers("INST", PickleWriter().raw("(ios\nsystem\n"), "opcode 0x69");
    refers("OBJ", PickleWriter().raw("(o"), "opcode 0x6f");
    refers("NEWOBJ", PickleWriter().raw("))\x81"), "opcode 0x81");
    refers("EXT1", PickleWriter().raw("\x82\x01"), "opcode 0x82");
    refers("a set", PickleWriter(4).raw("\x8f"), "opcode 0x8f");
    refers("a persistent id in letters", PickleWriter().raw("Pstorage\n"), "opcode 0x50");
    refers("protocol 1", PickleWriter(1).raw("N"), "protocol 1");
    refers("protocol 6", PickleWriter(6).raw("N"), "protocol 6");
    refers("attributes of a list", PickleWriter().raw("]}b"), "no dictionary");
    unsupported("in the older layout too", torchLegacy(PickleWriter().global("os", "system").end(), {}), "'os.system'");

    // Pickles that are broken.
    const auto broken = [&](const char* name, const PickleWriter& pickle, const char* said) {
        corrupt(name, zipAround(pickle), said);
    };
    broken("nothing on the stack", PickleWriter(), "empty stack");
    broken("a pop too many", PickleWriter().raw("N00"), "empty stack");
    broken("below the mark", PickleWriter().raw("}N(s"), "empty stack");
    broken("no mark", PickleWriter().raw("t"), "a mark is missing");
    broken("a key without a value", PickleWriter().raw("}(Nu"), "without a value");
    broken("an entry of a list", PickleWriter().raw("]NNs"), "no dictionary");
    broken("an entry appended to a number", PickleWriter().raw("K\x01Na"), "no list");
    broken("a memo never kept", PickleWriter().raw("h\x05"), "value 5");
    broken("a text beyond the file", PickleWriter().raw("X\xff\xff\xff\xff"), "too early");
    broken("a text longer than all numbers", PickleWriter(4).raw("\x8d").raw(std::string(8, '\xff')), "too early");
    broken("a LONG of negative length", PickleWriter().raw("\x8b\xff\xff\xff\xff"), "too early");
    broken("a name without end", PickleWriter().raw("ctorch"), "does not end");
    broken("a called number", PickleWriter().raw("K\x01)R"), "no function");
    broken("a called type", PickleWriter().global("torch", "FloatStorage").raw(")R"), "no function");
    broken("called without a tuple", PickleWriter().global("torch", "Size").raw("NR"), "no function");
    broken("a tensor of nothing", PickleWriter().global("torch._utils", "_rebuild_tensor_v2").raw(")R"),
           "something else than stored numbers");
    broken("an OrderedDict of a number", PickleWriter().global("collections", "OrderedDict").raw("K\x01\x85R"),
           "no list of pairs");
    broken("a parameter of a number", PickleWriter().global("torch._utils", "_rebuild_parameter").raw("K\x01\x85R"),
           "no tensor");
    broken("stored numbers by a text", PickleWriter().text("storage").raw("Q"), "not one");
    broken("stored numbers of a negative count", PickleWriter().storage("FloatStorage", "0", -1), "-1 stored");
    broken("stored numbers of two types", PickleWriter().storage("FloatStorage", "0", 6).storage("IntStorage", "0", 6),
           "two kinds or lengths");
    broken("stored numbers of two lengths",
           PickleWriter().storage("FloatStorage", "0", 6).storage("FloatStorage", "0", 5), "two kinds or lengths");
    broken("a length beyond 64 bits",
           PickleWriter()
               .raw("(")
               .text("storage")
               .global("torch", "FloatStorage")
               .text("0")
               .text("cpu")
               .raw("\x8a\x09")
               .raw(std::string(9, '\x7f'))
               .raw("tQ"),
           "no whole number of 64 bits");
    broken("a key without end", PickleWriter().storage("FloatStorage", std::string(1000, 'k'), 6), "not one");

    // Tensors that do not lie in their numbers.
    const auto tensor = [&](const char* name, std::int64_t offset, const std::vector<std::int64_t>& shape,
                            const std::vector<std::int64_t>& strides, const char* said) {
        corrupt(name, torchZip(oneTensor(offset, shape, strides), {{"0", six}}), said);
    };
    tensor("one too many", 0, {7}, {1}, "tensor 'w' reaches beyond its 6 stored numbers");
    tensor("one too far", 1, {6}, {1}, "beyond");
    tensor("begins behind the end", 6, {1}, {1}, "beyond");
    tensor("begins before the start", -1, {1}, {1}, "beyond");
    tensor("begins at the largest number", INT64_MAX, {2}, {1}, "beyond");
    tensor("a stride too large", 0, {2}, {6}, "beyond");
    tensor("a negative stride", 5, {2}, {-1}, "negative stride -1");
    tensor("a negative extent", 0, {-2}, {1}, "negative extent -2");
    tensor("a negative extent beside an empty one", 0, {0, -2}, {1, 1}, "negative extent -2");
    tensor("a shape that overflows", 0, {1LL << 32, 1LL << 32}, {0, 0}, "overflows");
    tensor("a stride that overflows", 0, {1LL << 33}, {1LL << 32}, "overflows");
    tensor("strides that overflow together", 0, {2, 2, 2}, {INT64_MAX, INT64_MAX, INT64_MAX}, "overflows");
    tensor("much made of little", 0, {1LL << 30}, {0}, "take more than the file");
    tensor("bytes that overflow", 0, {1LL << 61, 4}, {0, 0}, "more than the file");
    tensor("fewer strides than extents", 0, {2, 3}, {1}, "2 extents but 1 strides");
    tensor("more axes than there can be", 0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1),
           "65 entries");
    corrupt("the same name twice",
            zipAround(PickleWriter()
                          .raw("}(")
                          .text("w")
                          .tensor("FloatStorage", "0", 6, 0, {6}, {1})
                          .text("w")
                          .tensor("FloatStorage", "0", 6, 0, {6}, {1})
                          .raw("u")),
            "'w' is there twice");
    corrupt("a name that is a number",
            zipAround(PickleWriter().raw("}K\x01").tensor("FloatStorage", "0", 6, 0, {6}, {1}).raw("s")), "no text");
    unsupported("no tensors", zipAround(PickleWriter().raw("}")), "no dictionary of tensors");
    unsupported("a list", zipAround(PickleWriter().raw("]")), "no dictionary of tensors");
    unsupported("a tensor by itself", zipAround(PickleWriter().tensor("FloatStorage", "0", 6, 0, {6}, {1})),
                "no dictionary of tensors");
    unsupported("a dictionary that is its own state_dict",
                zipAround(PickleWriter().raw("}q\x01").text("state_dict").raw("h\x01s")), "no dictionary of tensors");

    // Memory and time: lists of lists of lists, each twice in the next, and endless nesting.
    PickleWriter doubling;
    doubling.raw("]q\x01");
    for (int i = 0; i < 100'000; ++i)
        doubling.raw("](h\x01h\x01").raw("eq\x01");
    unsupported("lists doubled 100000 times", zipAround(doubling), "no dictionary of tensors");
    unsupported("lists nested a million times",
                zipAround(PickleWriter().raw(std::string(1'000'000, ']') + std::string(999'999, 'a'))),
                "no dictionary of tensors");
    unsupported("more values than fit", zipAround(PickleWriter().raw(std::string(10'000'000, 'N'))), "more than");
    unsupported("more marks than fit", zipAround(PickleWriter().raw(std::string(10'000'000, '('))), "more than");
    PickleWriter pairs;
    pairs.raw("](");
    for (int i = 0; i < 10'000; ++i)
        pairs.raw("NN\x86");
    pairs.raw("e\x85q\x01");
    pairs.global("collections", "OrderedDict").raw("q\x02");
    for (int i = 0; i < 10'000; ++i)
        pairs.raw("h\x02h\x01R");
    unsupported("one list made 10000 dictionaries", zipAround(pairs), "more than");

    // Zips that lie.
    corrupt("no such numbers", torchZip(good, {}), "no entry 'archive/data/0'");
    corrupt("fewer numbers than the pickle says", torchZip(good, {{"0", floatBytes({1})}}),
            "has 4 bytes, but the pickle says 24");
    corrupt("numbers whose bytes overflow", torchZip(oneTensor(0, {1}, {1}, INT64_MAX), {{"0", six}}), "overflows");
    unsupported("no pickle", zipOf({{"archive/data/0", six}}), "no data.pkl");
    unsupported("a pickle without a folder", zipOf({{"data.pkl", good}, {"data/0", six}}), "no data.pkl");
    corrupt("two pickles", zipOf({{"a/data.pkl", good}, {"b/data.pkl", good}}), "more than one");
    corrupt("the same entry twice", zipOf({{"a/data.pkl", good}, {"a/data/0", six}, {"a/data/0", six}}), "twice");
    unsupported("big-endian", zipOf({{"a/data.pkl", good}, {"a/byteorder", "big"}, {"a/data/0", six}}),
                "not little-endian");
    const auto lying = [&](const std::function<void(ZipEntry&)>& lie) {
        std::vector<ZipEntry> entries{{"a/data.pkl", good}, {"a/data/0", six}};
        lie(entries[1]);
        return zipOf(entries);
    };
    unsupported("deflated", lying([](ZipEntry& entry) { entry.method = 8; }), "compressed");
    unsupported("deflated to gigabytes", lying([](ZipEntry& entry) {
                    entry.method = 8;
                    entry.size = 0xfffffff0;
                }),
                "compressed");
    unsupported("encrypted", lying([](ZipEntry& entry) { entry.flags = 1; }), "encrypted");
    corrupt("stored, but larger than stored", lying([](ZipEntry& entry) { entry.size = 0x7fffffff; }), "claims");
    corrupt("more bytes than the file", lying([](ZipEntry& entry) { entry.size = entry.storedSize = 0x7fffffff; }), "");
    corrupt("another checksum", lying([](ZipEntry& entry) { entry.crc ^= 1; }), "damaged");

    // The older layout.
    corrupt("older: no numbers", torchLegacy(good, {}), "'0' are missing");
    corrupt("older: numbers of nobody", torchLegacy(good, {{"0", 6, six}, {"1", 0, ""}}), "belong to no tensor");
    corrupt("older: numbers twice", torchLegacy(good, {{"0", 6, six}, {"0", 6, six}}), "or to two");
    corrupt("older: another count", torchLegacy(good, {{"0", 5, six}}), "5 stored numbers, but the pickle says 6");
    corrupt("older: a negative count", torchLegacy(good, {{"0", -1, six}}), "-1 stored numbers");
    corrupt("older: ends too early", torchLegacy(good, {{"0", 6, six.substr(1)}}), "1 bytes too early");
    corrupt("older: far too early", torchLegacy(oneTensor(0, {1}, {1}, 1LL << 60), {{"0", 1LL << 60, six}}),
            "too early");
    unsupported("older: big-endian", torchLegacy(good, {{"0", 6, six}}, false), "not little-endian");
    const auto magicEnd = torchLegacy("", {}).find('.') + 1;
    unsupported("older: another version", torchLegacy("", {}).substr(0, magicEnd) + PickleWriter().integer(1002).end(),
                "not 1001");
}

void TestTorchFile::badFiles() {
    QFETCH(std::string, bytes);
    QFETCH(Error::Kind, kind);
    QFETCH(QByteArray, said);
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    try {
        TorchFile::fromBytes(bytesOf(bytes), "memory");
        QFAIL("was opened");
    } catch (const Error& error) {
        QVERIFY2(QByteArray(error.what()).contains(said), error.what());
        QVERIFY2(error.kind() == kind, error.what());
        QCOMPARE(error.place(), std::string("memory"));
        QVERIFY2(!error.remedy().empty() && error.detail().size() < 300, error.what());
    }
    getrusage(RUSAGE_SELF, &after);
    QVERIFY2(after.ru_maxrss - before.ru_maxrss < 500'000 * slowness, "took more than 500 MB to find out");
}

void TestTorchFile::everyCutIsAnError_data() {
    QTest::addColumn<std::string>("bytes");
    const auto pickle = oneTensor(0, {2, 3}, {3, 1});
    QTest::newRow("zip") << torchZip(pickle, {{"0", six}});
    QTest::newRow("older") << torchLegacy(pickle, {{"0", 6, six}});
}

void TestTorchFile::everyCutIsAnError() {
    QFETCH(std::string, bytes);
    for (std::size_t length = 0; length < bytes.size(); ++length)
        QVERIFY_THROWS_EXCEPTION(Error, TorchFile::fromBytes(bytesOf(bytes.substr(0, length)), "memory"));
    // A byte changed is an error, or changes what is read, but nothing else.
    for (std::size_t position = 0; position < bytes.size(); ++position) {
        for (const char change : {'\x01', '\x80', '\xff'}) {
            auto changed = bytes;
            changed[position] = static_cast<char>(changed[position] ^ change);
            try {
                describe(TorchFile::fromBytes(bytesOf(changed), "memory"));
            } catch (const Error&) { // which is what most of them come to
            }
        }
    }
}

void TestTorchFile::savedByPyTorch_data() {
    QTest::addColumn<QString>("folder");
    QTest::newRow("zip") << "bert_bin";
    QTest::newRow("before the zip") << "bert_bin_legacy";
}

void TestTorchFile::savedByPyTorch() {
    QFETCH(QString, folder);
    const auto file = TorchFile::open(models / folder.toStdString() / "pytorch_model.bin");
    const auto twin = SafetensorsFile::open(models / "bert" / "model.safetensors");
    std::size_t compared = 0;
    for (const auto& tensor : file.tensors()) {
        const auto* other = twin.find(tensor.name);
        if (!other) // a tied copy
            continue;
        QCOMPARE(tensor.shape, other->shape);
        QCOMPARE(toFloats(tensor), toFloats(*other));
        ++compared;
    }
    QCOMPARE(compared, twin.tensors().size());
}

QTEST_GUILESS_MAIN(TestTorchFile)
#include "tst_torch_file.moc"
