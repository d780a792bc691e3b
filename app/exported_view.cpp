#include "app/exported_view.h"

#include "app/model_catalog.h"
#include "widgets/derived.h"
#include "widgets/names.h"
#include "widgets/plain_text.h"
#include "widgets/trace_view.h"

#include <QFile>
#include <QRegularExpression>

#include <algorithm>

namespace headlight {

namespace {

Appearance appearanceFor(const OnShow& shown) {
    const auto& choices = shown.session.exported;
    const auto asked = colorMapNames().indexOf(choices.colors);
    const bool dark = choices.look == ExportChoices::Look::Screen ? shown.appearance.theme == Theme::Dark
                                                                  : choices.look == ExportChoices::Look::Dark;
    const auto theme = dark ? Theme::Dark : Theme::Light;
    const auto map = asked >= 0                        ? static_cast<ColorMap>(asked)
                     : theme == shown.appearance.theme ? shown.appearance.map
                                                       : defaultColorMap(theme);
    auto font = shown.appearance.font;
    font.setPointSizeF(font.pointSizeF() * choices.labels);
    auto appearance = makeAppearance(theme, map, font);
    if (choices.look == ExportChoices::Look::Light)
        appearance.window = Qt::white; // as paper is
    if (choices.look == ExportChoices::Look::Transparent)
        appearance.window = Qt::transparent;
    return appearance;
}

/// The map that most views are about.
std::shared_ptr<const ShownMap> mapOf(const OnShow& shown) {
    const Derived::Patience patience;
    const auto kind =
        shown.first->block(shown.session.selection.kind) ? shown.session.selection.kind : BlockKind::Cross;
    return hasHeads(*shown.first, kind) ? Derived::instance().map(shown.first, kind, shown.session.selection.map)
                                        : nullptr;
}

QString headInName(const ShownMap& map) {
    if (map.additive)
        return {};
    if (map.place)
        return QStringLiteral("_L%1H%2").arg(map.place->layer.value).arg(map.place->head.value);
    if (map.mode == HeadMode::MeanOfLayer)
        return QStringLiteral("_L%1").arg(map.layer.value);
    return map.mode == HeadMode::Rollout ? QStringLiteral("_rollout") : QStringLiteral("_mean");
}

/// Text for one line, its ends in quotes.
QString quoted(const std::string& text) {
    return QStringLiteral("“%1”").arg(brief(QString::fromStdString(text), mostOfName));
}

} // namespace

ExportedView::ExportedView(const OnShow& shown, const ViewType& type) : m_view(type.make()) {
    const auto& choices = shown.session.exported;
    const auto& run = *shown.first;
    auto chosen = shown.session.selection;
    if (!choices.highlights)
        chosen.locked.reset();
    m_selection.setChosen(chosen);
    const auto name = QLatin1String(type.name);
    const bool isOnShow = name == shown.session.view;
    m_options.size = choices.width > 0 && choices.height > 0 ? QSize(choices.width, choices.height)
                     : isOnShow                              ? shown.size
                                                             : type.size;
    m_view->setAppearance(appearanceFor(shown));
    m_view->setSelection(&m_selection);
    m_view->resize(m_options.size);
    m_view->setTrace(shown.first, shown.second);
    m_view->setChoices(shown.session.choices.value(name));

    auto model = ModelCatalog::portable(shown.session.models.a); // with the revision, where it has one
    if (!shown.session.trace.isEmpty() || !model.contains(QLatin1Char('@')))
        model = QString::fromStdString(run.model);
    const auto map = mapOf(shown);
    auto caption = model;
    if (map)
        caption += QStringLiteral(", %1").arg(mapName(*map));
    const auto& source = run.source.empty() ? run.targetText : run.sourceText;
    caption += QStringLiteral(": %1").arg(quoted(source));
    if (!run.source.empty() && !run.targetText.empty())
        caption += QStringLiteral(" → %1").arg(quoted(run.targetText));
    m_view->setExtras(choices.caption ? caption : QString(), choices.legends);

    m_options.scale = choices.dotsPerInch / 96.0;
    m_options.title = caption;
    m_options.session = choices.session ? QString::fromStdString(shown.session.written()) : QString();
    const auto& playback = shown.session.choices.value(QStringLiteral("playback"));
    const double speed = playback.value(QStringLiteral("speed"), 2).toDouble();
    m_options.frameMilliseconds = static_cast<int>(1000 / std::clamp(speed, 0.25, 20.0));
    m_frames = choices.format == framesFormat();
    m_options.transparent = choices.look == ExportChoices::Look::Transparent;
    static const QRegularExpression unfit(QStringLiteral("[^\\w.@-]+"), QRegularExpression::UseUnicodePropertiesOption);
    m_fileName = QStringLiteral("%1_%2%3.%4")
                     .arg(name, model.left(80).replace(unfit, QStringLiteral("-")), map ? headInName(*map) : QString(),
                          m_frames ? QStringLiteral("png") : choices.format);
}

bool ExportedView::hasPicture() const {
    return m_view->describe().size() > 1 || !m_view->numbers().rows.isEmpty();
}

void ExportedView::save(const QString& file) {
    const std::filesystem::path path(QFile::encodeName(file).toStdString());
    if (m_frames)
        FigureExporter::saveFrames(*m_view, path, m_options);
    else
        FigureExporter::save(*m_view, path, m_options);
}

} // namespace headlight
