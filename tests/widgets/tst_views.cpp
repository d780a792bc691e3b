// Every view from a Trace that is drawn in text: what it says, what it draws, and that all follow one Selection.
#include "tests/support/shown_view.h"
#include "widgets/alignment_view.h"
#include "widgets/compare_view.h"
#include "widgets/figure_exporter.h"
#include "widgets/heads_view.h"
#include "widgets/inspector.h"
#include "widgets/lines_view.h"
#include "widgets/matrix_view.h"
#include "widgets/names.h"
#include "widgets/playback_view.h"
#include "widgets/positions_view.h"
#include "widgets/query_key_view.h"
#include "widgets/token_strip.h"

#include <QCheckBox>
#include <QHelpEvent>
#include <QImage>
#include <QMouseEvent>
#include <QScrollArea>
#include <QScrollBar>
#include <QSet>
#include <QSignalSpy>
#include <QTest>
#include <QToolTip>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

using namespace headlight;

namespace {

const char* const viewNames[] = {"alignment", "compare", "heads", "matrix", "positions"};

std::unique_ptr<TraceView> makeView(const QString& name) {
    if (name == u"alignment")
        return std::make_unique<AlignmentView>();
    if (name == u"compare")
        return std::make_unique<CompareView>();
    if (name == u"heads")
        return std::make_unique<HeadsView>();
    if (name == u"matrix")
        return std::make_unique<MatrixView>();
    if (name == u"lines")
        return std::make_unique<LinesView>();
    if (name == u"query")
        return std::make_unique<QueryKeyView>();
    if (name == u"playback")
        return std::make_unique<PlaybackView>();
    return std::make_unique<PositionsView>();
}

/// The numbers of cells, without those of bars beside them.
QList<QStringList> cellsOf(const ViewNumbers& numbers) {
    QList<QStringList> cells;
    for (const auto& row : numbers.rows)
        if (!row[1].isEmpty() && !row[3].isEmpty())
            cells << row;
    return cells;
}

/// A view that counts how often it is built.
template <class View>
struct Counted : View {
    std::vector<Panel> build() override {
        ++builds;
        return View::build();
    }
    int builds = 0;
};

void addViews() {
    QTest::addColumn<QString>("name");
    for (const auto* name : viewNames)
        QTest::newRow(name) << QString::fromLatin1(name);
}

} // namespace

