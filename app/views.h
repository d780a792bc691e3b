// The views that there are: in the window's tabs and on the command line, one line each.
#pragma once

#include "app/view_needs.h"
#include "widgets/trace_view.h"

#include <QSize>
#include <QString>

#include <memory>
#include <span>

namespace headlight {

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
