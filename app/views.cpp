#include "app/views.h"

#include "widgets/alignment_view.h"
#include "widgets/compare_view.h"
#include "widgets/heads_view.h"
#include "widgets/lens_view.h"
#include "widgets/lines_view.h"
#include "widgets/matrix_view.h"
#include "widgets/playback_view.h"
#include "widgets/positions_view.h"
#include "widgets/query_key_view.h"

#include <QCoreApplication>

namespace headlight {

namespace {

template <class View>
std::unique_ptr<TraceView> make() {
    return std::make_unique<View>();
}

const ViewType types[] = {
    {"alignment",
     QT_TRANSLATE_NOOP("headlight::Views", "Alignment"),
     make<AlignmentView>,
     {760, 700},
     {.cross = true, .onlyCross = true}},
    {"compare",
     QT_TRANSLATE_NOOP("headlight::Views", "Compare"),
     make<CompareView>,
     {1200, 900},
     {.cross = true, .pair = true, .second = true}},
    {"heads", QT_TRANSLATE_NOOP("headlight::Views", "Heads"), make<HeadsView>, {1100, 800}},
    {"lines", QT_TRANSLATE_NOOP("headlight::Views", "Lines"), make<LinesView>, {760, 800}},
    {"matrix", QT_TRANSLATE_NOOP("headlight::Views", "Matrix"), make<MatrixView>, {760, 700}, {.scores = true}},
    {"positions",
     QT_TRANSLATE_NOOP("headlight::Views", "Positions"),
     make<PositionsView>,
     {1000, 700},
     {.vectors = true}},
    {"query",
     QT_TRANSLATE_NOOP("headlight::Views", "Query·Key"),
     make<QueryKeyView>,
     {1100, 800},
     {.second = true, .vectors = true, .scores = true}},
    {"playback", QT_TRANSLATE_NOOP("headlight::Views", "Playback"), make<PlaybackView>, {1000, 600}, {.cross = true}},
    {"lens", QT_TRANSLATE_NOOP("headlight::Views", "Lens"), make<LensView>, {1100, 600}, {.lens = true}},
};

} // namespace

std::span<const ViewType> viewTypes() {
    return types;
}

QString titleOf(const ViewType& type) {
    return QCoreApplication::translate("headlight::Views", type.title);
}

} // namespace headlight
