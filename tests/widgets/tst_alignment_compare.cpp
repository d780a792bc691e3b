// Alignment and Compare: words or tokens, specials shown or not, how rows are read, which maps are compared.
#include "tests/support/shown_view.h"
#include "widgets/alignment_view.h"
#include "widgets/compare_view.h"

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
        auto* reading = control<QComboBox>(*shown.view, u"Rows:"_qs);
        QVERIFY(reading);
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
};

QTEST_MAIN(TestAlignmentCompare)
#include "tst_alignment_compare.moc"
