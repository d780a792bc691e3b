#include "widgets/reading_controls.h"

#include "widgets/controls.h"
#include "widgets/selection.h"

#include <QCheckBox>
#include <QCoreApplication>
#include <QSignalBlocker>

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

} // namespace

QComboBox* makeReadingChoice(Selection& selection) {
    auto* choice = new ComboBox;
    choice->addItem(Texts::tr("automatic"), static_cast<int>(Reading::Automatic));
    choice->addItem(Texts::tr("word given out"), static_cast<int>(Reading::Emitted));
    choice->addItem(Texts::tr("word taken in"), static_cast<int>(Reading::TakenIn));
    choice->setToolTip(
        Texts::tr("A decoder's step takes one word in and gives the next one out: which of them names its row"));
    const auto follow = [choice, &selection] {
        const QSignalBlocker quiet(choice);
        choice->setCurrentIndex(choice->findData(static_cast<int>(selection.reading())));
    };
    follow();
    QObject::connect(&selection, &Selection::headChanged, choice, follow);
    QObject::connect(choice, &QComboBox::currentIndexChanged, &selection, [choice, &selection] {
        selection.setReading(static_cast<Reading>(choice->currentData().toInt()));
    });
    return choice;
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
