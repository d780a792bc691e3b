// Protects what is remembered of how many threads a model runs fastest with.
#include "core/runs/thread_choice.h"
#include "tests/support/tiny_models.h"

#include <QTest>

#include <thread>

using namespace headlight;

class TestThreadChoice : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void initTestCase() {
        m_several = std::thread::hardware_concurrency() > 1; // with one core there is nothing to choose
    }

    void measuresOnceForEachSize() {
        const QTemporaryDir folder;
        const auto file = std::filesystem::path(folder.path().toStdString()) / "headlight" / "threads.json";
        int measured = 0;
        const auto two = [&measured] { return ++measured, 2; };
        const int expected = m_several ? 2 : 1;
        QCOMPARE(rememberedThreads(file, 7'000'000, two), expected);
        QCOMPARE(rememberedThreads(file, 6'000'000, two), expected); // about as large
        QCOMPARE(measured, m_several ? 1 : 0);
        QCOMPARE(rememberedThreads(file, 120'000'000, two), expected);
        QCOMPARE(measured, m_several ? 2 : 0);
        QCOMPARE(std::filesystem::exists(file), m_several);
    }

    void doesWithoutTheFile_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::newRow("not JSON") << QByteArray("{");
        QTest::newRow("a list") << QByteArray("[1]");
        QTest::newRow("words for numbers") << QByteArray(R"({"x": {"2^20": "two"}})");
    }
    void doesWithoutTheFile() {
        QFETCH(QByteArray, content);
        const QTemporaryDir folder;
        const auto file = std::filesystem::path(folder.path().toStdString()) / "threads.json";
        write(file, content);
        int measured = 0;
        const auto one = [&measured] { return ++measured, 1; };
        QCOMPARE(rememberedThreads(file, 1 << 20, one), 1);
        QCOMPARE(rememberedThreads(file, 1 << 20, one), 1); // written anew
        QCOMPARE(measured, m_several ? 1 : 0);
    }

    void moreThreadsThanCoresAreMeasuredAnew() {
        if (!m_several)
            return;
        const QTemporaryDir folder;
        const auto file = std::filesystem::path(folder.path().toStdString()) / "threads.json";
        rememberedThreads(file, 1 << 20, [] { return 100'000; });
        QCOMPARE(rememberedThreads(file, 1 << 20, [] { return 1; }), 1);
    }

    void noPlaceToRemember() {
        QCOMPARE(rememberedThreads({}, 1 << 20, [] { return 1; }), 1);
        QCOMPARE(rememberedThreads("/proc/nobody/threads.json", 1 << 20, [] { return 1; }), 1);
    }

private:
    bool m_several = false;
};

QTEST_GUILESS_MAIN(TestThreadChoice)
#include "tst_thread_choice.moc"
