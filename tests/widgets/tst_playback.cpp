// The decoder's steps as they are played, by real keys: what each shows, and what a choice asks for.
#include "tests/support/shown_view.h"
#include "widgets/figure_exporter.h"
#include "widgets/playback_view.h"

#include <QBuffer>
#include <QImage>
#include <QImageReader>
#include <QSignalSpy>
#include <QSlider>
#include <QTemporaryDir>
#include <QTest>

using namespace headlight;

namespace {

Trace playable() {
    auto trace = traceFromAscii(cat);
    trace.predictions.clear();
    for (int step = 0; step < 4; ++step)
        trace.predictions.push_back({step,
                                     {{trace.emitted[static_cast<std::size_t>(step)].id, "said", 0.75F, "said"},
                                      {100 + step, "other", 0.25F, "other"}}});
    return trace;
}

struct Played : Shown {
    explicit Played(Trace trace) : Shown(std::make_unique<PlaybackView>(), {900, 520}) {
        playback().setTrace(shared(std::move(trace)), nullptr);
    }
    PlaybackView& playback() const { return static_cast<PlaybackView&>(*view); }
    QString said() const { return oneText(view->describe()); }
    void press(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) const {
        QTest::keyClick(view.get(), key, modifiers);
    }
};

} // namespace

class TestPlayback : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void keysStep() {
        const Played played(playable());
        QCOMPARE(played.playback().steps(), 4);
        QCOMPARE(played.playback().step(), 3); // it opens with all there is
        played.press(Qt::Key_Home);
        QVERIFY2(played.said().contains(u"given out: le\n"_qs), qPrintable(played.said()));
        QVERIFY(played.said().contains(u"the: 0.90"_qs));
        const auto first = played.picture();
        played.press(Qt::Key_Right);
        QVERIFY(played.said().contains(u"given out: le chat\n"_qs));
        QVERIFY(played.said().contains(u"cat: 0.80"_qs));
        QVERIFY(played.picture() != first);
        QVERIFY(played.selection.pair().query == Query(1)); // the row is lit in all views
        played.press(Qt::Key_Left);
        QCOMPARE(played.playback().step(), 0);
        played.press(Qt::Key_Left); // there is no step before
        QCOMPARE(played.playback().step(), 0);
        played.press(Qt::Key_End);
        QCOMPARE(played.playback().step(), 3);
        QCOMPARE(played.view->findChild<QSlider*>()->value(), 3);
    }

    void itIsSavedStepByStep() {
        const Played played(playable());
        const QTemporaryDir folder;
        const FigureExporter::Options options{.size = {400, 300}, .scale = 1};
        std::vector<QImage> steps;
        for (int step = 0; step < 4; ++step) {
            played.playback().goTo(step);
            steps.push_back(FigureExporter::image(*played.view, options));
        }
        const auto files =
            FigureExporter::saveFrames(*played.view, folder.filePath(u"a.png"_qs).toStdString(), options);
        QCOMPARE(files.size(), std::size_t(4));
        QCOMPARE(files.back().filename().string(), std::string("a_3.png"));
        for (std::size_t step = 0; step < 4; ++step)
            QCOMPARE(QImage(QString::fromStdString(files[step].string())).convertToFormat(QImage::Format_RGB32),
                     steps[step]);

        auto bytes = FigureExporter::encode(*played.view, FigureExporter::Format::Gif, options);
        QBuffer buffer(&bytes);
        QImageReader reader(&buffer, "gif");
        for (const auto& step : steps) {
            const auto picture = reader.read();
            QVERIFY2(!picture.isNull(), qUtf8Printable(reader.errorString()));
            QCOMPARE(picture.size(), step.size());
            int far = 0; // of colours that were too many
            for (int y = 0; y < step.height(); ++y)
                for (int x = 0; x < step.width(); ++x)
                    far = std::max({far, qAbs(qRed(step.pixel(x, y)) - qRed(picture.pixel(x, y))),
                                    qAbs(qBlue(step.pixel(x, y)) - qBlue(picture.pixel(x, y)))});
            QVERIFY2(far < 48, qPrintable(QString::number(far)));
        }
        QVERIFY(reader.read().isNull());
    }

    void itPlaysToTheEnd() {
        const Played played(playable());
        played.playback().goTo(2);
        played.press(Qt::Key_Space);
        QVERIFY(played.playback().playing());
        played.press(Qt::Key_Space);
        QVERIFY(!played.playback().playing());
        played.press(Qt::Key_Space);
        QTRY_COMPARE(played.playback().step(), 3);
        QTRY_VERIFY(!played.playback().playing());
        played.press(Qt::Key_Space); // from the end it begins anew
        QCOMPARE(played.playback().step(), 0);
    }

    void choicesAreAskedFor() {
        const Played played(playable());
        played.press(Qt::Key_Home);
        played.press(Qt::Key_Right);
        QSignalSpy forced(&played.playback(), &PlaybackView::attentionForced);
        QSignalSpy candidate(&played.playback(), &PlaybackView::candidateChosen);
        played.press(Qt::Key_Down); // the first source token
        played.press(Qt::Key_Down);
        played.press(Qt::Key_Down);
        played.press(Qt::Key_Return);
        QCOMPARE(forced.size(), 1);
        QCOMPARE(forced[0], (QVariantList{1, 2}));
        played.press(Qt::Key_Down, Qt::ControlModifier); // on to the candidates
        played.press(Qt::Key_Down);
        played.press(Qt::Key_Return);
        QCOMPARE(candidate.size(), 1);
        QCOMPARE(candidate[0], (QVariantList{1, qint64(101)}));
    }

    /// Beside a changed run its model in full: what the step looked at, and how probable its candidates were.
    void changeOfAStep() {
        auto changed = traceFromAscii(otherCat);
        changed.predictions = playable().predictions;
        changed.predictions[2].candidates[0].probability = 0.25F;
        changed.predictions[2].candidates[1] = {7, "new", 0.2F, "new"};
        changed.intervention.forced = {{Query(2), Key(1)}};
        const Played played(changed);
        played.playback().goTo(2);
        const auto alone = played.picture();
        QVERIFY(!played.said().contains(u"in full"_qs));
        played.playback().setTrace(shared(changed), shared(playable()));
        QVERIFY(played.picture() != alone);
        for (const auto& line : {u"cat: 0.60 (in full 0.00)"_qs, u"sleeps: 0.00 (in full 0.70)"_qs,
                                 u"said ✓: 0.25 (in full 0.75)"_qs, u"new: 0.20 (in full not among them)"_qs})
            QVERIFY2(played.said().contains(line), qPrintable(played.said()));
        QCOMPARE(played.view->numbers().rows.size(), 4 + 4 + 2 + 1); // now and in full, where that is known
        played.playback().setTrace(shared(changed), traceOf("  a b\n x 9 1\n y . #\n"));
        QVERIFY2(played.said().contains(u"cat: 0.60\n"_qs) && !played.said().contains(u"in full"_qs), "another length");
        auto other = playable();
        other.target[2].id += 100;
        played.playback().setTrace(shared(changed), shared(other));
        QVERIFY2(!played.said().contains(u"in full"_qs), "another word came before");
        played.playback().goTo(1);
        QVERIFY2(played.said().contains(u"said ✓: 0.75 (in full 0.75)"_qs), "but not before that");
    }

    void whatIsForcedCanBeFreed() {
        auto trace = playable();
        trace.intervention.forced = {{Query(0), Key(0)}};
        const Played played(trace);
        played.press(Qt::Key_Home);
        QVERIFY(played.said().contains(u"forced"_qs));
        QSignalSpy forced(&played.playback(), &PlaybackView::attentionForced);
        played.press(Qt::Key_Down);
        played.press(Qt::Key_Return);
        QCOMPARE(forced[0], (QVariantList{0, -1}));
        played.press(Qt::Key_Right);
        QVERIFY(!played.said().contains(u"forced"_qs));
    }

    void hypothesesAreChosen() {
        auto trace = playable();
        trace.beam = {{.token = {5, "le", 0.5F, "le"}, .chosen = true},
                      {.token = {6, "la", 0.4F, "la"}},
                      {.parent = 1, .step = 1, .token = {7, "chatte", 0.3F, "chatte"}, .finished = true}};
        const Played played(trace);
        QVERIFY(played.said().contains(u"step 1: chatte 0.30"_qs));
        played.press(Qt::Key_Home);
        played.press(Qt::Key_Up, Qt::ControlModifier);
        QSignalSpy chosen(&played.playback(), &PlaybackView::hypothesisChosen);
        played.press(Qt::Key_Down, Qt::ControlModifier);
        played.press(Qt::Key_Down, Qt::ControlModifier);
        played.press(Qt::Key_Down);
        played.press(Qt::Key_Down);
        played.press(Qt::Key_Return);
        QCOMPARE(chosen.size(), 1);
        QCOMPARE(chosen[0][0].value<QList<qint64>>(), (QList<qint64>{6, 7}));
        // The run of a hypothesis has no beam of its own; the tree stays.
        auto hypothesis = playable();
        hypothesis.targetForced = true;
        played.playback().setTrace(shared(hypothesis), nullptr);
        QVERIFY(played.said().contains(u"chatte"_qs));
        hypothesis.targetForced = false;
        played.playback().setTrace(shared(hypothesis), nullptr);
        QVERIFY(!played.said().contains(u"chatte"_qs));
    }

    void withoutAttentionThereIsOneVector() {
        auto trace = playable();
        const Played with(trace);
        const auto lines = with.picture();
        trace.cross.reset();
        trace.fixedContext = {0.5F, -1, 0.25F};
        const Played played(trace);
        QVERIFY(played.said().contains(u"one fixed vector of 3"_qs));
        QVERIFY(played.picture() != lines);
        QSignalSpy forced(&played.playback(), &PlaybackView::attentionForced);
        played.press(Qt::Key_Down);
        played.press(Qt::Key_Return);
        QCOMPARE(forced.size(), 0); // there is nothing to force
    }

    void anEncoderGivesNothingOut() {
        auto trace = playable();
        trace.emitted.clear();
        trace.target.clear();
        trace.cross.reset();
        const Played played(trace);
        QVERIFY(played.said().contains(u"no decoder"_qs));
        played.press(Qt::Key_Space);
        QVERIFY(!played.playback().playing());
    }
};

QTEST_MAIN(TestPlayback)
#include "tst_playback.moc"
