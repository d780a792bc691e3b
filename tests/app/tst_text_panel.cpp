// What a chosen candidate types into the text: its letters, with the spaces that its piece has.
#include "app/language_box.h"
#include "app/text_panel.h"
#include "widgets/answer_list.h"

#include <QAbstractItemView>
#include <QCompleter>
#include <QLineEdit>
#include <QSignalSpy>
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

    void languagesAreChosen() {
        TextPanel panel;
        panel.QWidget::show();
        const auto box = [&](const char* name) { return panel.findChild<LanguageBox*>(QString::fromLatin1(name)); };
        QSignalSpy edited(&panel, &TextPanel::textEdited);
        ModelInfo model;
        model.name = "translator";
        model.hasEncoder = model.hasDecoder = true;
        for (const char* name : {"sourceLanguage", "targetLanguage", "task"})
            QVERIFY(box(name)->isHidden());
        model.sourceLanguages = model.targetLanguages = {"de_DE", "en_XX", "fr_XX", "ro_RO", "zh_CN", "zh_TW"};
        model.sourceLanguage = "en_XX";
        panel.setModel(model);
        QVERIFY(!box("sourceLanguage")->isHidden() && !box("targetLanguage")->isHidden() && box("task")->isHidden());
        QCOMPARE(box("sourceLanguage")->itemText(0), QStringLiteral("English"));
        QVERIFY(box("sourceLanguage")->findText(QStringLiteral("Chinese · zh_TW")) > 0);
        QCOMPARE(panel.request().sourceLanguage, std::string());
        QCOMPARE(edited.count(), 0);
        QTest::keyClicks(box("targetLanguage"), QStringLiteral("Fre"));
        QTest::keyClick(box("targetLanguage"), Qt::Key_Return);
        QVERIFY(edited.count() > 0);
        QCOMPARE(panel.request().targetLanguage, std::string("fr_XX"));
        QCOMPARE(panel.typed().targetLanguage, QStringLiteral("fr_XX"));

        auto other = model;
        other.name = "other";
        other.targetLanguages = {"de", "fr"};
        panel.setModel(other);
        QCOMPARE(panel.request().targetLanguage, std::string()); // it has no such code
        panel.setModel(model);
        QCOMPARE(panel.request().targetLanguage, std::string("fr_XX")); // which was not forgotten
        QCOMPARE(box("targetLanguage")->currentText(), QStringLiteral("French"));
    }

    void ofManyLanguagesOneIsFoundByItsName() {
        TextPanel panel;
        panel.QWidget::show();
        ModelInfo model;
        model.hasEncoder = model.hasDecoder = true;
        for (char first = 'a'; first <= 'z'; ++first)
            model.targetLanguages.push_back(std::string("q") + first + "x_Latn");
        model.targetLanguages.push_back("fra_Latn");
        panel.setModel(model);
        auto* box = panel.findChild<LanguageBox*>(QStringLiteral("targetLanguage"));
        QVERIFY(box->isEditable());
        panel.activateWindow();
        QTest::mouseClick(box->lineEdit(), Qt::LeftButton);
        QTRY_VERIFY(box->lineEdit()->hasSelectedText());
        QTest::keyClicks(box->lineEdit(), QStringLiteral("no such"));
        QTest::keyClick(box->lineEdit(), Qt::Key_Return);
        QTRY_COMPARE(box->currentText(), box->itemText(0));
        QCOMPARE(panel.request().targetLanguage, std::string());
        box->lineEdit()->selectAll();
        QTest::keyClicks(box, QStringLiteral("renc"));
        auto* popup = box->completer()->popup();
        QTRY_VERIFY(popup->isVisible());
        QTest::keyClick(popup, Qt::Key_Down);
        QTest::keyClick(popup, Qt::Key_Return);
        QCOMPARE(panel.request().targetLanguage, std::string("fra_Latn"));
        QTRY_COMPARE(box->currentText(), QStringLiteral("French"));
    }

    void aTaskStandsBeforeTheText() {
        TextPanel panel;
        ModelInfo model;
        model.hasEncoder = model.hasDecoder = true;
        model.tasks = {{"summarization", "summarize: "}, {"translation_en_to_de", "translate English to German: "}};
        panel.setModel(model);
        auto typed = panel.typed();
        typed.task = QStringLiteral("summarization");
        panel.TextPanel::show(typed);
        QCOMPARE(panel.request().prefix, std::string("summarize: "));
        QCOMPARE(panel.typed().task, typed.task);
        typed.task = QStringLiteral("none of its");
        panel.TextPanel::show(typed);
        QCOMPARE(panel.request().prefix, std::string());
    }
};

QTEST_MAIN(TestTextPanel)
#include "tst_text_panel.moc"
