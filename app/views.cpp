#include "app/views.h"

#include "widgets/alignment_view.h"
#include "widgets/compare_view.h"
#include "widgets/heads_view.h"
#include "widgets/matrix_view.h"
#include "widgets/playback_view.h"
#include "widgets/positions_view.h"

#include <QCoreApplication>

#include <array>

namespace headlight {

namespace {

template <class View>
std::unique_ptr<TraceView> make() {
    return std::make_unique<View>();
}

const std::array types{
    ViewType{"alignment", QT_TRANSLATE_NOOP("headlight::Views", "Alignment"), make<AlignmentView>, {760, 700}, true},
    ViewType{"compare", QT_TRANSLATE_NOOP("headlight::Views", "Compare"), make<CompareView>, {1200, 900}, true},
    ViewType{"heads", QT_TRANSLATE_NOOP("headlight::Views", "Heads"), make<HeadsView>, {1100, 800}, false},
    ViewType{
        "matrix", QT_TRANSLATE_NOOP("headlight::Views", "Matrix"), make<MatrixView>, {760, 700}, false, false, true},
    ViewType{
        "positions", QT_TRANSLATE_NOOP("headlight::Views", "Positions"), make<PositionsView>, {1000, 700}, false, true},
    ViewType{"playback", QT_TRANSLATE_NOOP("headlight::Views", "Playback"), make<PlaybackView>, {1000, 600}, true},
};

} // namespace

std::span<const ViewType> viewTypes() {
    return types;
}

QString titleOf(const ViewType& type) {
    return QCoreApplication::translate("headlight::Views", type.title);
}

} // namespace headlight
