#include "widgets/appearance.h"

#include <QFontInfo>

#include <algorithm>
#include <cmath>
#include <span>

namespace headlight {

namespace {

/// Colours at equal distances, as matplotlib's maps have them there; between them a straight line is near enough.
constexpr QRgb viridis[] = {0xff440154, 0xff482475, 0xff414487, 0xff355f8d, 0xff2a788e, 0xff21918c,
                            0xff22a884, 0xff44bf70, 0xff7ad151, 0xffbddf26, 0xfffde725};
constexpr QRgb magma[] = {0xff000004, 0xff140e36, 0xff3b0f70, 0xff641a80, 0xff8c2981, 0xffb73779,
                          0xffde4968, 0xfff7705c, 0xfffe9f6d, 0xfffecf92, 0xfffcfdbf};
constexpr QRgb cividis[] = {0xff00224e, 0xff123570, 0xff3b496c, 0xff575d6d, 0xff707173,
                            0xff8a8678, 0xffa59c74, 0xffc3b369, 0xffe1cc55, 0xfffee838};
constexpr QRgb grey[] = {0xff000000, 0xffffffff};
/// Steps of equal lightness, from the paper of the theme to what stands out most on it.
constexpr QRgb blueOnLight[] = {0xffffffff, 0xffd6dffb, 0xffacbff5, 0xff829eeb, 0xff587cdd, 0xff3259c4, 0xff183590};
constexpr QRgb blueOnDark[] = {0xff15171c, 0xff232e57, 0xff31478f, 0xff4664c2, 0xff6d88e6, 0xffa0b4f8, 0xffdfe6ff};
constexpr QRgb signsOnLight[] = {0xff1f5fa8, 0xff5d97cf, 0xffb3d1ea, 0xffffffff, 0xfff8c8a4, 0xffe58a4b, 0xffb3500f};
constexpr QRgb signsOnDark[] = {0xff9ecdf8, 0xff4f92cf, 0xff234a70, 0xff15171c, 0xff6e3a18, 0xffcc7432, 0xffffc28f};

std::array<QRgb, 256> interpolated(std::span<const QRgb> anchors) {
    std::array<QRgb, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        const double place = static_cast<double>(i) / 255 * static_cast<double>(anchors.size() - 1);
        const auto lower = std::min(static_cast<std::size_t>(place), anchors.size() - 2);
        const double share = place - static_cast<double>(lower);
        const auto mix = [&](int (*channel)(QRgb)) {
            return static_cast<int>(
                std::lround(channel(anchors[lower]) * (1 - share) + channel(anchors[lower + 1]) * share));
        };
        table[i] = qRgb(mix(qRed), mix(qGreen), mix(qBlue));
    }
    return table;
}

std::span<const QRgb> anchorsOf(ColorMap map, Theme theme) {
    switch (map) {
    case ColorMap::Blue:
        return theme == Theme::Light ? std::span<const QRgb>(blueOnLight) : blueOnDark;
    case ColorMap::Viridis:
        return viridis;
    case ColorMap::Cividis:
        return cividis;
    case ColorMap::Magma:
        return magma;
    case ColorMap::Grey:
        return grey;
    }
    return grey;
}

QRgb lookUp(const std::array<QRgb, 256>& table, float share) {
    return table[static_cast<std::size_t>(std::lround(std::clamp(share, 0.0f, 1.0f) * 255))];
}

} // namespace

QRgb Appearance::color(float weight) const {
    return std::isnan(weight) ? missing.rgb() : lookUp(sequential, weight);
}

QRgb Appearance::signedColor(float difference) const {
    return std::isnan(difference) ? missing.rgb() : lookUp(signs, (difference + 1) / 2);
}

QColor Appearance::category(int index) const {
    // Okabe and Ito's, which stay apart for colour-blind readers, and four more; none so pale or dark that it is lost
    // on the theme's paper.
    static constexpr QRgb onLight[] = {0x0072b2, 0xd55e00, 0x009e73, 0xb8528f, 0xdb9200,
                                       0x3ba3dd, 0x7d1d4d, 0x86861c, 0x5b3fb5, 0x94664a};
    static constexpr QRgb onDark[] = {0x4fa3e3, 0xff8345, 0x2fcb9c, 0xec93c6, 0xffc04a,
                                      0x9cdcff, 0xdb5c8c, 0xcccb57, 0xa594ff, 0xcda485};
    const auto place = static_cast<std::size_t>(std::max(0, index)) % std::size(onLight);
    const QColor color(theme == Theme::Light ? onLight[place] : onDark[place]);
    return static_cast<std::size_t>(std::max(0, index)) / std::size(onLight) % 2 == 0 ? color : color.darker(160);
}

