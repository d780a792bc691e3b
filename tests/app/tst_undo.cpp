// Protects who tries things out: whatever was done to the window, undo leads back to its beginning and redo to its end,
// to the same session and the same picture. And what a document holds comes back from its file.
#include "tests/support/opened_window.h"
#include "tests/support/tiny_models.h"
#include "widgets/figure_exporter.h"
#include "widgets/trace_view.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QImage>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>

#include <algorithm>
#include <array>
#include <random>

using namespace headlight;

namespace {

class Hand {
public:
    Hand(const Opened& opened, unsigned seed) : m_opened(opened), m_random(seed) {}

    /// One deed that changes the session, or may.
    void act() {
        auto& window = *m_opened.window;
        switch (below(12)) {
        case 0:
            return QTest::keyClicks(m_opened.source, below(2) ? QStringLiteral(" w12") : QStringLiteral("a"));
        case 1:
            return QTest::keyClick(m_opened.source, Qt::Key_Backspace);
        case 2:
            if (m_opened.target->isVisible())
                QTest::keyClicks(m_opened.target, QStringLiteral("x"));
            return;
        case 3:
        case 4:
            return QTest::keyClick(&window, static_cast<Qt::Key>(Qt::Key_1 + below(8)), Qt::ControlModifier);
        case 5: {
            constexpr std::array arrows{Qt::Key_Up, Qt::Key_Down, Qt::Key_Left, Qt::Key_Right};
            return QTest::keyClick(&window, arrows[static_cast<std::size_t>(below(4))], Qt::AltModifier);
        }
        case 6:
        case 7: {
            auto* view = window.view();
            const auto area = view->figureArea();
            return QTest::mouseClick(view->childAt(area.center()), Qt::LeftButton, Qt::NoModifier,
                                     {below(area.width()), below(area.height())});
        }
        case 8:
            if (auto* list = one<QComboBox>())
                QTest::keyClick(list, below(2) ? Qt::Key_Down : Qt::Key_Up);
            return;
        case 9:
            if (auto* box = one<QCheckBox>())
                QTest::keyClick(box, Qt::Key_Space);
            return;
        case 10:
            if (auto* number = one<QSpinBox>())
                QTest::keyClick(number, below(2) ? Qt::Key_Down : Qt::Key_Up);
            return;
        default:
            if (const auto run = window.trace(); run && run->decoder)
                window.selection().setOff({{BlockKind::Decoder, Layer(below(run->decoder->layers)), Head(0)}});
        }
    }
    bool waits() { return below(3) > 0; }

private:
    int below(int most) { return static_cast<int>(m_random() % static_cast<unsigned>(std::max(1, most))); }
    /// What can be seen and changed.
    template <class Control>
    Control* one() {
        auto all = m_opened.window->findChildren<Control*>();
        all.removeIf([](const Control* each) { return !each->isVisible() || !each->isEnabled(); });
        return all.isEmpty() ? nullptr : all[below(static_cast<int>(all.size()))];
    }

    const Opened& m_opened;
    std::mt19937 m_random;
};

/// Takes keys, and shows what it is to show.
bool rests(const Opened& opened) {
    if (auto* dialog = QApplication::activeModalWidget()) // for another model's folder
        dialog->close();
    opened.window->activateWindow();
    if (!QTest::qWaitForWindowActive(opened.window.get()))
        return false;
    return QTest::qWaitFor([&opened] { return opened.ready(); }, patience);
}

/// What is on show, with nothing under the pointer.
QImage pictureOf(const Opened& opened) {
    auto* view = opened.window->view();
    for (auto* part : view->findChildren<QWidget*>()) {
        QEvent leave(QEvent::Leave);
        QApplication::sendEvent(part, &leave);
    }
    return FigureExporter::image(*view, {.size = {700, 500}, .scale = 1, .title = {}});
}

} // namespace

