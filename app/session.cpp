#include "app/session.h"

#include "app/commands/words.h"
#include "core/error.h"
#include "core/files/json.h"
#include "core/files/whole_file.h"

#include <QCoreApplication>
#include <QDir>
#include <QStringList>

#include <algorithm>
#include <limits>
#include <span>
#include <tuple>
#include <utility>

namespace headlight {

namespace {

using Json = nlohmann::ordered_json;

constexpr int newest = 1; ///< version of the form
constexpr auto versionKey = "headlight_session";
constexpr std::uintmax_t largestFile = 16U << 20;
constexpr std::int64_t mostPlaces = 1'000'000'000; ///< of tokens, layers, heads: what anything counts

struct Texts {
    Q_DECLARE_TR_FUNCTIONS(headlight::Session)
};

// The words for the values of enums, in their order.
const QStringList modeNames{QStringLiteral("one"),         QStringLiteral("mean_of_layer"),
                            QStringLiteral("mean_of_all"), QStringLiteral("best_aligning"),
                            QStringLiteral("rollout"),     QStringLiteral("alti"),
                            QStringLiteral("alti_rollout")};
const QStringList cellNames{QStringLiteral("weights"), QStringLiteral("norms")};
const QStringList readingNames{QStringLiteral("automatic"), QStringLiteral("taken_in"), QStringLiteral("emitted")};

template <class Enum>
std::string nameOf(const QStringList& names, Enum value) {
    return names[static_cast<qsizetype>(value)].toStdString();
}

template <class Enum>
Enum valueOf(const QStringList& names, const JsonPart& part) {
    const auto index = names.indexOf(QString::fromStdString(part.text()));
    if (index < 0)
        part.fail("is none of " + names.join(QStringLiteral(", ")).toStdString());
    return static_cast<Enum>(index);
}

int place(const JsonPart& part) {
    return static_cast<int>(part.integer(0, mostPlaces));
}

/// Lists of a number or several.
template <class Take>
void eachOf(const JsonPart& parent, const char* key, std::size_t numbers, const Take& take) {
    if (!parent.has(key))
        return;
    for (const auto& part : parent.at(key).elements()) {
        if (part.elements().size() != numbers)
            part.fail("is not a list of " + std::to_string(numbers));
        take(part);
    }
}

template <class List>
void takeIds(const JsonPart& parent, const char* key, List& ids) {
    if (!parent.has(key))
        return;
    for (const auto& part : parent.at(key).elements())
        ids.push_back(part.integer(0, std::numeric_limits<std::int32_t>::max()));
}

void takeText(const JsonPart& parent, const char* key, QString& text) {
    text = QString::fromStdString(parent.text(key, text.toStdString()));
}

template <class List>
Json jsonOf(const List& numbers) {
    auto list = Json::array();
    for (const auto number : numbers)
        list.push_back(number);
    return list;
}

Json jsonOf(const Session::Typed& typed) {
    Json json{{"source", typed.source.toStdString()},
              {"second", typed.second.toStdString()},
              {"target", typed.target ? Json(typed.target->toStdString()) : Json()},
              {"beam", typed.beam},
              {"skip", typed.skip ? Json(*typed.skip) : Json()}};
    json["added"] = jsonOf(typed.added);
    json["random"] = typed.random;
    json["temperature"] = typed.temperature;
    json["candidates"] = typed.candidates;
    json["source_language"] = typed.sourceLanguage.toStdString();
    json["target_language"] = typed.targetLanguage.toStdString();
    json["task"] = typed.task.toStdString();
    return json;
}

void take(const JsonPart& part, Session::Typed& typed) {
    takeText(part, "source", typed.source);
    takeText(part, "second", typed.second);
    if (part.has("target"))
        takeText(part, "target", typed.target.emplace());
    if (part.has("beam"))
        typed.beam = static_cast<int>(part.at("beam").integer(1, mostHypotheses));
    if (part.has("skip"))
        typed.skip = place(part.at("skip"));
    takeIds(part, "added", typed.added);
    typed.random = part.flag("random", typed.random);
    if (part.has("temperature"))
        typed.temperature = part.at("temperature").number(0.05, 10);
    if (part.has("candidates"))
        typed.candidates = static_cast<int>(part.at("candidates").integer(1, 100));
    takeText(part, "source_language", typed.sourceLanguage);
    takeText(part, "target_language", typed.targetLanguage);
    takeText(part, "task", typed.task);
}

Json jsonOf(const WhatIf& changes) {
    auto forced = Json::array();
    for (const auto& one : changes.forced)
        forced.push_back({one.query.value, one.key.value});
    return {{"begin", jsonOf(changes.begin)}, {"forced", forced}, {"hypothesis", jsonOf(changes.hypothesis)}};
}

void take(const JsonPart& part, WhatIf& changes) {
    takeIds(part, "begin", changes.begin);
    eachOf(part, "forced", 2, [&](const JsonPart& one) {
        changes.forced.push_back({Query(place(one.element(0))), Key(place(one.element(1)))});
    });
    takeIds(part, "hypothesis", changes.hypothesis);
}

Json jsonOf(const GoldAlignment& gold) {
    const auto links = [](const Links& all) {
        auto list = Json::array();
        for (const auto& link : all)
            list.push_back({link.source, link.target});
        return list;
    };
    return {{"id", gold.id},
            {"source", gold.source},
            {"target", gold.target},
            {"sure", links(gold.sure)},
            {"possible", links(gold.possible)}};
}

void take(const JsonPart& part, GoldAlignment& gold) {
    gold.id = part.text("id", "");
    for (const auto& [key, words] : {std::pair("source", &gold.source), std::pair("target", &gold.target)})
        for (const auto& word : part.at(key).elements())
            words->push_back(word.text());
    for (const auto& [key, links] : {std::pair("sure", &gold.sure), std::pair("possible", &gold.possible)})
        eachOf(part, key, 2, [&, links = links](const JsonPart& link) {
            const auto last = [](const auto& words) { return static_cast<std::int64_t>(words.size()) - 1; };
            links->insert({static_cast<int>(link.element(0).integer(0, last(gold.source))),
                           static_cast<int>(link.element(1).integer(0, last(gold.target)))});
        });
}

Json jsonOf(const Selection::Chosen& chosen) {
    auto collected = Json::array();
    for (const auto& head : chosen.collected)
        collected.push_back({head.layer.value, head.head.value});
    auto off = Json::array();
    for (const auto& head : chosen.off)
        off.push_back({nameOf(kindNames(), head.kind), head.layer.value, head.head.value});
    Json json{{"kind", nameOf(kindNames(), chosen.kind)},
              {"mode", nameOf(modeNames, chosen.map.mode)},
              {"layer", chosen.map.place.layer.value},
              {"head", chosen.map.place.head.value},
              {"reading", nameOf(readingNames, chosen.map.reading)},
              {"cells", nameOf(cellNames, chosen.map.cells)},
              {"words", chosen.byWords},
              {"specials", chosen.specials},
              {"own_range", chosen.ownRange},
              {"change", chosen.change},
              {"collected", collected},
              {"off", off}};
    if (chosen.gold)
        json["gold"] = jsonOf(*chosen.gold);
    if (const auto& pair = chosen.locked)
        json["locked"] = {{"kind", nameOf(kindNames(), pair->kind)},
                          {"query", pair->query ? Json(pair->query->value) : Json()},
                          {"key", pair->key ? Json(pair->key->value) : Json()}};
    return json;
}

void take(const JsonPart& part, Selection::Chosen& chosen) {
    if (part.has("kind"))
        chosen.kind = valueOf<BlockKind>(kindNames(), part.at("kind"));
    if (part.has("mode"))
        chosen.map.mode = valueOf<HeadMode>(modeNames, part.at("mode"));
    if (part.has("layer"))
        chosen.map.place.layer = Layer(place(part.at("layer")));
    if (part.has("head"))
        chosen.map.place.head = Head(place(part.at("head")));
    if (part.has("reading"))
        chosen.map.reading = valueOf<Reading>(readingNames, part.at("reading"));
    if (part.has("cells"))
        chosen.map.cells = valueOf<Cells>(cellNames, part.at("cells"));
    chosen.byWords = part.flag("words", chosen.byWords);
    chosen.specials = part.flag("specials", chosen.specials);
    chosen.ownRange = part.flag("own_range", chosen.ownRange);
    chosen.change = part.flag("change", chosen.change);
    eachOf(part, "collected", 2, [&](const JsonPart& head) {
        chosen.collected.push_back({Layer(place(head.element(0))), Head(place(head.element(1)))});
    });
    eachOf(part, "off", 3, [&](const JsonPart& head) {
        chosen.off.push_back({valueOf<BlockKind>(kindNames(), head.element(0)), Layer(place(head.element(1))),
                              Head(place(head.element(2)))});
    });
    if (part.has("gold")) {
        auto gold = std::make_shared<GoldAlignment>();
        take(part.at("gold"), *gold);
        chosen.gold = std::move(gold);
    }
    if (part.has("locked")) {
        const auto locked = part.at("locked");
        auto& pair = chosen.locked.emplace(Selection::Pair{});
        if (locked.has("kind"))
            pair.kind = valueOf<BlockKind>(kindNames(), locked.at("kind"));
        if (locked.has("query"))
            pair.query = Query(place(locked.at("query")));
        if (locked.has("key"))
            pair.key = Key(place(locked.at("key")));
    }
}

/// True when a key or two, or a word of an input method, lie between them: what was put in, or taken away.
bool isTypedFrom(const QString& text, const QString& before) {
    constexpr qsizetype most = 4;
    const auto& [shorter, longer] = text.size() < before.size() ? std::tie(text, before) : std::tie(before, text);
    if (longer.size() - shorter.size() > most)
        return false;
    const auto begin = std::mismatch(shorter.begin(), shorter.end(), longer.begin()).first - shorter.begin();
    return shorter.mid(begin) == longer.right(shorter.size() - begin);
}

const QStringList lookNames{QStringLiteral("screen"), QStringLiteral("light"), QStringLiteral("dark"),
                            QStringLiteral("transparent")};

Json jsonOf(const ExportChoices& choices) {
    return {{"format", choices.format.toStdString()},
            {"width", choices.width},
            {"height", choices.height},
            {"dots_per_inch", choices.dotsPerInch},
            {"labels", choices.labels},
            {"look", nameOf(lookNames, choices.look)},
            {"colors", choices.colors.toStdString()},
            {"highlights", choices.highlights},
            {"caption", choices.caption},
            {"legends", choices.legends},
            {"session", choices.session}};
}

void take(const JsonPart& part, ExportChoices& choices) {
    constexpr int mostPixels = 30'000;
    takeText(part, "format", choices.format);
    for (const auto& [key, pixels] : {std::pair("width", &choices.width), std::pair("height", &choices.height)})
        if (part.has(key))
            *pixels = static_cast<int>(part.at(key).integer(0, mostPixels));
    if (part.has("dots_per_inch"))
        choices.dotsPerInch = static_cast<int>(part.at("dots_per_inch").integer(24, 768));
    if (part.has("labels"))
        choices.labels = part.at("labels").number(1, 2);
    if (part.has("look"))
        choices.look = valueOf<ExportChoices::Look>(lookNames, part.at("look"));
    takeText(part, "colors", choices.colors);
    choices.highlights = part.flag("highlights", choices.highlights);
    choices.caption = part.flag("caption", choices.caption);
    choices.legends = part.flag("legends", choices.legends);
    choices.session = part.flag("session", choices.session);
}

Json jsonOf(const QVariant& choice) {
    if (choice.typeId() == QMetaType::QVariantList || choice.typeId() == QMetaType::QStringList) {
        auto list = Json::array();
        for (const auto& one : choice.toList())
            list.push_back(jsonOf(one));
        return list;
    }
    if (choice.typeId() == QMetaType::QString)
        return choice.toString().toStdString();
    if (choice.typeId() == QMetaType::Bool)
        return choice.toBool();
    if (choice.typeId() == QMetaType::Double)
        return choice.toDouble();
    return choice.toInt();
}

QVariant choiceIn(const JsonPart& part, bool inList = false) {
    if (part.isText())
        return QString::fromStdString(part.text());
    if (part.value().is_boolean())
        return part.flag();
    if (part.value().is_number_float())
        return part.number(-static_cast<double>(mostPlaces), static_cast<double>(mostPlaces));
    if (inList || !part.isList())
        return static_cast<int>(part.integer(-mostPlaces, mostPlaces));
    QVariantList list;
    bool texts = true;
    for (const auto& one : part.elements()) {
        list << choiceIn(one, true);
        texts = texts && one.isText();
    }
    return texts && !list.isEmpty() ? QVariant(QVariant(list).toStringList()) : list;
}

} // namespace

Request Session::Typed::request(const ModelInfo& model) const {
    Request request;
    request.source = source.toStdString();
    if (model.hasEncoder && model.hasDecoder && target)
        request.target = target->toStdString();
    if (model.readsPairs && !second.isEmpty())
        request.second = second.toStdString();
    request.skip = skip;
    request.beam = beam;
    const auto known = [](const QString& code, const std::vector<std::string>& codes) {
        const auto found = std::find(codes.begin(), codes.end(), code.toStdString());
        return found == codes.end() ? std::string() : *found;
    };
    request.sourceLanguage = known(sourceLanguage, model.sourceLanguages);
    request.targetLanguage = known(targetLanguage, model.targetLanguages);
    for (const auto& one : model.tasks)
        if (one.name == task.toStdString())
            request.prefix = one.prefix;
    if (model.hasDecoder && !model.hasEncoder && model.labels.empty()) { // it goes on with the text
        request.targetIds.assign(added.begin(), added.end());
        request.record.candidates = candidates;
        request.sampling = {.random = random,
                            .temperature = temperature,
                            .topK = candidates,
                            .seed = static_cast<std::uint64_t>(added.size()) + 1};
    }
    return request;
}

bool Session::runsAs(const Session& other) const {
    return models == other.models && typed == other.typed && changes == other.changes && trace == other.trace
           && selection.off == other.selection.off;
}

QString Session::differenceFrom(const Session& before) const {
    if (models != before.models)
        return Texts::tr("models");
    if (trace != before.trace)
        return Texts::tr("trace");
    if (typed.source != before.typed.source)
        return Texts::tr("source");
    if (typed.second != before.typed.second)
        return Texts::tr("second text");
    if (typed.target != before.typed.target)
        return Texts::tr("target");
    if (typed != before.typed || changes != before.changes)
        return Texts::tr("choice for the model");
    if (selection.off != before.selection.off)
        return Texts::tr("heads switched off");
    if (notes != before.notes)
        return Texts::tr("notes");
    if (exported != before.exported)
        return Texts::tr("choice for export");
    if (view != before.view)
        return Texts::tr("view");
    if (choices != before.choices)
        return Texts::tr("choice of the view");
    if (selection.locked != before.selection.locked)
        return Texts::tr("locked pair");
    return selection == before.selection ? QString() : Texts::tr("head");
}

bool Session::flowsFrom(const Session& before) const {
    auto same = before;
    for (auto text : {&Typed::source, &Typed::second})
        if (isTypedFrom(typed.*text, before.typed.*text))
            same.typed.*text = typed.*text;
    if (typed.target && before.typed.target && isTypedFrom(*typed.target, *before.typed.target))
        same.typed.target = typed.target;
    same.typed.skip = typed.skip;
    same.typed.added = typed.added;
    if (isTypedFrom(notes, before.notes))
        same.notes = notes;
    same.choices = choices;
    same.exported = exported;
    same.changes = changes; // which another text leaves behind
    return same == *this;
}

std::string Session::written() const {
    Json views = Json::object();
    for (auto one = choices.begin(); one != choices.end(); ++one)
        for (auto choice = one->begin(); choice != one->end(); ++choice)
            views[one.key().toStdString()][choice.key().toStdString()] = jsonOf(choice.value());
    const Json json{{versionKey, newest},
                    {"models",
                     {{"a", ModelCatalog::portable(models.a).toStdString()},
                      {"b", ModelCatalog::portable(models.b).toStdString()}}},
                    {"texts", jsonOf(typed)},
                    {"changes", jsonOf(changes)},
                    {"selection", jsonOf(selection)},
                    {"view", view.toStdString()},
                    {"choices", views},
                    {"trace", trace.toStdString()},
                    {"notes", notes.toStdString()},
                    {"export", jsonOf(exported)}};
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Session Session::read(std::string_view json, const std::string& place) {
    const JsonPart all(parseJson(json, place), place);
    if (!all.has(versionKey))
        throw Error(Error::Kind::Corrupt, place, "is no session of Headlight");
    if (const auto version = all.at(versionKey).integer(1, mostPlaces); version > newest)
        throw Error(Error::Kind::Unsupported, place,
                    "is of version " + std::to_string(version) + ", and this program knows those up to "
                        + std::to_string(newest),
                    "open it with a newer Headlight");
    Session session;
    if (all.has("models")) {
        takeText(all.at("models"), "a", session.models.a);
        takeText(all.at("models"), "b", session.models.b);
    }
    if (all.has("texts"))
        take(all.at("texts"), session.typed);
    if (all.has("changes"))
        take(all.at("changes"), session.changes);
    if (all.has("selection"))
        take(all.at("selection"), session.selection);
    takeText(all, "view", session.view);
    if (all.has("choices")) {
        const auto views = all.at("choices");
        views.requireObject();
        for (const auto& [view, ignored] : views.value().items()) {
            const auto of = views.at(view);
            of.requireObject();
            for (const auto& [name, alsoIgnored] : of.value().items())
                session.choices[QString::fromStdString(view)].insert(QString::fromStdString(name),
                                                                     choiceIn(of.at(name)));
        }
    }
    takeText(all, "trace", session.trace);
    takeText(all, "notes", session.notes);
    if (all.has("export"))
        take(all.at("export"), session.exported);
    return session;
}

Session Session::load(const std::filesystem::path& file) {
    return read(readWholeFile(file, largestFile), file.string());
}

void Session::save(const std::filesystem::path& file) const {
    const auto text = written();
    writeFileAtomically(file, std::as_bytes(std::span(text)));
}

bool Session::isIn(const QString& file) {
    return file.endsWith(QLatin1String(".headlight"), Qt::CaseInsensitive);
}

} // namespace headlight
