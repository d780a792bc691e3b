// Folders as users choose them and as the HuggingFace hub keeps them: links, revisions, and caches that are damaged.
#include "core/files/hub.h"
#include "core/files/hub_cache.h"
#include "core/files/system_calls.h"
#include "tests/support/tiny_models.h"

#include <QTest>

#include <cerrno>
#include <chrono>
#include <functional>
#include <map>
#include <new>

using namespace headlight;

namespace {

namespace fs = std::filesystem;

/// A cache with one model as huggingface_hub lays it out.
class Cache {
public:
    fs::path path() const { return m_folder.path().toStdString(); }
    fs::path repository(const char* name = "models--org--tiny") const { return path() / name; }

    /// A snapshot whose files are links to blobs.
    fs::path snapshot(const fs::path& repository, const std::string& revision) const {
        const auto folder = repository / "snapshots" / revision;
        fs::create_directories(folder);
        fs::create_directories(repository / "blobs");
        write(repository / "blobs" / ("config-" + revision), R"({"model_type": "bert"})");
        write(repository / "blobs" / ("weights-" + revision), QByteArray(100, 'x'));
        fs::create_symlink("../../blobs/config-" + revision, folder / "config.json");
        fs::create_symlink("../../blobs/weights-" + revision, folder / "model.safetensors");
        return folder;
    }
    void main(const fs::path& repository, const QByteArray& revision) const {
        fs::create_directories(repository / "refs");
        write(repository / "refs" / "main", revision);
    }

private:
    QTemporaryDir m_folder;
};

QString saidBy(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return QString::fromUtf8(error.what());
    }
    return QStringLiteral("nothing was said");
}

} // namespace

class TestHub : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void findsTheFolder();
    void followsMainElseTheNewest();
    void wrongChoices_data();
    void wrongChoices();
    void namesModels();
    void listsTheCache();
    void badSectorsLeaveTheOthers();
    void linksInCirclesEnd();
    void findsTheCache();
    void namesWholeModels();
    void listsWhatTakesRoom();
    void removesWhatNothingElseNeeds();
    void keepsWhatIsBeingFetched();
};

void TestHub::findsTheFolder() {
    const Cache cache;
    const auto snapshot = cache.snapshot(cache.repository(), "abc");
    cache.main(cache.repository(), "abc");
    const fs::path slash = cache.repository().string() + "/";
    for (const auto& chosen :
         {cache.repository(), slash, cache.repository() / "snapshots", snapshot, snapshot / "config.json",
          snapshot / "model.safetensors", snapshot / "..", snapshot / "."})
        QCOMPARE(modelFolder(chosen).string(), snapshot.string());

    // Nothing but a tokenizer is a folder too; whoever opens it as a model is told what is missing.
    const Folder empty;
    QCOMPARE(modelFolder(empty.path()), empty.path());

    // A path may be relative, and a link may lead there.
    const auto before = fs::current_path();
    fs::current_path(snapshot);
    const auto relative = modelFolder("config.json");
    const auto dot = modelFolder(".");
    fs::current_path(before);
    QVERIFY(fs::equivalent(relative, snapshot) && fs::equivalent(dot, snapshot));
    fs::create_directory_symlink(cache.repository(), cache.path() / "link");
    QVERIFY(fs::equivalent(modelFolder(cache.path() / "link"), snapshot));
}

