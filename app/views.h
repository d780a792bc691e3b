// The views that there are: in the window's tabs and on the command line, one line each.
#pragma once

#include "widgets/trace_view.h"

#include <QSize>
#include <QString>

#include <memory>
#include <span>

namespace headlight {

/// What a view asks of a run beside its attention.
struct ViewNeeds {
    bool cross = false;     ///< draws attention from target to source where there is any, whatever kind is chosen
    bool onlyCross = false; ///< and nothing else where there is none
    bool vectors = false;   ///< shows queries, keys, values or inputs, which a run records when asked to
    bool scores = false;    ///< shows scores before softmax, likewise
};

struct ViewType {
    const char* name;  ///< as --view has it
    const char* title; ///< of its tab, to be translated by titleOf()
    std::unique_ptr<TraceView> (*make)();
    QSize size; ///< that suits a sentence of a dozen words
    ViewNeeds needs = {};
};

/// In the order of the tabs.
std::span<const ViewType> viewTypes();
QString titleOf(const ViewType& type);

} // namespace headlight
