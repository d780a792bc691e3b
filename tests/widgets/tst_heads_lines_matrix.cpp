// The views of single heads, by mouse and keys as a user has them: Heads, Lines and Matrix.
#include "core/analysis/thinning.h"
#include "tests/support/shown_view.h"
#include "widgets/lines_view.h"

#include <QCheckBox>
#include <QComboBox>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QToolTip>

#include <cmath>
#include <memory>

using namespace headlight;

namespace {

constexpr AsciiOptions sixHeads{.layers = 2, .heads = 3, .selfAttention = true};

/// A place where the tool tip begins with these words; (-1, -1) when there is none.
QPoint placeOfWords(QWidget& view, const QString& words) {
    constexpr int step = 7;
    for (int y = step; y < view.height(); y += step)
        for (int x = step; x < view.width(); x += step) {
            moveMouse(view, {x, y});
            if (QToolTip::isVisible() && QToolTip::text().startsWith(QLatin1String("<qt>") + words))
                return {x, y};
        }
    return {-1, -1};
}

void click(QWidget& view, const QPoint& place, Qt::KeyboardModifiers modifiers = {}) {
    auto* canvas = view.childAt(place);
    QTest::mouseClick(canvas, Qt::LeftButton, modifiers, canvas->mapFrom(&view, place));
}

/// As a window system sends it: a click, the double click, and a release that is no click.
void doubleClick(QWidget& view, const QPoint& place) {
    auto* canvas = view.childAt(place);
    const auto local = canvas->mapFrom(&view, place);
    QTest::mouseClick(canvas, Qt::LeftButton, {}, local);
    QMouseEvent again(QEvent::MouseButtonDblClick, QPointF(local), canvas->mapToGlobal(QPointF(local)), Qt::LeftButton,
                      Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(canvas, &again);
    QTest::mouseRelease(canvas, Qt::LeftButton, {}, local);
}

/// The view's line that begins with these words.
QString lineOf(const TraceView& view, const QString& words) {
    for (const auto& line : view.describe())
        if (line.startsWith(words))
            return line;
    return {};
}

/// A sentence read by an encoder of so many layers and heads; each head looks another way.
TracePointer encoderOf(int layers, int heads, int tokens) {
    Trace trace;
    trace.model = "long";
    for (int i = 0; i < tokens; ++i) {
        Token token;
        token.text = "\u2581" + std::string(i % 7 == 3 ? "注意力" : i % 11 == 5 ? "😀" : "word") + std::to_string(i);
        token.word = i;
        token.special = i == 0 || i + 1 == tokens;
        trace.source.push_back(token);
    }
    auto& block = trace.encoder.emplace();
    block.kind = BlockKind::Encoder;
    block.layers = layers;
    block.heads = heads;
    block.queries = block.keys = tokens;
    for (int head = 0; head < layers * heads; ++head)
        for (int query = 0; query < tokens; ++query) {
            std::vector<float> row;
            float sum = 0;
            for (int key = 0; key < tokens; ++key) {
                const int distance = std::abs(query + head % 5 - 2 - key);
                row.push_back(std::exp(-static_cast<float>(distance * (head % 4)) / 3) + (key == 0 ? 0.3F : 0.0F));
                sum += row.back();
            }
            for (const float weight : row)
                block.weights.push_back(weight / sum);
        }
    return shared(std::move(trace));
}

struct ShownLines : Shown {
    explicit ShownLines(TracePointer trace, BlockKind kind = BlockKind::Encoder, const QSize& size = {700, 500})
        : Shown(std::make_unique<LinesView>(), size) {
        selection.setHead(kind, Layer(0), Head(0));
        view->setTrace(std::move(trace), nullptr);
        (void)picture();
    }
    QString shown() const { return lineOf(*view, u"shown: "_qs).mid(7); }
    template <class Control>
    Control* control(const QString& name) const {
        for (auto* one : view->findChildren<Control*>())
            if (one->accessibleName() == name)
                return one;
        return nullptr;
    }
};

} // namespace

class TestHeadsLinesMatrix : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // Lines

