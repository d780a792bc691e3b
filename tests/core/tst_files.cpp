// Files come in and go out whole or not at all, on a disk that is full, bad, slow or interrupted too; and JSON that
// would take the memory or the stack is refused before it does.
#include "core/error.h"
#include "core/files/json.h"
#include "core/files/system_calls.h"
#include "core/files/whole_file.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>

using namespace headlight;
using Kind = Error::Kind;

namespace {

/// A folder that goes with everything in it.
class Folder {
public:
    std::filesystem::path path() const { return m_folder.path().toStdString(); }
    std::filesystem::path operator/(const char* name) const { return path() / name; }
    QStringList names() const {
        return QDir(m_folder.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot);
    }

private:
    QTemporaryDir m_folder;
};

/// What a test puts in place of the system's calls is gone with it.
class Faults {
public:
    Faults() : m_before(systemCalls()) {}
    ~Faults() { systemCalls() = m_before; }
    Faults(const Faults&) = delete;
    Faults& operator=(const Faults&) = delete;

    const SystemCalls& before() const { return m_before; }

private:
    SystemCalls m_before;
};

int failWith(int number) {
    errno = number;
    return -1;
}

std::string contentOf(const std::filesystem::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const std::filesystem::path& path, const std::string& text) {
    writeFileAtomically(path, std::as_bytes(std::span(text)));
}

/// What the Error says that the work ends in; empty when it ends well.
template <class Work>
QString errorOf(const Work& work) {
    try {
        work();
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    }
    return {};
}

std::size_t mapped(const std::filesystem::path& path) {
    return mapWholeFile(path).bytes.size();
}

/// A file system of so many kilobytes; empty where this user may make none.
class SmallDisk {
public:
    explicit SmallDisk(int kilobytes) {
        const auto options = "size=" + std::to_string(kilobytes) + "k";
        m_mounted = ::mount("tmpfs", m_folder.path().c_str(), "tmpfs", 0, options.c_str()) == 0;
        if (!m_mounted) { // as if it were full
            systemCalls().write = [this, room = kilobytes * 1024](int descriptor, const void* bytes,
                                                                  std::size_t count) mutable -> ssize_t {
                if (room == 0)
                    return failWith(ENOSPC);
                const auto part = std::min(count, static_cast<std::size_t>(room));
                room -= static_cast<int>(part);
                return m_faults.before().write(descriptor, bytes, part);
            };
        }
    }
    ~SmallDisk() {
        if (m_mounted)
            ::umount2(m_folder.path().c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    const Folder& folder() const { return m_folder; }

private:
    Folder m_folder;
    Faults m_faults;
    bool m_mounted = false;
};

} // namespace

class TestFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void readsWholeFiles() {
        const Folder folder;
        const std::string text(1'000'000, 'x');
        write(folder / "a", text);
        QCOMPARE(readWholeFile(folder / "a", text.size()), text);
        QCOMPARE(mapped(folder / "a"), text.size());
        write(folder / "empty", "");
        QCOMPARE(readWholeFile(folder / "empty", 0), std::string());
        QCOMPARE(mapped(folder / "empty"), std::size_t(0));
        QVERIFY(!readWholeFile("/proc/self/status", 1 << 16).empty()); // which says that it has 0 bytes
    }

    void refusesWhatIsNoFile_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("said");
        QTest::newRow("missing") << "absent"
                                 << "there is no such file";
        QTest::newRow("in a missing folder") << "absent/a"
                                             << "there is no such file";
        QTest::newRow("folder") << "."
                                << "a folder, not a file";
        QTest::newRow("link to itself") << "loop"
                                        << "cannot be read: Too many levels";
        QTest::newRow("named pipe") << "pipe"
                                    << "not a regular file";
        QTest::newRow("device without end") << "zero"
                                            << "not a regular file";
    }
    void refusesWhatIsNoFile() {
        QFETCH(QString, name);
        QFETCH(QString, said);
        const Folder folder;
        std::filesystem::create_symlink("loop", folder / "loop");
        std::filesystem::create_symlink("/dev/zero", folder / "zero");
        QCOMPARE(::mkfifo((folder / "pipe").c_str(), 0600), 0);
        const auto path = folder.path() / name.toStdString();
        for (const auto& work : {std::function<void()>([&] { readWholeFile(path, 9); }), {[&] { mapped(path); }}}) {
            const auto error = errorOf(work);
            QVERIFY2(error.startsWith(QString::fromStdString(path.string())), qUtf8Printable(error));
            QVERIFY2(error.contains(said), qUtf8Printable(error));
        }
    }

