// Texts that are not ours, on screen: short, on one line, and to the letter however much they look like markup.
#include "tests/support/plain.h"
#include "widgets/plain_text.h"

#include <QTest>
#include <QTextLayout>

using namespace headlight;

class TestPlainText : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void linesAreCutAndWhole_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("shown");
        const auto row = [](const char* name, const QString& text, const QString& shown) {
            QTest::newRow(name) << text << shown;
        };
        row("as it is", u"chat"_qs, u"chat"_qs);
        row("nothing", QString(), QString());
        row("as long as may be", u"12345678"_qs, u"12345678"_qs);
        row("longer", u"123456789"_qs, u"1234567…"_qs);
        row("letters of other scripts", u"注意力 שלום \U0001f600"_qs, u"注意力 שלו…"_qs);
        row("cut within a pair", u"123456\U0001f600…"_qs, u"123456…"_qs);
        row("control characters", u"\x01\x1f\x7f"_qs, u"\u2401\u241f\u2421"_qs);
        row("new lines and tabs", u"a\nb\tc\r"_qs, u"a\u240ab\u2409c\u240d"_qs);
        row("other ends of lines", u"a\u2028b\u2029c\u0085"_qs, u"a\ufffdb\ufffdc\ufffd"_qs);
        row("what turns the direction", u"a\u202eb\u2067c"_qs, u"a\ufffdb\ufffdc"_qs);
        row("no characters", QString(QChar(0xffff)) + QChar(0xfffe) + QChar(0xfdd0), u"\ufffd\ufffd\ufffd"_qs);
        row("halves of pairs", QString(QChar(0xde00)) + QChar(0xd83d), u"\ufffd\ufffd"_qs);
        row("joined signs stay", u"\U0001f469\u200d\U0001f4bb"_qs, u"\U0001f469\u200d\U0001f4bb"_qs);
        row("markup", u"<b>&amp;"_qs, u"<b>&amp;"_qs);
    }
    void linesAreCutAndWhole() {
        QFETCH(QString, text);
        QFETCH(QString, shown);
        QCOMPARE(brief(text, 8), shown);
    }

    void toolTipsSayTheLetters_data() {
        QTest::addColumn<QStringList>("lines");
        QTest::newRow("one") << QStringList{u"chat"_qs};
        QTest::newRow("a tag") << QStringList{u"<s>"_qs, u"position 0"_qs};
        QTest::newRow("an image") << QStringList{u"<img src=\"/dev/zero\">"_qs, u"<b>not bold</b>"_qs};
        QTest::newRow("an image, open") << QStringList{u"a <img src=/dev/zero b"_qs};
        QTest::newRow("an entity") << QStringList{u"&lt;s&gt; &amp;"_qs};
        QTest::newRow("the end of ours") << QStringList{u"</qt><img src='/dev/zero'>"_qs, u"</b>"_qs, u"<!--"_qs};
        QTest::newRow("a style") << QStringList{u"<style>body{background:url(/dev/zero)}</style>"_qs};
        QTest::newRow("places for arguments") << QStringList{u"%1 %2 %L1"_qs, u"%1"_qs};
    }
    void toolTipsSayTheLetters() {
        QFETCH(QStringList, lines);
        const auto read = readAsToolTip(toolTipOf(lines));
        QCOMPARE(read.text, lines.join(u'\n'));
        QCOMPARE(read.loads, QStringList());
    }
    void toolTipsLeaveOutEmptyLines() {
        QCOMPARE(toolTipOf({}), QString());
        QCOMPARE(toolTipOf({QString(), QString()}), QString());
        QCOMPARE(readAsToolTip(toolTipOf({u"a"_qs, QString(), u"b"_qs})).text, u"a\nb"_qs);
    }
    void toolTipsAreBroken() {
        const auto read = readAsToolTip(toolTipOf({QString(1'000'000, u'x')}));
        QVERIFY(read.text.size() < 1000);
        QVERIFY2(read.narrowest < 800, qPrintable(QString::number(read.narrowest)));
    }
    void namesKeepTheirPlaceInALine() {
        QCOMPARE(inLine(u"chat"_qs), u"chat"_qs);
        QCOMPARE(inLine(u"注意力"_qs), u"注意力"_qs);
        // What is drawn from left to right: the one, the arrow, the other.
        const auto first = u"שלום"_qs, second = u"عالم"_qs;
        const auto line = u"%1 → %2: 0.5"_qs.arg(inLine(first), inLine(second));
        QTextLayout layout(line);
        layout.beginLayout();
        const auto laid = layout.createLine();
        layout.endLayout();
        const auto x = [&](const QString& part) { return laid.cursorToX(static_cast<int>(line.indexOf(part))); };
        QVERIFY(x(first) < x(u"→"_qs) && x(u"→"_qs) < x(second) && x(second) < x(u"0.5"_qs));
    }
    void acceleratorsAreLetters() { QCOMPARE(withoutAccelerators(u"R&D && more"_qs), u"R&&D &&&& more"_qs); }
};

QTEST_MAIN(TestPlainText)
#include "tst_plain_text.moc"
