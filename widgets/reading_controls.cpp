#include "widgets/reading_controls.h"

#include "widgets/controls.h"
#include "widgets/selection.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QSignalBlocker>

#include <utility>
#include <vector>

namespace headlight {

namespace {

struct Texts {
    Q_DECLARE_TR_FUNCTIONS(headlight::ReadingControls)
};

QCheckBox* makeBox(Selection& selection, const QString& text, const QString& help, bool (Selection::*get)() const,
                   void (Selection::*set)(bool)) {
    auto* box = new QCheckBox(text);
    box->setToolTip(help);
    const auto follow = [box, &selection, get] {
        const QSignalBlocker quiet(box);
        box->setChecked((selection.*get)());
    };
    follow();
    QObject::connect(&selection, &Selection::headChanged, box, follow);
    QObject::connect(box, &QCheckBox::toggled, &selection, set);
    return box;
}

template <class Value>
QComboBox* makeChoice(Selection& selection, const std::vector<std::pair<QString, Value>>& entries, const QString& help,
                      Value (Selection::*get)() const, void (Selection::*set)(Value)) {
    auto* choice = new ComboBox;
    for (const auto& [name, value] : entries)
        choice->addItem(name, static_cast<int>(value));
    choice->setToolTip(help);
    const auto follow = [choice, &selection, get] {
        const QSignalBlocker quiet(choice);
        choice->setCurrentIndex(choice->findData(static_cast<int>((selection.*get)())));
    };
    follow();
    QObject::connect(&selection, &Selection::headChanged, choice, follow);
    QObject::connect(choice, &QComboBox::currentIndexChanged, &selection, [choice, &selection, set] {
        (selection.*set)(static_cast<Value>(choice->currentData().toInt()));
    });
    return choice;
}

} // namespace

QComboBox* makeReadingChoice(Selection& selection) {
    return makeChoice<Reading>(
        selection,
        {{Texts::tr("automatic"), Reading::Automatic},
         {Texts::tr("word given out"), Reading::Emitted},
         {Texts::tr("word taken in"), Reading::TakenIn}},
        Texts::tr("A decoder's step takes one word in and gives the next one out: which of them names its row"),
        &Selection::reading, &Selection::setReading);
}

QComboBox* makeCellsChoice(Selection& selection) {
    return makeChoice<Cells>(
        selection, {{Texts::tr("weights"), Cells::Weights}, {Texts::tr("norms"), Cells::Norms}},
        Texts::tr(
            "What a cell shows: the weight of a token, or how long the vector is that it brings, "
            "|a (x V + b) O|, as a share of its row (Kobayashi et al. 2020). A head may give its weight to a token "
            "whose vector is almost nothing, such as a full stop. Norms leave out what several heads cancel."),
        &Selection::cells, &Selection::setCells);
}

QCheckBox* makeWordsBox(Selection& selection) {
    return makeBox(selection, Texts::tr("words"),
                   Texts::tr("Tokens of one word as one: their weights are summed over keys, averaged over queries"),
                   &Selection::byWords, &Selection::setByWords);
}

QCheckBox* makeSpecialsBox(Selection& selection) {
    return makeBox(selection, Texts::tr("special tokens"),
                   Texts::tr("Without them the rows of what is left are scaled to sum to 1 again"),
                   &Selection::specials, &Selection::setSpecials);
}

QCheckBox* makeRangeBox(Selection& selection) {
    return makeBox(
        selection, Texts::tr("own range"),
        Texts::tr("Colours from 0 to what is strong in each map, which shows the small weights of a long text; "
                  "otherwise from 0 to 1, so that maps can be compared"),
        &Selection::ownRange, &Selection::setOwnRange);
}

QCheckBox* makeChangeBox(Selection& selection) {
    auto* box =
        makeBox(selection, Texts::tr("change against the full run"),
                Texts::tr("Weights of this run minus those of the same model with nothing switched off or forced"),
                &Selection::change, &Selection::setChange);
    box->hide();
    return box;
}

} // namespace headlight
