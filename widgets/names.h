// What things are called on screen: tokens, runs, kinds of attention, heads, reasons.
#pragma once

#include "core/analysis/head_metrics.h"
#include "core/analysis/shown_map.h"
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
/// The name of a run's model, as far as labels have room for it.
QString shownModel(const Trace& trace);
/// "encoder, self", "decoder, self", "cross".
QString kindName(BlockKind kind);
/// Why a run has nothing of this kind to show, a sentence.
/// @param other of two runs the one that is not shown; where it has what is missing, that is said
QString missingText(const Trace& trace, BlockKind kind, const Trace* other = nullptr);
/// "previous token", "broad", …
QString kindName(HeadKind kind);
/// "L3 H5"
QString headName(const HeadPlace& head);
/// "layer 2, head 1", "layer 2, mean", "additive"; what of it is switched off is said.
QString mapName(const ShownMap& shown);
/// Why two maps cannot be compared, a sentence; empty when they can.
QString reasonText(const Comparison& comparison);
/// A token's letters, or a word, as labels show them: without the space before or behind, unless that is all there is,
/// and with signs for line breaks.
QString shownText(std::string_view letters);
QStringList shownTexts(const std::vector<Token>& tokens);
QStringList shownTexts(const std::vector<Word>& words);

} // namespace headlight
