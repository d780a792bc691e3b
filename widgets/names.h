// What things are called on screen: tokens, runs, kinds of attention, heads, reasons.
#pragma once

#include "core/analysis/alignment.h"
#include "core/analysis/head_metrics.h"
#include "core/analysis/words.h"
#include "core/trace/trace.h"

#include <QString>
#include <QStringList>

#include <string_view>
#include <vector>

namespace headlight {

struct Comparison;

/// Which of two runs is meant: "A" or "B"; where the second is the first's model in full "now" or "in full".
QString runName(const Trace& trace, const Trace* other, bool ofOther);
/// "encoder, self", "decoder, self", "cross".
QString kindName(BlockKind kind);
/// Why a run has nothing of this kind to show, a sentence.
QString missingText(const Trace& trace, BlockKind kind);
/// "previous token", "broad", …
QString kindName(HeadKind kind);
/// "L3 H5"
QString headName(const HeadPlace& head);
/// Why two maps cannot be compared, a sentence; empty when they can.
QString reasonText(const Comparison& comparison);
/// A token's text as labels show it: without its vocabulary's mark of a space or a word's end, unless that is all there
/// is, and with the letters that a byte-level piece stands for. One of a letter's bytes alone is U+FFFD where the piece
/// is known to be of bytes.
QString shownText(std::string_view token, bool ofBytes = false);
/// The same for one of a run's lists of tokens, which tell together whether their pieces are of bytes. Some of a
/// letter's bytes are shown as the letter, where it was typed.
QStringList shownTexts(const Trace& trace, const std::vector<Token>& tokens);
/// The same for the words of such a list, as words.h makes them.
QStringList shownTexts(const Trace& trace, const std::vector<Token>& tokens, const std::vector<Word>& words);

} // namespace headlight
