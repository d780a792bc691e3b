// Protects what a window's keys are used to do: find, go back, larger text, full screen, panels out of the way.
#include "tests/support/opened_window.h"
#include "tests/support/tiny_models.h"
#include "widgets/inspector.h"
#include "widgets/trace_view.h"

#include <QLineEdit>

using namespace headlight;

class TestWindow : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_pair.copyWithWords("marian"); }

    void tokensAreFound() {
        const Opened opened({.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10 w11 w20 w110")});
        QVERIFY(rests(opened));
        auto& window = *opened.window;
        const auto found = [&] {
            const auto& locked = window.selection().chosen().locked;
            return locked && locked->key ? QString::fromStdString(window.trace()->source[locked->key->offset()].text)
                                         : QString();
        };
        QTest::keyClick(&window, Qt::Key_F, Qt::ControlModifier);
        auto* find = window.findChild<QLineEdit*>(QStringLiteral("find"));
        QVERIFY(find && find->isVisible());
        QTest::keyClicks(find, QStringLiteral("W11"));
        QCOMPARE(found(), QStringLiteral("w11"));
        QTest::keyClick(find, Qt::Key_Return);
        QCOMPARE(found(), QStringLiteral("w110"));
        QTest::keyClick(find, Qt::Key_Return);
        QCOMPARE(found(), QStringLiteral("w11")); // from the beginning again
        QTest::keyClicks(find, QStringLiteral("9"));
        QCOMPARE(found(), QString());
        QTest::keyClick(find, Qt::Key_Escape);
        QVERIFY(!find->isVisible() && !window.selection().locked());
    }

    void escapeGoesBackToTheHeads() {
        const Opened opened(
            {.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10 w11"), .view = QStringLiteral("heads")});
        QVERIFY(rests(opened));
        auto& window = *opened.window;
        auto* heads = window.view();
        QTRY_VERIFY(heads->describe().size() > 2);
        heads->setFocus();
        QTest::keyClick(heads, Qt::Key_Down);
        QTest::keyClick(heads, Qt::Key_Return);
        QCOMPARE(window.view()->objectName(), QStringLiteral("matrix"));
        window.selection().toggleLock({window.selection().kind(), Query(0), Key(0)});
        QTest::keyClick(&window, Qt::Key_Escape);
        QVERIFY(!window.selection().locked());
        QCOMPARE(window.view()->objectName(), QStringLiteral("matrix"));
        QTest::keyClick(&window, Qt::Key_Escape);
        QCOMPARE(window.view()->objectName(), QStringLiteral("heads"));
        QTest::keyClick(&window, Qt::Key_Escape);
        QCOMPARE(window.view()->objectName(), QStringLiteral("heads"));
    }

    void textGrowsAndShrinks() {
        const Opened opened({.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10 w11")});
        QVERIFY(rests(opened));
        const auto usual = QApplication::font().pointSizeF(), typed = opened.source->font().pointSizeF();
        const auto before = opened.window->view()->grab().toImage();
        for (int i = 0; i < 3; ++i)
            QTest::keyClick(opened.window.get(), Qt::Key_Plus, Qt::ControlModifier);
        QVERIFY(qAbs(QApplication::font().pointSizeF() - 1.3 * usual) < 0.1);
        QVERIFY(qAbs(opened.source->font().pointSizeF() - 1.3 * typed) < 0.1);
        QTRY_VERIFY(opened.window->view()->grab().toImage() != before);
        QTest::keyClick(opened.window.get(), Qt::Key_Minus, Qt::ControlModifier);
        QVERIFY(qAbs(QApplication::font().pointSizeF() - 1.2 * usual) < 0.1);
        QTest::keyClick(opened.window.get(), Qt::Key_0, Qt::ControlModifier);
        QVERIFY(qAbs(QApplication::font().pointSizeF() - usual) < 0.1);
    }

    void viewsGetTheWholeWindow() {
        const Opened opened({.modelA = nameOf(m_pair.path()), .source = QStringLiteral("w10 w11")});
        QVERIFY(rests(opened));
        const int before = opened.window->view()->width();
        QTest::keyClick(opened.window.get(), Qt::Key_F9);
        QTRY_VERIFY(opened.window->view()->width() > before + 300);
        QVERIFY(!opened.source->isVisible() && !opened.window->findChild<Inspector*>()->isVisible());
        QTest::keyClick(opened.window.get(), Qt::Key_F9);
        QVERIFY(opened.source->isVisible());
        QTest::keyClick(opened.window.get(), Qt::Key_F11);
        QVERIFY(opened.window->isFullScreen());
        QTest::keyClick(opened.window.get(), Qt::Key_F11);
        QVERIFY(!opened.window->isFullScreen());
    }

private:
    static bool rests(const Opened& opened) {
        return QTest::qWaitForWindowActive(opened.window.get())
               && QTest::qWaitFor([&opened] { return opened.ready(); }, patience);
    }

    Folder m_pair;
};

QTEST_MAIN(TestWindow)
#include "tst_window.moc"
