// Controls of how maps are read: each shows what the Selection says, and changes it.
#pragma once

class QCheckBox;
class QComboBox;

namespace headlight {

class Selection;

/// Which word a decoder's row is named by: Selection::reading().
QComboBox* makeReadingChoice(Selection& selection);
/// Weights, or how long what they bring is: Selection::cells().
QComboBox* makeCellsChoice(Selection& selection);
/// Words or tokens: Selection::byWords().
QCheckBox* makeWordsBox(Selection& selection);
/// Special tokens shown or left out: Selection::specials().
QCheckBox* makeSpecialsBox(Selection& selection);
/// Colours to each map's largest, or to 1: Selection::ownRange().
QCheckBox* makeRangeBox(Selection& selection);
/// A changed run's weights, or what changed in them: Selection::change(). Hidden until there is something to compare.
QCheckBox* makeChangeBox(Selection& selection);

} // namespace headlight
