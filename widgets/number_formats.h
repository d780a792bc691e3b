// The numbers behind a picture, as files that other programs read.
#pragma once

#include "widgets/trace_view.h"

#include <QByteArray>
#include <QString>

namespace headlight {

/// RFC 4180; what a spreadsheet would take for a formula is a text.
QByteArray asCsv(const ViewNumbers& numbers);
/// One line for each row, for whoever pastes into a spreadsheet.
QString asTabs(const ViewNumbers& numbers);
/// A list of objects by the columns' names; numbers are numbers, what is not finite null.
QByteArray asJson(const ViewNumbers& numbers);
/// The first of the maps that the numbers hold, as NumPy's array of float32 [rows, columns].
/// @throws Error when they hold none
QByteArray asNpy(const ViewNumbers& numbers);
/// The same map as a picture for LaTeX with pgfplots, its tokens as labels.
/// @throws Error when they hold none
QByteArray asTex(const ViewNumbers& numbers, const QString& title);

} // namespace headlight
