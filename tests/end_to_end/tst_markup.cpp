// Names that look like markup, as tokens, labels, candidates, models, sentences and gold: in the real window none of
// them is read as that.
#include "app/answer_panel.h"
#include "app/gold_list.h"
#include "app/help_text.h"
#include "app/text_panel.h"
#include "app/top_bar.h"
#include "core/trace/trace_file.h"
#include "tests/support/opened_window.h"
#include "tests/support/plain.h"
#include "tests/support/tiny_models.h"
#include "tests/support/trace_from_ascii.h"
#include "widgets/inspector.h"

#include <QMenu>
#include <QMenuBar>
#include <QTemporaryDir>

using namespace headlight;

namespace {

/// Gives every token, candidate and the model itself a name that looks like markup.
Trace renamed(Trace trace) {
    const auto name = hostileName.toStdString();
    trace.model = name;
    trace.sourceText.clear();
    for (auto* tokens : {&trace.source, &trace.target, &trace.emitted})
        for (auto& token : *tokens) {
            token.text = token.letters = name;
            token.bytes = {};
            if (tokens != &trace.source || token.special)
                continue;
            token.bytes = {trace.sourceText.size(), trace.sourceText.size() + name.size()};
            trace.sourceText += name + " ";
        }
    trace.targetText = name;
    for (auto& prediction : trace.predictions)
        for (auto& candidate : prediction.candidates)
            candidate.text = candidate.letters = name;
    trace.notices = {name};
    return trace;
}

Trace translation() {
    return renamed(
        traceFromAscii("  a b c\n x 9 1 .\n y . # .\n z 1 1 8\n", {.layers = 2, .heads = 2, .selfAttention = true}));
}

/// An encoder's, with a label for the text.
Trace classification() {
    auto trace = translation();
    trace.cross.reset();
    trace.decoder.reset();
    trace.target.clear();
    trace.emitted.clear();
    trace.predictions.clear();
    trace.targetText.clear();
    trace.labels = {{0, hostileName.toStdString(), 0.75F, hostileName.toStdString()}, {1, "other", 0.25F, "other"}};
    return trace;
}

/// A decoder's alone.
Trace continuation() {
    auto trace = translation();
    trace.cross.reset();
    trace.encoder.reset();
    trace.source.clear();
    trace.prompt = 2;
    return trace;
}

QList<QWidget*> allOf(QWidget& root) {
    return QList<QWidget*>{&root} + root.findChildren<QWidget*>();
}

} // namespace

class TestMarkup : public WindowTest {
    Q_OBJECT

private Q_SLOTS:
    void theWindowReadsNothingAsMarkup_data() {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("view");
        for (const auto* view : {"alignment", "compare", "heads", "lines", "matrix", "positions", "query", "playback"})
            QTest::addRow("a translation in %s", view) << u"translation"_qs << QString::fromLatin1(view);
        for (const auto* view : {"heads", "lines"})
            QTest::addRow("a label in %s", view) << u"classification"_qs << QString::fromLatin1(view);
        for (const auto* view : {"matrix", "playback"})
            QTest::addRow("a text gone on with in %s", view) << u"continuation"_qs << QString::fromLatin1(view);
    }
    void theWindowReadsNothingAsMarkup() {
        QFETCH(QString, what);
        QFETCH(QString, view);
        const QTemporaryDir folder;
        writeTrace(what == u"translation"      ? translation()
                   : what == u"classification" ? classification()
                                               : continuation(),
                   folder.path().toStdString());
        const auto file = folder.filePath(hostileName + u".safetensors"_qs);
        QVERIFY(QFile::rename(folder.filePath(u"trace.safetensors"_qs), file));
        QFile::rename(folder.filePath(u"trace.json"_qs), folder.filePath(hostileName + u".json"_qs));
        const Opened opened({.view = view, .trace = file});
        QVERIFY2(opened.window->trace() && opened.window->trace()->model == hostileName.toStdString(),
                 qPrintable(opened.problem->text()));
        opened.window->showView(view);
        QCoreApplication::processEvents();
        opened.window->findChild<TopBar*>()->setKnownModels({folder.filePath(hostileName), hostileName});
        for (auto* menu : opened.window->findChildren<QMenu*>())
            Q_EMIT menu->aboutToShow();
        const auto widgets = allOf(*opened.window);
        const auto taken = takenForMarkup(widgets);
        QVERIFY2(taken.isEmpty(), qPrintable(taken.join(u'\n')));
        const auto tips = toolTipsOf(widgets);
        for (const auto& tip : tips)
            QVERIFY2(!isTakenForMarkup(tip), qPrintable(tip));
        const auto named = std::count_if(
            tips.begin(), tips.end(), [](const QString& tip) { return readAsToolTip(tip).text.contains(hostileName); });
        QVERIFY2(named >= 3, qPrintable(tips.join(u'\n')));
    }

    void panelsReadNothingAsMarkup() {
        ModelInfo model;
        model.name = model.mask = hostileName.toStdString();
        model.hasEncoder = true;
        TextPanel panel;
        Selection selection;
        panel.setSelection(&selection);
        panel.setModel(model);
        auto trace = classification();
        trace.labels.clear();
        trace.predictions = {{1, {{7, hostileName.toStdString(), 0.5F, hostileName.toStdString()}}}};
        panel.setTrace(std::make_shared<const Trace>(trace), true);
        panel.resize(300, 700);
        panel.QWidget::show();
        QCOMPARE(takenForMarkup(allOf(panel)), QStringList());
        for (const auto& tip : toolTipsOf(allOf(panel)))
            QVERIFY2(!isTakenForMarkup(tip), qPrintable(tip));
        QVERIFY(panel.answers().describe().join(u'\n').contains(hostileName));
    }

    void goldReadsNothingAsMarkup() {
        GoldAlignment sentence;
        sentence.id = hostileName.toStdString();
        sentence.source = sentence.target = {hostileName.toStdString()};
        GoldList list({sentence}, hostileName);
        list.show();
        QCOMPARE(takenForMarkup(allOf(list)), QStringList());
        const auto tips = toolTipsOf(allOf(list));
        QVERIFY(std::any_of(tips.begin(), tips.end(),
                            [](const QString& tip) { return readAsToolTip(tip).text == hostileName; }));
    }

    /// Its text is ours, and still it loads nothing.
    void pagesLoadNothing() {
        HelpPage page(u"<p>a<img src=\"pixel.png\"></p>"_qs);
        QVERIFY(!page.loadResource(QTextDocument::ImageResource, QUrl(u"pixel.png"_qs)).isValid());
        QVERIFY(!page.openLinks());
    }
};

QTEST_MAIN(TestMarkup)
#include "tst_markup.moc"
