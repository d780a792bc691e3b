// The main job in the real window: keys are pressed, models run, the picture changes; and what users do besides.
#include "app/main_window.h"
#include "app/quit_signals.h"
#include "app/views.h"
#include "tests/support/opened_window.h"
#include "tests/support/tiny_models.h"
#include "widgets/answer_list.h"
#include "widgets/figure_exporter.h"
#include "widgets/trace_view.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QFileDialog>
#include <QImage>
#include <QInputMethodEvent>
#include <QLabel>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTabWidget>
#include <QTest>
#include <QTimer>
#include <QXmlStreamReader>

#include <csignal>

using namespace headlight;

namespace {

/// Beats every 5 ms while the event loop is free, and knows the longest time that it was not.
class Heartbeat {
public:
    Heartbeat() {
        m_timer.setTimerType(Qt::PreciseTimer);
        m_timer.setInterval(5);
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer,
                         [this] { m_longest = std::max(m_longest, m_clock.restart()); });
        m_clock.start();
        m_timer.start();
    }
    /// Milliseconds.
    qint64 longest() const { return std::max(m_longest, m_clock.elapsed()); }

private:
    QTimer m_timer;
    QElapsedTimer m_clock;
    qint64 m_longest = 0;
};

/// Lets the event loop run, and does nothing else: QTest::qWait would sleep in between.
void letRun(int milliseconds) {
    QEventLoop loop;
    QTimer::singleShot(milliseconds, Qt::PreciseTimer, &loop, &QEventLoop::quit);
    loop.exec();
}

} // namespace