    void refusesWhatIsTooLarge() {
        const Folder folder;
        write(folder / "a", "four");
        QVERIFY(errorOf([&] { readWholeFile(folder / "a", 3); }).contains("has 4 bytes; at most 3"));
        QVERIFY(errorOf([] { readWholeFile("/proc/self/status", 3); }).contains("at most 3"));
    }

    void readsThroughFaults_data() {
        using Read = std::function<ssize_t(const SystemCalls&, int, void*, std::size_t, int)>; // the last: the how many
        QTest::addColumn<Read>("read");
        QTest::addColumn<QString>("said"); // empty: all is well
        const auto row = [](const char* name, const char* said, const Read& read) {
            QTest::newRow(name) << read << said;
        };
        row("a byte at a time", "", [](const SystemCalls& calls, int descriptor, void* bytes, std::size_t, int) {
            return calls.read(descriptor, bytes, 1);
        });
        row("a signal each time", "",
            [](const SystemCalls& calls, int descriptor, void* bytes, std::size_t count, int time) {
                return time % 2 == 0 ? failWith(EINTR) : calls.read(descriptor, bytes, count);
            });
        row("bad sector", "Input/output error",
            [](const SystemCalls&, int, void*, std::size_t, int) -> ssize_t { return failWith(EIO); });
        row("bad sector later", "Input/output error",
            [](const SystemCalls& calls, int descriptor, void* bytes, std::size_t, int time) {
                return time < 3 ? calls.read(descriptor, bytes, 1) : failWith(EIO);
            });
        row("no memory", "Cannot allocate memory",
            [](const SystemCalls&, int, void*, std::size_t, int) -> ssize_t { return failWith(ENOMEM); });
        row("cut off meanwhile", "has 3 bytes and not the 100",
            [](const SystemCalls& calls, int descriptor, void* bytes, std::size_t, int time) {
                return time < 3 ? calls.read(descriptor, bytes, 1) : 0;
            });
    }
    void readsThroughFaults() {
        using Read = std::function<ssize_t(const SystemCalls&, int, void*, std::size_t, int)>;
        QFETCH(Read, read);
        QFETCH(QString, said);
        const Folder folder;
        const std::string text(100, 'x');
        write(folder / "a", text);
        const Faults faults;
        int time = 0;
        systemCalls().read = [&](int descriptor, void* bytes, std::size_t count) {
            return read(faults.before(), descriptor, bytes, count, time++);
        };
        std::string found;
        const auto error = errorOf([&] { found = readWholeFile(folder / "a", 100); });
        QVERIFY2(said.isEmpty() ? error.isEmpty() : error.contains(said), qUtf8Printable(error));
        QCOMPARE(found, said.isEmpty() ? text : std::string());
    }

    void noMemoryForAMap() {
        const Folder folder;
        write(folder / "a", "four");
        const Faults faults;
        systemCalls().map = [](std::size_t, int) {
            errno = ENOMEM;
            return MAP_FAILED;
        };
        QVERIFY(errorOf([&] { mapped(folder / "a"); }).contains("Cannot allocate memory"));
    }

