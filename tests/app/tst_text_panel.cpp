// What a chosen candidate types into the text: its letters, with the spaces that its piece has.
#include "app/text_panel.h"
#include "widgets/answer_list.h"

#include <QTest>

using namespace headlight;

class TestTextPanel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aCandidateIsTyped_data() {
        QTest::addColumn<QString>("typed"); ///< the mask's token in braces
        QTest::addColumn<QString>("letters");
        QTest::addColumn<bool>("readsSpaces");
        QTest::addColumn<QString>("expected");
        // Of RoBERTa's the space before a mask is a part of its token; BERT's is not.
        QTest::newRow("RoBERTa, a word") << "the{ <mask>} sat"
                                         << " cat" << true << "the cat sat";
        QTest::newRow("RoBERTa, a sign") << "it{ <mask>}s"
                                         << "\u2019" << true << "it\u2019s";
        QTest::newRow("RoBERTa, at the beginning") << "{<mask>} sat"
                                                   << " It" << true << " It sat";
        QTest::newRow("RoBERTa, the beginning itself") << "{<mask>} sat"
                                                       << "It" << true << "It sat";
        QTest::newRow("BERT, a word") << "the {[MASK]} sat"
                                      << " cat" << false << "the cat sat";
        QTest::newRow("BERT, a word with no space typed") << "the{[MASK]} sat"
                                                          << " cat" << false << "the cat sat";
        QTest::newRow("BERT, goes on with a word") << "play {[MASK]} now"
                                                   << "ing" << false << "playing now";
        QTest::newRow("BERT, punctuation") << "the cat {[MASK]}"
                                           << "." << false << "the cat.";
        QTest::newRow("BERT, at the beginning") << "{[MASK]} sat"
                                                << " it" << false << "it sat";
        QTest::newRow("BERT, on a new line") << "a\n {[MASK]} b"
                                             << " it" << false << "a\nit b";
        QTest::newRow("behind letters of two bytes") << "\u00e9t\u00e9 {[MASK]} \u00e0"
                                                     << " l\u00e0" << false << "\u00e9t\u00e9 l\u00e0 \u00e0";
    }
    void aCandidateIsTyped() {
        QFETCH(QString, typed);
        QFETCH(QString, letters);
        QFETCH(bool, readsSpaces);
        QFETCH(QString, expected);
        auto trace = std::make_shared<Trace>();
        const auto begin = typed.indexOf(u'{'), end = typed.indexOf(u'}') - 1;
        const auto bytes = [](const QString& text) { return static_cast<std::size_t>(text.toUtf8().size()); };
        typed.remove(u'{').remove(u'}');
        trace->sourceText = typed.toStdString();
        Token mask;
        mask.text = mask.letters = typed.mid(begin, end - begin).trimmed().toStdString();
        mask.bytes = {bytes(typed.left(begin)), bytes(typed.left(end))};
        mask.special = true;
        trace->source = {mask};
        trace->predictions = {{0, {{7, "piece", 0.5F, letters.toStdString()}}}};

        TextPanel panel;
        ModelInfo model;
        model.name = "masked";
        model.hasEncoder = model.hasTokenizer = true;
        model.readsSpaces = readsSpaces;
        model.mask = mask.text;
        panel.setModel(model);
        panel.show({.source = typed});
        panel.setTrace(trace, true);
        panel.findChild<AnswerList*>()->chooseCurrent();
        QCOMPARE(panel.source(), expected);
    }
};

QTEST_MAIN(TestTextPanel)
#include "tst_text_panel.moc"
