// Protects the thread that runs models from races: a model that takes no time to build and stops when it is told to,
// and a window's thread that submits, drops, listens and goes. ThreadSanitizer watches, see the preset tsan.
#include "app/inference_service.h"

#include <QCoreApplication>
#include <QTest>

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <random>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#else
#define __tsan_release(address)
#define __tsan_acquire(address)
#endif

using namespace headlight;

namespace {

std::atomic<int> openModels = 0;

/// Says again what it read, after a thousand looks at `stop` for each letter.
class EchoModel : public Engine {
public:
    explicit EchoModel(const std::filesystem::path& folder) {
        ++openModels;
        m_info.name = folder.filename().string();
        m_info.hasEncoder = m_info.hasDecoder = true;
    }
    ~EchoModel() override { --openModels; }
    const ModelInfo& info() const override { return m_info; }
    TracePointer run(const Request& request, std::stop_token stop) override {
        if (request.source == "wrong")
            throw Error(Error::Kind::Invalid, m_info.name, "nobody can read this");
        for (std::size_t i = 0; i < 1000 * request.source.size(); ++i)
            if (stop.stop_requested())
                return nullptr;
        auto trace = std::make_shared<Trace>();
        trace->model = m_info.name;
        trace->sourceText = request.source;
        return trace;
    }

private:
    ModelInfo m_info;
};

std::unique_ptr<Engine> open(const std::filesystem::path& folder) {
    if (folder == "absent")
        throw Error(Error::Kind::NotFound, "absent", "there is no such folder");
    return std::make_unique<EchoModel>(folder);
}

} // namespace

// Qt is not built with the sanitizer, which does not see the lock of its queue: what goes into it happens before what
// comes out. Everything else is watched.
bool QMetaObject::invokeMethodImpl(QObject* object, QtPrivate::QSlotObjectBase* slot, Qt::ConnectionType type,
                                   void* result) {
    static const auto original = reinterpret_cast<decltype(&QMetaObject::invokeMethodImpl)>(
        dlsym(RTLD_NEXT,
              "_ZN11QMetaObject16invokeMethodImplEP7QObjectPN9QtPrivate15QSlotObjectBaseEN2Qt14ConnectionTypeEPv"));
    __tsan_release(object);
    return original(object, slot, type, result);
}

class Application : public QCoreApplication {
public:
    using QCoreApplication::QCoreApplication;
    bool notify(QObject* receiver, QEvent* event) override {
        __tsan_acquire(receiver);
        return QCoreApplication::notify(receiver, event);
    }
};

class TestWorkerThreads : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void submitDropListenGo_data();
    void submitDropListenGo();
};

void TestWorkerThreads::submitDropListenGo_data() {
    QTest::addColumn<unsigned>("seed");
    for (unsigned seed = 1; seed <= 5; ++seed)
        QTest::addRow("seed %u", seed) << seed;
}

void TestWorkerThreads::submitDropListenGo() {
    QFETCH(unsigned, seed);
    std::mt19937 random(seed);
    const std::array<std::filesystem::path, 6> folders{"a", "b", "c", "d", "e", "absent"};
    quint64 last = 0, heard = 0;
    int results = 0;
    {
        InferenceService service({.open = open});
        connect(&service, &InferenceService::finished, &service, [&](const InferenceResult& result) {
            ++results;
            QVERIFY(result.generation >= heard && result.generation <= last);
            heard = result.generation;
            QCOMPARE(QThread::currentThread(), service.thread());
            if (result.first)
                QCOMPARE(result.first->sourceText, result.job.request.source);
            else
                QVERIFY(!result.problem.isEmpty());
        });
        for (int i = 0; i < 300; ++i) {
            InferenceJob job;
            job.first = folders[random() % folders.size()];
            if (random() % 2)
                job.second = folders[random() % folders.size()];
            job.request.source = random() % 10 ? std::string(random() % 40, 'x') : "wrong";
            last = service.submit(std::move(job));
            if (random() % 16 == 0)
                service.cancel();
            for (auto turns = random() % 8; turns > 0; --turns)
                QCoreApplication::processEvents();
            if (random() % 32 == 0)
                QTRY_VERIFY_WITH_TIMEOUT(!service.busy(), 60'000);
        }
        InferenceJob job;
        job.first = "a";
        job.request.source = "the last";
        last = service.submit(std::move(job));
        QTRY_VERIFY_WITH_TIMEOUT(!service.busy(), 60'000);
        QCOMPARE(heard, last);
        QVERIFY(results > 1);
        job.first = "b";
        job.request.source = std::string(1'000'000, 'x');
        service.submit(std::move(job)); // and while it runs all goes
    }
    QCOMPARE(openModels.load(), 0);
}

int main(int argc, char** argv) {
    Application application(argc, argv);
    TestWorkerThreads test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_worker_threads.moc"
