// Safetensors: what is well-formed reads back number by number; what is not is refused, with the fault named.
#include "core/files/safetensors.h"
#include "core/files/whole_file.h"
#include "tests/support/compare.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

using namespace headlight;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

/// A file with this header and so many zero bytes of data.
QByteArray fileOf(const QByteArray& header, qsizetype dataBytes) {
    const auto length = static_cast<std::uint64_t>(header.size());
    QByteArray bytes(reinterpret_cast<const char*>(&length), sizeof length);
    return bytes + header + QByteArray(dataBytes, '\0');
}

std::vector<std::byte> toBytes(const QByteArray& array) {
    std::vector<std::byte> bytes(static_cast<std::size_t>(array.size()));
    std::transform(array.begin(), array.end(), bytes.begin(),
                   [](char letter) { return static_cast<std::byte>(letter); });
    return bytes;
}

template <class Element>
std::vector<float> floatsOf(DType dtype, const std::vector<Element>& elements) {
    return toFloats({"x", dtype, {static_cast<std::int64_t>(elements.size())}, std::as_bytes(std::span(elements))});
}

} // namespace

class TestSafetensors : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void goodHeaders_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("tensors");
        const auto row = [](const char* name, const char* header, qsizetype data, int tensors) {
            QTest::newRow(name) << fileOf(header, data) << tensors;
        };
        row("nothing in it", "{}", 0, 0);
        row("metadata alone", R"({"__metadata__":{"a":"b"}})", 0, 0);
        row("one tensor", R"({"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24, 1);
        row("scalar", R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4, 1);
        row("extent 0", R"({"a":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]}})", 0, 1);
        row("extent 0 beside others",
            R"({"z":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}})",
            1, 2);
        row("names against the order of bytes",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
            2, 2);
        row("padded with spaces", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}     ", 1, 1);
        row("not aligned",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}})",
            9, 2);
    }
    void goodHeaders() {
        QFETCH(QByteArray, bytes);
        QFETCH(int, tensors);
        const auto file = SafetensorsFile::fromBytes(toBytes(bytes), "memory");
        QCOMPARE(static_cast<int>(file.tensors().size()), tensors);
        for (const auto& tensor : file.tensors()) {
            QCOMPARE(file.find(tensor.name), &tensor);
            QCOMPARE(toFloats(tensor).size(), tensor.elementCount());
        }
        QVERIFY(!file.find("absent"));
    }

    void badFiles_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<Error::Kind>("kind");
        QTest::addColumn<QByteArray>("said"); // part of the message
        const auto corrupt = [](const char* name, const QByteArray& bytes, const char* said) {
            QTest::newRow(name) << bytes << Error::Kind::Corrupt << QByteArray(said);
        };
        const auto header = [&](const char* name, const char* text, qsizetype data, const char* said) {
            corrupt(name, fileOf(text, data), said);
        };
        corrupt("empty", {}, "0 bytes, too few");
        corrupt("cut within the length", "\x10\0\0", "too few");
        corrupt("header longer than the file", fileOf("{}", 0).replace(0, 1, "\x7f"), "claims 127 bytes");
        corrupt("header longer than any file", QByteArray(8, '\xff') + "{}", "the limit is");
        corrupt("Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
                "git lfs pull");
        header("no header at all", "", 0, "not JSON");
        header("not JSON", "{tensors}", 0, "not JSON");
        header("not UTF-8", "{\"\xff\":1}", 0, "not JSON in UTF-8");
        header("number beyond all numbers", R"({"a":1e999})", 0, "number that is too large");
        header("JSON, but a list", "[]", 0, "not a JSON object");
        header("JSON, but a number", "7", 0, "not a JSON object");
        header("nested without end", QByteArray(100'000, '[').constData(), 0, "nested more than");
        header(
            "same name twice",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
            1, "names \"a\" twice");
        header("same field twice", R"({"a":{"dtype":"U8","dtype":"F32","shape":[1],"data_offsets":[0,1]}})", 1,
               "names \"dtype\" twice");
        header("metadata not an object", R"({"__metadata__":1})", 0, "metadata is not");
        header("metadata not of strings", R"({"__metadata__":{"a":1}})", 0, "metadata 'a' is not a string");
        header("tensor not an object", R"({"a":1})", 0, "tensor 'a' is not");
        header("no dtype", R"({"a":{"shape":[1],"data_offsets":[0,1]}})", 1, "tensor 'a' has no dtype");
        header("no shape", R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", 1, "tensor 'a' has no shape");
        header("no offsets", R"({"a":{"dtype":"U8","shape":[1]}})", 1, "tensor 'a' has no data_offsets");
        header("dtype a number", R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1, "not a string");
        header("shape not a list", R"({"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}})", 1, "not a list");
        header("extent negative", R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1, "'-1'");
        header("extent broken", R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1, "'1.5'");
        header("extent a string", R"({"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", 1, "not a count");
        header("one offset", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1, "1 data_offsets");
        header("three offsets", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", 1, "3 data_offsets");
        header("offsets reversed", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", 1, "reversed");
        header("offset negative", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[-1,0]}})", 1, "'-1'");
        header("behind the end", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 1, "only 1 bytes of data");
        header("offset near 2^64",
               R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[18446744073709551614,18446744073709551615]}})", 1,
               "only 1 bytes of data");
        header("cut by a byte", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7, "only 7 bytes");
        header("shape larger than bytes", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
               "take 12 bytes");
        header("shape smaller than bytes", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 8,
               "take 4 bytes");
        header("product overflows to 0", R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})",
               0, "overflows");
        header("product with the element overflows",
               R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})", 0, "overflows");
        header("extent beyond signed numbers",
               R"({"a":{"dtype":"U8","shape":[0,9223372036854775808],"data_offsets":[0,0]}})", 0, "overflows");
        header(
            "overlap",
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
            3, "tensor 'b' begins at byte 1, inside of");
        header(
            "same bytes twice",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
            1, "inside of");
        header(
            "hole",
            R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
            3, "behind a hole from byte 1");
        header("hole in front", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2, "behind a hole");
        header("data behind the last tensor", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 2,
               "end at byte 1, but the file has 2");
        header("name with a line break", "{\"a\\nb\":1}", 0, "'a?b'");
        QTest::newRow("unknown type") << fileOf(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1)
                                      << Error::Kind::Unsupported << QByteArray("unknown type 'F8_E4M3'");
    }
    void badFiles() {
        QFETCH(QByteArray, bytes);
        QFETCH(Error::Kind, kind);
        QFETCH(QByteArray, said);
        QTemporaryDir folder;
        const auto path = std::filesystem::path(folder.path().toStdString()) / "bad.safetensors";
        const auto content = toBytes(bytes);
        writeFileAtomically(path, content);
        for (const bool mapped : {true, false}) {
            try {
                const auto file = mapped ? SafetensorsFile::open(path) : SafetensorsFile::fromBytes(content, "memory");
                QFAIL("was opened");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), kind);
                QCOMPARE(error.place(), mapped ? path.string() : std::string("memory"));
                QVERIFY2(std::string(error.what()).find(said.toStdString()) != std::string::npos, error.what());
                QVERIFY2(!error.remedy().empty() && error.detail().size() < 300, error.what());
            }
        }
    }

    void notAFile_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<Error::Kind>("kind");
        QTest::newRow("missing") << "absent.safetensors" << Error::Kind::NotFound;
        QTest::newRow("in a missing folder") << "absent/a.safetensors" << Error::Kind::NotFound;
        QTest::newRow("folder") << "." << Error::Kind::Unreadable;
        QTest::newRow("link to itself") << "loop" << Error::Kind::Unreadable;
    }
    void notAFile() {
        QFETCH(QString, name);
        QFETCH(Error::Kind, kind);
        QTemporaryDir folder;
        const std::filesystem::path root = folder.path().toStdString();
        std::filesystem::create_symlink("loop", root / "loop");
        const auto path = root / name.toStdString();
        try {
            SafetensorsFile::open(path);
            QFAIL("was opened");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), kind);
            QCOMPARE(error.place(), path.string());
        }
    }

    void convertsEveryType() {
        using Floats = std::vector<float>;
        QCOMPARE(floatsOf<double>(DType::F64, {1.5, -2, 1e300}), Floats({1.5F, -2, infinite}));
        QCOMPARE(floatsOf<float>(DType::F32, {0.1F, -infinite}), Floats({0.1F, -infinite}));
        QCOMPARE(floatsOf<std::uint16_t>(DType::F16, {0x3c00, 0xc000, 0x3555, 0x0001, 0x7bff, 0xfc00, 0x8000}),
                 Floats({1, -2, 0.333251953125F, 0x1p-24F, 65504, -infinite, 0}));
        QVERIFY(std::isnan(floatsOf<std::uint16_t>(DType::F16, {0x7e00}).front()));
        QCOMPARE(floatsOf<std::uint16_t>(DType::BF16, {0x3f80, 0xc000, 0x3eab, 0x7f80, 0x0001}),
                 Floats({1, -2, 0.333984375F, infinite, 0x1p-133F}));
        QCOMPARE(floatsOf<std::int64_t>(DType::I64, {-1, 1LL << 40}), Floats({-1, 0x1p40F}));
        QCOMPARE(floatsOf<std::int32_t>(DType::I32, {-7, 2147483647}), Floats({-7, 0x1p31F}));
        QCOMPARE(floatsOf<std::int16_t>(DType::I16, {-32768}), Floats({-32768}));
        QCOMPARE(floatsOf<std::int8_t>(DType::I8, {-128, 127}), Floats({-128, 127}));
        QCOMPARE(floatsOf<std::uint8_t>(DType::U8, {0, 255}), Floats({0, 255}));
        QCOMPARE(floatsOf<std::uint8_t>(DType::Bool, {0, 1, 255}), Floats({0, 1, 1}));
    }

    void roundsToHalf_data() {
        QTest::addColumn<float>("value");
        QTest::addColumn<quint16>("half");
        const auto row = [](const char* name, float value, int half) {
            QTest::newRow(name) << value << static_cast<quint16>(half);
        };
        row("one", 1, 0x3c00);
        row("minus two", -2, 0xc000);
        row("minus zero", -0.0F, 0x8000);
        row("a third", 1.0F / 3, 0x3555);
        row("tie goes down to even", 1 + 0x1p-11F, 0x3c00);
        row("tie goes up to even", 1 + 3 * 0x1p-11F, 0x3c02);
        row("just above the tie", 1 + 0x1p-11F + 0x1p-23F, 0x3c01);
        row("carries into the exponent", 2 - 0x1p-12F, 0x4000);
        row("largest", 65504, 0x7bff);
        row("last that rounds to the largest", std::nextafter(65520.0F, 0.0F), 0x7bff);
        row("tie at the top is infinite", 65520, 0x7c00);
        row("far too large", -1e30F, 0xfc00);
        row("infinite", infinite, 0x7c00);
        row("smallest normal", 0x1p-14F, 0x0400);
        row("largest subnormal", 0x1p-14F - 0x1p-24F, 0x03ff);
        row("rounds up to normal", 0x1p-14F - 0x1p-26F, 0x0400);
        row("smallest subnormal", 0x1p-24F, 0x0001);
        row("subnormal tie to even", 3 * 0x1p-25F, 0x0002);
        row("tie with zero", 0x1p-25F, 0x0000);
        row("above the tie with zero", std::nextafter(0x1p-25F, 1.0F), 0x0001);
        row("float subnormal", -1e-40F, 0x8000);
    }
    void roundsToHalf() {
        QFETCH(float, value);
        QFETCH(quint16, half);
        QCOMPARE(toHalf(value), half);
    }

    void everyHalfComesBack() {
        for (std::uint32_t half = 0; half < 0x10000; ++half) {
            const float value = fromHalf(static_cast<std::uint16_t>(half));
            if (std::isnan(value))
                QVERIFY(std::isnan(fromHalf(toHalf(value))));
            else
                QCOMPARE(std::uint32_t(toHalf(value)), half);
        }
    }

    void roundTrip() {
        QTemporaryDir folder;
        const auto path = std::filesystem::path(folder.path().toStdString()) / "t.safetensors";
        const std::vector<float> floats{1, -2, 3, 0.5F, infinite, 0};
        const std::vector<std::uint16_t> halves{0x3c00, 0x3800, 0xc000};
        const std::vector<std::int64_t> numbers{7, -7};
        const std::vector<std::uint8_t> flags{1};
        const std::vector<TensorView> tensors{
            {"flags", DType::Bool, {1}, std::as_bytes(std::span(flags))},
            {"w.é \"quoted\"", DType::F32, {2, 3}, std::as_bytes(std::span(floats))},
            {"half", DType::F16, {3, 1}, std::as_bytes(std::span(halves))},
            {"ids", DType::I64, {2}, std::as_bytes(std::span(numbers))},
            {"none", DType::F32, {0, 4}, {}},
        };
        writeFileAtomically(path, serializeSafetensors(tensors, {{"made by", "a test"}, {"broken", "\xff"}}));
        const auto file = SafetensorsFile::open(path);
        QCOMPARE(file.metadata().at("made by"), std::string("a test"));
        QCOMPARE(file.metadata().at("broken"), std::string("\xef\xbf\xbd"));
        QCOMPARE(file.tensors().size(), tensors.size());
        for (const auto& tensor : tensors) {
            const auto* read = file.find(tensor.name);
            QVERIFY2(read, tensor.name.c_str());
            QCOMPARE(read->dtype, tensor.dtype);
            QCOMPARE(read->shape, tensor.shape);
            const auto difference = compareClose(toFloats(*read), toFloats(tensor), 0);
            QVERIFY2(difference.empty(), difference.c_str());
            const auto address = std::bit_cast<std::uintptr_t>(read->bytes.data());
            QCOMPARE(address % elementSize(read->dtype), std::size_t(0));
        }
    }

    void tensorsOutliveTheFile() {
        QTemporaryDir folder;
        const auto path = std::filesystem::path(folder.path().toStdString()) / "t.safetensors";
        const std::vector<float> floats{1, 2};
        const TensorView tensor{"a", DType::F32, {2}, std::as_bytes(std::span(floats))};
        writeFileAtomically(path, serializeSafetensors({&tensor, 1}));
        auto first = SafetensorsFile::open(path);
        const auto second = first;
        first = SafetensorsFile::fromBytes(serializeSafetensors({}), "other");
        std::filesystem::remove(path);
        QCOMPARE(toFloats(*second.find("a")), floats);
    }

    void tensorsOfAFileThatIsCutMeanwhile() {
        QTemporaryDir folder;
        const auto path = std::filesystem::path(folder.path().toStdString()) / "t.safetensors";
        const std::vector<float> floats(100'000, 1.0F);
        const TensorView tensor{"a", DType::F32, {100'000}, std::as_bytes(std::span(floats))};
        writeFileAtomically(path, serializeSafetensors({&tensor, 1}));
        const auto file = SafetensorsFile::open(path);
        std::filesystem::resize_file(path, 5000);
        QVERIFY_THROWS_EXCEPTION(Error, toFloats(*file.find("a")));
    }
};

QTEST_GUILESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
