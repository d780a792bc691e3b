// The views of single heads, by mouse and keys as a user has them: Heads, Lines and Matrix.
#include "core/analysis/head_metrics.h"
#include "core/analysis/thinning.h"
#include "tests/support/shown_view.h"
#include "widgets/heads_view.h"
#include "widgets/lines_view.h"
#include "widgets/matrix_view.h"

#include <QCheckBox>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QMenu>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>
#include <QToolTip>

#include <algorithm>
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
            if (QToolTip::isVisible() && QToolTip::text().startsWith(QLatin1String("<qt><b>") + words))
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

QCheckBox* boxOf(const QWidget& view, const QString& text) {
    for (auto* one : view.findChildren<QCheckBox*>())
        if (one->text() == text)
            return one;
    return nullptr;
}

/// What Matrix shows in its cells.
QComboBox* cellsOf(const QWidget& view) {
    for (auto* one : view.findChildren<QComboBox*>())
        if (one->accessibleName() == u"Cells"_qs)
            return one;
    return nullptr;
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
        token.letters.append(i % 7 == 3 ? " 注意力" : i % 11 == 5 ? " 😀" : " word").append(std::to_string(i));
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
        QCoreApplication::processEvents(); // controls have their places
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

struct ShownHeads : Shown {
    explicit ShownHeads(TracePointer trace, BlockKind kind = BlockKind::Encoder, const QSize& size = {700, 500})
        : Shown(std::make_unique<HeadsView>(), size) {
        selection.setHead(kind, Layer(0), Head(0));
        view->setTrace(std::move(trace), nullptr);
        (void)picture();
    }
    /// Of the heads that are drawn, in their order.
    QStringList names() const {
        QStringList all;
        static const QRegularExpression name(u"^L(\\d+) H(\\d+):"_qs);
        for (const auto& line : view->describe())
            if (const auto found = name.match(line); found.hasMatch())
                all << u"L%1H%2"_qs.arg(found.captured(1), found.captured(2));
        return all;
    }
    QPoint placeOf(const QString& head) const { return placeOfWords(*view, head); }
    QComboBox* choice(const QString& name) const {
        for (auto* one : view->findChildren<QComboBox*>())
            if (one->accessibleName() == name)
                return one;
        return nullptr;
    }
    /// That of the button, filled.
    QMenu* menu() const {
        for (auto* one : view->findChildren<QToolButton*>())
            if (one->menu()) {
                Q_EMIT one->menu()->aboutToShow();
                return one->menu();
            }
        return nullptr;
    }
    QToolButton* backwards() const {
        for (auto* one : view->findChildren<QToolButton*>())
            if (one->isCheckable())
                return one;
        return nullptr;
    }
};

struct ShownMatrix : Shown {
    explicit ShownMatrix(TracePointer trace, BlockKind kind = BlockKind::Cross, const QSize& size = {700, 560})
        : Shown(std::make_unique<MatrixView>(), size) {
        selection.setHead(kind, Layer(0), Head(0));
        view->setTrace(std::move(trace), nullptr);
        (void)picture();
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
        QTest::newRow("cross") << int(BlockKind::Cross)
                               << QStringList{u"(looks), source (is looked at)"_qs, u"</s> → </s>: 1.00 (H0)"_qs};
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

    /// Hidden heads are known by their names, not by where they stand in the list.
    void hiddenHeadsStayHidden() {
        ShownLines lines(traceOf(cat, sixHeads));
        const std::vector<HeadPlace> four{
            {Layer(0), Head(0)}, {Layer(0), Head(1)}, {Layer(0), Head(2)}, {Layer(1), Head(0)}};
        lines.selection.setCollected(BlockKind::Encoder, {four[0], four[1], four[2]});
        (void)lines.picture();
        click(*lines.view, placeOfWords(*lines.view, u"L0 H1"_qs));
        QCOMPARE(lines.shown(), u"L0 H0, L0 H2"_qs);
        lines.selection.setCollected(BlockKind::Encoder, {four[1], four[2], four[3]});
        QCOMPARE(lines.shown(), u"L0 H2, L1 H0"_qs);
        lines.selection.setCollected(BlockKind::Encoder, {four[1]});
        QVERIFY2(lines.shown() == u"L0 H1", "never none");
    }

    /// Keys that a control has no use for are no click in the figure, and no walk there.
    void keysOfControlsAreNotTheFigures() {
        ShownLines lines(traceOf(cat, sixHeads));
        lines.view->activateWindow();
        QTest::keyClick(lines.view.get(), Qt::Key_Down);
        const auto pair = lines.selection.pair();
        QVERIFY(pair.query);
        auto* share = lines.control<QSpinBox>(u"Lines"_qs);
        for (const auto key : {Qt::Key_Return, Qt::Key_Space, Qt::Key_Left})
            QTest::keyClick(share, key);
        QTest::keyClick(boxOf(*lines.view, u"words"_qs), Qt::Key_Down);
        QVERIFY(!lines.selection.locked());
        QCOMPARE(lines.selection.pair(), pair);
        QTest::keyClick(lines.view.get(), Qt::Key_Return);
        QVERIFY(lines.selection.locked());
        QTest::keyClick(share, Qt::Key_Escape); // everywhere it lets go
        QVERIFY(!lines.selection.locked());
    }

    /// What the mouse is told of a place, arrow keys are told too.
    void keysSayWhereTheyAre() {
        ShownMatrix matrix(traceOf(cat));
        QToolTip::hideText();
        QTest::keyClick(matrix.view.get(), Qt::Key_Down);
        QTest::keyClick(matrix.view.get(), Qt::Key_Down);
        QCOMPARE(matrix.view->accessibleDescription(), u"chat → the\n0.1000"_qs);
        QVERIFY2(QToolTip::text().contains(u"chat → the"_qs), qPrintable(QToolTip::text()));
    }

    /// A right double click is none, and takes no click from the left button.
    void aRightDoubleClickIsNone() {
        ShownLines lines(traceOf(cat, sixHeads));
        const auto place = placeOf(*lines.view, lines.selection, pairOf(BlockKind::Encoder, 2, -1));
        auto* canvas = lines.view->childAt(place);
        const auto local = canvas->mapFrom(lines.view.get(), place);
        QMouseEvent again(QEvent::MouseButtonDblClick, QPointF(local), canvas->mapToGlobal(QPointF(local)),
                          Qt::RightButton, Qt::RightButton, Qt::NoModifier);
        QCoreApplication::sendEvent(canvas, &again);
        QTest::mouseRelease(canvas, Qt::RightButton, {}, local);
        click(*lines.view, place);
        QVERIFY(lines.selection.locked());
    }

    /// Pairs count A's tokens: where B's are others, pointing at them lights nothing elsewhere.
    void tokensOfAnotherVocabularyLightNothing() {
        auto pieces = traceFromAscii(R"(
                  the   ca    +t    sleeps  </s>
            le    9     1     .     .       .
            chat  1     4     4     1       .
            dort  .     .     .     7       3
            </s>  .     .     .     .       #
        )",
                                     sixHeads);
        pieces.model = "pieces";
        for (const bool same : {false, true}) {
            const auto first = same ? shared(pieces) : traceOf(cat);
            const auto second = same ? traceOf(cat) : shared(pieces);
            ShownMatrix matrix(first);
            matrix.view->setTrace(first, second);
            askForRun(*matrix.view, same ? 0 : 1);
            QVERIFY(oneText(matrix.view->describe()).contains(u"pieces"_qs));
            QCOMPARE(placeOf(*matrix.view, matrix.selection, crossPair(1, 2)).x() >= 0, same);
            ShownLines lines(first, BlockKind::Cross);
            lines.view->setTrace(first, second);
            askForRun(*lines.view, same ? 0 : 1);
            QCOMPARE(placeOf(*lines.view, lines.selection, pairOf(BlockKind::Cross, -1, 2)).x() >= 0, same);
            moveMouse(*lines.view, {690, 490});
            const auto still = lines.picture();
            lines.selection.hover(pairOf(BlockKind::Cross, -1, 2));
            QCOMPARE(lines.picture() != still, same);
        }
    }

    void specialTokensOfLines() {
        ShownLines lines(traceOf(otherCat), BlockKind::Cross);
        lines.control<QSpinBox>(u"Lines"_qs)->setValue(100);
        auto* specials = boxOf(*lines.view, u"special tokens"_qs);
        QVERIFY(specials && specials->isChecked());
        specials->click();
        QVERIFY(!lines.selection.specials());
        const auto text = oneText(lines.view->describe());
        QVERIFY(!text.contains(u"→ </s>"_qs));
        QVERIFY2(text.contains(u"dort → cat: 1.00"_qs) && text.contains(u"rescaled"_qs), qPrintable(text));
        lines.selection.setSpecials(true);
        QVERIFY(specials->isChecked());
        QVERIFY(oneText(lines.view->describe()).contains(u"dort → cat: 0.60"_qs));
    }

    void linesOfSpecialsAlone() {
        ShownLines lines(traceOf("  </s>\n </s> #\n"), BlockKind::Cross);
        lines.selection.setSpecials(false);
        QCOMPARE(lines.view->describe(), QStringList(u"Without special tokens there is nothing to show."_qs));
    }

    /// More lines than are drawn are still known to who points at their token.
    void noTokenLosesItsLines() {
        auto even = *encoderOf(1, 1, 150);
        even.encoder->weights.assign(150 * 150, 1.0F / 150);
        ShownLines lines(shared(even));
        lines.control<QSpinBox>(u"Lines"_qs)->setValue(100);
        QVERIFY(!oneText(lines.view->describe()).contains(u"no line"_qs));
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

    // Heads

    void headsByPlace() {
        ShownHeads heads(encoderOf(3, 4, 9));
        QCOMPARE(heads.names().join(QLatin1Char(' ')),
                 u"L0H0 L0H1 L0H2 L0H3 L1H0 L1H1 L1H2 L1H3 L2H0 L2H1 L2H2 L2H3"_qs);
        QVERIFY(!heads.backwards()->isEnabled());
    }

    /// Whatever they are sorted by, what is said of them goes down, or up backwards.
    void headsSorted_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<QString>("by");
        const int encoder = int(BlockKind::Encoder), cross = int(BlockKind::Cross);
        QTest::newRow("entropy") << encoder << u"mean entropy"_qs;
        QTest::newRow("distance") << encoder << u"mean distance"_qs;
        QTest::newRow("confidence") << encoder << u"mean largest weight"_qs;
        QTest::newRow("previous") << encoder << u"share on the previous token"_qs;
        QTest::newRow("special") << encoder << u"share on special tokens"_qs;
        QTest::newRow("alignment") << cross << u"how well it aligns"_qs;
    }
    void headsSorted() {
        QFETCH(int, kind);
        QFETCH(QString, by);
        ShownHeads heads(traceOf(cat, {.layers = 2, .heads = 3, .selfAttention = true}), BlockKind(kind));
        if (BlockKind(kind) == BlockKind::Encoder)
            heads.view->setTrace(encoderOf(2, 3, 9), nullptr);
        const auto inPlace = heads.names();
        QVERIFY(heads.choice(u"Sort by"_qs)->findText(by) > 0);
        heads.choice(u"Sort by"_qs)->setCurrentText(by);
        const auto values = [&] {
            std::vector<double> all;
            static const QRegularExpression number(u"^L\\d H\\d: \\D*(\\d+\\.\\d+)"_qs);
            for (const auto& line : heads.view->describe())
                if (const auto found = number.match(line); found.hasMatch())
                    all.push_back(found.captured(1).toDouble());
            return all;
        };
        auto sorted = values();
        QCOMPARE(int(sorted.size()), 6);
        QVERIFY(std::is_sorted(sorted.rbegin(), sorted.rend()));
        QVERIFY(sorted.front() > sorted.back());
        auto names = heads.names();
        heads.backwards()->click();
        sorted = values();
        QVERIFY(std::is_sorted(sorted.begin(), sorted.end()));
        names.sort();
        QCOMPARE(names, inPlace);
    }

    void headsOfAKind() {
        const auto trace = encoderOf(3, 4, 9);
        ShownHeads heads(trace);
        const auto metrics = blockMetrics(*trace->encoder, trace->source);
        auto* filter = heads.choice(u"Show"_qs);
        int found = 0;
        for (int entry = 1; entry <= 7; ++entry) {
            filter->setCurrentIndex(entry);
            QStringList expected;
            for (int layer = 0; layer < 3; ++layer)
                for (int head = 0; head < 4; ++head)
                    if (metrics[std::size_t(layer)][std::size_t(head)].kind == HeadKind(entry - 1))
                        expected << u"L%1H%2"_qs.arg(layer).arg(head);
            QCOMPARE(heads.names(), expected);
            QVERIFY(filter->currentText().contains(u"(%1)"_qs.arg(expected.size())));
            if (expected.isEmpty())
                QVERIFY(oneText(heads.view->describe()).contains(u"No head"_qs));
            (void)heads.picture();
            found += int(expected.size());
        }
        QCOMPARE(found, 12);
        filter->setCurrentIndex(0);
        // Cross heads have no token before or behind.
        heads.selection.setKind(BlockKind::Cross);
        heads.view->setTrace(traceOf(cat, sixHeads), nullptr);
        (void)heads.view->describe();
        QVERIFY(filter->findText(u"previous"_qs, Qt::MatchStartsWith) < 0);
        QVERIFY(heads.choice(u"Sort by"_qs)->findText(u"mean distance"_qs) < 0);
    }

    void headsAreCollected() {
        ShownHeads heads(encoderOf(2, 3, 9));
        const QSignalSpy opened(heads.view.get(), &TraceView::headOpened);
        const auto still = heads.picture();
        click(*heads.view, heads.placeOf(u"L1 H2"_qs), Qt::ControlModifier);
        QCOMPARE(heads.selection.collected(), (std::vector<HeadPlace>{{Layer(1), Head(2)}}));
        QVERIFY(heads.picture() != still);
        moveMouse(*heads.view, heads.placeOf(u"L0 H1"_qs));
        QTest::keyClick(heads.view.get(), Qt::Key_C);
        QCOMPARE(heads.selection.collected(), (std::vector<HeadPlace>{{Layer(1), Head(2)}, {Layer(0), Head(1)}}));
        QCOMPARE(heads.view->describe().filter(u"collected"_qs).size(), 2);
        heads.choice(u"Show"_qs)->setCurrentText(u"collected (2)"_qs);
        QCOMPARE(heads.names(), QStringList({u"L0H1"_qs, u"L1H2"_qs}));
        heads.choice(u"Show"_qs)->setCurrentIndex(0);
        click(*heads.view, heads.placeOf(u"L1 H2"_qs), Qt::ControlModifier);
        QCOMPARE(heads.selection.collected(), (std::vector<HeadPlace>{{Layer(0), Head(1)}}));
        QCOMPARE(opened.count(), 0);
        click(*heads.view, heads.placeOf(u"L1 H0"_qs));
        QCOMPARE(heads.selection.layer(), Layer(1));
        QCOMPARE(opened.count(), 0); // it is chosen
        QTest::keyClick(heads.view.get(), Qt::Key_Return);
        QCOMPARE(opened.count(), 1);
    }

    void headsAreSwitchedOffByKeys() {
        ShownHeads heads(encoderOf(2, 3, 9));
        const QSignalSpy changed(&heads.selection, &Selection::offChanged);
        const auto still = heads.picture();
        for (const auto key : {Qt::Key_Down, Qt::Key_Right, Qt::Key_Down, Qt::Key_X}) // L0 H0, L0 H1, L1 H1
            QTest::keyClick(heads.view.get(), key);
        const Intervention::HeadOff off{BlockKind::Encoder, Layer(1), Head(1)};
        QCOMPARE(heads.selection.off(), std::vector{off});
        QCOMPARE(changed.count(), 1);
        QVERIFY(heads.picture() != still);
        const auto text = oneText(heads.view->describe());
        QVERIFY2(lineOf(*heads.view, u"L1 H1"_qs).contains(u"off in the next run"_qs), qPrintable(text));
        QVERIFY2(!text.contains(u"switched off"_qs), "the run on show is still in full");
        auto run = *encoderOf(2, 3, 9);
        run.intervention.off = {off};
        heads.view->setTrace(shared(run), nullptr);
        QVERIFY(oneText(heads.view->describe()).contains(u"switched off: L1 H1. X"_qs));
        QCOMPARE(lineOf(*heads.view, u"L1 H1"_qs).count(u"off"_qs), 1);
        QTest::keyClick(heads.view.get(), Qt::Key_X);
        QVERIFY(heads.selection.off().empty());
        QVERIFY(lineOf(*heads.view, u"L1 H1"_qs).contains(u"switched off, on in the next run"_qs));
        heads.view->setTrace(encoderOf(2, 3, 9), nullptr);
        QVERIFY(!oneText(heads.view->describe()).contains(u" off"_qs));
    }

    /// The Selection's heads are A's: those of a model B are not switched off in A.
    void headsOfBAreNotSwitchedOff() {
        auto many = traceFromAscii(cat, {.layers = 2, .heads = 3});
        many.model = "many";
        ShownHeads heads(traceOf(cat), BlockKind::Cross);
        heads.selection.setOff({{BlockKind::Cross, Layer(0), Head(0)}});
        heads.view->setTrace(traceOf(cat), shared(many));
        askForRun(*heads.view, 1);
        const auto text = oneText(heads.view->describe());
        QVERIFY2(text.contains(u"many"_qs) && text.contains(u"only A’s can be switched off"_qs), qPrintable(text));
        QVERIFY2(!lineOf(*heads.view, u"L0 H0"_qs).contains(u" off"_qs), "that is A's head");
        for (const auto key : {Qt::Key_Down, Qt::Key_Right, Qt::Key_X})
            QTest::keyClick(heads.view.get(), key);
        QCOMPARE(int(heads.selection.off().size()), 1);
        auto* menu = heads.menu();
        QStringList enabled;
        for (auto* one : menu->actions())
            if (one->isEnabled() && one->text().startsWith(u"Switch"_qs))
                enabled << one->text();
        QCOMPARE(enabled, QStringList(u"Switch all on"_qs));
        heads.view->setTrace(shared(many), traceOf(cat)); // swapped
        QTest::keyClick(heads.view.get(), Qt::Key_X);
        QCOMPARE(int(heads.selection.off().size()), 2);
    }

    /// What an open menu says is of the kind that was shown when it was opened.
    void anOpenMenuKeepsItsKind() {
        for (const auto& words : {u"Switch L0 H0 off"_qs, u"Collect L0 H0"_qs, u"Collect none"_qs, u"Open L0 H0"_qs}) {
            ShownHeads heads(traceOf(cat, sixHeads));
            heads.selection.setCollected(BlockKind::Encoder, {{Layer(1), Head(2)}});
            auto* menu = heads.menu();
            heads.selection.setKind(BlockKind::Cross);
            for (auto* one : menu->actions())
                if (one->text() == words)
                    one->trigger();
            QVERIFY(heads.selection.off().empty() && heads.selection.collected().empty());
            QVERIFY2(heads.selection.kind() == BlockKind::Cross, qPrintable(words));
        }
    }

    /// With a mean on show keys are about the head that was chosen before.
    void keysReachAHeadBesideAMean() {
        ShownHeads heads(encoderOf(2, 3, 9));
        heads.selection.setHead(BlockKind::Encoder, Layer(1), Head(2));
        heads.selection.setHeadMode(HeadMode::MeanOfAll);
        QTest::keyClick(heads.view.get(), Qt::Key_C);
        QCOMPARE(heads.selection.collected(), (std::vector<HeadPlace>{{Layer(1), Head(2)}}));
        QVERIFY(heads.menu()->actions().first()->text().contains(u"L1 H2"_qs));
    }

    void nothingCollectedIsSaidSo() {
        ShownHeads heads(encoderOf(2, 3, 9));
        auto* filter = heads.choice(u"Show"_qs);
        filter->setCurrentText(u"collected (0)"_qs);
        QVERIFY(oneText(heads.view->describe()).contains(u"No head was collected"_qs));
        filter->setCurrentText(u"switched off (0)"_qs);
        QVERIFY(oneText(heads.view->describe()).contains(u"No head is switched off"_qs));
    }

    /// Rows alone may be more than there is room for.
    void pooledRowsAreSaidSo() {
        std::string art = "a b\n";
        for (int row = 0; row < 300; ++row)
            art += "w # .\n";
        ShownHeads heads(traceOf(art.c_str(), {.layers = 12, .heads = 12}), BlockKind::Cross);
        QVERIFY(heads.view->describe().first().contains(u"each cell the strongest"_qs));
        heads.selection.setCollected(BlockKind::Cross, {{Layer(1), Head(0)}});
        const auto rows = heads.view->numbers().rows;
        QCOMPARE(rows[0][2], u"tokens 0–1"_qs); // 300 in 204
        QCOMPARE(rows[1][4], u"b"_qs);
        QVERIFY(rows.contains({u"L1 H0"_qs, {}, u"collected"_qs, {}, {}, u"0"_qs}));
    }

    /// Up from the first row and down from the last stay where they are.
    void keysStayWithinTheTiles() {
        ShownHeads heads(encoderOf(2, 3, 9));
        for (const auto key : {Qt::Key_Down, Qt::Key_Right, Qt::Key_Up, Qt::Key_C})
            QTest::keyClick(heads.view.get(), key);
        for (const auto key : {Qt::Key_Down, Qt::Key_Down, Qt::Key_C})
            QTest::keyClick(heads.view.get(), key);
        QCOMPARE(heads.selection.collected(), (std::vector<HeadPlace>{{Layer(0), Head(1)}, {Layer(1), Head(1)}}));
    }

    /// The list of kinds tells how many heads are of each.
    void kindsAreCounted() {
        ShownHeads heads(encoderOf(3, 4, 9));
        const auto* filter = heads.choice(u"Show"_qs);
        int counted = 0;
        for (int i = 1; i < filter->count() - 2; ++i) // but for all, those collected, and those that are off
            counted += filter->itemText(i).section(QLatin1Char('('), 1).section(QLatin1Char(')'), 0, 0).toInt();
        QCOMPARE(counted, 12);
    }

    /// The menu of the button and that of the right mouse button: what they do to heads of this kind and no other.
    void headsAreSwitchedOffByMenu_data() {
        QTest::addColumn<QString>("action");
        QTest::addColumn<QString>("off");
        QTest::newRow("one") << u"Switch L1 H2 off"_qs << u"d0.0 e0.1 e1.2"_qs;
        QTest::newRow("its layer") << u"Switch layer 1 off"_qs << u"d0.0 e0.1 e1.0 e1.1 e1.2"_qs;
        QTest::newRow("all but it") << u"Switch all but L1 H2 off"_qs << u"d0.0 e0.0 e0.1 e0.2 e1.0 e1.1"_qs;
        QTest::newRow("none") << u"Switch all on"_qs << QString();
    }
    void headsAreSwitchedOffByMenu() {
        QFETCH(QString, action);
        for (const bool byButton : {false, true}) {
            ShownHeads heads(encoderOf(2, 3, 9));
            heads.selection.setOff({{BlockKind::Decoder, Layer(0), Head(0)}, {BlockKind::Encoder, Layer(0), Head(1)}});
            QMenu* menu = nullptr;
            if (byButton) {
                heads.selection.setHead(BlockKind::Encoder, Layer(1), Head(2));
                for (auto* button : heads.view->findChildren<QToolButton*>())
                    if (button->menu()) {
                        menu = button->menu();
                        Q_EMIT menu->aboutToShow();
                    }
            } else {
                const auto place = heads.placeOf(u"L1 H2"_qs);
                auto* canvas = heads.view->childAt(place);
                const auto local = canvas->mapFrom(heads.view.get(), place);
                QContextMenuEvent event(QContextMenuEvent::Mouse, local, canvas->mapToGlobal(local));
                QCoreApplication::sendEvent(canvas, &event);
                menu = heads.view->findChild<QMenu*>(QString(), Qt::FindDirectChildrenOnly);
            }
            QVERIFY(menu);
            bool found = false;
            for (auto* one : menu->actions())
                if (one->text() == action) {
                    found = true;
                    one->trigger();
                }
            QVERIFY2(found, qPrintable(action));
            QStringList off;
            for (const auto& one : heads.selection.off())
                off << u"%1%2.%3"_qs.arg(one.kind == BlockKind::Encoder ? QChar(u'e') : QChar(u'd'))
                           .arg(one.layer.value)
                           .arg(one.head.value);
            off.sort();
            QTEST(off.join(QLatin1Char(' ')), "off");
            menu->close();
        }
    }

    /// A run with heads off beside the same run in full: tiles are what that changed, on a scale around 0.
    void changeOfHeads() {
        auto full = traceFromAscii(cat, {.layers = 1, .heads = 2});
        auto changed = full;
        changed.intervention.off = {{BlockKind::Cross, Layer(0), Head(0)}};
        changed.cross->weights[16] += 0.25F; // of head 1
        changed.cross->weights[17] -= 0.25F;
        ShownHeads heads(shared(changed), BlockKind::Cross);
        auto* box = boxOf(*heads.view, u"change against the full run"_qs);
        QVERIFY(box && !box->isVisible());
        heads.view->setTrace(shared(changed), shared(full));
        QVERIFY(box->isVisible());
        const auto weights = heads.picture();
        box->click();
        QVERIFY(heads.picture() != weights);
        QCOMPARE(heads.view->numbers().rows[0].last().toFloat(), 0.0F);
        QCOMPARE(heads.view->numbers().rows[16].last().toFloat(), 0.25F);
        QCOMPARE(heads.view->numbers().rows[17].last().toFloat(), -0.25F);
        heads.choice(u"Sort by"_qs)->setCurrentText(u"change against the full run"_qs);
        QCOMPARE(heads.names(), QStringList({u"L0H1"_qs, u"L0H0"_qs}));

        heads.view->setTrace(shared(changed), traceOf("  a b\n x 9 1\n y . #\n", {.layers = 1, .heads = 2}));
        QVERIFY2(oneText(heads.view->describe()).contains(u"no change can be drawn"_qs), "of another length");
        full.model = "another";
        heads.view->setTrace(shared(changed), shared(full));
        QVERIFY2(!box->isVisible(), "of another model");
    }

    void headsThatAreNoNumbers() {
        auto broken = traceFromAscii(cat, sixHeads);
        std::fill(broken.cross->weights.begin(), broken.cross->weights.begin() + 40, notANumber);
        ShownHeads heads(shared(broken), BlockKind::Cross);
        for (int by = 0; by < heads.choice(u"Sort by"_qs)->count(); ++by) {
            heads.choice(u"Sort by"_qs)->setCurrentIndex(by);
            QCOMPARE(heads.names().size(), 6);
            QVERIFY(colorsOf(heads.picture()) > 12);
        }
    }

    void manyHeads_data() {
        QTest::addColumn<int>("layers");
        QTest::addColumn<int>("heads");
        QTest::addColumn<int>("tokens");
        QTest::newRow("2 x 4, 40 tokens") << 2 << 4 << 40;
        QTest::newRow("24 x 16, 32 tokens") << 24 << 16 << 32;
        QTest::newRow("12 x 12, 512 tokens") << 12 << 12 << 512;
        QTest::newRow("1 x 1, 512 tokens") << 1 << 1 << 512;
    }
    void manyHeads() {
        QFETCH(int, layers);
        QFETCH(int, heads);
        QFETCH(int, tokens);
        const auto trace = encoderOf(layers, heads, tokens);
        ShownHeads view(trace);
        QElapsedTimer clock;
        clock.start();
        view.view->setTrace(trace, nullptr);
        qInfo("%d heads, %d tokens: built and drawn in %lld ms", layers * heads, tokens, clock.restart());
        view.selection.toggleCollected(BlockKind::Encoder, {Layer(0), Head(0)});
        qInfo("one collected in %lld ms", clock.elapsed());
        const auto last = u"L%1 H%2"_qs.arg(layers - 1).arg(heads - 1);
        QTRY_VERIFY2_WITH_TIMEOUT(view.placeOf(last).x() >= 0, "the last head has no place", 30'000);
        QVERIFY(colorsOf(view.picture()) > 12);
    }

    // Matrix

    void barsBesideTheMatrix() {
        ShownMatrix matrix(traceOf(cat));
        const auto text = oneText(matrix.view->describe());
        for (const auto& line :
             {u"entropy of each row in bits: le 0.47, chat 0.92, dort 0.88, </s> 0.00"_qs,
              u"what each column receives of all rows: the 1.00, cat 0.90, sleeps 0.80, </s> 1.30"_qs})
            QVERIFY2(text.contains(line), qPrintable(text));
        const auto still = matrix.picture();
        for (const auto& token : {pairOf(BlockKind::Cross, 2, -1), pairOf(BlockKind::Cross, -1, 1)}) {
            const auto place = placeOf(*matrix.view, matrix.selection, token);
            QVERIFY2(place.x() >= 0, "no bar points at a token alone");
            click(*matrix.view, place);
            QVERIFY(matrix.selection.locked());
            QCOMPARE(matrix.selection.pair(), token);
            QVERIFY(matrix.picture() != still);
            QTest::keyClick(matrix.view.get(), Qt::Key_Escape);
        }
    }

    void matrixByKeyboard() {
        ShownMatrix matrix(traceOf(cat));
        const auto press = [&](Qt::Key key, int times = 1) {
            for (int i = 0; i < times; ++i)
                QTest::keyClick(matrix.view.get(), key);
            return matrix.selection.pair();
        };
        (void)press(Qt::Key_Down);
        QCOMPARE(press(Qt::Key_Right, 3), crossPair(0, 3));
        QCOMPARE(press(Qt::Key_Right, 2), pairOf(BlockKind::Cross, 0, -1)); // its bar
        QCOMPARE(press(Qt::Key_Down), pairOf(BlockKind::Cross, 1, -1));
        QCOMPARE(press(Qt::Key_Left), crossPair(1, 3));
        QCOMPARE(press(Qt::Key_Down, 5), pairOf(BlockKind::Cross, -1, 3));
        QCOMPARE(press(Qt::Key_Left, 2), pairOf(BlockKind::Cross, -1, 1));
        QCOMPARE(press(Qt::Key_Up), crossPair(3, 1));
        QCOMPARE(press(Qt::Key_Up, 9), crossPair(0, 1));
    }

    /// Arrow keys go on to what zooming has put out of sight.
    void keysBringIntoView() {
        ShownMatrix matrix(encoderOf(1, 1, 40), BlockKind::Encoder);
        QTest::keyClick(matrix.view.get(), Qt::Key_Down);
        for (int i = 0; i < 6; ++i)
            QTest::keyClick(matrix.view.get(), Qt::Key_Plus);
        for (int i = 0; i < 39; ++i)
            QTest::keyClick(matrix.view.get(), Qt::Key_Down);
        const auto last = pairOf(BlockKind::Encoder, 39, 0);
        QCOMPARE(matrix.selection.pair(), last);
        QCoreApplication::processEvents();
        (void)matrix.picture();
        QVERIFY(placeOf(*matrix.view, matrix.selection, last).x() >= 0);
        QVERIFY2(placeOf(*matrix.view, matrix.selection, pairOf(BlockKind::Encoder, 0, 0)).x() < 0,
                 "it was not zoomed");
    }

    void scoresBeforeSoftmax() {
        auto trace = traceFromAscii(cat, sixHeads);
        ShownMatrix matrix(shared(trace));
        auto* cells = cellsOf(*matrix.view);
        const auto canHave = [&] { return cells->model()->flags(cells->model()->index(1, 0)) & Qt::ItemIsEnabled; };
        (void)matrix.view->describe();
        QVERIFY(!canHave());
        QVERIFY(cells->toolTip().contains(u"did not keep"_qs));

        trace.cross->scores.assign(trace.cross->weights.size(), -std::numeric_limits<float>::infinity());
        const auto of = [](int head, int query, int key) { return std::size_t(head * 16 + query * 4 + key); };
        trace.cross->scores[of(4, 0, 1)] = -2.5F;
        trace.cross->scores[of(4, 1, 0)] = 1.5F;
        trace.cross->scores[of(4, 1, 3)] = -4;
        matrix.view->setTrace(shared(trace), nullptr);
        matrix.selection.setHead(BlockKind::Cross, Layer(1), Head(1));
        const auto weights = matrix.picture();
        QVERIFY(canHave());
        cells->setCurrentIndex(1);
        QVERIFY(matrix.picture() != weights);
        const auto text = oneText(matrix.view->describe());
        for (const auto& line : {u"le → cat: -2.50"_qs, u"chat → the: 1.50"_qs, u"dort → the: masked"_qs,
                                 u"scores before softmax, by tokens"_qs})
            QVERIFY2(text.contains(line), qPrintable(text));
        QVERIFY2(!text.contains(u"entropy"_qs), "scores have none");
        matrix.selection.setHeadMode(HeadMode::MeanOfAll);
        QVERIFY(oneText(matrix.view->describe()).contains(u"entropy"_qs));
        QVERIFY2(matrix.view->describe().first().contains(u"weights: Scores are of one head"_qs),
                 "the box says scores, which these are not");
        QVERIFY(!canHave());
    }

    void energiesAreTheScoresOfAdditiveAttention() {
        auto trace = traceFromAscii(cat);
        trace.additive.emplace();
        trace.additive->queries = trace.additive->keys = 4;
        trace.additive->energies.assign(16, -1.5F);
        trace.additive->energies[5] = 2.25F;
        ShownMatrix matrix(shared(trace));
        cellsOf(*matrix.view)->setCurrentIndex(1);
        QVERIFY(oneText(matrix.view->describe()).contains(u"chat → cat: 2.25"_qs));
        QCOMPARE(matrix.view->numbers().rows[0].last().toFloat(), -1.5F);
    }

    /// A change is one of weights.
    void scoresHaveNoChange() {
        auto full = traceFromAscii(cat, sixHeads);
        auto changed = full;
        changed.cross->scores.assign(changed.cross->weights.size(), 1.0F);
        changed.intervention.forced = {{Query(0), Key(0)}};
        ShownMatrix matrix(shared(changed));
        matrix.view->setTrace(shared(changed), shared(full));
        auto* change = boxOf(*matrix.view, u"change against the full run"_qs);
        QVERIFY(change->isEnabled());
        cellsOf(*matrix.view)->setCurrentIndex(1);
        QVERIFY(!change->isEnabled());
        cellsOf(*matrix.view)->setCurrentIndex(0);
        QVERIFY(change->isEnabled());

        change->click();
        matrix.selection.setSpecials(false);
        full.source.back().special = full.emitted.back().special = false;
        matrix.view->setTrace(shared(changed), shared(full));
        QVERIFY2(matrix.view->describe().first().contains(u"no change can be drawn"_qs),
                 qPrintable(matrix.view->describe().first()));
    }

    /// Of many cells in one pixel the strongest is seen.
    void aSingleCellOfManyIsSeen() {
        auto trace = *encoderOf(1, 1, 1200);
        auto& weights = trace.encoder->weights;
        weights.assign(weights.size(), 1.0F / 1200);
        weights[601 * 1200 + 701] = 1;
        ShownMatrix matrix(shared(trace), BlockKind::Encoder);
        const auto look = makeAppearance(Theme::Light, ColorMap::Viridis, matrix.view->font());
        matrix.view->setAppearance(look);
        const auto picture = matrix.picture();
        int found = 0;
        for (int y = 0; y < picture.height(); ++y)
            for (int x = 0; x < picture.width(); ++x)
                found += picture.pixel(x, y) == look.color(1);
        QCOMPARE(found, 1);
    }

    void matrixByWordsWithoutSpecials() {
        ShownMatrix matrix(traceOf(R"(
                  the   c     +at   </s>
            le    9     1     .       .
            ch    1     4     4       1
            +at   1     2     2       5
            </s>  .     .     .       #
        )"));
        boxOf(*matrix.view, u"words"_qs)->click();
        boxOf(*matrix.view, u"special tokens"_qs)->click();
        const auto text = oneText(matrix.view->describe());
        QVERIFY2(text.contains(u"chat → cat: 0.86"_qs), qPrintable(text)); // 0.6 of 0.7
        QVERIFY(!text.contains(u"</s>"_qs));
    }

    /// A row alone, as its bar lights it, filters the bars of columns to its own weights; a column alone those of rows.
    void stripsFilterEachOther() {
        const auto bars = [](const char* art, const Selection::Pair& pair) {
            ShownMatrix matrix(traceOf(art));
            const auto look = makeAppearance(Theme::Light, ColorMap::Blue, matrix.view->font());
            matrix.view->setAppearance(look);
            matrix.selection.hover(pair);
            auto picture = matrix.picture();
            for (int y = 0; y < picture.height(); ++y)
                for (int x = 0; x < picture.width(); ++x)
                    if (const auto color = picture.pixelColor(x, y); color != look.accent && color != look.accentSoft)
                        picture.setPixelColor(x, y, Qt::white);
            return picture;
        };
        // The same sums and entropies, other weights.
        constexpr const char *one = "  a b c d\n w # . . .\n x . # . .\n y . . # .\n z . . . #\n",
                             *other = "  a b c d\n w . . . #\n x . . # .\n y . # . .\n z # . . .\n";
        QCOMPARE(bars(one, {}), bars(other, {}));
        for (const auto& pair : {pairOf(BlockKind::Cross, 0, -1), pairOf(BlockKind::Cross, -1, 0)})
            QVERIFY(bars(one, pair) != bars(other, pair));
        QCOMPARE(bars(one, pairOf(BlockKind::Cross, 1, 1)), bars(other, pairOf(BlockKind::Cross, 1, 1)));
    }

    void changeOfTheMatrix() {
        const auto full = traceFromAscii(cat);
        auto changed = traceFromAscii(otherCat);
        changed.intervention.forced = {{Query(0), Key(0)}};
        ShownMatrix matrix(shared(changed));
        auto* box = boxOf(*matrix.view, u"change against the full run"_qs);
        QVERIFY(box && !box->isVisible());
        matrix.view->setTrace(shared(changed), shared(full));
        QVERIFY(box->isVisible());
        box->click();
        const auto text = oneText(matrix.view->describe());
        for (const auto& line : {u"dort → sleeps: -0.70"_qs, u"le → the: 0.00"_qs, u"minus the full"_qs,
                                 u"more or less: the 0.00, cat 0.60, sleeps -0.70, </s> 0.10"_qs})
            QVERIFY2(text.contains(line), qPrintable(text));
        matrix.view->setTrace(shared(changed), traceOf("  a b\n x 9 1\n y . #\n"));
        QVERIFY(oneText(matrix.view->describe()).contains(u"no change can be drawn"_qs));
        QVERIFY(!matrix.picture().isNull());
    }

    /// Lines of a changed run: what is more and what is less than in full, by its size.
    void changeOfTheLines() {
        auto changed = traceFromAscii(otherCat);
        changed.intervention.forced = {{Query(2), Key(1)}};
        Shown lines(std::make_unique<LinesView>());
        lines.view->setTrace(shared(changed), traceOf(cat));
        auto* change = boxOf(*lines.view, u"change against the full run"_qs);
        QVERIFY(change && change->isVisible());
        const auto weights = lines.picture();
        change->click();
        QVERIFY(lines.picture() != weights);
        auto text = oneText(lines.view->describe());
        for (const auto& line : {u"this run minus the full one"_qs, u"less is dashed"_qs, u"dort → sleeps: -0.70"_qs})
            QVERIFY2(text.contains(line), qPrintable(text));
        QCOMPARE(lines.view->numbers().rows.size(), 2); // the other rows are as they were
        const auto dashed = lines.picture();
        std::swap(changed.cross->weights[9], changed.cross->weights[10]); // nothing is less at sleeps but all of it
        lines.view->setTrace(shared(changed), traceOf(cat));
        QVERIFY(lines.picture() != dashed);
        lines.view->setTrace(shared(changed), traceOf("  a b\n x 9 1\n y . #\n"));
        text = oneText(lines.view->describe());
        QVERIFY2(text.contains(u"no change can be drawn"_qs), qPrintable(text));
        QVERIFY2(!text.contains(u"dashed"_qs), qPrintable(text));
    }

    void matrixOfALongText() {
        const auto trace = encoderOf(1, 1, 512);
        ShownMatrix matrix(trace, BlockKind::Encoder);
        QElapsedTimer clock;
        clock.start();
        matrix.view->setTrace(trace, nullptr);
        qInfo("512 tokens: built and drawn in %lld ms", clock.restart());
        matrix.selection.hover(pairOf(BlockKind::Encoder, 300, 200));
        qInfo("a cell lit in %lld ms", clock.elapsed());
        QVERIFY(colorsOf(matrix.picture()) > 12);
    }
};

QTEST_MAIN(TestHeadsLinesMatrix)
#include "tst_heads_lines_matrix.moc"