class TypingTest : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        m_tiny.recurrent();
        m_other.recurrent(QStringLiteral("additive"));
    }

    void keysChangeThePicture_data() {
        QTest::addColumn<QString>("modelA");
        QTest::addColumn<QString>("modelB");
        QTest::addColumn<QString>("view");
        const auto tiny = nameOf(m_tiny.path());
        QTest::newRow("tiny, alignment") << tiny << QString() << QStringLiteral("alignment");
        QTest::newRow("tiny, compare") << tiny << nameOf(m_other.path()) << QStringLiteral("compare");
        const auto additive = QStringLiteral("en-fr-additive");
        const auto transformer = QStringLiteral("en-fr-transformer");
        if (!bundled(additive) || !bundled(transformer))
            return;
        QTest::newRow("bundled, alignment") << additive << QString() << QStringLiteral("alignment");
        QTest::newRow("bundled, compare") << additive << transformer << QStringLiteral("compare");
        QTest::newRow("bundled, heads") << transformer << QString() << QStringLiteral("heads");
        QTest::newRow("bundled, matrix") << transformer << additive << QStringLiteral("matrix");
    }
    void keysChangeThePicture() {
        QFETCH(QString, modelA);
        QFETCH(QString, modelB);
        QFETCH(QString, view);
        const Opened opened({.modelA = modelA, .modelB = modelB, .source = QStringLiteral("the cat"), .view = view});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QCOMPARE(opened.complaint(), QString());
        QCOMPARE(opened.window->view()->objectName(), view);
        const auto before = opened.window->view()->grab().toImage();

        QTest::keyClicks(opened.source, QStringLiteral(" sees two dogs"));
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("the cat sees two dogs"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QCOMPARE(opened.window->trace()->sourceText, std::string("the cat sees two dogs"));
        QVERIFY(opened.window->view()->grab().toImage() != before);

        QTest::keyClick(opened.source, Qt::Key_Backspace);
        QTRY_COMPARE_WITH_TIMEOUT(opened.window->trace()->sourceText, std::string("the cat sees two dog"), patience);
    }

    void aHiddenWordIsGuessedAndPutIn() {
        const Folder folder;
        folder.copyWithWords("roberta");
        const Opened opened({.modelA = nameOf(folder.path()), .source = QStringLiteral("w10 ")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QCOMPARE(opened.complaint(), QString());
        QCOMPARE(opened.window->view()->objectName(), QStringLiteral("heads")); // there is nothing to align
        QVERIFY(!opened.target->isVisible());

        QTest::keyClick(opened.window.get(), Qt::Key_M, Qt::ControlModifier);
        QTest::keyClicks(opened.source, QStringLiteral(" w12"));
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("w10 [MASK] w12"));
        auto* answers = opened.window->findChild<AnswerList*>(QStringLiteral("answers"));
        QTRY_COMPARE_WITH_TIMEOUT(answers->describe().size(), 11, patience); // a heading and ten words
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto best = answers->describe()[1].section(QLatin1Char(':'), 0, 0);
        answers->setCurrentRow(1);
        QTest::keyClick(answers, Qt::Key_Return);
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("w10 %1 w12").arg(best));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QTest::keyClick(opened.source, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("w10 [MASK] w12"));
    }

    void aDecoderGoesOnUntilStopped() {
        const Folder folder;
        folder.copyWithWords("gpt2");
        const Opened opened({.modelA = nameOf(folder.path()), .source = QStringLiteral("w10 w11")});
        const auto tokens = [&opened] { return opened.ready() ? opened.window->trace()->target.size() : 0U; };
        QTRY_COMPARE_WITH_TIMEOUT(tokens(), 2U, patience);
        auto* answers = opened.window->findChild<AnswerList*>(QStringLiteral("answers"));
        QTRY_COMPARE_WITH_TIMEOUT(answers->describe().size(), 10, patience);
        const auto best = answers->describe()[0].section(QLatin1Char(':'), 0, 0);

        QTest::keyClick(opened.source, Qt::Key_Return, Qt::ControlModifier);
        QTRY_COMPARE_WITH_TIMEOUT(tokens(), 3U, patience);
        QCOMPARE(QString::fromStdString(opened.window->trace()->target[2].text), best);
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("w10 w11")); // what was typed stays as it is

        auto* go = opened.window->findChild<QPushButton*>(QStringLiteral("continue"));
        QTest::keyClick(go, Qt::Key_Space);
        QTRY_VERIFY_WITH_TIMEOUT(tokens() > 6U, patience);
        if (go->text() == QLatin1String("Stop"))
            QTest::keyClick(go, Qt::Key_Space);
        QTRY_COMPARE_WITH_TIMEOUT(go->text(), QStringLiteral("Continue"), patience);
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);

        QTest::keyClicks(opened.source, QStringLiteral(" w12")); // another text, of which nothing was added
        QTRY_COMPARE_WITH_TIMEOUT(tokens(), 3U, patience);
    }

    void burstEndsWithTheNewestText_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<int>("pause"); // milliseconds between two keys
        QTest::newRow("tiny, at once") << nameOf(m_tiny.path()) << 0;
        QTest::newRow("tiny, one every 10 ms") << nameOf(m_tiny.path()) << 10;
        if (bundled(QStringLiteral("en-fr-transformer")))
            QTest::newRow("bundled, one every 10 ms") << QStringLiteral("en-fr-transformer") << 10;
    }
    void burstEndsWithTheNewestText() {
        QFETCH(QString, model);
        QFETCH(int, pause);
        const Opened opened({.modelA = model, .source = QStringLiteral("a")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);

        const Heartbeat heartbeat;
        const QString letters = QStringLiteral("the cat is on the table and the dog is in the bed!");
        QCOMPARE(letters.size(), 50);
        for (const auto letter : letters) {
            QTest::keyClick(opened.source, letter.toLatin1());
            if (pause > 0)
                letRun(pause);
        }
        QElapsedTimer clock;
        clock.start();
        while (!opened.showsWhatIsTyped() && clock.elapsed() < patience)
            letRun(5);
        QCOMPARE(opened.window->trace()->sourceText, (QStringLiteral("a") + letters).toStdString());
        QVERIFY(!opened.window->waiting());
        const auto longest = heartbeat.longest();
        qInfo("the event loop was never away for more than %lld ms", longest);
        if (pause > 0) // without pauses the test itself kept the loop away
            QVERIFY2(longest < 100 * slowness, qPrintable(QString::number(longest)));
    }

    /// Thirty keys a second for twenty seconds, without a pause: pictures come all the while.
    void picturesComeWhileSomeoneTypes_data() {
        QTest::addColumn<QString>("view");
        QTest::newRow("alignment") << QStringLiteral("alignment");
        QTest::newRow("compare") << QStringLiteral("compare"); // where both runs make the picture
    }
    void picturesComeWhileSomeoneTypes() {
        QFETCH(QString, view);
        const auto additive = QStringLiteral("en-fr-additive");
        const auto transformer = QStringLiteral("en-fr-transformer");
        if (!bundled(additive) || !bundled(transformer))
            return;
        const Opened opened({.modelA = transformer, .modelB = additive, .source = QStringLiteral("the"), .view = view});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto text = QStringLiteral(" old man who lives by the sea told us a long story of the storm that night.");
        const bool pairs = view == u"compare"_qs;
        QElapsedTimer sincePicture;
        qint64 longest = 0; // between two pictures
        double run = 0;     // the longest
        int pictures = 0;
        std::string before;
        connect(opened.window.get(), &MainWindow::shown, opened.source, [&] {
            const auto& workbench = opened.window->workbench();
            const auto& shown = workbench.first();
            // What is not of the text that is typed looks so.
            QCOMPARE(workbench.stale(), QString::fromStdString(shown->sourceText) != opened.source->toPlainText());
            if (shown->sourceText == before || (pairs && !workbench.second()))
                return;
            before = shown->sourceText;
            run = std::max(run, shown->timings.model + (pairs ? workbench.second()->timings.model : 0));
            longest = std::max(longest, sincePicture.restart());
            ++pictures;
        });
        QElapsedTimer clock;
        clock.start();
        sincePicture.start();
        for (int key = 0; clock.elapsed() < 20'000; ++key) {
            const int at = key % static_cast<int>(text.size());
            if (at == 0)
                opened.source->selectAll();
            QTest::keyClick(opened.source, text[at].toLatin1());
            letRun(static_cast<int>(std::max<qint64>(0, (key + 1) * 1000 / 30 - clock.elapsed())));
        }
        longest = std::max(longest, sincePicture.elapsed());
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(!opened.window->workbench().stale());
        qInfo("%d pictures, none later than %lld ms after the one before; the longest run took %.0f ms", pictures,
              longest, run);
        QVERIFY(pictures > 0);
        // On a machine that does nothing else it is 150 ms and a run.
        QVERIFY2(static_cast<double>(longest) < 3 * (150 + run) * slowness,
                 qPrintable(QStringLiteral("%1 ms").arg(longest)));
    }

    void typedTargetIsForced() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto* link = opened.window->findChild<QPushButton*>(QStringLiteral("ownTranslation"));
        QVERIFY(!opened.window->trace()->targetForced);
        QVERIFY(!link->isVisible());
        const auto own = opened.target->toPlainText();
        QCOMPARE(own, QString::fromStdString(opened.window->trace()->targetText));

        opened.target->selectAll();
        QTest::keyClicks(opened.target, QStringLiteral("a dog"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && opened.window->trace()->targetForced, patience);
        QTRY_COMPARE_WITH_TIMEOUT(opened.window->trace()->targetText, std::string("a dog"), patience);
        QVERIFY(link->isVisible());
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QCOMPARE(opened.target->toPlainText(), QStringLiteral("a dog")); // stays while the source goes on

        QTest::mouseClick(const_cast<QPushButton*>(link), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && !opened.window->trace()->targetForced, patience);
        QCOMPARE(opened.target->toPlainText(), QString::fromStdString(opened.window->trace()->targetText));
        QTest::keyClicks(opened.source, QStringLiteral("!")); // another translation, of which undo knows nothing
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QTest::keyClick(opened.target, Qt::Key_Z, Qt::ControlModifier); // the source
        QTest::keyClick(opened.target, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(opened.target->toPlainText(), QStringLiteral("a dog")); // nothing that was typed is lost
        QTRY_COMPARE_WITH_TIMEOUT(opened.window->trace()->targetText, std::string("a dog"), patience);
    }

    void anyTextIsFine_data() {
        QTest::addColumn<QString>("text");
        QTest::newRow("nothing at all") << QString();
        QTest::newRow("spaces") << QStringLiteral("   ");
        QTest::newRow("Chinese") << QStringLiteral("注意力機制讓模型知道該看哪裡。");
        QTest::newRow("emoji") << QStringLiteral("👩‍👩‍👧 the 🐈 cat 🇫🇷");
        QTest::newRow("right to left") << QStringLiteral("القط على الطاولة");
        QTest::newRow("lines") << QStringLiteral("the cat\n\nthe dog\t");
        QTest::newRow("half a pair") << QString(QChar(0xd83d));
    }
    void anyTextIsFine() {
        QFETCH(QString, text);
        const Opened opened(
            {.modelA = nameOf(m_tiny.path()), .modelB = nameOf(m_other.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        opened.source->selectAll();
        if (text.isEmpty()) {
            QTest::keyClick(opened.source, Qt::Key_Delete);
        } else { // as an input method does it
            QInputMethodEvent event;
            event.setCommitString(text);
            QApplication::sendEvent(opened.source, &event);
        }
        QTRY_COMPARE_WITH_TIMEOUT(opened.window->trace()->sourceText, text.toStdString(), patience);
        for (const auto* name : {"alignment", "compare", "heads", "matrix", "positions"}) {
            opened.window->showView(QLatin1String(name));
            QVERIFY(!opened.window->view()->grab().isNull());
            QVERIFY(!opened.window->view()->describe().isEmpty());
        }
        QTest::keyClicks(opened.source, QStringLiteral("x")); // and it goes on
        QTRY_VERIFY_WITH_TIMEOUT(QString::fromStdString(opened.window->trace()->sourceText).endsWith(QLatin1Char('x')),
                                 patience);
    }

    void hugeTextLeavesTheWindowAwake_data() {
        QTest::addColumn<QString>("unit");
        QTest::newRow("sentences in lines") << QStringLiteral("the cat is on the table and the dog is in the bed.\n");
        QTest::newRow("one line") << QStringLiteral("the cat is on the table and the dog is in the bed. ");
        QTest::newRow("one word") << QStringLiteral("a");
    }
    void hugeTextLeavesTheWindowAwake() {
        QFETCH(QString, unit);
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto text = unit.repeated(100'000 / unit.size());
        QGuiApplication::clipboard()->setText(text);
        opened.source->selectAll();

        const auto whileDoing = [&opened](const auto& deed) {
            const Heartbeat heartbeat;
            deed();
            QElapsedTimer clock;
            clock.start();
            do
                letRun(20);
            while (!opened.showsWhatIsTyped() && clock.elapsed() < patience);
            letRun(50);
            return heartbeat.longest();
        };
        const auto pasting = whileDoing([&] { QTest::keyClick(opened.source, Qt::Key_V, Qt::ControlModifier); });
        QCOMPARE(opened.source->toPlainText(), text);
        QVERIFY(opened.showsWhatIsTyped());
        QVERIFY(!opened.complaint().isEmpty()); // says that the model read a part of it only
        const auto typing = whileDoing([&] { QTest::keyClicks(opened.source, QStringLiteral("z")); });
        QVERIFY(opened.showsWhatIsTyped());
        qInfo("away for at most %lld ms while pasting, %lld ms at the next key", pasting, typing);
        QVERIFY2(pasting < 400 * slowness, qPrintable(QString::number(pasting)));
        QVERIFY2(typing < 200 * slowness, qPrintable(QString::number(typing)));
    }

    void brokenModelKeepsTheLastPicture_data() {
        QTest::addColumn<QString>("harm");
        QTest::addColumn<QString>("said");
        QTest::newRow("missing") << QStringLiteral("missing") << QStringLiteral("model.safetensors");
        QTest::newRow("truncated") << QStringLiteral("truncated") << QStringLiteral("model.safetensors");
        QTest::newRow("lying") << QStringLiteral("lying") << QStringLiteral("model.safetensors");
        QTest::newRow("no model at all") << QStringLiteral("empty") << QStringLiteral("config.json");
    }
    void brokenModelKeepsTheLastPicture() {
        QFETCH(QString, harm);
        QFETCH(QString, said);
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto trace = opened.window->trace();
        const auto described = opened.window->view()->describe();

        Folder broken;
        if (harm != QLatin1String("empty"))
            broken.recurrent();
        const auto weights = broken.path() / "model.safetensors";
        if (harm == QLatin1String("missing")) {
            std::filesystem::remove(weights);
        } else if (harm == QLatin1String("truncated")) {
            std::filesystem::resize_file(weights, std::filesystem::file_size(weights) / 2);
        } else if (harm == QLatin1String("lying")) {
            QFile file(nameOf(weights));
            QVERIFY(file.open(QIODevice::ReadWrite));
            QVERIFY(file.seek(0) && file.write("\xff\xff\xff\xff\xff\xff\xff\x7f", 8) == 8); // length of the header
        }
        opened.drop(broken.path());
        QTRY_VERIFY_WITH_TIMEOUT(!opened.complaint().isEmpty(), patience);
        QVERIFY2(opened.complaint().contains(said), qUtf8Printable(opened.complaint()));
        QTRY_VERIFY_WITH_TIMEOUT(!opened.window->waiting(), patience);
        QCOMPARE(opened.window->trace(), trace);
        QCOMPARE(opened.window->view()->describe(), described);
        QVERIFY(opened.source->isEnabled() && opened.window->view()->isEnabled());
        QCOMPARE(opened.problem->parentWidget()->property("banner").toString(), QStringLiteral("problem"));
        QVERIFY(opened.window->findChild<QPushButton*>(QStringLiteral("remedy"))->isVisible());
        QCOMPARE(chosenModels(opened).front(), nameOf(m_tiny.path())); // which goes on
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        opened.window->close();
        QCOMPARE(Settings::load().last->models.a, nameOf(m_tiny.path())); // or the next start would have no picture
        QVERIFY(!Settings::load().recentFolders.contains(nameOf(broken.path())));
        opened.window->show();

        const auto last = opened.window->trace();
        opened.drop(m_other.path());
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && opened.window->trace() != last, patience);
        QCOMPARE(opened.complaint(), QString());
        opened.window->close();
        QVERIFY(Settings::load().recentFolders.contains(nameOf(m_other.path())));
    }

    /// A folder that was used last and has been moved since leaves the bundled models, and a word about it.
    void rememberedModelThatIsGoneIsReplaced() {
        QTemporaryDir models;
        const auto bundled = QString(models.path() + QStringLiteral("/bundled"));
        std::filesystem::copy(m_tiny.path(), bundled.toStdString(), std::filesystem::copy_options::recursive);
        qputenv("HEADLIGHT_MODELS", models.path().toUtf8());
        Settings settings;
        settings.fresh = false;
        settings.last.emplace().models.a = QStringLiteral("/nowhere/model");
        const Opened opened({.source = QStringLiteral("the cat")}, settings);
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QCOMPARE(opened.window->trace()->model, std::string("bundled"));
        QVERIFY2(opened.complaint().contains(QLatin1String("/nowhere/model")), qUtf8Printable(opened.complaint()));
        qputenv("HEADLIGHT_MODELS", HEADLIGHT_MODELS);
    }

    void folderOpensAsTheModelThatAskedForIt() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        for (auto* combo : opened.window->findChildren<QComboBox*>()) {
            if (combo->accessibleName() != QLatin1String("Model B"))
                continue;
            combo->setCurrentIndex(combo->count() - 1);
            Q_EMIT combo->activated(combo->count() - 1);
            auto* dialog = opened.window->findChild<QFileDialog*>();
            QVERIFY(dialog);
            Q_EMIT dialog->fileSelected(nameOf(m_other.path()));
        }
        QTRY_COMPARE_WITH_TIMEOUT(chosenModels(opened), QStringList({nameOf(m_tiny.path()), nameOf(m_other.path())}),
                                  patience);
    }

    void exportOpensAgain_data() {
        QTest::addColumn<QString>("file");
        for (const auto* file : {"picture.png", "picture.svg", "picture.pdf", "numbers.csv", "page.html"})
            QTest::newRow(file) << QString::fromLatin1(file);
    }
    void exportOpensAgain() {
        QFETCH(QString, file);
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(QTest::qWaitForWindowActive(opened.window.get()));
        const QTemporaryDir folder;
        const auto path = folder.filePath(file);

        auto* dialog = askedForFile(opened, file.section(QLatin1Char('.'), 1));
        QVERIFY(dialog);
        dialog->setDirectory(folder.path());
        dialog->selectFile(path);
        static_cast<QDialog*>(dialog)->accept();
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(path), patience);
        QCOMPARE(opened.complaint(), QString());

        QFile written(path);
        QVERIFY(written.open(QIODevice::ReadOnly));
        const auto bytes = written.readAll();
        if (file.endsWith(QLatin1String("png"))) {
            const auto image = QImage::fromData(bytes, "PNG");
            QCOMPARE(image.size(), opened.window->view()->figureArea().size() * 2);
            int paper = 0; // not all of one colour
            for (int x = 0; x < image.width(); ++x)
                paper += image.pixel(x, image.height() / 2) == image.pixel(0, 0);
            QVERIFY(paper < image.width());
        } else if (file.endsWith(QLatin1String("svg"))) {
            QXmlStreamReader reader(bytes);
            bool drawing = false;
            QString texts;
            while (!reader.atEnd()) {
                if (reader.readNext() == QXmlStreamReader::StartElement)
                    drawing = drawing || reader.name() == QLatin1String("svg");
                else if (reader.isCharacters())
                    texts += reader.text();
            }
            QVERIFY2(!reader.hasError(), qPrintable(reader.errorString()));
            QVERIFY(drawing && texts.contains(QLatin1String("cat")));
        } else if (file.endsWith(QLatin1String("html"))) {
            QVERIFY(bytes.startsWith("<!DOCTYPE html>") && bytes.count("data-words=") > 4 && !bytes.contains("src="));
        } else if (file.endsWith(QLatin1String("pdf"))) {
            QVERIFY(bytes.startsWith("%PDF-") && bytes.trimmed().endsWith("%%EOF"));
        } else {
            const auto& cross = *opened.window->trace()->cross;
            QCOMPARE(bytes.trimmed().count('\n'), qsizetype(cross.queries) * cross.keys); // and a line of names
        }
    }

    void exportThatFailsIsTold() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(QTest::qWaitForWindowActive(opened.window.get()));
        auto* dialog = askedForFile(opened, QStringLiteral("png"));
        QVERIFY(dialog);
        Q_EMIT dialog->fileSelected(QStringLiteral("/proc/no/such/place.png"));
        QVERIFY2(opened.complaint().contains(QLatin1String("/proc/no/such/place.png")),
                 qUtf8Printable(opened.complaint()));
        opened.problem->parentWidget()->hide(); // as its button does
        Q_EMIT dialog->fileSelected(QStringLiteral("/proc/no/such/place.png"));
        QVERIFY2(!opened.complaint().isEmpty(), "the same failure again");
    }

    void keyboardReachesViewsAndHeads() {
        const bool real = bundled(QStringLiteral("en-fr-transformer"));
        const Opened opened({.modelA = real ? QStringLiteral("en-fr-transformer") : nameOf(m_tiny.path()),
                             .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(QTest::qWaitForWindowActive(opened.window.get()));
        int key = Qt::Key_1;
        for (const auto& type : viewTypes()) {
            QTest::keyClick(opened.source, static_cast<Qt::Key>(key++), Qt::ControlModifier);
            QCOMPARE(opened.window->view()->objectName(), QLatin1String(type.name));
        }
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("the cat")); // no key went astray
        if (!real)
            return;
        opened.window->showView(QStringLiteral("matrix"));
        for (int i = 0; i < 8; ++i) {
            QTest::keyClick(opened.source, Qt::Key_Up, Qt::AltModifier);
            QTest::keyClick(opened.source, Qt::Key_Left, Qt::AltModifier);
        }
        const auto first = opened.window->view()->describe();
        QVERIFY2(first.front().contains(QLatin1String("layer 0, head 0")), qUtf8Printable(first.front()));
        QTest::keyClick(opened.source, Qt::Key_Right, Qt::AltModifier);
        QTest::keyClick(opened.source, Qt::Key_Down, Qt::AltModifier);
        const auto later = opened.window->view()->describe();
        QVERIFY2(later.front().contains(QLatin1String("layer 1, head 1")), qUtf8Printable(later.front()));
    }

    void closesWhileItRuns() {
        for (const int pause : {0, 1, 5, 20}) {
            Opened opened({.modelA = nameOf(m_tiny.path()),
                           .modelB = nameOf(m_other.path()),
                           .source = QStringLiteral("the cat")});
            letRun(pause);
            QTest::keyClicks(opened.source, QStringLiteral(" is here"));
            QVERIFY(opened.window->waiting());
            QElapsedTimer clock;
            clock.start();
            opened.window->close();
            opened.window.reset();
            QVERIFY(clock.elapsed() < 5000 * slowness);
            letRun(pause);
        }
    }

    void followsTheDesktop() {
        const Opened opened({.modelA = nameOf(m_tiny.path())});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto lightness = [&opened] {
            return opened.window->view()->grab().toImage().pixelColor(2, 2).lightness();
        };
        const auto desktop = QApplication::palette();
        QVERIFY(lightness() > 200);
        QApplication::setPalette(QPalette(QColor(40, 40, 44)));
        QTRY_VERIFY(lightness() < 60);
        QTRY_VERIFY(opened.source->grab().toImage().pixelColor(20, 40).lightness() < 60);
        QApplication::setPalette(desktop);
        QTRY_VERIFY(lightness() > 200);
        letRun(50);
        const Heartbeat heartbeat; // what follows a change must not cause another
        letRun(100);
        QVERIFY2(heartbeat.longest() < 50 * slowness, qPrintable(QString::number(heartbeat.longest())));
    }

    /// A closed message stays closed while it says the same of each run, and is back when its fault is back.
    void closedMessageReturnsWithItsFault() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto nowhere = std::filesystem::path("/proc/self"); // a folder without a model
        opened.drop(nowhere);
        QTRY_VERIFY_WITH_TIMEOUT(!opened.complaint().isEmpty(), patience);
        auto* close = opened.window->findChild<QPushButton*>(QStringLiteral("closeProblem"));
        QTest::mouseClick(close, Qt::LeftButton);
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QCOMPARE(opened.complaint(), QString());
        opened.drop(nowhere);
        QTRY_VERIFY_WITH_TIMEOUT(!opened.complaint().isEmpty(), patience);
    }

    void changedFolderIsOfferedToBeReadAnew() {
        const Folder folder;
        folder.recurrent();
        const Opened opened({.modelA = nameOf(folder.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(opened.window->trace()->cross);
        folder.recurrent(QStringLiteral("none"));
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(opened.window->trace()->cross); // what was read
        auto* remedy = opened.window->findChild<QPushButton*>(QStringLiteral("remedy"));
        QVERIFY2(remedy->isVisible() && opened.complaint().contains(QLatin1String("changed")),
                 qUtf8Printable(opened.complaint()));
        QTest::mouseClick(remedy, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && !opened.window->trace()->cross, patience);
        QVERIFY(!remedy->isVisible());
    }

    /// Of what the model before did not read.
    void secondTextIsRunAfterARestart() {
        const Folder folder;
        folder.copyWithWords("models/bert");
        Settings settings;
        settings.fresh = false;
        auto& last = settings.last.emplace();
        last.models.a = nameOf(folder.path());
        last.typed.source = QStringLiteral("w10 w11");
        last.typed.second = QStringLiteral("w12");
        const Opened opened({}, settings);
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && opened.window->trace()->secondText == "w12", patience);
    }

    void whatIsTypedIsKeptWhileItIsTyped() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("keep")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QElapsedTimer clock;
        clock.start();
        const auto kept = [] {
            const auto last = Settings::load().last;
            return last ? last->typed.source : QString();
        };
        while (!kept().startsWith(QLatin1String("keepaaa")) && clock.elapsed() < patience) {
            QTest::keyClicks(opened.source, QStringLiteral("a")); // without a pause
            letRun(20);
        }
        QVERIFY(kept().startsWith(QLatin1String("keepaaa")));
    }

    /// What a scale of 2 leaves of 1280 x 800.
    void windowFitsASmallScreen() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        const auto least = opened.window->minimumSizeHint();
        QVERIFY2(least.width() <= 640 && least.height() <= 400,
                 qPrintable(QStringLiteral("%1 x %2").arg(least.width()).arg(least.height())));
    }

    void systemsWishToEndIsAnEvent() {
        const QuitSignals quit;
        int caught = 0;
        connect(&quit, &QuitSignals::caught, this, [&caught] { ++caught; });
        for (const int number : {SIGTERM, SIGINT, SIGHUP})
            std::raise(number);
        QTRY_COMPARE(caught, 3);
    }

    /// Whatever tab is on show: what was chosen is what was chosen.
    void tabsChangeNoChoice() {
        const auto transformer = QStringLiteral("en-fr-transformer");
        if (!bundled(transformer))
            return;
        const Opened opened({.modelA = transformer, .source = QStringLiteral("a"), .view = QStringLiteral("heads")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        QVERIFY(opened.window->trace()->encoder && opened.window->trace()->cross);
        auto& selection = opened.window->selection();
        selection.setHead(BlockKind::Encoder, Layer(1), Head(1));
        selection.toggleCollected(BlockKind::Encoder, {Layer(0), Head(1)});
        for (const auto& type : viewTypes()) {
            opened.window->showView(QLatin1String(type.name));
            QCOMPARE(selection.kind(), BlockKind::Encoder);
            QCOMPARE(selection.layer(), Layer(1));
            QCOMPARE(selection.head(), Head(1));
            QCOMPARE(selection.collected().size(), std::size_t(1));
        }
    }

    /// What a view needs beside weights is asked of the model when it is chosen, and with every key from then on.
    void normsAltiAndLensAreLive() {
        const auto transformer = QStringLiteral("en-fr-transformer");
        if (!bundled(transformer))
            return;
        const Opened opened({.modelA = transformer, .source = QStringLiteral("a"), .view = QStringLiteral("matrix")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        QVERIFY(opened.window->trace()->norms.empty() && !opened.window->trace()->lens);
        const auto says = [&](const QString& words) {
            return opened.ready() && opened.window->view()->describe().join(QLatin1Char('\n')).contains(words);
        };
        opened.window->selection().setCells(Cells::Norms);
        QTRY_VERIFY_WITH_TIMEOUT(says(QStringLiteral("norms, as shares of the row")), patience);
        QTest::keyClicks(opened.source, QStringLiteral(" cat"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped() && !opened.window->trace()->norms.empty(), patience);
        opened.window->selection().setHeadMode(HeadMode::Alti);
        QTRY_VERIFY_WITH_TIMEOUT(says(QStringLiteral("layer 0, ALTI")), patience);
        opened.window->showView(QStringLiteral("lens"));
        QTRY_VERIFY_WITH_TIMEOUT(says(QStringLiteral("behind layer 1: ")), patience);
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped() && says(QStringLiteral("output: ")), patience);
    }

    void nothingTypedIsLost() {
        {
            const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the")});
            QTest::keyClicks(opened.source, QStringLiteral(" dog"));
            QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
            opened.target->selectAll();
            QTest::keyClicks(opened.target, QStringLiteral("un chien"));
            opened.window->close();
        }
        const Opened again({}, Settings::load());
        QCOMPARE(again.source->toPlainText(), QStringLiteral("the dog"));
        QCOMPARE(again.target->toPlainText(), QStringLiteral("un chien"));
        QTRY_VERIFY_WITH_TIMEOUT(again.showsWhatIsTyped(), patience);
        QVERIFY(again.window->trace()->targetForced);
    }

private:
    /// The dialog for a file of this format, from the one for exports.
    static QFileDialog* askedForFile(const Opened& opened, const QString& format) {
        QTest::keyClick(opened.window.get(), Qt::Key_E, Qt::ControlModifier);
        auto* exports = opened.window->findChild<QDialog*>(QStringLiteral("export"));
        auto* formats = exports ? exports->findChild<QComboBox*>(QStringLiteral("format")) : nullptr;
        if (!formats)
            return nullptr;
        formats->setCurrentIndex(formats->findData(format));
        QTest::mouseClick(exports->findChild<QPushButton*>(QStringLiteral("save")), Qt::LeftButton);
        return opened.window->findChild<QFileDialog*>();
    }
    static QStringList chosenModels(const Opened& opened) {
        const auto& models = opened.window->workbench().models();
        return {models.a, models.b};
    }
    static bool bundled(const QString& name) {
        return QFile::exists(QLatin1String(HEADLIGHT_MODELS) + QLatin1Char('/') + name
                             + QStringLiteral("/model.safetensors"));
    }

    Folder m_tiny;
    Folder m_other;
};

QTEST_MAIN(TypingTest)
#include "tst_typing.moc"
