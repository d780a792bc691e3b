// What the inspector says, line by line: the weight under the pointer, its row, the head, what comes next.
#pragma once

#include <QString>
#include <QStringList>

#include <vector>

namespace headlight {

class InspectorFacts;

struct InspectorLine {
    /// Pair: label → value. Big: one number, or two side by side. Figure and Bar: a name and its number. A heading
    /// begins a section.
    enum class Kind { Heading, Pair, Big, Figure, Bar, Note } kind = Kind::Note;
    QString label; ///< Big: what `value` is of, where there are two
    QString value;
    QString secondLabel; ///< Big
    QString secondValue; ///< Big and Bar: of the second run
    float share = 0;     ///< Bar
    bool lit = false;    ///< Bar: of what is pointed at
};

std::vector<InspectorLine> inspectorLines(InspectorFacts& facts);
/// The same in words, for tests and screen readers.
QStringList wordsOf(const std::vector<InspectorLine>& lines);

} // namespace headlight
