// What a user changes in a model, seen in the real window: heads off, other tokens, forced attention; and runs from
// files in place of a model's.
#include "app/top_bar.h"
#include "core/trace/trace_file.h"
#include "tests/support/opened_window.h"
#include "tests/support/tiny_models.h"
#include "widgets/playback_view.h"

#include <QComboBox>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTemporaryDir>

#include <algorithm>
#include <initializer_list>

using namespace headlight;

class TestChanges : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_tiny.recurrent(); }

    void headsGoOffAndComeBack() {
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        const auto full = opened.window->trace();
        const auto* notice = opened.window->findChild<QFrame*>(QStringLiteral("changes"));
        QVERIFY(!notice->isVisible());
        opened.window->selection().setOff({{BlockKind::Cross, Layer(0), Head(0)}});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && !opened.window->trace()->intervention.empty(), patience);
        QVERIFY(notice->isVisible());
        QVERIFY(notice->findChild<QLabel*>()->text().contains(QLatin1String("1 head")));
        QTest::mouseClick(notice->findChild<QPushButton*>(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && opened.window->trace()->intervention.empty(), patience);
        QVERIFY(opened.window->selection().off().empty());
        QVERIFY(!notice->isVisible());
        QVERIFY(opened.window->trace()->emitted == full->emitted);
    }

    void anotherTokenIsFollowedUp() {
        const Opened opened(
            {.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat"), .view = QStringLiteral("playback")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        auto* playback = opened.window->findChild<PlaybackView*>();
        const auto own = opened.window->trace();
        QVERIFY(own->emitted.size() > 2);
        const auto press = [&](Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
            QTest::keyClick(playback, key, modifiers);
        };
        press(Qt::Key_Home);
        press(Qt::Key_Right);
        press(Qt::Key_Down);                      // a source token
        press(Qt::Key_Down, Qt::ControlModifier); // the candidates
        press(Qt::Key_Down);
        press(Qt::Key_Return);
        const auto expected = own->predictions[1].candidates[1].id;
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && opened.window->trace() != own, patience);
        const auto other = opened.window->trace();
        QCOMPARE(other->emitted[0].id, own->emitted[0].id);
        QCOMPARE(other->emitted[1].id, expected);
        QCOMPARE(playback->step(), 1); // where it was chosen
        // A new text is the model's own again.
        opened.source->setPlainText(QStringLiteral("the cat sat"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(!opened.window->findChild<QFrame*>(QStringLiteral("changes"))->isVisible());
    }

    void attentionIsForced() {
        const Opened opened(
            {.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat"), .view = QStringLiteral("playback")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        auto* playback = opened.window->findChild<PlaybackView*>();
        QTest::keyClick(playback, Qt::Key_Home);
        QTest::keyClick(playback, Qt::Key_Down);
        QTest::keyClick(playback, Qt::Key_Return);
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && !opened.window->trace()->intervention.empty(), patience);
        QCOMPARE(opened.window->trace()->cross->at(Layer(0), Head(0), Query(0), Key(0)), 1.0F);
    }

    void aRunFromAFileIsShown_data() {
        QTest::addColumn<bool>("dropped");
        QTest::newRow("opened with") << false;
        QTest::newRow("dropped") << true;
    }
    void aRunFromAFileIsShown() {
        QFETCH(bool, dropped);
        const QTemporaryDir folder;
        Request request;
        request.source = "a dog";
        const auto written = Engine::open(m_tiny.path())->run(request);
        writeTrace(*written, folder.path().toStdString());
        const auto file = folder.filePath(QStringLiteral("trace.safetensors"));
        const Opened opened({.modelA = nameOf(m_tiny.path()),
                             .source = QStringLiteral("the cat"),
                             .trace = dropped ? QString() : file});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready(), patience);
        if (dropped)
            opened.drop(file.toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(QString::fromStdString(opened.window->trace()->sourceText), QStringLiteral("a dog"),
                                  patience);
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("a dog"));
        QCOMPARE(opened.window->trace()->cross->weights, written->cross->weights);
        const auto* modelA = opened.window->findChild<TopBar*>()->findChild<QComboBox*>();
        QCOMPARE(modelA->currentIndex(), -1);
        QCOMPARE(modelA->placeholderText(), QStringLiteral("trace.safetensors"));
        const auto* notice = opened.window->findChild<QFrame*>(QStringLiteral("changes"));
        QVERIFY(notice->isVisible());
        for (const auto* view : {"alignment", "compare", "heads", "matrix", "positions", "playback"})
            opened.window->showView(QLatin1String(view)); // none asks for a run that there is no model for
        QVERIFY(opened.ready());
        // The way back brings what was typed before.
        QTest::mouseClick(notice->findChild<QPushButton*>(), Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("the cat"));
        QVERIFY(modelA->currentIndex() >= 0);
        opened.drop(file.toStdString());
        QVERIFY(notice->isVisible());
        // A run from a file cannot be changed.
        opened.window->selection().setOff({{BlockKind::Cross, Layer(0), Head(0)}});
        QVERIFY(opened.window->selection().off().empty());
        QVERIFY(opened.ready());
        // A key brings the model back.
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(!notice->isVisible());
    }

    /// What was asked for before the file came does not take its place.
    void aFileOpenedBehindAKeyStays() {
        const QTemporaryDir folder;
        Request request;
        request.source = "a dog";
        writeTrace(*Engine::open(m_tiny.path())->run(request), folder.path().toStdString());
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        opened.window->selection().setOff({{BlockKind::Cross, Layer(0), Head(0)}});
        QVERIFY(opened.window->waiting());
        opened.drop(folder.filePath(QStringLiteral("trace.safetensors")).toStdString());
        QVERIFY(!opened.window->waiting());
        QVERIFY(opened.window->selection().off().empty());
        QVERIFY(opened.window->statusBar()->currentMessage().isEmpty()); // nobody tried to change the file's run
        QTest::qWait(300);
        QCOMPARE(QString::fromStdString(opened.window->trace()->sourceText), QStringLiteral("a dog"));
    }

    /// A file that is no run is no reason for a window without a picture.
    void aFileThatCannotBeOpenedWith() {
        const QTemporaryDir folder;
        QFile made(folder.filePath(QStringLiteral("trace.safetensors")));
        QVERIFY(made.open(QIODevice::WriteOnly));
        made.write("not a trace");
        made.close();
        const Opened opened(
            {.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat"), .trace = made.fileName()});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        QVERIFY(opened.complaint().contains(QLatin1String("trace.safetensors")));
    }

    /// What a view needs is recorded although another model was on show, or another view, when the run was asked for.
    void whatAViewNeedsIsRecorded() {
        const Opened opened({.modelA = nameOf(m_tiny.path()),
                             .source = QStringLiteral("the cat"),
                             .view = QStringLiteral("alignment")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && opened.window->trace()->additive, patience);
        QVERIFY(opened.window->trace()->cross->scores.empty());
        opened.window->showView(QStringLiteral("matrix"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.ready() && !opened.window->trace()->cross->scores.empty(), patience);
        opened.window->showView(QStringLiteral("lines"));
        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QVERIFY(opened.window->waiting());
        opened.window->showView(QStringLiteral("matrix"));
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped() && !opened.window->trace()->cross->scores.empty(), patience);
    }

    void aHypothesisKeepsWhatWasChosenBefore() {
        Trace shown;
        const auto tokens = [](std::initializer_list<std::int64_t> ids) {
            std::vector<Token> made(ids.size());
            std::transform(ids.begin(), ids.end(), made.begin(), made.begin(), [](std::int64_t id, Token token) {
                token.id = id;
                return token;
            });
            return made;
        };
        shown.target = tokens({1});
        shown.emitted = tokens({5, 6, 2});
        WhatIf whatIf;
        whatIf.chooseCandidate(shown, 1, 42);
        Request request;
        whatIf.apply(request);
        QCOMPARE(request.beginIds, (std::vector<std::int64_t>{5, 42}));
        whatIf.chooseHypothesis(shown, {7, 2}, true);
        request = {};
        whatIf.apply(request);
        QCOMPARE(request.targetIds, (std::vector<std::int64_t>{1, 5, 42, 7}));
        QVERIFY(request.beginIds.empty());
    }

    void goldSentencesAreChosenFromAList() {
        const QTemporaryDir folder;
        const auto file = folder.filePath(QStringLiteral("gold.tsv"));
        QFile made(file);
        QVERIFY(made.open(QIODevice::WriteOnly));
        made.write("1\tthe cat\tle chat\t0-0 1-1\t\n2\ta dog sat\tun chien\t0-0 1-1\t2-1\n");
        made.close();
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        opened.drop(file.toStdString());
        auto* list = opened.window->findChild<QListWidget*>(QStringLiteral("sentences"));
        QVERIFY(list);
        QCOMPARE(list->count(), 2);
        auto* filter = list->parentWidget()->findChild<QLineEdit*>();
        QTest::keyClicks(filter, QStringLiteral("dog"));
        QVERIFY(list->item(0)->isHidden() && !list->item(1)->isHidden());
        list->setCurrentRow(1);
        QTRY_VERIFY_WITH_TIMEOUT(
            opened.showsWhatIsTyped() && opened.source->toPlainText() == QLatin1String("a dog sat"), patience);
        QCOMPARE(opened.target->toPlainText(), QStringLiteral("un chien"));
        QVERIFY(opened.window->trace()->targetForced);
        QVERIFY(opened.window->selection().gold());
        const auto said = opened.window->view()->describe().join(QLatin1Char('\n'));
        QVERIFY2(said.contains(QLatin1String("error rate"), Qt::CaseInsensitive) || said.contains(QLatin1String("AER")),
                 qUtf8Printable(said));
    }

    void aFileThatIsNoneIsSaid() {
        const QTemporaryDir folder;
        const auto file = folder.filePath(QStringLiteral("trace.safetensors"));
        QFile made(file);
        QVERIFY(made.open(QIODevice::WriteOnly));
        made.write("not a trace");
        made.close();
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("the cat")});
        QTRY_VERIFY_WITH_TIMEOUT(opened.showsWhatIsTyped(), patience);
        opened.drop(file.toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(opened.complaint().contains(QLatin1String("trace.safetensors")), patience);
        QVERIFY(opened.showsWhatIsTyped()); // what was on show stays
    }

private:
    Folder m_tiny;
};

QTEST_MAIN(TestChanges)
#include "tst_changes.moc"