    void linesOfEachKind_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QStringList>("said");
        QTest::newRow("encoder") << int(BlockKind::Encoder)
                                 << QStringList{u"encoder, self · layer 0"_qs, u"query (looks), key (is looked at)"_qs,
                                                u"cat → cat: 0.50 (H0)"_qs};
        QTest::newRow("decoder") << int(BlockKind::Decoder) << QStringList{u"decoder, self"_qs, u"chat → "_qs};
        QTest::newRow("cross") << int(
            BlockKind::Cross) << QStringList{u"target (looks), source (is looked at)"_qs, u"</s> → </s>: 1.00 (H0)"_qs};
    }
    void linesOfEachKind() {
        QFETCH(int, kind);
        QFETCH(QStringList, said);
        ShownLines lines(traceOf(cat, {.layers = 2, .heads = 1, .selfAttention = true}), BlockKind(kind));
        const auto text = oneText(lines.view->describe());
        for (const auto& line : said)
            QVERIFY2(text.contains(line), qPrintable(u"\"%1\" is not in:\n%2"_qs.arg(line, text)));
        QVERIFY(colorsOf(lines.picture()) > 12);
    }

    /// What is written out is what is drawn: of each shown head the weights that hold the share.
    void linesAreTheKeptWeights_data() {
        QTest::addColumn<int>("percent");
        for (const int percent : {30, 70, 100})
            QTest::addRow("%d %%", percent) << percent;
    }
    void linesAreTheKeptWeights() {
        QFETCH(int, percent);
        const auto trace = traceOf(cat, sixHeads);
        ShownLines lines(trace, BlockKind::Cross);
        lines.selection.setHead(BlockKind::Cross, Layer(1), Head(0));
        lines.control<QSpinBox>(u"Lines"_qs)->setValue(percent);
        const auto rows = lines.view->numbers().rows;
        auto row = rows.begin();
        for (int head = 0; head < 3; ++head)
            for (const auto& kept : strongestOfRows(headMap(*trace->cross, Layer(1), Head(head)), percent / 100.0)) {
                QVERIFY(row != rows.end());
                QCOMPARE((*row)[0], u"H%1"_qs.arg(head));
                QCOMPARE((*row)[1].toInt(), kept.row);
                QCOMPARE((*row)[3].toInt(), kept.column);
                QCOMPARE((*row)[5].toFloat(), kept.weight);
                ++row;
            }
        QVERIFY(row == rows.end());
    }

    void hoverAndLockOfATokenInLines_data() {
        QTest::addColumn<int>("query");
        QTest::addColumn<int>("key");
        QTest::newRow("one that looks") << 2 << -1;
        QTest::newRow("one that is looked at") << -1 << 1;
    }
    void hoverAndLockOfATokenInLines() {
        QFETCH(int, query);
        QFETCH(int, key);
        ShownLines lines(traceOf(cat, sixHeads));
        const auto still = lines.picture();
        const auto token = pairOf(BlockKind::Encoder, query, key);
        const auto place = placeOf(*lines.view, lines.selection, token);
        QVERIFY2(place.x() >= 0, "no place of the view points at the token");
        const auto lit = lines.picture();
        QVERIFY(lit != still);

        click(*lines.view, place);
        QVERIFY(lines.selection.locked());
        moveMouse(*lines.view, {place.x(), place.y() + 40});
        QCOMPARE(lines.selection.pair(), token);
        QCOMPARE(lines.picture(), lit);
        QTest::keyClick(lines.view.get(), Qt::Key_Escape);
        QVERIFY(!lines.selection.locked());
        moveMouse(*lines.view, {690, 490});
        QCOMPARE(lines.picture(), still);
    }

    /// What another view points at lights here too, a cell as the row that it is in.
    void linesFollowOtherViews() {
        ShownLines lines(traceOf(cat, sixHeads));
        const auto still = lines.picture();
        lines.selection.hover(pairOf(BlockKind::Encoder, 1, 3));
        QVERIFY(lines.picture() != still);
        lines.selection.hover(pairOf(BlockKind::Cross, 1, 3));
        QCOMPARE(lines.picture(), still);
    }

    void headsOfLinesByMouse() {
        ShownLines lines(traceOf(cat, sixHeads));
        QCOMPARE(lines.shown(), u"H0, H1, H2"_qs);
        const auto all = lines.picture();
        const auto first = placeOfWords(*lines.view, u"H0"_qs), second = placeOfWords(*lines.view, u"H1"_qs),
                   third = placeOfWords(*lines.view, u"H2"_qs);
        QVERIFY(first.x() >= 0 && second.x() > first.x() && third.x() > second.x());
        click(*lines.view, second);
        QCOMPARE(lines.shown(), u"H0, H2"_qs);
        QCOMPARE(lineOf(*lines.view, u"hidden"_qs), u"hidden: H1"_qs);
        QVERIFY(lines.picture() != all);
        QTest::qWait(QApplication::doubleClickInterval() + 50);
        click(*lines.view, first);
        QCOMPARE(lines.shown(), u"H2"_qs);
        click(*lines.view, third); // never none
        QCOMPARE(lines.shown(), u"H2"_qs);

        doubleClick(*lines.view, first);
        QCOMPARE(lines.shown(), u"H0"_qs);
        doubleClick(*lines.view, first); // the last one: all again
        QCOMPARE(lines.shown(), u"H0, H1, H2"_qs);
        doubleClick(*lines.view, second);
        QCOMPARE(lines.shown(), u"H1"_qs);
        QVERIFY2(!lines.selection.locked(), "a head's name is no token");
        lines.selection.setHead(BlockKind::Encoder, Layer(1), Head(0)); // heads stay hidden in the next layer
        QCOMPARE(lines.shown(), u"H1"_qs);
    }

    void linesByKeyboard() {
        ShownLines lines(traceOf(cat, sixHeads));
        const auto press = [&](std::initializer_list<Qt::Key> keys) {
            for (const auto key : keys)
                QTest::keyClick(lines.view.get(), key);
            return lines.selection.pair();
        };
        QCOMPARE(press({Qt::Key_Down}), pairOf(BlockKind::Encoder, 0, -1));
        QCOMPARE(press({Qt::Key_Down, Qt::Key_Down}), pairOf(BlockKind::Encoder, 2, -1));
        QCOMPARE(press({Qt::Key_Right}), pairOf(BlockKind::Encoder, -1, 2));
        QCOMPARE(press({Qt::Key_Up}), pairOf(BlockKind::Encoder, -1, 1));
        QCOMPARE(press({Qt::Key_Left, Qt::Key_Return}), pairOf(BlockKind::Encoder, 1, -1));
        QVERIFY(lines.selection.locked());
        (void)press({Qt::Key_Escape});
        QVERIFY(!lines.selection.locked());
        // Above the tokens are the heads.
        QCOMPARE(press({Qt::Key_Up, Qt::Key_Up, Qt::Key_Right}), Selection::Pair());
        (void)press({Qt::Key_Return});
        QCOMPARE(lines.shown(), u"H0, H2"_qs);
        QTest::keyClick(lines.view.get(), Qt::Key_Return, Qt::ShiftModifier);
        QCOMPARE(lines.shown(), u"H1"_qs);
        QCOMPARE(press({Qt::Key_Down}), pairOf(BlockKind::Encoder, 0, -1));
    }

    void whichHeadsHaveLines() {
        ShownLines lines(traceOf(cat, sixHeads));
        lines.selection.toggleCollected(BlockKind::Encoder, {Layer(1), Head(2)});
        lines.selection.toggleCollected(BlockKind::Encoder, {Layer(0), Head(1)});
        QCOMPARE(lines.shown(), u"L1 H2, L0 H1"_qs);
        QVERIFY(lines.view->describe().first().contains(u"2 collected head"_qs));
        auto* which = lines.control<QComboBox>(u"Heads"_qs);
        QVERIFY(which);
        which->setCurrentIndex(1);
        lines.selection.setHead(BlockKind::Encoder, Layer(1), Head(1));
        QCOMPARE(lines.shown(), u"layer 1, head 1"_qs);
        lines.selection.setHeadMode(HeadMode::MeanOfAll);
        QCOMPARE(lines.shown(), u"mean of all heads"_qs);
        which->setCurrentIndex(0);
        lines.selection.setCollected(BlockKind::Encoder, {});
        QCOMPARE(lines.shown(), u"H0, H1, H2"_qs);
    }

    void specialTokensOfLines() {
        ShownLines lines(traceOf(otherCat), BlockKind::Cross);
        lines.control<QSpinBox>(u"Lines"_qs)->setValue(100);
        auto* specials = lines.view->findChild<QCheckBox*>();
        QVERIFY(specials && specials->isChecked());
        specials->click();
        QVERIFY(!lines.selection.specials());
        const auto text = oneText(lines.view->describe());
        QVERIFY(!text.contains(u"→ </s>"_qs));
        QVERIFY2(text.contains(u"dort → cat: 1.00"_qs) && text.contains(u"scaled"_qs), qPrintable(text));
        lines.selection.setSpecials(true);
        QVERIFY(specials->isChecked());
        QVERIFY(oneText(lines.view->describe()).contains(u"dort → cat: 0.60"_qs));
    }

    void linesOfTwoTexts_data() {
        QTest::addColumn<QString>("texts");
        QTest::addColumn<QString>("rows");
        QTest::addColumn<QString>("columns");
        QTest::newRow("both") << u"both texts"_qs << u"0 1 2 3"_qs << u"0 1 2 3"_qs;
        QTest::newRow("within the first") << u"A → A"_qs << u"0 1"_qs << u"0 1"_qs;
        QTest::newRow("on to the second") << u"A → B"_qs << u"0 1"_qs << u"2 3"_qs;
        QTest::newRow("back to the first") << u"B → A"_qs << u"2 3"_qs << u"0 1"_qs;
        QTest::newRow("within the second") << u"B → B"_qs << u"2 3"_qs << u"2 3"_qs;
    }
    void linesOfTwoTexts() {
        QFETCH(QString, texts);
        auto trace = traceFromAscii(cat, {.selfAttention = true});
        trace.source[2].segment = trace.source[3].segment = 1;
        trace.encoder->weights.assign(16, 0.25F);
        ShownLines lines(shared(trace));
        auto* box = lines.control<QComboBox>(u"Texts"_qs);
        QVERIFY(box && box->isVisible());
        box->setCurrentText(texts);
        QSet<int> rows, columns;
        const auto still = lines.picture();
        for (int token = 0; token < 4; ++token) {
            lines.selection.hover(pairOf(BlockKind::Encoder, token, -1));
            if (lines.picture() != still)
                rows.insert(token);
            lines.selection.hover(pairOf(BlockKind::Encoder, -1, token));
            if (lines.picture() != still)
                columns.insert(token);
        }
        const auto written = [](const QSet<int>& all) {
            QStringList tokens;
            for (int token = 0; token < 4; ++token)
                if (all.contains(token))
                    tokens << QString::number(token);
            return tokens.join(QLatin1Char(' '));
        };
        QTEST(written(rows), "rows");
        QTEST(written(columns), "columns");
        for (const auto& row : lines.view->numbers().rows)
            QCOMPARE(row.last().toFloat(), 0.25F); // as they are, not scaled to what is left

        lines.view->setTrace(traceOf(cat, {.selfAttention = true}), nullptr);
        QVERIFY2(!box->isVisible(), "one text");
        QCOMPARE(lines.view->describe().filter(u" → "_qs).size(), 4);
    }

    void linesOfNothing_data() {
        QTest::addColumn<int>("trace");
        QTest::newRow("no trace") << 0;
        QTest::newRow("a trace of nothing") << 1;
        QTest::newRow("blocks of no rows") << 2;
    }
    void linesOfNothing() {
        QFETCH(int, trace);
        ShownLines lines(traceOf(cat), BlockKind::Cross);
        Trace empty;
        if (trace == 2) {
            empty.cross.emplace();
            empty.cross->kind = BlockKind::Cross;
            empty.cross->layers = empty.cross->heads = 1;
        }
        lines.view->setTrace(trace == 0 ? nullptr : shared(empty), nullptr);
        lines.selection.hover(crossPair(1, 1));
        QVERIFY(!lines.picture().isNull());
        QVERIFY(lines.view->numbers().rows.isEmpty());
        QVERIFY(lines.view->describe().first().size() > 5);
        for (const auto key : {Qt::Key_Down, Qt::Key_Return, Qt::Key_Up, Qt::Key_Right})
            QTest::keyClick(lines.view.get(), key);
    }

    void linesThatAreNoNumbers() {
        auto broken = traceFromAscii(cat);
        for (std::size_t i = 4; i < 8; ++i)
            broken.cross->weights[i] = notANumber;
        ShownLines lines(shared(broken), BlockKind::Cross);
        QVERIFY(oneText(lines.view->describe()).contains(u"chat: no line"_qs));
        lines.selection.hover(pairOf(BlockKind::Cross, 1, -1));
        QVERIFY(!lines.picture().isNull());
    }

    void linesOfLongTexts_data() {
        QTest::addColumn<int>("heads");
        QTest::addColumn<int>("tokens");
        QTest::newRow("one token") << 1 << 1;
        QTest::newRow("40") << 12 << 40;
        QTest::newRow("512, one head") << 1 << 512;
        QTest::newRow("512, 16 heads") << 16 << 512;
    }
    void linesOfLongTexts() {
        QFETCH(int, heads);
        QFETCH(int, tokens);
        const auto trace = encoderOf(1, heads, tokens);
        ShownLines lines(trace);
        QElapsedTimer clock;
        clock.start();
        lines.view->setTrace(trace, nullptr);
        qInfo("%d heads, %d tokens: built and drawn in %lld ms", heads, tokens, clock.restart());
        lines.selection.hover(pairOf(BlockKind::Encoder, tokens - 1, -1));
        qInfo("a token lit in %lld ms", clock.elapsed());
        QVERIFY(colorsOf(lines.picture()) > 12);
        QImage image(1400, 1000, QImage::Format_RGB32);
        lines.view->figure(image, image.size());
        QVERIFY(colorsOf(image) > 12);
    }
};

QTEST_MAIN(TestHeadsLinesMatrix)
#include "tst_heads_lines_matrix.moc"