Appearance makeAppearance(Theme theme, ColorMap map, const QFont& font) {
    const bool light = theme == Theme::Light;
    const auto pick = [light](QRgb onLight, QRgb onDark) { return QColor(light ? onLight : onDark); };
    return {.theme = theme,
            .map = map,
            .font = font,
            .window = pick(0xf5f6f8, 0x15171c),
            .panel = pick(0xffffff, 0x1b1e26),
            .text = pick(0x16181d, 0xe8eaef),
            .muted = pick(0x646b78, 0x969dab),
            .line = pick(0xe0e3e8, 0x2e323d),
            .chip = pick(0xeef0f3, 0x282c37),
            .missing = pick(0xc8c8c8, 0x55585f),
            .accent = pick(0x3b5bfd, 0x8c9eff),
            .accentSoft = pick(0x98a8fb, 0x4c589f),
            .accentText = pick(0xffffff, 0x10131a),
            .sequential = interpolated(anchorsOf(map, theme)),
            .signs = interpolated(light ? std::span<const QRgb>(signsOnLight) : signsOnDark)};
}

ColorMap defaultColorMap(Theme theme) {
    return theme == Theme::Light ? ColorMap::Blue : ColorMap::Magma;
}

QFont sized(const Appearance& appearance, double factor, QFont::Weight weight) {
    auto font = appearance.font;
    font.setPixelSize(std::max(8, qRound(QFontInfo(font).pixelSize() * factor)));
    font.setWeight(weight);
    return font;
}

QPalette widgetPalette(const Appearance& appearance) {
    QPalette palette;
    palette.setColor(QPalette::Window, appearance.panel);
    palette.setColor(QPalette::Base, appearance.panel);
    palette.setColor(QPalette::AlternateBase, appearance.window);
    palette.setColor(QPalette::Button, appearance.panel);
    palette.setColor(QPalette::ToolTipBase, appearance.panel);
    palette.setColor(QPalette::Highlight, appearance.accent);
    palette.setColor(QPalette::HighlightedText, appearance.accentText);
    palette.setColor(QPalette::Link, appearance.accent);
    palette.setColor(QPalette::PlaceholderText, appearance.muted);
    palette.setColor(QPalette::Mid, appearance.line);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText})
        palette.setColor(role, appearance.text);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, appearance.muted);
    return palette;
}

