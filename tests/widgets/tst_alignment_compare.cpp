// Alignment and Compare: words or tokens, specials shown or not, how rows are read, which maps are compared.
#include "tests/support/shown_view.h"
#include "widgets/alignment_view.h"
#include "widgets/compare_view.h"
#include "widgets/inspector.h"
#include "widgets/reading_controls.h"

#include <QCheckBox>
#include <QComboBox>
#include <QTest>

using namespace headlight;

namespace {

/// "malheur" is two tokens, "unhappy" too.
constexpr const char* pieces = R"(
              un   +happy  man  </s>
    mal       4    2       1    3
    +heur     1    3       4    2
    homme     1    1       8    .
    </s>      .    .       .    #
)";

template <class Control>
Control* control(TraceView& view, const QString& name) {
    for (auto* found : view.findChildren<Control*>())
        if (found->accessibleName() == name)
            return found;
    return nullptr;
}

QCheckBox* box(TraceView& view, const QString& text) {
    for (auto* found : view.findChildren<QCheckBox*>())
        if (found->text() == text)
            return found;
    return nullptr;
}

/// The trace with a target that was typed, so that its tokens have places in it.
Trace forced(const char* art, const AsciiOptions& options = {}) {
    auto trace = traceFromAscii(art, options);
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < trace.target.size(); ++i) {
        auto& token = trace.emitted[i];
        const std::string letters = token.text.starts_with("\u2581") ? token.text.substr(3) : token.text;
        at = trace.targetText.find(letters, at);
        token.bytes = {at, at + letters.size()};
        trace.target[i + 1].bytes = token.bytes;
    }
    return trace;
}

void choose(QComboBox& control, const QString& item) {
    const int index = control.findText(item);
    QVERIFY2(index >= 0, qPrintable(item));
    control.setCurrentIndex(index);
    Q_EMIT control.activated(index);
}

QString said(const TraceView& view) {
    return oneText(view.describe());
}

} // namespace