void TestHub::followsMainElseTheNewest() {
    const Cache cache;
    const auto repository = cache.repository();
    const auto old = cache.snapshot(repository, "old");
    const auto young = cache.snapshot(repository, "young");
    fs::create_directories(repository / "snapshots" / "youngest, but empty");
    fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(2));
    fs::last_write_time(young, fs::file_time_type::clock::now() - std::chrono::hours(1));
    QCOMPARE(modelFolder(repository), young); // no refs at all
    cache.main(repository, "old\n");
    QCOMPARE(modelFolder(repository), old);
    for (const auto* revision : {"gone", "", "..", "../snapshots/old", "youngest, but empty"}) {
        cache.main(repository, revision);
        QVERIFY2(modelFolder(repository) == young, revision);
    }
    cache.main(repository, QByteArray(100'000, 'a'));
    QCOMPARE(modelFolder(repository), young);
}

void TestHub::wrongChoices_data() {
    QTest::addColumn<QString>("chosen");
    QTest::addColumn<QString>("said");
    QTest::newRow("nothing") << "absent"
                             << "no such file or folder";
    QTest::newRow("below a file") << "rubbish.txt/config.json"
                                  << "no such file or folder";
    QTest::newRow("rubbish") << "rubbish.txt"
                             << "no config.json beside it";
    QTest::newRow("a cache") << "."
                             << "cache with 1 model";
    QTest::newRow("not downloaded") << "models--org--tiny"
                                    << "no snapshot of this model has a config.json";
    QTest::newRow("link to itself") << "loop"
                                    << "loop";
}

void TestHub::wrongChoices() {
    QFETCH(QString, chosen);
    QFETCH(QString, said);
    const Cache cache;
    fs::create_directories(cache.repository() / "snapshots" / "abc");
    write(cache.path() / "rubbish.txt", "rubbish");
    fs::create_symlink("loop", cache.path() / "loop");
    const auto message = saidBy([&] { modelFolder(cache.path() / chosen.toStdString()); });
    QVERIFY2(message.contains(said), qPrintable(message));
}

void TestHub::namesModels() {
    QCOMPARE(modelName("/cache/models--org--tiny/snapshots/abc"), std::string("org/tiny"));
    QCOMPARE(modelName("/cache/models--gpt2/snapshots/abc"), std::string("gpt2"));
    QCOMPARE(modelName("/models/en-fr-additive"), std::string("en-fr-additive"));
    QCOMPARE(modelName("/models/snapshots/abc"), std::string("abc"));
}

void TestHub::listsTheCache() {
    const Cache cache;
    const auto tiny = cache.repository();
    cache.snapshot(tiny, "abc");
    cache.snapshot(tiny, "def");
    cache.main(tiny, "abc");
    const auto first = cache.repository("models--a");
    cache.snapshot(first, "1");
    // Not one of these is a model that can be opened.
    cache.snapshot(cache.repository("datasets--org--data"), "1");
    fs::create_directories(cache.repository("models--org--empty"));
    fs::create_directories(cache.repository("models--org--partial") / "snapshots" / "1");
    const auto broken = cache.snapshot(cache.repository("models--org--broken"), "1");
    write(broken / "config.json", "{");
    fs::create_symlink("models--org--loop", cache.repository("models--org--loop"));
    write(cache.path() / "models--org--file", "x");
    const auto locked = cache.snapshot(cache.repository("models--org--locked"), "1");
    fs::permissions(cache.repository("models--org--locked"), fs::perms::none);

    auto models = hubModels(cache.path());
    fs::permissions(cache.repository("models--org--locked"), fs::perms::owner_all);
    std::erase_if(models, [](const HubModel& model) { return model.name == "org/locked"; }); // root reads everything
    QCOMPARE(models.size(), std::size_t(2));
    QCOMPARE(models[0].name, std::string("a"));
    QCOMPARE(models[1].name, std::string("org/tiny"));
    QCOMPARE(models[1].folder, tiny / "snapshots" / "abc");
    QCOMPARE(models[1].modelType, std::string("bert"));
    QCOMPARE(models[1].bytes, std::uintmax_t(2 * (100 + 22)));
    QVERIFY(hubModels(cache.path() / "absent").empty());
    QVERIFY(hubModels(cache.path() / "models--org--file").empty());
}

void TestHub::badSectorsLeaveTheOthers() {
    const Cache cache;
    for (const char* name : {"models--a--bad", "models--b--good", "models--c--huge"})
        cache.snapshot(cache.repository(name), "one");
    const auto before = systemCalls();
    std::map<int, std::string> names;
    systemCalls().open = [&](const char* path, int flags, mode_t mode) {
        const int descriptor = before.open(path, flags, mode);
        names[descriptor] = path;
        return descriptor;
    };
    systemCalls().read = [&](int descriptor, void* bytes, std::size_t count) -> ssize_t {
        if (names[descriptor].find("--huge") != std::string::npos)
            throw std::bad_alloc();
        if (names[descriptor].find("--bad") == std::string::npos)
            return before.read(descriptor, bytes, count);
        errno = EIO;
        return -1;
    };
    const auto models = hubModels(cache.path());
    systemCalls() = before;
    QCOMPARE(models.size(), std::size_t(1));
    QCOMPARE(models[0].name, std::string("b/good"));
}

void TestHub::linksInCirclesEnd() {
    const Cache cache;
    const auto repository = cache.repository();
    fs::create_directories(repository);
    fs::create_directory_symlink(".", repository / "snapshots");
    fs::create_directory_symlink("..", repository / "back");
    fs::create_directory_symlink("refs", repository / "refs");
    QVERIFY(hubModels(cache.path()).empty());
    QVERIFY(saidBy([&] { modelFolder(repository); }).contains("no snapshot"));
}

void TestHub::findsTheCache() {
    for (const auto* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"})
        qunsetenv(name);
    qputenv("HOME", "/home/of-nobody");
    QCOMPARE(hubCache().string(), std::string("/home/of-nobody/.cache/huggingface/hub"));
    qputenv("XDG_CACHE_HOME", "/caches");
    QCOMPARE(hubCache().string(), std::string("/caches/huggingface/hub"));
    qputenv("HF_HOME", "~/hf");
    QCOMPARE(hubCache().string(), std::string("/home/of-nobody/hf/hub"));
    qputenv("HF_HUB_CACHE", "/hub");
    QCOMPARE(hubCache().string(), std::string("/hub"));
    const Cache cache;
    cache.snapshot(cache.repository(), "abc");
    qputenv("HF_HUB_CACHE", cache.path().c_str());
    QCOMPARE(hubModels().size(), std::size_t(1));
}

void TestHub::namesWholeModels() {
    const Folder folder;
    QVERIFY(!isWholeModel(folder.path()));
    write(folder.path() / "config.json", "{}");
    QVERIFY(!isWholeModel(folder.path()));
    write(folder.path() / "model.safetensors.index.json", R"({"weight_map": {"a": "one", "b": "two", "c": "one"}})");
    write(folder.path() / "one", "x");
    QVERIFY(!isWholeModel(folder.path()));
    fs::create_symlink("nowhere", folder.path() / "two");
    QVERIFY(!isWholeModel(folder.path()));
    write(folder.path() / "nowhere", "x");
    QVERIFY(isWholeModel(folder.path()));
    write(folder.path() / "model.safetensors.index.json", "[");
    QVERIFY(isWholeModel(folder.path())); // opening it says what is wrong
}

void TestHub::listsWhatTakesRoom() {
    const Cache cache;
    const auto repository = cache.repository();
    cache.snapshot(repository, "abc");
    cache.snapshot(repository, "def");
    cache.main(repository, "def");
    fs::create_directories(cache.repository("models--half") / "blobs");
    write(cache.repository("models--half") / "blobs" / "123.incomplete", QByteArray(70, 'x'));
    const auto revisions = hubRevisions(cache.path());
    QCOMPARE(revisions.size(), std::size_t(3));
    QCOMPARE(revisions[0].name, std::string("half"));
    QCOMPARE(revisions[0].bytes, std::uintmax_t(70));
    QVERIFY(revisions[0].commit.empty() && !revisions[0].complete);
    QCOMPARE(revisions[1].commit, std::string("abc"));
    QVERIFY(revisions[1].references.empty() && revisions[1].complete);
    QCOMPARE(revisions[1].bytes, std::uintmax_t(100 + 22));
    QCOMPARE(revisions[2].references, std::vector<std::string>{"main"});
    QVERIFY(hubRevisions(cache.path() / "absent").empty());
}

void TestHub::removesWhatNothingElseNeeds() {
    const Cache cache;
    const auto repository = cache.repository();
    const auto first = cache.snapshot(repository, "abc");
    const auto second = cache.snapshot(repository, "def");
    cache.main(repository, "abc");
    write(repository / "refs" / "v1", "def");
    // Both have these weights, and one a link to something of the user's.
    fs::remove(second / "model.safetensors");
    fs::create_symlink("../../blobs/weights-abc", second / "model.safetensors");
    write(cache.path() / "dear", "mine");
    fs::create_symlink(cache.path() / "dear", first / "dear");
    fs::create_symlink("../../../dear", first / "near");
    fs::create_directories(cache.path() / ".locks" / "models--org--tiny");
    const auto revisions = hubRevisions(cache.path());
    QCOMPARE(revisions[0].commit, std::string("abc"));
    QCOMPARE(removeRevision(cache.path(), revisions[0]), std::uintmax_t(22)); // its own configuration
    QVERIFY(!fs::exists(first) && !fs::exists(repository / "refs" / "main"));
    QVERIFY(fs::exists(repository / "refs" / "v1") && isWholeModel(second));
    QVERIFY(fs::exists(cache.path() / "dear"));
    removeRevision(cache.path(), hubRevisions(cache.path()).front());
    QVERIFY(!fs::exists(repository) && !fs::exists(cache.path() / ".locks" / "models--org--tiny"));
    QVERIFY(fs::exists(cache.path() / "dear"));
    QVERIFY(hubRevisions(cache.path()).empty());
}

void TestHub::keepsWhatIsBeingFetched() {
    const Cache cache;
    const HubRepository repository(cache.path(), "org/tiny");
    cache.snapshot(repository.folder(), "abc");
    write(repository.part("fff"), "half");
    {
        const auto lock = BlobLock::attempt(repository, "fff");
        QVERIFY(lock);
        QVERIFY(!BlobLock::attempt(repository, "fff"));
        QVERIFY(saidBy([&] {
                    removeRevision(cache.path(), hubRevisions(cache.path()).front());
                }).contains("is being fetched"));
        QVERIFY(isWholeModel(repository.snapshot("abc")));
    }
    removeRevision(cache.path(), hubRevisions(cache.path()).front());
    QVERIFY(!fs::exists(repository.folder()));
}

QTEST_GUILESS_MAIN(TestHub)
#include "tst_hub.moc"