class TestViews : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lettersAreShownWithoutTheSpaceAround() {
        QCOMPARE(shownText(" caf\u00e9"), QString::fromUtf8("caf\u00e9"));
        QCOMPARE(shownText("dog "), u"dog"_qs);
        QCOMPARE(shownText(" "), QString(QChar(0x2423)));
        QCOMPARE(shownText(""), QString(QChar(0x2423)));
        QCOMPARE(shownText("\n"), QString(QChar(0x23ce)));
        QCOMPARE(shownText("\u27e8E2\u27e9"), QString::fromUtf8("\u27e8E2\u27e9"));
    }

    void saysWhatTheTraceHolds_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QStringList>("said");
        QTest::newRow("alignment") << u"alignment"_qs
                                   << QStringList{u"ascii additive"_qs, u"le → the: 0.90"_qs, u"chat → cat: 0.80"_qs,
                                                  u"dort → sleeps: 0.70"_qs, u"</s> → </s>: 1.00"_qs};
        QTest::newRow("compare") << u"compare"_qs << QStringList{u"A · ascii"_qs, u"dort → sleeps: 0.70"_qs,
                                                                 u"B · ascii"_qs, u"dort → cat: 0.60"_qs,
                                                                 u"A − B"_qs,     u"chat: 0.00"_qs};
        QTest::newRow("heads") << u"heads"_qs << QStringList{u"L0 H0"_qs};
        QTest::newRow("matrix") << u"matrix"_qs << QStringList{u"additive"_qs, u"chat → cat: 0.80"_qs};
        QTest::newRow("positions") << u"positions"_qs
                                   << QStringList{u"Position × dimension"_qs, u"0 → 1: 1.00"_qs, u"dimension 0: 5"_qs};
    }
    void saysWhatTheTraceHolds() {
        QFETCH(QString, name);
        QFETCH(QStringList, said);
        Shown shown(makeView(name));
        auto trace = traceFromAscii(cat);
        trace.encoderPositions = ascii::sinusoids(5, 8);
        shown.view->setTrace(shared(trace), traceOf(otherCat));
        const auto text = oneText(shown.view->describe());
        for (const auto& line : said)
            QVERIFY2(text.contains(line), qPrintable(u"\"%1\" is not in:\n%2"_qs.arg(line, text)));
    }

    /// The numbers behind the picture are those of the trace, unrounded, each in its place.
    void numbersAreTheTraces_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("alignment") << u"alignment"_qs;
        QTest::newRow("matrix") << u"matrix"_qs;
        QTest::newRow("heads") << u"heads"_qs;
    }
    void numbersAreTheTraces() {
        QFETCH(QString, name);
        Shown shown(makeView(name));
        const auto trace = traceOf(cat);
        shown.view->setTrace(trace, nullptr);
        const auto numbers = shown.view->numbers();
        const auto column = [&](const QString& title) { return numbers.columns.indexOf(title); };
        QVERIFY(column(u"row"_qs) >= 0 && column(u"column"_qs) >= 0 && column(u"value"_qs) >= 0);
        const auto cells = cellsOf(numbers);
        QCOMPARE(cells.size(), 16);
        for (const auto& row : cells) {
            QCOMPARE(row.size(), numbers.columns.size());
            const auto weight = trace->cross->at(Layer(0), Head(0), Query(row[column(u"row"_qs)].toInt()),
                                                 Key(row[column(u"column"_qs)].toInt()));
            QCOMPARE(row[column(u"value"_qs)].toFloat(), weight);
        }
    }

    /// Crashed in Heads: the window was resized while another view was on show, and captions were made of a run that
    /// was gone.
    void nothingIsKeptOfARunThatIsGone_data() {
        QTest::addColumn<QString>("name");
        for (const auto* name : {"alignment", "compare", "heads", "lines", "matrix", "positions", "query", "playback"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    void nothingIsKeptOfARunThatIsGone() {
        QFETCH(QString, name);
        Shown shown(makeView(name));
        const AsciiOptions options{.layers = 2, .heads = 2, .selfAttention = true, .positionDimensions = 8};
        auto run = traceOf(cat, options), second = traceOf(otherCat, options);
        shown.view->setTrace(run, second);
        shown.picture();
        for (const bool visible : {true, false}) {
            shown.view->setVisible(visible);
            const std::weak_ptr<const Trace> before = run, secondBefore = second;
            run = traceOf(otherCat, options);
            second = traceOf(cat, options);
            shown.view->setTrace(run, second);
            QVERIFY(before.expired());
            QVERIFY(secondBefore.expired());
            shown.view->resize(shown.view->width() + 40, 500); // lays out what there is to draw
            shown.picture();
        }
        shown.view->show();
        Shown fresh(makeView(name), shown.view->size());
        fresh.view->setTrace(run, second);
        QCOMPARE(shown.view->describe(), fresh.view->describe());
    }

    void aRunIsShownWhenItIsAskedFor_data() {
        QTest::addColumn<QString>("name");
        for (const auto* name : {"heads", "lines", "matrix"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    /// B is never drawn unasked, however many heads it has; what A lacks is said.
    void aRunIsShownWhenItIsAskedFor() {
        QFETCH(QString, name);
        auto one = traceFromAscii(cat);
        one.model = "solo";
        auto many = traceFromAscii(cat, {.layers = 2, .heads = 3, .selfAttention = true});
        many.model = "many";
        Shown shown(makeView(name));
        shown.view->setTrace(shared(one), shared(many));
        const auto text = [&] { return oneText(shown.view->describe()); };
        QVERIFY2(text().contains(u"A · solo"_qs) && !text().contains(u"many"_qs), qPrintable(text()));
        askForRun(*shown.view, 1);
        QVERIFY2(text().contains(u"B · many"_qs) && !text().contains(u"solo"_qs), qPrintable(text()));
        shown.selection.setKind(BlockKind::Encoder);
        QVERIFY2(text().contains(u"B · many"_qs), qPrintable(text()));
        askForRun(*shown.view, 0);
        QVERIFY2(text().contains(u"solo has no attention of this kind (encoder, self). many has"_qs),
                 qPrintable(text()));
    }

    /// A Transformer of one layer and one head is no recurrent model.
    void oneHeadIsNotAdditiveForThat() {
        Shown shown(makeView(u"alignment"_qs));
        shown.view->setTrace(traceOf(cat, {.selfAttention = true}), nullptr);
        const auto text = oneText(shown.view->describe());
        QVERIFY2(text.contains(u"layer 0, head 0"_qs) && !text.contains(u"additive"_qs), qPrintable(text));
    }

    /// A special token that the comparison leaves out lights no row of another token.
    void whatIsLeftOutLightsNothing() {
        auto other = traceFromAscii(R"(
                  the   cat   sleeps  </s>
        le        9     1     .       .
        chat      1     8     1       .
        dort      .     6     .       4
        )");
        Shown shown(makeView(u"compare"_qs));
        shown.view->setTrace(traceOf(cat), shared(other));
        const auto dark = shown.picture();
        shown.selection.hover(pairOf(BlockKind::Cross, 3, -1));
        QCOMPARE(shown.picture(), dark);
        shown.selection.hover(pairOf(BlockKind::Cross, 2, -1));
        QVERIFY(shown.picture() != dark);
    }

    void compareNumbersHoldBothAndTheirDifference() {
        Shown shown(makeView(u"compare"_qs));
        shown.view->setTrace(traceOf(cat), traceOf(otherCat));
        QStringList values;
        for (const auto& row : shown.view->numbers().rows)
            if (row.contains(u"dort"_qs) && row.contains(u"cat"_qs))
                values << row.last();
        QCOMPARE(values.size(), 3);
        QCOMPARE(values[0].toFloat(), 0.0f);
        QCOMPARE(values[1].toFloat(), 0.6f);
        QCOMPARE(values[2].toFloat(), -0.6f);
    }

    void headsAreAllThere() {
        Shown shown(makeView(u"heads"_qs));
        shown.view->setTrace(traceOf(cat, {.layers = 3, .heads = 4}), nullptr);
        const auto text = oneText(shown.view->describe());
        for (int layer = 0; layer < 3; ++layer)
            for (int head = 0; head < 4; ++head)
                QVERIFY(text.contains(u"L%1 H%2"_qs.arg(layer).arg(head)));
        QVERIFY(!text.contains(u"L3"_qs) && !text.contains(u"H4"_qs));
        QCOMPARE(shown.view->numbers().rows.size(), 12 * 16 + 12); // and what is said of each
    }

    void drawsAndFollows_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("followsWeights");
        QTest::addColumn<bool>("followsHover");
        QTest::newRow("alignment") << u"alignment"_qs << true << true;
        QTest::newRow("compare") << u"compare"_qs << true << true;
        QTest::newRow("heads") << u"heads"_qs << true << false;
        QTest::newRow("matrix") << u"matrix"_qs << true << true;
        QTest::newRow("positions") << u"positions"_qs << false << false;
    }
    void drawsAndFollows() {
        QFETCH(QString, name);
        QFETCH(bool, followsWeights);
        QFETCH(bool, followsHover);
        Shown shown(makeView(name));
        const AsciiOptions options{.positionDimensions = 8};
        shown.view->setTrace(traceOf(cat, options), traceOf(cat, options));
        const auto first = shown.picture();
        QVERIFY2(colorsOf(first) > 12, "the picture is all but blank");
        QCOMPARE(shown.picture(), first);

        shown.selection.hover(crossPair(1, 1));
        QCOMPARE(shown.picture() != first, followsHover);
        shown.selection.hover({});
        QCOMPARE(shown.picture(), first);

        shown.view->setTrace(traceOf(otherCat, options), traceOf(cat, options));
        QCOMPARE(shown.picture() != first, followsWeights);
        shown.view->setTrace(traceOf(cat, options), traceOf(cat, options));
        QCOMPARE(shown.picture(), first);

        shown.view->setAppearance(makeAppearance(Theme::Dark, ColorMap::Magma, shown.view->font()));
        const auto dark = shown.picture();
        QVERIFY(qGray(first.pixel(1, 1)) > 200);
        QVERIFY(qGray(dark.pixel(1, 1)) < 60);
        QVERIFY(colorsOf(dark) > 12);
    }

    void positionsFollowTheirTable() {
        Shown shown(makeView(u"positions"_qs));
        auto trace = traceFromAscii(cat, {.positionDimensions = 8});
        shown.view->setTrace(shared(trace), nullptr);
        const auto first = shown.picture();
        for (auto* table : {&trace.encoderPositions, &trace.decoderPositions})
            if (*table)
                (*table)->values[9] = -0.5f;
        shown.view->setTrace(shared(trace), nullptr);
        QVERIFY(shown.picture() != first);
    }

    void figureIsAsLargeAsAsked_data() { addViews(); }
    void figureIsAsLargeAsAsked() {
        QFETCH(QString, name);
        Shown shown(makeView(name));
        const AsciiOptions options{.positionDimensions = 8};
        shown.view->setTrace(traceOf(cat, options), traceOf(otherCat, options));
        const auto before = shown.picture();
        QImage image(700, 300, QImage::Format_RGB32);
        image.fill(Qt::green);
        shown.view->figure(image, image.size());
        QVERIFY(colorsOf(image) > 12);
        for (const auto& corner : {QPoint(0, 0), QPoint(699, 0), QPoint(0, 299), QPoint(699, 299)})
            QVERIFY2(image.pixelColor(corner) != QColor(Qt::green), "a corner was left out");
        QCOMPARE(shown.picture(), before); // on screen nothing changed
    }

    void aDecoderWithoutAttentionIsSaidToHaveOneVector() {
        auto bare = traceFromAscii(cat);
        bare.cross.reset();
        bare.fixedContext = {1, 2};
        for (const auto* name : {"alignment", "compare", "heads", "lines", "matrix", "query"}) {
            Shown shown(makeView(QString::fromLatin1(name)));
            shown.view->setTrace(shared(bare), shared(bare));
            QVERIFY2(shown.view->describe().first().contains(u"one vector of 2 numbers"_qs), name);
        }
    }

    void nothingToDraw_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("trace");
        for (const auto* name : viewNames) {
            QTest::addRow("%s, no trace", name) << QString::fromLatin1(name) << 0;
            QTest::addRow("%s, a trace of nothing", name) << QString::fromLatin1(name) << 1;
            QTest::addRow("%s, no attention", name) << QString::fromLatin1(name) << 2;
            QTest::addRow("%s, blocks of no rows", name) << QString::fromLatin1(name) << 3;
        }
    }
    void nothingToDraw() {
        QFETCH(QString, name);
        QFETCH(int, trace);
        TracePointer pointer;
        if (trace == 1)
            pointer = shared({});
        if (trace == 2) {
            auto bare = traceFromAscii(cat);
            bare.cross.reset();
            pointer = shared(bare);
        }
        if (trace == 3) {
            Trace empty;
            empty.cross.emplace();
            empty.cross->kind = BlockKind::Cross;
            empty.cross->layers = empty.cross->heads = 1;
            pointer = shared(empty);
        }
        Shown shown(makeView(name));
        shown.view->setTrace(traceOf(cat), nullptr);
        shown.view->setTrace(pointer, trace == 3 ? pointer : nullptr);
        shown.selection.hover(crossPair(2, 2));
        QVERIFY(!shown.picture().isNull());
        QVERIFY(shown.view->numbers().rows.isEmpty());
        if (trace < 3) {
            QCOMPARE(shown.view->describe().size(), 1); // says why
            QVERIFY(shown.view->describe().first().size() > 20);
        }
    }

    /// A network gone wrong shows as what it is, and takes nothing down.
    void weightsThatAreNoNumbers_data() { addViews(); }
    void weightsThatAreNoNumbers() {
        QFETCH(QString, name);
        auto broken = traceFromAscii(cat, {.positionDimensions = 8});
        for (std::size_t i = 4; i < 8; ++i)
            broken.cross->weights[i] = notANumber;
        broken.cross->weights[0] = std::numeric_limits<float>::infinity();
        for (auto* table : {&broken.encoderPositions, &broken.decoderPositions})
            if (*table)
                (*table)->values[3] = notANumber;
        Shown shown(makeView(name));
        shown.view->setTrace(traceOf(cat, {.positionDimensions = 8}), traceOf(cat));
        const auto whole = shown.picture();
        shown.view->setTrace(shared(broken), traceOf(cat));
        shown.selection.hover(crossPair(1, 1));
        QVERIFY(shown.picture() != whole);
        if (name == u"alignment" || name == u"matrix")
            QVERIFY(oneText(shown.view->describe()).contains(u"not a number"_qs));
    }

    void anExportLooksAsTheScreenDoes_data() {
        addViews();
        for (const auto* name : {"lines", "query", "playback"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    void anExportLooksAsTheScreenDoes() {
        QFETCH(QString, name);
        Shown shown(makeView(name), {700, 560});
        shown.view->setTrace(traceOf(cat, {.positionDimensions = 8}), traceOf(otherCat));
        QCoreApplication::processEvents(); // a control that came makes its row higher
        const auto area = shown.view->figureArea();
        const auto screen = shown.view->grab(area).toImage().convertToFormat(QImage::Format_RGB32);
        const auto file = FigureExporter::image(*shown.view, {.size = area.size(), .scale = 1, .title = {}})
                              .convertToFormat(QImage::Format_RGB32);
        QCOMPARE(file.size(), screen.size());
        QVERIFY(colorsOf(screen) > 12);
        int different = 0;
        for (int y = 0; y < file.height(); ++y)
            for (int x = 0; x < file.width(); ++x)
                different += std::abs(qGreen(file.pixel(x, y)) - qGreen(screen.pixel(x, y))) > 40;
        QVERIFY2(different < file.width() * file.height() / 500, qPrintable(QString::number(different)));
    }

    /// The small weights of a long text have no colour on the range that all maps share.
    void aRangeOfItsOwnShowsSmallWeights_data() {
        QTest::addColumn<QString>("name");
        for (const auto* name : {"alignment", "compare", "heads", "matrix"})
            QTest::newRow(name) << QString::fromLatin1(name);
    }
    void aRangeOfItsOwnShowsSmallWeights() {
        QFETCH(QString, name);
        std::string art = "x";
        for (int column = 1; column < 40; ++column)
            art += " s";
        for (int row = 0; row < 40; ++row)
            art += "\nt 1111111111..............................";
        Shown shown(makeView(name));
        shown.view->setTrace(traceOf(art.c_str()), traceOf(art.c_str()));
        const auto dark = [&shown] {
            const auto picture = shown.picture();
            int count = 0;
            for (int y = 0; y < picture.height(); ++y)
                for (int x = 0; x < picture.width(); ++x)
                    count += qRed(picture.pixel(x, y)) < 60;
            return count;
        };
        const int before = dark();
        shown.selection.setOwnRange(true);
        QVERIFY2(dark() > before + 1000, qPrintable(QString::number(before) + u' ' + QString::number(dark())));
        const auto boxes = shown.view->findChildren<QCheckBox*>();
        QVERIFY(std::any_of(boxes.begin(), boxes.end(),
                            [](const auto* box) { return box->text() == u"own range"_qs && box->isChecked(); }));
    }

    void sizesOfTexts_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("tokens");
        for (const auto* name : viewNames)
            for (const int tokens : {1, 2, 60, 200})
                QTest::newRow(qPrintable(u"%1, %2"_qs.arg(QLatin1String(name)).arg(tokens)))
                    << QString::fromLatin1(name) << tokens;
    }
    void sizesOfTexts() {
        QFETCH(QString, name);
        QFETCH(int, tokens);
        std::string art = "x";
        for (int i = 1; i < tokens; ++i)
            art += " word" + std::to_string(i);
        for (int row = 0; row < tokens; ++row) {
            art += "\nmot" + std::to_string(row) + " ";
            for (int column = 0; column < tokens; ++column)
                art += column == row ? '8' : column + 1 == row ? '2' : '.';
        }
        const auto trace = traceOf(art.c_str(), {.layers = 2, .heads = 2, .positionDimensions = 16});
        Shown shown(makeView(name));
        shown.view->setTrace(trace, trace);
        QVERIFY(colorsOf(shown.picture()) > 12);
        shown.selection.hover(crossPair(tokens - 1, tokens - 1));
        QVERIFY(!shown.picture().isNull());
        if (name == u"alignment" || name == u"matrix")
            QCOMPARE(cellsOf(shown.view->numbers()).size(), tokens * tokens);
    }

    /// However long the names, most of what is drawn is the map.
    void longNamesLeaveRoomForTheMap() {
        auto trace = traceFromAscii(cat);
        for (auto* tokens : {&trace.source, &trace.emitted})
            for (auto& token : *tokens)
                token.letters = " 注意力機制讓模型知道該看哪裡而且這個詞非常非常的長" + token.letters;
        Shown shown(makeView(u"alignment"_qs));
        shown.view->setAppearance(makeAppearance(Theme::Light, ColorMap::Viridis, shown.view->font()));
        shown.view->setTrace(shared(trace), nullptr);
        const auto picture = shown.picture();
        int mapPixels = 0;
        for (int y = 0; y < picture.height(); ++y)
            for (int x = 0; x < picture.width(); ++x)
                mapPixels += QColor(picture.pixel(x, y)).hsvSaturation() > 90;
        QVERIFY2(mapPixels * 10 > picture.width() * picture.height() * 2,
                 qPrintable(u"%1 pixels are of the map"_qs.arg(mapPixels)));
        QVERIFY(oneText(shown.view->describe()).contains(u"注意力機制讓模型知道該看哪裡而且這個詞非常非常的長"_qs));
    }

    void hoverInOneLightsAll_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("alignment") << u"alignment"_qs;
        QTest::newRow("compare") << u"compare"_qs;
        QTest::newRow("matrix") << u"matrix"_qs;
    }
    void hoverInOneLightsAll() {
        QFETCH(QString, name);
        const auto trace = traceOf(cat), other = traceOf(otherCat);
        Shown shown(makeView(name));
        auto& selection = shown.selection;
        shown.view->setTrace(trace, other);
        std::vector<std::unique_ptr<TraceView>> views;
        std::vector<QImage> before;
        for (const auto* viewName : {"alignment", "compare", "matrix"}) {
            views.push_back(makeView(QString::fromLatin1(viewName)));
            views.back()->setSelection(&selection);
            views.back()->setTrace(trace, other);
            views.back()->resize(400, 360);
            views.back()->show();
            before.push_back(views.back()->grab().toImage());
        }
        TokenStrip source(TokenStrip::Side::Source), target(TokenStrip::Side::Target);
        for (auto* strip : {&source, &target}) {
            strip->setSelection(&selection);
            strip->setTrace(trace);
        }
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(trace, other);
        (void)shown.picture();

        const auto place = placeOf(*shown.view, selection, crossPair(2, 1));
        QVERIFY2(place.x() >= 0, "no place of the view points at dort → cat");
        for (std::size_t i = 0; i < views.size(); ++i)
            QVERIFY(views[i]->grab().toImage() != before[i]);
        QCOMPARE(source.describe(), QStringList({u"the"_qs, u"[cat]"_qs, u"sleeps"_qs, u"</s>"_qs}));
        QCOMPARE(target.describe(), QStringList({u"le"_qs, u"chat"_qs, u"[dort]"_qs, u"</s>"_qs}));
        QVERIFY(inspector.describe().contains(u"dort → cat"_qs));
        QVERIFY(inspector.describe().contains(u"A 0.00, B 0.60"_qs));

        // A click keeps the pair, whatever the pointer does; Escape lets it go.
        auto* canvas = shown.view->childAt(place);
        QTest::mouseClick(canvas, Qt::LeftButton, {}, canvas->mapFrom(shown.view.get(), place));
        QVERIFY(selection.locked());
        QVERIFY(placeOf(*shown.view, selection, crossPair(0, 0)).x() < 0);
        QCOMPARE(selection.pair(), crossPair(2, 1));
        QTest::keyClick(shown.view.get(), Qt::Key_Escape);
        QVERIFY(!selection.locked());
        QCOMPARE(source.describe().first(), u"the"_qs);
        for (std::size_t i = 0; i < views.size(); ++i)
            QVERIFY(views[i]->grab().toImage() == before[i]);
    }

    void pointerThatLeavesLightsNothing() {
        Shown shown(makeView(u"alignment"_qs));
        shown.view->setTrace(traceOf(cat), nullptr);
        const auto before = shown.picture();
        const auto place = placeOf(*shown.view, shown.selection, crossPair(1, 2));
        QVERIFY(place.x() >= 0);
        QEvent leave(QEvent::Leave);
        QCoreApplication::sendEvent(shown.view->childAt(place), &leave);
        QCOMPARE(shown.selection.pair(), Selection::Pair());
        QCOMPARE(shown.picture(), before);
    }

    void doubleClickOnAHeadOpensIt() {
        Shown shown(makeView(u"heads"_qs));
        shown.view->setTrace(traceOf(cat, {.layers = 2, .heads = 3}), nullptr);
        (void)shown.picture();
        QSignalSpy opened(shown.view.get(), &TraceView::headOpened);
        QSet<int> places;
        for (int y = 12; y < shown.view->height(); y += 24)
            for (int x = 12; x < shown.view->width(); x += 24) {
                auto* canvas = shown.view->childAt(x, y);
                if (!canvas || !canvas->inherits("QCustomPlot"))
                    continue; // a control
                const auto before = opened.count();
                const auto place = canvas->mapFrom(shown.view.get(), QPoint(x, y));
                QTest::mouseClick(canvas, Qt::LeftButton, {}, place);
                QCOMPARE(opened.count(), before); // it is chosen
                QTest::mouseDClick(canvas, Qt::LeftButton, {}, place);
                QTest::mouseRelease(canvas, Qt::LeftButton, {}, place); // which that leaves out
                if (opened.count() > before)
                    places.insert(shown.selection.layer().value * 3 + shown.selection.head().value);
            }
        QCOMPARE(places, QSet<int>({0, 1, 2, 3, 4, 5}));
        QCOMPARE(shown.selection.headMode(), HeadMode::One);
    }

    void arrowKeysMoveThroughTheMap() {
        Shown shown(makeView(u"matrix"_qs));
        shown.view->setTrace(traceOf(cat), nullptr);
        (void)shown.picture();
        for (const auto key : {Qt::Key_Down, Qt::Key_Down, Qt::Key_Right, Qt::Key_Up, Qt::Key_Down})
            QTest::keyClick(shown.view.get(), key);
        QCOMPARE(shown.selection.pair(), crossPair(1, 1));
        QTest::keyClick(shown.view.get(), Qt::Key_Return);
        QVERIFY(shown.selection.locked());
    }

    void aKeyOpensNoHeadOfTheModelBefore() {
        Shown shown(makeView(u"heads"_qs));
        shown.view->setTrace(traceOf(cat, {.layers = 2, .heads = 3}), nullptr);
        (void)shown.picture();
        const QSignalSpy opened(shown.view.get(), &TraceView::headOpened);
        for (const auto key : {Qt::Key_Down, Qt::Key_Down, Qt::Key_Right, Qt::Key_Right})
            QTest::keyClick(shown.view.get(), key);
        shown.view->setTrace(traceOf(cat), nullptr);
        QTest::keyClick(shown.view.get(), Qt::Key_Return);
        QCOMPARE(opened.count(), 0);
    }

    void chipsWrapIntoTheirWidth() {
        TokenStrip strip(TokenStrip::Side::Source);
        Selection selection;
        strip.setSelection(&selection);
        const int line = strip.heightForWidth(300);
        QVERIFY2(line > 10, "an empty strip keeps one line");
        QVERIFY(strip.describe().isEmpty());
        const auto blank = strip.grab().toImage();
        QCOMPARE(colorsOf(blank), 1);

        auto trace = traceFromAscii(cat);
        strip.setTrace(shared(trace));
        QCOMPARE(strip.heightForWidth(2000), line);
        QVERIFY(strip.heightForWidth(120) > line);
        trace.source[1].letters = std::string(500, 'x'); // longer than any width: elided, on a line of its own
        strip.setTrace(shared(trace));
        QVERIFY(strip.heightForWidth(120) < 6 * line);
        strip.setTrace(nullptr);
        QCOMPARE(strip.heightForWidth(120), line);
    }

    /// Which chips a pair lights. The decoder's own attention names its rows by what it takes in, which it gave out one
    /// step before: the same word is lit.
    void chipsLitByAPair_data() {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("query");
        QTest::addColumn<int>("key");
        QTest::addColumn<QString>("source");
        QTest::addColumn<QString>("target");
        const int cross = int(BlockKind::Cross), encoder = int(BlockKind::Encoder), decoder = int(BlockKind::Decoder);
        QTest::newRow("nothing") << cross << -1 << -1 << u"the cat sleeps </s>"_qs << u"le chat dort </s>"_qs;
        QTest::newRow("cross") << cross << 1 << 2 << u"the cat [sleeps] </s>"_qs << u"le [chat] dort </s>"_qs;
        QTest::newRow("cross, query alone")
            << cross << 3 << -1 << u"the cat sleeps </s>"_qs << u"le chat dort [</s>]"_qs;
        QTest::newRow("cross, key alone") << cross << -1 << 0 << u"[the] cat sleeps </s>"_qs << u"le chat dort </s>"_qs;
        QTest::newRow("encoder") << encoder << 1 << 3 << u"the [cat] sleeps [</s>]"_qs << u"le chat dort </s>"_qs;
        QTest::newRow("decoder") << decoder << 3 << 2 << u"the cat sleeps </s>"_qs << u"le [chat] [dort] </s>"_qs;
        QTest::newRow("decoder, start token")
            << decoder << 0 << 0 << u"the cat sleeps </s>"_qs << u"le chat dort </s>"_qs;
        QTest::newRow("beyond the text") << cross << 40 << 40 << u"the cat sleeps </s>"_qs << u"le chat dort </s>"_qs;
    }
    void chipsLitByAPair() {
        QFETCH(int, kind);
        QFETCH(int, query);
        QFETCH(int, key);
        QFETCH(QString, source);
        QFETCH(QString, target);
        Selection selection;
        TokenStrip sourceStrip(TokenStrip::Side::Source), targetStrip(TokenStrip::Side::Target);
        for (auto* strip : {&sourceStrip, &targetStrip}) {
            strip->setSelection(&selection);
            strip->setTrace(traceOf(cat, {.selfAttention = true}));
            strip->resize(400, 60);
        }
        const auto before = sourceStrip.grab().toImage();
        selection.hover(pairOf(BlockKind(kind), query, key));
        QCOMPARE(sourceStrip.describe().join(QLatin1Char(' ')), source);
        QCOMPARE(targetStrip.describe().join(QLatin1Char(' ')), target);
        QCOMPARE(sourceStrip.grab().toImage() != before, source.contains(QLatin1Char('[')));
    }

    void targetChipsAreWhatTheRowsAreCalled() {
        Selection selection;
        TokenStrip strip(TokenStrip::Side::Target);
        strip.setSelection(&selection);
        strip.setTrace(traceOf(cat));
        QCOMPARE(strip.describe(), QStringList({u"le"_qs, u"chat"_qs, u"dort"_qs, u"</s>"_qs}));
        selection.setReading(Reading::TakenIn);
        selection.hover(crossPair(0, 0));
        QCOMPARE(strip.describe(), QStringList({u"[<s>]"_qs, u"le"_qs, u"chat"_qs, u"dort"_qs}));
    }

    void chipsByMouse() {
        Selection selection;
        TokenStrip strip(TokenStrip::Side::Source);
        strip.setSelection(&selection);
        strip.setTrace(traceOf(cat, {.selfAttention = true}));
        strip.resize(400, 60);
        strip.show();
        const auto sleeps = pairOf(BlockKind::Cross, -1, 2);
        const auto place = placeOf(strip, selection, sleeps);
        QVERIFY(place.x() >= 0);
        QCOMPARE(strip.describe()[2], u"[sleeps]"_qs);

        QHelpEvent help(QEvent::ToolTip, place, strip.mapToGlobal(place));
        QCoreApplication::sendEvent(&strip, &help);
        QVERIFY2(QToolTip::text().contains(u"position 2"_qs) && QToolTip::text().contains(u"bytes 8 to 14"_qs),
                 qPrintable(QToolTip::text()));

        QTest::mouseClick(&strip, Qt::LeftButton, {}, place);
        QVERIFY(selection.locked());
        moveMouse(strip, {390, 55});
        QCOMPARE(selection.pair(), sleeps);
        QTest::mouseClick(&strip, Qt::LeftButton, {}, place);
        QVERIFY(!selection.locked());
        QEvent leave(QEvent::Leave);
        QCoreApplication::sendEvent(&strip, &leave);
        QCOMPARE(selection.pair(), Selection::Pair());

        selection.setKind(BlockKind::Encoder); // there a source token is what looks
        QVERIFY(placeOf(strip, selection, pairOf(BlockKind::Encoder, 2, -1)).x() >= 0);
    }

    void chipsByKeyboard() {
        Selection selection;
        TokenStrip strip(TokenStrip::Side::Target);
        strip.setSelection(&selection);
        QTest::keyClick(&strip, Qt::Key_Right); // of an empty strip
        strip.setTrace(traceOf(cat));
        strip.resize(400, 60);
        const auto lit = [&] { return strip.describe().join(QLatin1Char(' ')); };
        QTest::keyClick(&strip, Qt::Key_Right);
        QCOMPARE(lit(), u"[le] chat dort </s>"_qs);
        QTest::keyClick(&strip, Qt::Key_Right);
        QCOMPARE(lit(), u"le [chat] dort </s>"_qs);
        QTest::keyClick(&strip, Qt::Key_Return);
        QVERIFY(selection.locked());
        QTest::keyClick(&strip, Qt::Key_Right);
        QCOMPARE(lit(), u"le [chat] dort </s>"_qs);
        QTest::keyClick(&strip, Qt::Key_Escape);
        QVERIFY(!selection.locked());
        QCOMPARE(lit(), u"le chat dort </s>"_qs);
        for (int i = 0; i < 9; ++i)
            QTest::keyClick(&strip, Qt::Key_Right);
        QCOMPARE(lit(), u"le chat dort [</s>]"_qs);
        QTest::keyClick(&strip, Qt::Key_Home);
        QTest::keyClick(&strip, Qt::Key_Left);
        QCOMPARE(lit(), u"[le] chat dort </s>"_qs);
    }

    void manyChipsInAScrollArea() {
        Trace trace;
        for (int i = 0; i < 2000; ++i) {
            Token token;
            token.letters.append(i % 3 ? " word" : i % 2 ? " 注意力" : " 😀").append(std::to_string(i));
            trace.source.push_back(token);
        }
        Selection selection;
        QScrollArea area;
        auto* strip = new TokenStrip(TokenStrip::Side::Source);
        area.setWidgetResizable(true);
        area.setWidget(strip);
        area.resize(300, 200);
        strip->setSelection(&selection);
        strip->setTrace(shared(trace));
        area.show();
        QTRY_VERIFY(strip->height() > 1000);
        QVERIFY(colorsOf(area.grab().toImage()) > 12);
        QTest::keyClick(strip, Qt::Key_End);
        QCOMPARE(strip->describe().last(), u"[word1999]"_qs);
        QVERIFY2(area.verticalScrollBar()->value() > 1000, "the chip with the keyboard is out of sight");
    }

    void inspectorSaysWhatIsPointedAt() {
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        QCOMPARE(inspector.describe().size(), 2);
        inspector.setTrace(traceOf(cat), nullptr);
        const auto nothing = inspector.describe();
        QVERIFY(nothing.contains(u"Mean entropy: 0.57 bit"_qs)); // (0.469 + 0.922 + 0.881 + 0) / 4
        QVERIFY(nothing.contains(u"On special tokens: 32 %"_qs) || nothing.contains(u"On special tokens: 33 %"_qs));

        selection.hover(crossPair(1, 1));
        auto lines = inspector.describe();
        QCOMPARE(lines.mid(0, 3), QStringList({u"UNDER THE POINTER"_qs, u"chat → cat"_qs, u"0.80"_qs}));
        QCOMPARE(lines.mid(3, 4),
                 QStringList({u"ROW “chat”"_qs, u"cat: 0.80"_qs, u"the: 0.10"_qs, u"sleeps: 0.10"_qs}));
        QVERIFY(lines.contains(u"PREDICTIONS AT STEP 1"_qs));
        QVERIFY(lines.contains(u"chat: 0.75"_qs) && lines.contains(u"?: 0.25"_qs));

        selection.toggleLock(crossPair(1, 1));
        QVERIFY(inspector.describe().first() != lines.first());
        selection.freeLock();
        QCOMPARE(inspector.describe(), nothing);

        selection.hover(pairOf(BlockKind::Cross, -1, 3));
        lines = inspector.describe();
        QVERIFY(lines.contains(u"COLUMN “</s>”"_qs));
        QCOMPARE(lines.mid(lines.indexOf(u"COLUMN “</s>”"_qs) + 1, 2),
                 QStringList({u"</s>: 1.00"_qs, u"dort: 0.30"_qs}));
    }

    void inspectorComparesTwo() {
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(traceOf(cat), traceOf(otherCat));
        QVERIFY(inspector.describe().contains(u"Same strongest word: 3 / 4"_qs));
        QVERIFY(inspector.describe().contains(u"Mean entropy A: 0.57 bit"_qs));
        QVERIFY(inspector.describe().contains(u"Mean entropy B: 0.59 bit"_qs));
        selection.hover(crossPair(2, 2));
        QVERIFY(inspector.describe().contains(u"A 0.70, B 0.00"_qs));
        QVERIFY(inspector.describe().contains(u"A’S ROW “dort”"_qs));

        inspector.setTrace(traceOf(cat), traceOf("  a b\n x 9 1\n y . #\n")); // another sentence
        QVERIFY(inspector.describe().contains(u"A 0.70, B –"_qs));
        inspector.setTrace(traceOf(cat), nullptr);
        QVERIFY(inspector.describe().contains(u"0.70"_qs));
    }

    void inspectorOfSelfAttention() {
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(traceOf(cat, {.layers = 2, .heads = 2, .selfAttention = true}), nullptr);
        selection.setHead(BlockKind::Encoder, Layer(0), Head(0));
        QVERIFY(oneText(inspector.describe()).contains(u"Mean distance: 0.4 tokens"_qs)); // (0 + 3 × ½) / 4
        selection.hover(pairOf(BlockKind::Encoder, 2, 1));
        QVERIFY(inspector.describe().contains(u"sleeps → cat"_qs));
        QVERIFY(inspector.describe().contains(u"0.50"_qs));
        QVERIFY(!oneText(inspector.describe()).contains(u"PREDICTIONS"_qs));
        selection.setHeadMode(HeadMode::MeanOfLayer);
        QVERIFY(oneText(inspector.describe()).contains(u"mean"_qs));
        QVERIFY(!oneText(inspector.describe()).contains(u"Mean distance"_qs));
    }

    void inspectorExplainsAdditiveAttention() {
        auto trace = traceFromAscii(cat);
        trace.additive.emplace();
        trace.additive->queries = trace.additive->keys = 4;
        trace.additive->energies.assign(16, -1.5f);
        trace.additive->energies[5] = 2.25f;
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(shared(trace), nullptr);
        QVERIFY(!oneText(inspector.describe()).contains(u"Energy"_qs));
        selection.hover(crossPair(1, 1));
        QVERIFY(inspector.describe().contains(u"Energy e: 2.25"_qs));
        QVERIFY(inspector.describe().contains(u"After softmax: 0.80"_qs));
        selection.hover(crossPair(1, 2));
        QVERIFY(inspector.describe().contains(u"Energy e: −1.50"_qs));
        trace.additive->energies.clear(); // not recorded
        inspector.setTrace(shared(trace), nullptr);
        QVERIFY(oneText(inspector.describe()).contains(u"tanh"_qs));
        QVERIFY(!oneText(inspector.describe()).contains(u"Energy"_qs));
    }

    void inspectorOfBrokenAndMissing_data() {
        QTest::addColumn<int>("trace");
        QTest::newRow("weights that are no numbers") << 0;
        QTest::newRow("no attention") << 1;
        QTest::newRow("a trace of nothing") << 2;
        QTest::newRow("a text shorter than the locked pair") << 3;
    }
    void inspectorOfBrokenAndMissing() {
        QFETCH(int, trace);
        auto made = traceFromAscii(trace == 3 ? "  a\n x #\n" : cat);
        if (trace == 0)
            std::fill(made.cross->weights.begin(), made.cross->weights.end(), notANumber);
        if (trace == 1)
            made.cross.reset();
        if (trace == 2)
            made = {};
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(traceOf(cat), nullptr);
        selection.toggleLock(crossPair(3, 3));
        inspector.setTrace(shared(made), shared(made));
        inspector.resize(280, 700);
        QVERIFY(!inspector.grab().isNull());
        const auto text = oneText(inspector.describe());
        if (trace == 0)
            QVERIFY(text.contains(u"no numbers"_qs) && !text.contains(u"nan"_qs));
        if (trace == 1)
            QVERIFY(text.contains(u"ascii has no attention to measure"_qs) && text.contains(u"</s>: 0.75"_qs));
        if (trace == 3)
            QVERIFY(text.contains(u"Point at a cell"_qs));
    }

    /// Whatever room there is, all that it says can be scrolled to.
    void inspectorIsAsHighAsWhatItSays() {
        Selection selection;
        QScrollArea area;
        auto* inspector = new Inspector;
        area.setWidget(inspector);
        area.setWidgetResizable(true);
        inspector->setSelection(&selection);
        inspector->setTrace(traceOf(cat), traceOf(otherCat));
        area.resize(250, 200);
        area.show();
        QTRY_VERIFY(area.verticalScrollBar()->maximum() > 0);
        const int before = inspector->height();
        selection.hover(crossPair(1, 1));
        QTRY_VERIFY2(inspector->height() > before, "what a pair adds has no room");
        QCOMPARE(inspector->height(), inspector->heightForWidth(inspector->width()));

        const auto image = inspector->grab().toImage();
        const auto background = image.pixel(0, 0);
        const auto blank = [&](int y) {
            for (int x = 0; x < image.width(); ++x)
                if (image.pixel(x, y) != background)
                    return false;
            return true;
        };
        int last = image.height() - 1;
        while (last > 0 && blank(last))
            --last;
        QVERIFY2(last < image.height() - 2, "the last line is cut");
        QVERIFY2(last > image.height() - 40, "there is nothing where the last line should be");
        for (int y = 0; y < image.height(); ++y) // and nothing reaches the sides
            QVERIFY(image.pixel(2, y) == background && image.pixel(image.width() - 3, y) == background);
    }

    /// A run is made into a picture once, for whichever view.
    void eachRunIsBuiltOnce() {
        const auto check = [](auto&& view) {
            Selection selection;
            view.setSelection(&selection);
            view.resize(600, 460);
            view.show();
            view.setTrace(traceOf(cat, {.layers = 2, .heads = 2, .selfAttention = true}), nullptr);
            for (const auto& next : {traceOf(otherCat, {.selfAttention = true}), traceOf("  a b\n x 9 1\n y . #\n")}) {
                view.builds = 0;
                view.setTrace(next, nullptr);
                if (view.builds != 1)
                    return view.builds;
            }
            return 1;
        };
        QCOMPARE(check(Counted<AlignmentView>()), 1);
        QCOMPARE(check(Counted<CompareView>()), 1);
        QCOMPARE(check(Counted<HeadsView>()), 1);
        QCOMPARE(check(Counted<LinesView>()), 1);
        QCOMPARE(check(Counted<MatrixView>()), 1);
        QCOMPARE(check(Counted<PositionsView>()), 1);
        QCOMPARE(check(Counted<QueryKeyView>()), 1);
        QCOMPARE(check(Counted<PlaybackView>()), 1);
    }
};

QTEST_MAIN(TestViews)
#include "tst_views.moc"