class TestAlignmentCompare : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wordsAndSpecials_data() {
        QTest::addColumn<bool>("words");
        QTest::addColumn<bool>("specials");
        QTest::addColumn<int>("cells");
        QTest::addColumn<QStringList>("lines");
        QTest::newRow("all tokens") << false << true << 16
                                    << QStringList{u"ascii additive"_qs, u"mal → un: 0.40"_qs, u"heur → man: 0.40"_qs,
                                                   u"homme → man: 0.80"_qs, u"</s> → </s>: 1.00"_qs};
        QTest::newRow("words") << true << true << 9
                               << QStringList{u"ascii additive · by words"_qs, u"malheur → unhappy: 0.50"_qs,
                                              u"homme → man: 0.80"_qs, u"</s> → </s>: 1.00"_qs};
        QTest::newRow("ordinary tokens") << false << false << 9
                                         << QStringList{u"ascii additive · without special tokens, rows rescaled"_qs,
                                                        u"mal → un: 0.57"_qs, u"heur → man: 0.50"_qs,
                                                        u"homme → man: 0.80"_qs};
        QTest::newRow("ordinary words") << true << false << 4
                                        << QStringList{
                                               u"ascii additive · by words · without special tokens, rows rescaled"_qs,
                                               u"malheur → unhappy: 0.67"_qs, u"homme → man: 0.80"_qs};
    }
    void wordsAndSpecials() {
        QFETCH(bool, words);
        QFETCH(bool, specials);
        Shown shown(std::make_unique<AlignmentView>());
        shown.view->setTrace(traceOf(pieces), nullptr);
        box(*shown.view, u"words"_qs)->setChecked(words);
        box(*shown.view, u"special tokens"_qs)->setChecked(specials);
        QCOMPARE(shown.selection.byWords(), words);
        QCOMPARE(shown.selection.specials(), specials);
        QTEST(shown.view->describe(), "lines");
        QTEST(int(shown.view->numbers().rows.size()), "cells");
    }

    /// A changed run beside the same model in full: where a row looked before is framed, and the change can be drawn.
    void changeOfTheAlignment() {
        auto changed = traceFromAscii(otherCat);
        changed.intervention.forced = {{Query(2), Key(1)}};
        Shown shown(std::make_unique<AlignmentView>());
        shown.view->setTrace(shared(changed), nullptr);
        auto* change = box(*shown.view, u"change against the full run"_qs);
        QVERIFY(change && !change->isVisible());
        const auto alone = shown.picture();
        shown.view->setTrace(shared(changed), traceOf(cat));
        QVERIFY(change->isVisible());
        const auto framed = shown.picture();
        QVERIFY2(framed != alone, "row dort looked at sleeps");
        QVERIFY(said(*shown.view).contains(u"dort → cat: 0.60"_qs));
        change->click();
        QVERIFY(shown.selection.change());
        QVERIFY(shown.picture() != framed);
        QCOMPARE(shown.view->numbers().rows[9].last().toFloat(), 0.6F);
        QCOMPARE(shown.view->numbers().rows[10].last().toFloat(), -0.7F);
        QVERIFY(said(*shown.view).contains(u"minus the full"_qs));
        shown.view->setTrace(shared(changed), traceOf("  a b\n x 9 1\n y . #\n"));
        QVERIFY(said(*shown.view).contains(u"no change can be drawn"_qs));
        shown.view->setTrace(traceOf(cat), traceOf(cat));
        QVERIFY2(!change->isVisible(), "nothing was changed");
        QVERIFY(!said(*shown.view).contains(u"full"_qs));
    }

    /// A token lights its word, a word its first token, what is left out nothing.
    void tokensLightTheirWord() {
        Shown shown(std::make_unique<AlignmentView>());
        shown.view->setTrace(traceOf(pieces), nullptr);
        shown.selection.setByWords(true);
        shown.selection.setSpecials(false);
        const auto dark = shown.picture();
        shown.selection.hover(crossPair(1, 1)); // heur, happy
        const auto lit = shown.picture();
        QVERIFY(lit != dark);
        shown.selection.hover(crossPair(0, 0)); // mal, un
        QCOMPARE(shown.picture(), lit);
        shown.selection.hover(crossPair(3, 3));
        QCOMPARE(shown.picture(), dark);
        QVERIFY(placeOf(*shown.view, shown.selection, crossPair(2, 2)).x() >= 0);
        QVERIFY(placeOf(*shown.view, shown.selection, crossPair(1, 1)).x() < 0);
    }

    void aTextOfSpecialsSaysSo() {
        Shown shown(std::make_unique<AlignmentView>());
        shown.view->setTrace(traceOf("  </s>\n </s> #\n"), nullptr);
        shown.selection.setSpecials(false);
        QCOMPARE(shown.view->describe(), QStringList(u"Without special tokens there is nothing to show."_qs));
    }

    void rowsAreReadAsChosen() {
        Shown shown(std::make_unique<AlignmentView>());
        shown.view->setTrace(traceOf(pieces), nullptr);
        const std::unique_ptr<QComboBox> reading(makeReadingChoice(shown.selection));
        QVERIFY(said(*shown.view).contains(u"homme → man"_qs));
        reading->setCurrentIndex(2);
        QCOMPARE(shown.selection.reading(), Reading::TakenIn);
        QVERIFY(said(*shown.view).contains(u"heur → man: 0.80"_qs));
        shown.selection.setReading(Reading::Emitted);
        QCOMPARE(reading->currentIndex(), 1);
        QVERIFY(said(*shown.view).contains(u"homme → man: 0.80"_qs));
    }

    void rolloutIsOneOfTheMaps() {
        Shown shown(std::make_unique<AlignmentView>());
        shown.selection.setHeadMode(HeadMode::Rollout);
        shown.view->setTrace(traceOf(cat, {.layers = 2, .heads = 2, .selfAttention = true}), nullptr);
        QVERIFY(said(*shown.view).startsWith(u"ascii rollout"_qs));
        shown.view->setTrace(traceOf(cat), nullptr); // of an additive model: its one map
        QVERIFY(said(*shown.view).startsWith(u"ascii additive"_qs));
    }

    void headsAreRankedBesideTheAlignment() {
        Shown shown(std::make_unique<AlignmentView>(), {700, 460});
        shown.view->setTrace(traceOf(cat), nullptr);
        auto* rank = box(*shown.view, u"rank heads"_qs);
        (void)shown.picture();
        QVERIFY2(!rank->isEnabled(), "there is but one head");
        shown.view->setTrace(traceOf(cat, {.layers = 2, .heads = 2}), nullptr);
        shown.selection.setHead(BlockKind::Cross, Layer(0), Head(0));
        (void)shown.picture();
        QVERIFY(rank->isEnabled() && !rank->isChecked());
        QVERIFY(!said(*shown.view).contains(u"L0 H1"_qs));
        rank->setChecked(true);
        auto lines = shown.view->describe();
        auto heads = lines.mid(lines.indexOf(u"Heads by how they align"_qs) + 1);
        QCOMPARE(heads.size(), 4);
        QVERIFY2(heads.first().startsWith(u"L0 H1: 0.68"_qs), qPrintable(heads.first()));
        QVERIFY(oneText(heads).contains(u"on show"_qs) && !heads.first().contains(u"on show"_qs));

        // Ctrl+arrow goes on to the bars, Return opens the head.
        for (const auto& [key, modifier] :
             {std::pair(Qt::Key_Down, Qt::NoModifier), std::pair(Qt::Key_Down, Qt::ControlModifier),
              std::pair(Qt::Key_Return, Qt::NoModifier)})
            QTest::keyClick(shown.view.get(), key, modifier);
        QCOMPARE(shown.selection.head(), Head(1));
        QVERIFY(said(*shown.view).startsWith(u"ascii layer 0, head 1"_qs));
        QVERIFY(!shown.selection.locked());
    }

    void linksOfPeopleAreFramed_data() {
        QTest::addColumn<bool>("words");
        QTest::addColumn<QStringList>("frames");
        QTest::addColumn<int>("cells"); // within frames
        QTest::newRow("tokens") << false
                                << QStringList{u"sure link: mal heur → un happy"_qs, u"possible link: homme → man"_qs}
                                << 5;
        QTest::newRow("words") << true
                               << QStringList{u"sure link: malheur → unhappy"_qs, u"possible link: homme → man"_qs}
                               << 2;
    }
    void linksOfPeopleAreFramed() {
        QFETCH(bool, words);
        Shown shown(std::make_unique<AlignmentView>());
        shown.view->setTrace(shared(forced(pieces)), nullptr);
        shown.selection.setByWords(words);
        const auto without = shown.picture();
        const auto gold = std::make_shared<const GoldAlignment>(
            GoldAlignment{"1", {"unhappy", "man"}, {"malheur", "homme"}, {{0, 0}}, {{0, 0}, {1, 1}}});
        shown.selection.setGold(gold);
        QVERIFY(shown.picture() != without);
        const auto lines = shown.view->describe();
        QVERIFY2(lines.first().contains(u"alignment error rate 0.00"_qs), qPrintable(lines.first()));
        QTEST(lines.mid(1, 2), "frames");
        int framed = 0;
        for (const auto& row : shown.view->numbers().rows)
            framed += row.first().contains(u"link"_qs) ? 1 : 0;
        QTEST(framed, "cells");

        shown.selection.setReading(Reading::TakenIn); // one step off
        QVERIFY(said(*shown.view).contains(u"alignment error rate 0.67"_qs)
                || said(*shown.view).contains(u"alignment error rate 1.00"_qs));
        shown.view->setTrace(traceOf(cat), nullptr); // another sentence
        QVERIFY(!said(*shown.view).contains(u"link"_qs) && !said(*shown.view).contains(u"error rate"_qs));
    }

    void headsAreRankedByErrorsWhereLinksAreKnown() {
        Shown shown(std::make_unique<AlignmentView>());
        shown.selection.setGold(std::make_shared<const GoldAlignment>(
            GoldAlignment{"1", {"the", "cat", "sleeps"}, {"le", "chat", "dort"}, {{1, 0}, {2, 1}}, {{1, 0}, {2, 1}}}));
        shown.selection.setReading(Reading::Emitted);
        shown.view->setTrace(shared(forced(cat, {.heads = 2})), nullptr);
        box(*shown.view, u"rank heads"_qs)->setChecked(true);
        const auto lines = shown.view->describe();
        const auto heads = lines.mid(lines.indexOf(u"Heads by error rate"_qs) + 1);
        QVERIFY2(heads.value(0).startsWith(u"L0 H1: 0.20"_qs), qPrintable(oneText(lines)));
        QVERIFY(heads.value(1).startsWith(u"L0 H0: 1.00"_qs)); // (2 + 2) / 5 are right of the one, none of the other
    }

    void differingTargetsSayWhatToDo() {
        Shown shown(std::make_unique<CompareView>());
        shown.view->setTrace(traceOf("a b\n x # .\n y . #\n"), traceOf("a b\n x # .\n z . #\n"));
        QVERIFY2(said(*shown.view).contains(u"target texts"_qs) && said(*shown.view).contains(u"Type a target"_qs),
                 qPrintable(said(*shown.view)));
        shown.view->setTrace(traceOf("a b\n x # .\n y . #\n"), traceOf("a c\n x # .\n y . #\n"));
        QVERIFY(said(*shown.view).contains(u"source texts"_qs) && !said(*shown.view).contains(u"Type a target"_qs));
    }

    void comparesWithinOneModel() {
        Shown shown(std::make_unique<CompareView>(), {900, 700});
        shown.view->setTrace(traceOf(cat, {.layers = 2, .heads = 2, .selfAttention = true}), nullptr);
        auto* left = control<QComboBox>(*shown.view, u"Left"_qs);
        auto* right = control<QComboBox>(*shown.view, u"Right"_qs);
        const auto names = [](const QComboBox& box) {
            QStringList all;
            for (int i = 0; i < box.count(); ++i)
                all << box.itemText(i);
            return all;
        };
        auto text = said(*shown.view);
        QVERIFY2(text.contains(u"ascii layer 0, head 1 (best)"_qs) && text.contains(u"ascii mean of all heads"_qs)
                     && text.contains(u"left − right"_qs) && text.contains(u"Mean entropy, left: 0.57 bit"_qs),
                 qPrintable(text));
        QCOMPARE(names(*left),
                 QStringList({u"map on show"_qs, u"best aligning head"_qs, u"mean of all heads"_qs, u"rollout"_qs,
                              u"mean of layer 0"_qs, u"mean of layer 1"_qs, u"layer 0, head 0"_qs,
                              u"layer 0, head 1"_qs, u"layer 1, head 0"_qs, u"layer 1, head 1"_qs}));
        QCOMPARE(left->currentText(), u"map on show"_qs);
        QCOMPARE(right->currentText(), u"mean of all heads"_qs);

        choose(*left, u"layer 1, head 1"_qs);
        choose(*right, u"rollout"_qs);
        text = said(*shown.view);
        QVERIFY2(text.contains(u"ascii layer 1, head 1"_qs) && text.contains(u"ascii rollout"_qs), qPrintable(text));
        choose(*right, u"layer 1, head 1"_qs); // with itself
        QVERIFY(said(*shown.view).contains(u"Same strongest column: 4 of 4 rows"_qs));
        QVERIFY(said(*shown.view).contains(u"Mean divergence: 0.00 bit"_qs));
        // A choice stays while it can, and comes back.
        shown.view->setTrace(traceOf(otherCat), nullptr);
        QVERIFY(said(*shown.view).contains(u"Choose a model B"_qs));
        shown.view->setTrace(traceOf(otherCat, {.layers = 2, .heads = 2}), nullptr);
        (void)shown.picture();
        QCOMPARE(left->currentText(), u"layer 1, head 1"_qs);
    }

    /// Where there is no room below, the colours stand beside the title.
    void coloursOfASmallPictureStandBesideTheTitle() {
        Shown shown(std::make_unique<CompareView>(), {900, 460});
        const auto look = makeAppearance(Theme::Light, ColorMap::Blue, shown.view->font());
        shown.view->setAppearance(look);
        shown.view->setTrace(traceOf(cat), traceOf(otherCat));
        const auto area = shown.view->figureArea();
        const auto picture = shown.picture();
        const int top = area.top() + 18 + (area.height() - 32) * 46 / 100; // of the difference
        const auto has = [&](int from, int to) {
            for (int y = from; y < to; ++y)
                for (int x = 20; x < area.width() / 2; ++x)
                    if (picture.pixel(x, y) == look.signedColor(-1 + 1.0F / 64))
                        return true;
            return false;
        };
        QVERIFY2(has(top, top + 18), "they are not beside the title");
        QVERIFY2(!has(top + 18, area.bottom()), "they are below");
    }

    /// With one map there is nothing to choose; without a trace no reason of the one before is given.
    void nothingToCompare() {
        Shown shown(std::make_unique<CompareView>(), {900, 700});
        shown.view->setTrace(traceOf(cat), nullptr);
        (void)shown.picture();
        auto* right = control<QComboBox>(*shown.view, u"Right"_qs);
        QVERIFY(!right->isEnabled());
        shown.view->setTrace(traceOf("a b\n x # .\n y . #\n"), traceOf("a c\n x # .\n y . #\n"));
        (void)shown.picture();
        QVERIFY(right->isEnabled());
        QVERIFY(said(*shown.view).contains(u"source texts"_qs));
        shown.view->setTrace(nullptr, nullptr);
        QVERIFY2(said(*shown.view).contains(u"Type a sentence"_qs), qPrintable(said(*shown.view)));
    }

    void comparesAcrossModels() {
        auto additive = traceFromAscii(cat);
        additive.model = "solo";
        auto many = traceFromAscii(otherCat, {.layers = 2, .heads = 2, .selfAttention = true});
        many.model = "many";
        Shown shown(std::make_unique<CompareView>(), {900, 700});
        shown.view->setTrace(shared(additive), shared(many));
        auto text = said(*shown.view);
        QVERIFY2(text.contains(u"A · solo additive"_qs) && text.contains(u"B · many layer 0, head 1 (best)"_qs)
                     && text.contains(u"A − B"_qs) && text.contains(u"Same strongest column: 1 of 4 rows"_qs),
                 qPrintable(text));
        auto* left = control<QComboBox>(*shown.view, u"Left"_qs);
        auto* right = control<QComboBox>(*shown.view, u"Right"_qs);
        choose(*left, u"B: rollout"_qs);
        choose(*right, u"A: additive"_qs);
        text = said(*shown.view);
        QVERIFY2(text.contains(u"B · many rollout"_qs) && text.contains(u"B − A"_qs)
                     && text.contains(u"Mean entropy, A: 0.57 bit"_qs),
                 qPrintable(text));
        choose(*right, u"B: mean of layer 1"_qs);
        QVERIFY(said(*shown.view).contains(u"left − right"_qs));
    }

    /// A token of A lights its row though A stands right.
    void pairsAreOfAWhereverItStands() {
        auto a = traceFromAscii("x y </s>\n a # . .\n b . # .\n </s> . . #\n");
        auto b = traceFromAscii("[B] x y </s>\n a . # . .\n b . . # .\n </s> . . . #\n");
        b.source.front().special = true;
        for (auto& token : b.source)
            token.word -= 1;
        Shown shown(std::make_unique<CompareView>(), {900, 700});
        shown.view->setTrace(shared(a), shared(b));
        auto* left = control<QComboBox>(*shown.view, u"Left"_qs);
        auto* right = control<QComboBox>(*shown.view, u"Right"_qs);
        (void)shown.picture();
        choose(*left, u"B: additive"_qs);
        choose(*right, u"A: additive"_qs);
        const auto dark = shown.picture();
        shown.selection.hover(pairOf(BlockKind::Cross, -1, 0)); // x, which is no special token as B's first is
        QVERIFY(shown.picture() != dark);
        shown.selection.hover(pairOf(BlockKind::Cross, -1, 2));
        QCOMPARE(shown.picture(), dark);
        QVERIFY(placeOf(*shown.view, shown.selection, crossPair(0, 0)).x() >= 0);
    }

    void comparesSelfAttentionWhereNothingLooksAcross() {
        auto trace = traceFromAscii(cat, {.layers = 2, .heads = 2, .selfAttention = true});
        trace.cross.reset();
        Shown shown(std::make_unique<CompareView>(), {900, 700});
        shown.view->setTrace(shared(trace), nullptr);
        shown.selection.setCollected(BlockKind::Encoder, {{Layer(1), Head(0)}});
        (void)shown.picture();
        auto* right = control<QComboBox>(*shown.view, u"Right"_qs);
        choose(*right, u"layer 1, head 0, collected"_qs);
        const auto text = said(*shown.view);
        QVERIFY2(text.contains(u"ascii layer 1, head 0"_qs) && text.contains(u"cat → "_qs), qPrintable(text));
        QVERIFY(control<QComboBox>(*shown.view, u"Left"_qs)->findText(u"best aligning head"_qs) < 0);
    }

    void comparesInTheDetailOfTheSelection() {
        Shown shown(std::make_unique<CompareView>(), {900, 700});
        shown.view->setTrace(traceOf(pieces), traceOf(pieces));
        box(*shown.view, u"words"_qs)->setChecked(true);
        box(*shown.view, u"special tokens"_qs)->setChecked(false);
        const auto text = said(*shown.view);
        QVERIFY2(text.contains(u"malheur → unhappy: 0.67"_qs)
                     && text.contains(u"A − B by words, without special tokens, rows rescaled"_qs),
                 qPrintable(text));
        QVERIFY(!text.contains(u"</s>"_qs));
    }

    void inspectorReadsWhatIsDrawn() {
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(traceOf(pieces), nullptr);
        selection.setByWords(true);
        selection.hover(crossPair(1, 0));
        QVERIFY(inspector.describe().contains(u"malheur → unhappy"_qs));
        QVERIFY(inspector.describe().contains(u"0.50"_qs));
        QVERIFY(inspector.describe().contains(u"ROW “malheur”"_qs));
        selection.setSpecials(false);
        QVERIFY(inspector.describe().contains(u"0.67"_qs));
        selection.hover(crossPair(3, 3));
        QVERIFY(inspector.describe().contains(u"Special tokens are left out."_qs));
        QVERIFY(!oneText(inspector.describe()).contains(u"ROW"_qs));
    }

    void inspectorMeasuresTheHead() {
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(shared(forced(cat, {.layers = 2, .heads = 2, .selfAttention = true})), nullptr);
        selection.setHead(BlockKind::Encoder, Layer(0), Head(0));
        auto lines = inspector.describe();
        // Half on the token itself, half on the one before; the first token wholly on itself.
        for (const auto& line :
             {u"Kind: same token"_qs, u"Mean entropy: 0.75 bit"_qs, u"On the token before: 50 %"_qs,
              u"On the token behind: 0 %"_qs, u"On the token itself: 63 %"_qs, u"On special tokens: 13 %"_qs})
            QVERIFY2(lines.contains(line), qPrintable(line + u"\n"_qs + oneText(lines)));
        selection.setHead(BlockKind::Cross, Layer(0), Head(0));
        selection.setGold(std::make_shared<const GoldAlignment>(
            GoldAlignment{"1", {"the", "cat", "sleeps"}, {"le", "chat", "dort"}, {{0, 0}}, {{0, 0}, {1, 1}}}));
        lines = inspector.describe();
        QVERIFY2(oneText(lines).contains(u"Aligns, 0 to 1: 0.48"_qs), qPrintable(oneText(lines)));
        QVERIFY(lines.contains(u"Alignment error rate: 0.25"_qs)); // one link of three is none of theirs
    }

    /// With heads switched off the same model in full stands beside it: what changed is said, not which is A or B.
    void inspectorTellsWhatAHeadDid() {
        auto now = traceFromAscii(otherCat);
        now.intervention.off = {{BlockKind::Cross, Layer(0), Head(0)}};
        now.predictions[2].candidates = {{1, "\u2581chat", 0.5F, " chat"}, {2, "\u2581dort", 0.25F, " dort"}};
        auto full = traceFromAscii(cat);
        full.predictions[2].candidates = {{2, "\u2581dort", 0.75F, " dort"}};
        Selection selection;
        Inspector inspector;
        inspector.setSelection(&selection);
        inspector.setTrace(shared(now), shared(full));
        selection.hover(crossPair(2, 2));
        auto lines = inspector.describe();
        for (const auto& line :
             {u"now 0.00, in full 0.70"_qs, u"Change: −0.70"_qs, u"ROW “dort”"_qs, u"STEP 2: NOW · IN FULL"_qs,
              u"chat: 0.50, in full –"_qs, u"dort: 0.25, in full 0.75"_qs, u"Mean entropy in full: 0.57 bit"_qs,
              u"OUTPUT, NOW AGAINST FULL"_qs, u"Same choice: 3 / 4"_qs})
            QVERIFY2(lines.contains(line), qPrintable(line + u"\n"_qs + oneText(lines)));
        QVERIFY(!oneText(lines).contains(u"other words"_qs));
        inspector.resize(280, 800);
        QVERIFY(colorsOf(inspector.grab().toImage()) > 12);
        full.target[1].id += 1000;
        inspector.setTrace(shared(now), shared(full));
        QVERIFY(inspector.describe().contains(u"In full other words came before."_qs));
        now.intervention = {};
        inspector.setTrace(shared(now), shared(full));
        QVERIFY(oneText(inspector.describe()).contains(u"A 0.00, B "_qs));
    }
};

QTEST_MAIN(TestAlignmentCompare)
#include "tst_alignment_compare.moc"
