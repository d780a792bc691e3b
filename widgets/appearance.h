// How everything looks: one typographic scale, one accent for what is selected, and colour maps for data alone.
#pragma once

#include <QColor>
#include <QFont>
#include <QPalette>
#include <QString>
#include <QStringList>

#include <array>

namespace headlight {

enum class Theme { Light, Dark };

/// Perceptually uniform maps from a weight to a colour, all safe for colour-blind readers. `Blue` goes from the
/// paper's colour to a strong blue; the others are matplotlib's of that name, sampled; `Grey` is black to white, as in
/// Fig. 3 of Bahdanau et al. 2015.
enum class ColorMap { Blue, Viridis, Cividis, Magma, Grey };

struct Appearance {
    Theme theme = Theme::Light;
    ColorMap map = ColorMap::Blue;
    QFont font;    ///< of text; figures use it a point smaller
    QColor window; ///< behind the views
    QColor panel;  ///< of side panels, bars and editors
    QColor text;
    QColor muted;                       ///< text that explains
    QColor line;                        ///< separators, borders
    QColor chip;                        ///< behind a token
    QColor missing;                     ///< a cell whose weight is not a number
    QColor accent;                      ///< what is selected, and nothing else
    QColor accentSoft;                  ///< bars and the like that are not selected
    QColor accentText;                  ///< on accent
    std::array<QRgb, 256> sequential{}; ///< from 0 to 1
    std::array<QRgb, 256> signs{};      ///< from -1 (blue) over 0 to +1 (orange)

    /// The colour of a weight from 0 to 1; values beyond are drawn as the ends, what is not a number as `missing`.
    QRgb color(float weight) const;
    /// The colour of a difference from -1 to 1.
    QRgb signedColor(float difference) const;
    /// One of ten colours that stand for things and not for amounts, such as heads; ten darker ones follow, then the
    /// first again.
    QColor category(int index) const;
};

/// @param font the desktop's own
Appearance makeAppearance(Theme theme, ColorMap map, const QFont& font);
/// The map that a theme has unless the user chose one: blue on white, magma on black.
ColorMap defaultColorMap(Theme theme);
/// The appearance's font, larger or smaller, in pixels: a point is not the same on a screen, an image, SVG and PDF.
QFont sized(const Appearance& appearance, double factor, QFont::Weight weight = QFont::Normal);
/// Palette and style sheet that give Qt's own widgets the same look.
QPalette widgetPalette(const Appearance& appearance);
QString widgetStyleSheet(const Appearance& appearance);

/// "blue", "viridis", …: the words of --colors; in the order of ColorMap.
QStringList colorMapNames();

} // namespace headlight