    void aMapOfWhatIsCutMeanwhile() {
        const Folder folder;
        const std::string text(100'000, 'x');
        write(folder / "cut", text);
        write(folder / "whole", text);
        for (int time = 0; time < 3; ++time) { // the same place in memory may come again
            std::filesystem::resize_file(folder / "cut", text.size());
            const auto cut = mapWholeFile(folder / "cut"), whole = mapWholeFile(folder / "whole");
            letGo(whole.bytes.subspan(1)); // which is read again where it is looked at
            std::filesystem::resize_file(folder / "cut", 10);
            QCOMPARE(static_cast<char>(cut.bytes.back()), '\0');
            QCOMPARE(static_cast<char>(whole.bytes.back()), 'x');
            const auto error = errorOf([&] { requireRead(cut.bytes.last(1)); });
            QVERIFY2(error.startsWith(QString::fromStdString((folder / "cut").string())), qUtf8Printable(error));
            QVERIFY2(error.contains("changed or could not be read"), qUtf8Printable(error));
            requireRead(whole.bytes);
            requireRead(std::as_bytes(std::span(text)));
        }
    }

    void anothersBrokenMapStillEndsTheProgram() {
        const Folder folder;
        write(folder / "a", "four");
        QCOMPARE(mapped(folder / "a"), std::size_t(4)); // so that signals are watched
        const pid_t child = ::fork();
        if (child == 0) {
            const int descriptor = ::open((folder / "a").c_str(), O_RDONLY);
            const auto* bytes = static_cast<volatile char*>(systemCalls().map(100'000, descriptor));
            ::_exit(bytes[99'999]);
        }
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QVERIFY(status != 0);
    }

    void writingReplacesOrLeaves() {
        const Folder folder;
        write(folder / "a", "old");
        write(folder / "a", "new");
        QCOMPARE(contentOf(folder / "a"), std::string("new"));
        write(folder / "empty", "");
        QCOMPARE(contentOf(folder / "empty"), std::string());

        std::filesystem::create_directory(folder / "folder");
        const std::string newer = "newer";
        const auto bytes = std::as_bytes(std::span(newer));
        const FileToWrite files[]{{folder / "a", bytes}, {folder / "folder", bytes}};
        const auto error = errorOf([&] { writeFilesAtomically(files); });
        QVERIFY2(error.startsWith(QString::fromStdString((folder / "folder").string())), qUtf8Printable(error));
        QCOMPARE(contentOf(folder / "a"), std::string("new"));
        QVERIFY(errorOf([&] { write(folder / "absent/a", "x"); }).contains("No such file"));
        QVERIFY(errorOf([&] { write("/dev/full/a", "x"); }).contains("Not a directory"));
        QCOMPARE(folder.names(), QStringList({"a", "empty", "folder"}));
    }

    void faultsLeaveTheOldFile_data() {
        QTest::addColumn<QByteArray>("call");
        QTest::addColumn<int>("number");
        QTest::addColumn<QString>("said");
        QTest::newRow("no room for a file") << QByteArray("open") << ENOSPC << "No space left";
        QTest::newRow("no file may be made") << QByteArray("open") << EACCES << "Permission denied";
        QTest::newRow("no room for its bytes") << QByteArray("write") << ENOSPC << "No space left";
        QTest::newRow("no memory for its bytes") << QByteArray("write") << ENOMEM << "Cannot allocate memory";
        QTest::newRow("no room for the last byte") << QByteArray("last write") << ENOSPC << "No space left";
        QTest::newRow("the disk fails at the flush") << QByteArray("sync") << EIO << "Input/output error";
        QTest::newRow("no room at the flush") << QByteArray("sync") << ENOSPC << "No space left";
        QTest::newRow("no room at the close") << QByteArray("close") << EDQUOT << "Disk quota exceeded";
        QTest::newRow("it cannot be put in place") << QByteArray("rename") << EIO << "Input/output error";
    }
    void faultsLeaveTheOldFile() {
        QFETCH(QByteArray, call);
        QFETCH(int, number);
        QFETCH(QString, said);
        const Folder folder;
        write(folder / "a", "old");
        write(folder / "b", "old");
        const std::string text = "newer";
        const auto bytes = std::as_bytes(std::span(text));
        const FileToWrite files[]{{folder / "a", bytes}, {folder / "b", bytes}};
        QString error;
        {
            const Faults faults;
            auto& calls = systemCalls();
            if (call == "open")
                calls.open = [=](const char*, int, mode_t) { return failWith(number); };
            if (call == "write")
                calls.write = [=](int, const void*, std::size_t) -> ssize_t { return failWith(number); };
            if (call == "last write")
                calls.write = [&, left = 9](int descriptor, const void* at, std::size_t) mutable -> ssize_t {
                    return left-- > 0 ? faults.before().write(descriptor, at, 1) : failWith(number);
                };
            if (call == "sync")
                calls.sync = [=](int) { return failWith(number); };
            if (call == "close")
                calls.close = [&](int descriptor) {
                    faults.before().close(descriptor);
                    return failWith(number);
                };
            if (call == "rename")
                calls.rename = [=](const char*, const char*) { return failWith(number); };
            error = errorOf([&] { writeFilesAtomically(files); });
        }
        QVERIFY2(error.contains("cannot be written: " + said), qUtf8Printable(error));
        QCOMPARE(contentOf(folder / "a"), std::string("old"));
        QCOMPARE(contentOf(folder / "b"), std::string("old"));
        QCOMPARE(folder.names(), QStringList({"a", "b"}));
    }

    void writesThroughSignalsByteByByte() {
        const Folder folder;
        const Faults faults;
        int time = 0;
        systemCalls().write = [&](int descriptor, const void* bytes, std::size_t) {
            return time++ % 2 == 0 ? failWith(EINTR) : faults.before().write(descriptor, bytes, 1);
        };
        write(folder / "a", "seven bytes");
        QCOMPARE(contentOf(folder / "a"), std::string("seven bytes"));
    }

    void fullDiskLeavesTheOldFile() {
        const SmallDisk disk(64);
        const auto path = disk.folder() / "a";
        write(path, "old");
        const auto error = errorOf([&] { write(path, std::string(100'000, 'x')); });
        QVERIFY2(error.contains("No space left"), qUtf8Printable(error));
        QCOMPARE(contentOf(path), std::string("old"));
        QCOMPARE(disk.folder().names(), QStringList("a"));
    }

    void removesWhatKilledRunsLeft() {
        const Folder folder;
        const pid_t child = ::fork();
        if (child == 0) {
            systemCalls().sync = [](int) { return std::raise(SIGKILL); };
            write(folder / "a", "half");
            ::_exit(0);
        }
        int status = 0;
        QCOMPARE(::waitpid(child, &status, 0), child);
        QVERIFY(WIFSIGNALED(status));
        QCOMPARE(folder.names().size(), 1);                                         // or nothing would be shown here
        const auto kept = {".headlight-" + std::to_string(::getppid()) + "-1.part", // that process runs
                           std::string(".headlight-x-1.part"), std::string(".headlight-" + std::to_string(child)),
                           std::to_string(child) + "-1.part"};
        for (const auto& name : kept)
            std::ofstream(folder.path() / name) << "another's";
        write(folder / "a", "whole");
        QCOMPARE(contentOf(folder / "a"), std::string("whole"));
        const auto names = folder.names();
        QCOMPARE(names.size(), static_cast<qsizetype>(kept.size() + 1));
        for (const auto& name : kept)
            QVERIFY2(names.contains(QString::fromStdString(name)), name.c_str());
    }

    void linksStayLinks() {
        const Folder folder;
        std::filesystem::create_directory(folder / "other");
        write(folder / "other/a", "old");
        std::filesystem::create_symlink("other/a", folder / "first");
        std::filesystem::create_symlink(folder / "first", folder / "second");
        std::filesystem::create_symlink("other/b", folder / "to nothing");
        write(folder / "second", "new");
        write(folder / "to nothing", "made");
        QCOMPARE(contentOf(folder / "other/a"), std::string("new"));
        QCOMPARE(contentOf(folder / "other/b"), std::string("made"));
        for (const char* link : {"first", "second", "to nothing"})
            QVERIFY2(std::filesystem::is_symlink(folder / link), link);
        std::filesystem::create_symlink("loop", folder / "loop");
        QVERIFY(errorOf([&] { write(folder / "loop", "x"); }).contains("Too many levels"));
    }

    void keepsWhoMayReadAFile() {
        const Folder folder;
        write(folder / "a", "old");
        std::filesystem::permissions(folder / "a", std::filesystem::perms(0640));
        write(folder / "a", "new");
        QCOMPARE(static_cast<int>(std::filesystem::status(folder / "a").permissions()), 0640);
    }

    void devicesAreWrittenTo() {
        const Folder folder;
        std::filesystem::create_symlink("/dev/full", folder / "full");
        QVERIFY(errorOf([&] { write(folder / "full", "x"); }).contains("No space left"));
        QVERIFY(std::filesystem::is_character_file("/dev/full"));
        write("/dev/null", "x");
        QVERIFY(std::filesystem::is_character_file("/dev/null"));
    }

    void pipesAreWrittenTo() {
        const Folder folder;
        const auto pipe = folder / "pipe";
        QCOMPARE(::mkfifo(pipe.c_str(), 0600), 0);
        QVERIFY(errorOf([&] { write(pipe, "x"); }).contains("cannot be written")); // nobody reads it
        const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
        const std::string text(1'000'000, 'x'); // more than a pipe holds at once
        auto writing = std::async(std::launch::async, [&] { return errorOf([&] { write(pipe, text); }); });
        std::string found;
        const auto read = [&] {
            std::array<char, 4096> some{};
            for (ssize_t count = 0; (count = ::read(reader, some.data(), some.size())) > 0;)
                found.append(some.data(), static_cast<std::size_t>(count));
            return found.size();
        };
        QTRY_COMPARE(read(), text.size());
        QCOMPARE(writing.get(), QString());
        QCOMPARE(found, text);
        QVERIFY(std::filesystem::is_fifo(pipe));

        const Faults faults;
        systemCalls().write = [&](int descriptor, const void* bytes, std::size_t count) {
            ::close(reader); // which leaves just before
            return faults.before().write(descriptor, bytes, count);
        };
        QVERIFY(errorOf([&] { write(pipe, "x"); }).contains("Broken pipe"));
    }

    void jsonWithinTheLimits() {
        const auto read = parseJson(R"({"a":[1,-2,2.5,true,null,{"b":"c"}],"a ":{},"d":18446744073709551615})", "file");
        QCOMPARE(read.dump(), std::string(R"({"a":[1,-2,2.5,true,null,{"b":"c"}],"a ":{},"d":18446744073709551615})"));
        QCOMPARE(parseJson(R"({"a":[1],"a":2})", "file").dump(), std::string(R"({"a":2})"));
        QCOMPARE(parseJson("7", "file").dump(), std::string("7"));
        QCOMPARE(parseJson(std::string(32, '[') + std::string(32, ']'), "file").size(), std::size_t(1));
    }

    void jsonBeyondTheLimits_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("said");
        QTest::newRow("empty") << QByteArray() << "is not JSON in UTF-8, from its byte 1";
        QTest::newRow("cut off") << QByteArray(R"({"a":)") << "from its byte 6";
        QTest::newRow("two documents") << QByteArray("{}{}") << "from its byte 3";
        QTest::newRow("not UTF-8") << QByteArray("{\"\xff\":1}") << "from its byte 3";
        QTest::newRow("number beyond all numbers") << QByteArray("[1e999]") << "number that is too large";
        QTest::newRow("a level too deep") << QByteArray(33, '[') + QByteArray(33, ']') << "nested more than 32 deep";
        QTest::newRow("lists without end") << QByteArray(10'000'000, '[') << "nested more than 32 deep";
        QTest::newRow("objects without end") << QByteArray(R"({"a":)").repeated(1'000'000) << "nested more than 32";
        QTest::newRow("values without end")
            << '[' + QByteArray("[],").repeated(5'000'000) << "more than 4194304 values";
    }
    void jsonBeyondTheLimits() {
        QFETCH(QByteArray, text);
        QFETCH(QString, said);
        const auto error = errorOf([&] {
            parseJson({text.constData(), static_cast<std::size_t>(text.size())}, "file");
        });
        QVERIFY2(error.startsWith("file: ") && error.contains(said), qUtf8Printable(error));
        QVERIFY2(error.contains("fetch or export it again"), qUtf8Printable(error));
    }

    void jsonByOtherRules() {
        const JsonRules strict{
            .deepest = 2, .mostValues = 4, .differentNames = true, .subject = "the header ", .remedy = "try again"};
        const auto said = [&](const char* text) { return errorOf([&] { parseJson(text, "file", strict); }); };
        QCOMPARE(said(R"({"a":[1,2]})"), QString());
        QCOMPARE(said(R"({"a":[1,2,3]})"), QString("file: the header has more than 4 values (try again)"));
        QCOMPARE(said("[[[]]]"), QString("file: the header is nested more than 2 deep (try again)"));
        QCOMPARE(said(R"({"a":1,"b":1,"a":1})"), QString("file: the header names \"a\" twice (try again)"));
    }

    void partsSayWhereTheyStand() {
        const Folder folder;
        write(folder / "a.json", R"({"list":[{"id":-1,"text":[[]],"huge":18446744073709551615}],"none":null})");
        const auto part = readJsonFile(folder / "a.json", 100).at("list").element(0); // the document lives on in it
        const auto place = QString::fromStdString((folder / "a.json").string());
        QCOMPARE(part.at("id").integer(-1, 1), std::int64_t(-1));
        const auto said = [&](const std::function<void()>& work) { return errorOf(work).section(" (", 0, 0); };
        QCOMPARE(said([&] { part.at("id").integer(0, 9); }),
                 place + ": \"list[0].id\": -1 where a whole number from 0 to 9 must stand");
        QCOMPARE(said([&] { part.at("huge").integer(-1, 9); }),
                 place + ": \"list[0].huge\": 18446744073709551615 where a whole number from -1 to 9 must stand");
        QCOMPARE(said([&] { part.at("text").text(); }), place + ": \"list[0].text\": a list where a text must stand");
        QCOMPARE(said([&] { part.at("absent"); }), place + ": \"list[0]\": has no \"absent\"");
        write(folder / "a.json", "[]");
        QCOMPARE(said([&] { readJsonFile(folder / "a.json", 9); }), place + ": is not a JSON object");
    }
};

QTEST_GUILESS_MAIN(TestFiles)
#include "tst_files.moc"