class TestUndo : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        m_tiny.recurrent();
        m_decoder.copyWithWords("gpt2");
        m_pair.copyWithWords("marian");
    }

    void leadsBackAndForth_data() {
        QTest::addColumn<QString>("first");
        QTest::addColumn<QString>("second");
        QTest::addColumn<unsigned>("seed");
        for (unsigned seed = 1; seed <= 3; ++seed) {
            QTest::addRow("two models, %u", seed) << nameOf(m_pair.path()) << nameOf(m_tiny.path()) << seed;
            QTest::addRow("a decoder, %u", seed) << nameOf(m_decoder.path()) << QString() << seed;
        }
    }
    void leadsBackAndForth() {
        QFETCH(QString, first);
        QFETCH(QString, second);
        QFETCH(unsigned, seed);
        const Opened opened({.modelA = first, .modelB = second, .source = QStringLiteral("w10 w11")});
        const auto& steps = opened.window->document().steps();
        const auto session = [&opened] { return QString::fromStdString(opened.window->session().written()); };
        QVERIFY(rests(opened));
        QVERIFY(!steps.canUndo());
        const auto beginning = session();
        const auto picture = pictureOf(opened);
        Hand hand(opened, seed);
        for (int i = 0; i < 40; ++i) {
            hand.act();
            QCoreApplication::processEvents();
            if (hand.waits() || QApplication::activeModalWidget())
                QVERIFY(rests(opened));
        }
        QVERIFY(rests(opened));
        const auto end = session();
        const auto last = pictureOf(opened);
        QVERIFY(steps.count() > 5 && end != beginning);

        for (int i = steps.count(); i > 0; --i) {
            QTest::keyClick(opened.source, Qt::Key_Z, Qt::ControlModifier);
            if (hand.waits())
                QVERIFY(rests(opened));
        }
        QVERIFY(rests(opened));
        QVERIFY(!steps.canUndo());
        QCOMPARE(session(), beginning);
        QVERIFY(pictureOf(opened) == picture);
        for (int i = steps.count(); i > 0; --i) {
            QTest::keyClick(opened.source, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
            if (hand.waits())
                QVERIFY(rests(opened));
        }
        QVERIFY(rests(opened));
        QVERIFY(!steps.canRedo());
        QCOMPARE(session(), end);
        QVERIFY(pictureOf(opened) == last);
    }

    void aFileBringsBackWhatWasOnShow() {
        const QTemporaryDir folder;
        const auto file = folder.filePath(QStringLiteral("a.headlight"));
        const Opened opened({.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10 w11")});
        QVERIFY(rests(opened));
        auto& window = *opened.window;
        QTest::keyClick(&window, Qt::Key_5, Qt::ControlModifier);
        QTest::keyClick(&window, Qt::Key_Right, Qt::AltModifier);
        window.selection().toggleLock({BlockKind::Cross, Query(1), Key(0)});
        QVERIFY(rests(opened));
        QTest::keyClick(&window, Qt::Key_S, Qt::ControlModifier);
        auto* dialog = window.findChild<QFileDialog*>();
        QVERIFY(dialog);
        Q_EMIT dialog->fileSelected(file);
        dialog->close();
        QCOMPARE(opened.complaint(), QString());
        QCOMPARE(window.windowTitle(), QStringLiteral("a.headlight[*]"));
        QVERIFY(!window.isWindowModified());
        const auto saved = window.session();
        const auto picture = pictureOf(opened);

        QTest::keyClicks(opened.source, QStringLiteral("s"));
        QTRY_VERIFY(window.isWindowModified());
        QVERIFY(rests(opened));
        QTest::keyClick(&window, Qt::Key_N, Qt::ControlModifier);
        QVERIFY(rests(opened));
        QCOMPARE(opened.source->toPlainText(), QString());
        QVERIFY(!window.isWindowModified() && window.document().file().isEmpty());

        opened.drop(file.toStdString());
        QVERIFY(rests(opened));
        QCOMPARE(window.session().written(), saved.written());
        QVERIFY(pictureOf(opened) == picture);
        QTest::keyClick(&window, Qt::Key_Z, Qt::ControlModifier); // opening is a step, and so was the new one
        QTest::keyClick(&window, Qt::Key_Z, Qt::ControlModifier);
        QVERIFY(rests(opened));
        QCOMPARE(opened.source->toPlainText(), QStringLiteral("w10 w11s"));
    }

    void aPictureBringsBackWhatItShows_data() {
        QTest::addColumn<QString>("format");
        QTest::newRow("PNG") << QStringLiteral("png");
        QTest::newRow("SVG") << QStringLiteral("svg");
    }
    void aPictureBringsBackWhatItShows() {
        QFETCH(QString, format);
        const QTemporaryDir folder;
        const auto file = folder.filePath(QStringLiteral("picture.") + format);
        const Opened opened({.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10  w11")});
        QVERIFY(rests(opened));
        auto& window = *opened.window;
        QTest::keyClick(&window, Qt::Key_5, Qt::ControlModifier);
        QTest::keyClick(&window, Qt::Key_E, Qt::ControlModifier);
        auto* exports = window.findChild<QDialog*>(QStringLiteral("export"));
        QVERIFY(exports);
        auto* formats = exports->findChild<QComboBox*>(QStringLiteral("format"));
        formats->setCurrentIndex(formats->findData(format));
        exports->findChild<QSpinBox*>(QStringLiteral("width"))->setValue(500);
        exports->findChild<QSpinBox*>(QStringLiteral("height"))->setValue(400);
        const auto* preview = exports->findChild<QLabel*>(QStringLiteral("preview"));
        QTRY_VERIFY(!preview->pixmap().isNull());
        QTest::mouseClick(exports->findChild<QPushButton*>(QStringLiteral("save")), Qt::LeftButton);
        auto* dialog = window.findChild<QFileDialog*>();
        QVERIFY(dialog);
        const auto named = dialog->selectedFiles().value(0);
        QVERIFY2(named.contains(QLatin1String("matrix_")) && named.endsWith(QStringLiteral("_L1H2.") + format),
                 qUtf8Printable(named));
        Q_EMIT dialog->fileSelected(file);
        dialog->close();
        exports->close();
        QCOMPARE(opened.complaint(), QString());
        if (format == QLatin1String("png"))
            QCOMPARE(QImage(file).size(), QSize(1000, 800)); // at 192 dots per inch
        const auto before = window.session();

        QVERIFY(rests(opened));
        QTest::keyClick(&window, Qt::Key_N, Qt::ControlModifier);
        QVERIFY(rests(opened));
        opened.drop(file.toStdString());
        QVERIFY(rests(opened));
        QCOMPARE(opened.complaint(), QString());
        QCOMPARE(window.session().written(), before.written());
        QVERIFY(window.document().file().isEmpty()); // which is not to be written over
    }

    /// Each view that has something, under its name.
    void allViewsAreSaved() {
        const QTemporaryDir folder;
        const Opened opened({.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10 w11")});
        QVERIFY(rests(opened));
        QTest::keyClick(opened.window.get(), Qt::Key_E, Qt::ControlModifier);
        auto* exports = opened.window->findChild<QDialog*>(QStringLiteral("export"));
        QVERIFY(exports);
        QTest::mouseClick(exports->findChild<QPushButton*>(QStringLiteral("all")), Qt::LeftButton);
        auto* dialog = opened.window->findChild<QFileDialog*>();
        QVERIFY(dialog);
        Q_EMIT dialog->fileSelected(folder.path());
        QCOMPARE(opened.complaint(), QString());
        const auto files = QDir(folder.path()).entryList(QDir::Files);
        QVERIFY2(files.size() >= 6, qUtf8Printable(files.join(u' ')));
        for (const auto& file : files)
            QVERIFY2(!QImage(folder.filePath(file)).isNull(), qUtf8Printable(file));
    }

    void aFileThatIsWrongLeavesWhatIsOnShow() {
        const QTemporaryDir folder;
        const auto file = folder.filePath(QStringLiteral("newer.headlight"));
        write(file.toStdString(), "{\"headlight_session\": 99}");
        const Opened opened({.modelA = nameOf(m_tiny.path()), .source = QStringLiteral("w10 w11")});
        QVERIFY(rests(opened));
        const auto before = opened.window->session();
        opened.drop(file.toStdString());
        QVERIFY2(opened.complaint().contains(QLatin1String("version 99")), qUtf8Printable(opened.complaint()));
        QVERIFY(opened.window->session() == before);
    }

    /// The rest is there, and a banner says how to get the model.
    void aModelThatIsGoneLeavesTheRest() {
        const QTemporaryDir folder;
        const auto file = folder.filePath(QStringLiteral("gone.headlight"));
        Session session;
        session.models = {QStringLiteral("nobody/nothing"), nameOf(m_tiny.path())};
        session.typed.source = QStringLiteral("w10 w12");
        session.view = QStringLiteral("heads");
        session.selection.off = {{BlockKind::Cross, Layer(7), Head(7)}};
        session.save(file.toStdString());
        const Opened opened({.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10 w11")});
        QVERIFY(rests(opened));
        opened.drop(file.toStdString());
        QVERIFY(rests(opened));
        QVERIFY2(opened.complaint().contains(QLatin1String("headlight fetch nobody/nothing")),
                 qUtf8Printable(opened.complaint()));
        const auto shown = opened.window->session();
        QCOMPARE(shown.models.a, nameOf(m_pair.path()));
        QCOMPARE(shown.models.b, nameOf(m_tiny.path()));
        QCOMPARE(shown.typed.source, QStringLiteral("w10 w12"));
        QCOMPARE(shown.view, QStringLiteral("heads"));
        QVERIFY(shown.selection.off.empty());
        QVERIFY(opened.showsWhatIsTyped());
    }

private:
    Folder m_tiny;
    Folder m_decoder;
    Folder m_pair; ///< encoder and decoder
};

QTEST_MAIN(TestUndo)
#include "tst_undo.moc"
