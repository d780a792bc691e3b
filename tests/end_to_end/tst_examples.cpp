// Protects what the examples say: each claim that resources/examples.json makes of a bundled model is held against that
// model. A claim names its model and says one or several of: what the translation, or the list of what a model would
// say, has in it (`says`, `lists`), what comes first in that list (`first`), which word of the source, or of the text
// itself, a word looks at most (`row`, `column`), and of what kind a head is here (`kind`). `head` is "cross L0 H7",
// "encoder …" or "decoder …"; without it, it is the one head of additive attention.
#include "core/analysis/gold_alignment.h"
#include "core/analysis/head_metrics.h"
#include "core/engine.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTest>

#include <map>

using namespace headlight;

namespace {

QJsonArray examples() {
    QFile file(QStringLiteral(HEADLIGHT_MODELS "/../resources/examples.json"));
    return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).array() : QJsonArray();
}

QString textOf(const std::string& text) {
    return QString::fromStdString(text);
}

/// The words of a text, where spaces part them; signs are left out.
WrittenWords wordsOfText(const std::string& text) {
    static const QRegularExpression word(QStringLiteral("[\\w'’-]+"), QRegularExpression::UseUnicodePropertiesOption);
    WrittenWords words{text, {}};
    const auto whole = textOf(text);
    for (auto found = word.globalMatch(whole); found.hasNext();) {
        const auto match = found.next();
        const auto begin = static_cast<std::size_t>(whole.left(match.capturedStart()).toUtf8().size());
        words.words.push_back({begin, begin + static_cast<std::size_t>(match.captured().toUtf8().size())});
    }
    return words;
}

struct Place {
    BlockKind kind = BlockKind::Cross;
    Layer layer;
    Head head;
};

Place placeOf(const QString& head) {
    static const QRegularExpression form(QStringLiteral("^(encoder|decoder|cross) L(\\d+) H(\\d+)$"));
    if (head.isEmpty())
        return {};
    const auto match = form.match(head);
    const auto stack = match.captured(1);
    return {stack == u"encoder"   ? BlockKind::Encoder
            : stack == u"decoder" ? BlockKind::Decoder
                                  : BlockKind::Cross,
            Layer(match.captured(2).toInt()), Head(match.captured(3).toInt())};
}

/// What the last of these words looks at most.
QString looksAt(const Trace& trace, const Place& place, const QString& row) {
    const auto map = headMap(*trace.block(place.kind), place.layer, place.head);
    const bool cross = place.kind == BlockKind::Cross;
    const auto reading = cross ? likelyRowTokens(map, trace.source) : RowTokens::TakenIn;
    const auto& from = place.kind == BlockKind::Encoder ? trace.sourceText : trace.targetText;
    const auto& to = place.kind == BlockKind::Decoder ? trace.targetText : trace.sourceText;
    const auto spoken = row.toStdString();
    const auto begin = from.rfind(spoken);
    if (begin == std::string::npos)
        return {};
    const auto words = wordsOfText(to);
    const auto links = attentionLinks(map, rowTokens(trace, place.kind, reading), trace.keyTokens(place.kind), words,
                                      {from, {{begin, begin + spoken.size()}}});
    if (links.empty())
        return {};
    const auto& found = words.words[static_cast<std::size_t>(links.begin()->source)];
    return textOf(to.substr(found.begin, found.end - found.begin));
}

} // namespace

class TestExamples : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatIsSaidOfAModelIsClaimed() {
        QVERIFY(!examples().isEmpty());
        for (const auto& example : examples()) {
            QStringList claimed;
            for (const auto& claim : example[u"claims"].toArray())
                claimed << claim[u"model"].toString();
            for (const auto& model : example[u"models"].toArray())
                QVERIFY2(claimed.contains(model.toString()), qPrintable(example[u"text"].toString()));
        }
    }

    void claims_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QJsonObject>("claim");
        for (const auto& example : examples()) {
            const auto text = example[u"text"].toString();
            for (const auto& claim : example[u"claims"].toArray())
                QTest::addRow("%s: %s", qPrintable(claim[u"model"].toString()), qPrintable(text))
                    << text << claim.toObject();
        }
    }
    void claims() {
        QFETCH(QString, text);
        QFETCH(QJsonObject, claim);
        const auto trace = ran(claim[u"model"].toString(), text);
        const auto said = textOf(trace->targetText);
        int checked = 0;
        if (const auto part = claim[u"says"].toString(); !part.isEmpty()) {
            ++checked;
            QVERIFY2(said.contains(part), qPrintable(said));
        }
        QStringList list; // at the hidden word, else behind the last
        for (const auto& prediction : trace->predictions) {
            const auto place = static_cast<std::size_t>(prediction.position);
            if (text.contains(u"[MASK]"_qs) && trace->source.at(place).text != "[MASK]")
                continue;
            list.clear();
            for (const auto& candidate : prediction.candidates)
                list << textOf(candidate.text).remove(QChar(u'Ġ'));
        }
        for (const auto& word : claim[u"lists"].toArray()) {
            ++checked;
            QVERIFY2(list.contains(word.toString()), qPrintable(word.toString() + u": "_qs + list.join(u' ')));
        }
        if (const auto first = claim[u"first"].toString(); !first.isEmpty()) {
            ++checked;
            QCOMPARE(list.value(0), first);
        }
        const auto place = placeOf(claim[u"head"].toString());
        if (const auto row = claim[u"row"].toString(); !row.isEmpty()) {
            ++checked;
            QVERIFY2(trace->block(place.kind), "no such attention");
            QVERIFY2(looksAt(*trace, place, row) == claim[u"column"].toString(),
                     qPrintable(row + u" looks at "_qs + looksAt(*trace, place, row) + u" in "_qs + said));
        }
        if (const auto kind = claim[u"kind"].toString(); !kind.isEmpty()) {
            ++checked;
            const auto metrics =
                headMetrics(*trace->block(place.kind), place.layer, place.head, trace->keyTokens(place.kind));
            const auto name = headKindName(metrics.kind);
            QCOMPARE(QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())), kind);
        }
        QVERIFY2(checked > 0, "the claim says nothing");
    }

private:
    /// The run of an example; a translation is then given back as the target, so that its words have their places.
    TracePointer ran(const QString& model, const QString& text) {
        auto& engine = m_engines[model];
        if (!engine)
            engine = Engine::open((QStringLiteral(HEADLIGHT_MODELS "/") + model).toStdString());
        Request request;
        request.source = text.toStdString();
        auto trace = engine->run(request);
        if (trace->cross) {
            request.target = trace->targetText;
            trace = engine->run(request);
        }
        return trace;
    }

    std::map<QString, std::unique_ptr<Engine>> m_engines;
};

QTEST_GUILESS_MAIN(TestExamples)
#include "tst_examples.moc"