QString widgetStyleSheet(const Appearance& appearance) {
    // Rules for kinds of widget, and for the few that say by a property what they are: heading, note, primary, banner.
    static const auto rules = QStringLiteral(R"(
QMainWindow, QDialog { background: @panel; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QWidget#middle { background: @window; }
QWidget#topBar { background: @panel; border-bottom: 1px solid @line; }
QSplitter::handle { background: @line; }
QMenuBar { background: @panel; color: @text; border-bottom: 1px solid @line; padding: 2px 6px; }
QMenuBar::item { padding: 5px 9px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: @chip; }
QMenu { background: @panel; color: @text; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 5px 26px 5px 22px; border-radius: 4px; }
QMenu::item:selected { background: @accent; color: @accentText; }
QMenu::item:disabled { color: @muted; }
QMenu::separator { height: 1px; background: @line; margin: 4px 6px; }
QStatusBar { background: @panel; color: @muted; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: @muted; }
QPlainTextEdit, QLineEdit { background: @panel; color: @text; border: 1px solid @line; border-radius: 6px; padding: 5px; }
QPlainTextEdit:focus, QLineEdit:focus { border: 1px solid @accent; }
QComboBox, QAbstractSpinBox { background: @panel; color: @text; border: 1px solid @line; border-radius: 6px; padding: 4px 8px; min-height: 20px; }
QComboBox:hover, QAbstractSpinBox:hover { border-color: @muted; }
QComboBox:focus, QAbstractSpinBox:focus { border-color: @accent; }
QComboBox:disabled, QAbstractSpinBox:disabled { color: @muted; }
QComboBox::drop-down { border: none; width: 20px; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { border: none; width: 16px; }
QToolButton[primary="true"]::menu-button { border: none; width: 20px; }
QWidget[controls="true"] { background: @window; }
QWidget[compact="true"] QComboBox, QWidget[compact="true"] QAbstractSpinBox { padding: 2px 8px; min-height: 18px; }
QWidget[compact="true"] QPushButton, QWidget[compact="true"] QToolButton { padding: 2px 8px; min-height: 18px; }
QCheckBox { color: @text; spacing: 6px; }
QCheckBox::indicator { width: 13px; height: 13px; border: 1px solid @muted; border-radius: 3px; background: @panel; }
QCheckBox::indicator:checked { background: @accent; border-color: @accent; }
QCheckBox::indicator:disabled { border-color: @line; }
QCheckBox:focus { color: @accent; }
QCheckBox:disabled { color: @muted; }
QComboBox QAbstractItemView { background: @panel; color: @text; border: 1px solid @line; selection-background-color: @accent; selection-color: @accentText; }
QPushButton, QToolButton { background: @panel; color: @text; border: 1px solid @line; border-radius: 6px; padding: 5px 12px; min-height: 20px; }
QPushButton:hover, QToolButton:hover { border-color: @muted; }
QPushButton:focus, QToolButton:focus { border-color: @accent; }
QPushButton:checked { background: @accent; color: @accentText; border-color: @accent; }
QPushButton:disabled { color: @muted; }
QPushButton[primary="true"], QToolButton[primary="true"] { background: @accent; color: @accentText; border-color: @accent; font-weight: 600; }
QPushButton[flat="true"] { border: none; background: transparent; padding: 3px 6px; text-align: left; }
QPushButton[flat="true"]:hover, QPushButton[flat="true"]:focus { background: @chip; border-radius: 4px; }
QPushButton[link="true"] { border: none; background: transparent; color: @accent; padding: 2px; text-align: left; }
QPushButton[link="true"]:hover, QPushButton[link="true"]:focus { text-decoration: underline; }
QTabBar { background: @window; }
QTabBar::tab { background: transparent; color: @muted; padding: 9px 14px; border: none; border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; font-weight: 600; }
QTabBar::tab:focus { color: @accent; }
QTabBar QToolButton { padding: 0; min-height: 0; border-radius: 0; }
QTabWidget::pane { border: none; border-top: 1px solid @line; background: @window; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 4px; min-height: 24px; min-width: 24px; margin: 1px; }
QScrollBar::handle:hover { background: @muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QLabel[heading="true"] { color: @muted; font-weight: 600; letter-spacing: 1px; }
QLabel[note="true"] { color: @muted; }
QFrame[banner="remark"] { background: @chip; border: none; border-bottom: 1px solid @line; }
QFrame[banner="problem"] { background: @alarm; border: none; border-bottom: 1px solid @line; }
QToolTip { background: @panel; color: @text; border: 1px solid @line; padding: 4px; }
)");
    auto sheet = rules;
    // Longer names first: @accent is the beginning of @accentText.
    const QColor alarm(appearance.theme == Theme::Light ? QRgb(0xfde4e1) : QRgb(0x4b2320));
    const std::pair<QLatin1String, QColor> names[] = {{QLatin1String("@accentText"), appearance.accentText},
                                                      {QLatin1String("@accent"), appearance.accent},
                                                      {QLatin1String("@window"), appearance.window},
                                                      {QLatin1String("@panel"), appearance.panel},
                                                      {QLatin1String("@text"), appearance.text},
                                                      {QLatin1String("@muted"), appearance.muted},
                                                      {QLatin1String("@line"), appearance.line},
                                                      {QLatin1String("@chip"), appearance.chip},
                                                      {QLatin1String("@alarm"), alarm}};
    for (const auto& [name, color] : names)
        sheet.replace(name, color.name());
    return sheet;
}

QStringList colorMapNames() {
    return {QStringLiteral("blue"), QStringLiteral("viridis"), QStringLiteral("cividis"), QStringLiteral("magma"),
            QStringLiteral("grey")};
}

} // namespace headlight
