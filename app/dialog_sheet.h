// The look of lists and bars in the dialogs about the hub.
#pragma once

#include <QPalette>
#include <QString>

namespace headlight {

/// @param palette the window's, whose colours a dialog does not inherit
inline QString dialogSheet(const QPalette& palette) {
    auto sheet = QStringLiteral(R"(
QLabel { color: @text; }
QLabel[note="true"], QLabel[heading="true"] { color: @muted; }
QTreeWidget { background: @base; color: @text; border: 1px solid @line; border-radius: 6px; outline: none; }
QTreeWidget::item { padding: 4px 2px; border: none; color: @text; }
QTreeWidget::item:selected { background: @accent; color: @onAccent; }
QHeaderView, QHeaderView::section { background: @base; color: @muted; border: none; }
QHeaderView::section { border-bottom: 1px solid @line; padding: 5px 4px; }
QProgressBar { background: @line; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; }
QProgressBar::chunk { background: @muted; border-radius: 3px; }
QPushButton[primary="true"]:disabled { background: @base; color: @muted; border-color: @line; }
)");
    const std::pair<const char*, QPalette::ColorRole> names[] = {
        {"@onAccent", QPalette::HighlightedText}, {"@accent", QPalette::Highlight}, {"@text", QPalette::Text},
        {"@muted", QPalette::PlaceholderText},    {"@base", QPalette::Base},        {"@line", QPalette::Mid}};
    for (const auto& [name, role] : names)
        sheet.replace(QLatin1String(name), palette.color(role).name());
    return sheet;
}

} // namespace headlight
