// A view of its own that is drawn into a file: what is on screen, as far as the choices for export leave it so.
#pragma once

#include "app/session.h"
#include "app/views.h"
#include "widgets/appearance.h"
#include "widgets/figure_exporter.h"
#include "widgets/selection.h"

#include <QSize>
#include <QString>

#include <memory>

namespace headlight {

/// What is on screen.
struct OnShow {
    Session session;
    TracePointer first;
    TracePointer second; ///< may be null
    Appearance appearance;
    QSize size; ///< of the figure
};

class ExportedView {
public:
    /// Of ExportChoices: a PNG for each picture that a view plays.
    static QString framesFormat() { return QStringLiteral("frames"); }

    /// @param shown must have a run
    ExportedView(const OnShow& shown, const ViewType& type);

    TraceView& view() { return *m_view; }
    /// False: it would only say why there is nothing to draw.
    bool hasPicture() const;
    const FigureExporter::Options& options() const { return m_options; }
    /// Such as alignment_en-fr-transformer_L0H7.png.
    const QString& fileName() const { return m_fileName; }
    /// @throws Error as FigureExporter does
    void save(const QString& file);

private:
    Selection m_selection; // before the view, which must not outlive it
    std::unique_ptr<TraceView> m_view;
    FigureExporter::Options m_options;
    QString m_fileName;
    bool m_frames = false;
};

} // namespace headlight
