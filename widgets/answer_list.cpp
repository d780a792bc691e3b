#include "widgets/answer_list.h"

#include "widgets/names.h"
#include "widgets/plain_text.h"
#include "widgets/selection.h"

#include <QPainter>
#include <QStyledItemDelegate>

#include <algorithm>
#include <cmath>

namespace headlight {

namespace {

enum Role { PositionRole = Qt::UserRole, CandidateRole, ShareRole };

QString percent(float share) {
    if (!std::isfinite(share))
        return QStringLiteral("?");
    return AnswerList::tr("%1 %").arg(static_cast<double>(share) * 100, 0, 'f', 1);
}

} // namespace

/// Name, a bar as long as the probability, the probability.
class AnswerList::Delegate : public QStyledItemDelegate {
public:
    explicit Delegate(const AnswerList* list) : QStyledItemDelegate(), m_list(list) {}

    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const bool heading = !index.data(ShareRole).isValid();
        return {80, option.fontMetrics.height() + (heading ? 8 : 5)};
    }

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const auto& look = m_list->m_appearance;
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        const auto share = index.data(ShareRole);
        auto place = option.rect.adjusted(0, 0, -4, 0);
        const auto text = index.data(Qt::DisplayRole).toString();
        if (!share.isValid()) {
            painter->setFont(sized(look, 0.85));
            painter->setPen(look.muted);
            painter->drawText(place, static_cast<int>(Qt::AlignLeft | Qt::AlignBottom),
                              painter->fontMetrics().elidedText(text, Qt::ElideMiddle, place.width()));
            painter->restore();
            return;
        }
        const bool current = (option.state & QStyle::State_Selected) && m_list->hasFocus();
        const bool hovered = option.state & QStyle::State_MouseOver;
        if (current || hovered) {
            painter->setPen(Qt::NoPen);
            painter->setBrush(current ? look.accent : look.chip);
            painter->drawRoundedRect(option.rect, 3, 3);
        }
        painter->setFont(sized(look, 0.93));
        const auto metrics = painter->fontMetrics();
        const int numbers = metrics.horizontalAdvance(QStringLiteral("100.0 %")) + 4;
        const int names = std::min(place.width() * 45 / 100, 130);
        painter->setPen(current ? look.accentText : look.text);
        painter->drawText(QRect(place.left() + 4, place.top(), names, place.height()),
                          static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter),
                          metrics.elidedText(text, Qt::ElideRight, names));
        const QRectF bar(place.left() + names + 10, place.center().y() - 2.5,
                         std::max(0, place.width() - names - numbers - 14), 6);
        painter->setPen(Qt::NoPen);
        painter->setBrush(current ? look.accentText : look.accentSoft);
        const double length = std::clamp(share.toDouble(), 0.0, 1.0);
        painter->drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * length, bar.height()), 2, 2);
        painter->setPen(current ? look.accentText : look.muted);
        painter->drawText(place, static_cast<int>(Qt::AlignRight | Qt::AlignVCenter), percent(share.toFloat()));
        painter->restore();
    }

private:
    const AnswerList* m_list;
};

AnswerList::AnswerList(QWidget* parent)
    : QListWidget(parent), m_appearance(makeAppearance(Theme::Light, ColorMap::Blue, font())) {
    auto* delegate = new Delegate(this);
    delegate->setParent(this);
    setItemDelegate(delegate);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setMouseTracking(true);
    setStyleSheet(QStringLiteral("QListWidget { background: transparent; border: none; }"));
    setAccessibleName(tr("What the model says"));
    connect(this, &QListWidget::itemActivated, this, &AnswerList::choose);
}

void AnswerList::setTrace(TracePointer trace, const QString& mask) {
    const int row = currentRow();
    clear();
    m_trace = std::move(trace);
    if (!m_trace)
        return;
    addAnswers();
    if (!m_trace->labels.empty()) {
        addCandidates(-1, m_trace->labels);
    } else if (m_trace->source.empty() && !m_trace->predictions.empty()) {
        const auto& last = m_trace->predictions.back();
        addCandidates(last.position, last.candidates);
    } else if (!mask.isEmpty()) {
        for (const auto& prediction : m_trace->predictions) {
            const auto at = static_cast<std::size_t>(prediction.position);
            if (at >= m_trace->source.size() || QString::fromStdString(m_trace->source[at].text) != mask)
                continue;
            addHeading(tr("%1 at position %2").arg(brief(mask, mostOfName), QString::number(prediction.position)));
            addCandidates(prediction.position, prediction.candidates);
        }
    }
    setCurrentRow(row > 0 && row < count() && candidateOf(item(row)) ? row
                  : count() > 0 && !candidateOf(item(0))             ? 1
                                                                     : 0);
    updateGeometry();
}

void AnswerList::setAppearance(const Appearance& appearance) {
    m_appearance = appearance;
    setFont(sized(appearance, 0.93));
    doItemsLayout();
}

QStringList AnswerList::describe() const {
    QStringList lines;
    for (int i = 0; i < count(); ++i) {
        const auto* candidate = candidateOf(item(i));
        lines << (candidate ? QStringLiteral("%1: %2").arg(item(i)->text(), percent(candidate->probability))
                            : item(i)->text());
    }
    return lines;
}

void AnswerList::chooseCurrent() {
    if (candidateOf(currentItem()))
        return choose(currentItem());
    for (int i = 0; i < count(); ++i)
        if (candidateOf(item(i)))
            return choose(item(i));
}

void AnswerList::choose(const QListWidgetItem* item) {
    if (const auto* candidate = candidateOf(item)) {
        const auto copy = *candidate; // whoever hears of it may bring another trace
        Q_EMIT chosen(item->data(PositionRole).toInt(), copy);
    }
}

QSize AnswerList::sizeHint() const {
    int height = 4;
    for (int i = 0; i < count(); ++i)
        height += sizeHintForRow(i);
    return {200, height};
}

/// What heads say that is no choice between candidates.
void AnswerList::addAnswers() {
    const auto share = [](const QString& name, float probability) {
        return tr("%1  %2").arg(name, percent(probability));
    };
    if (const auto& answer = m_trace->answer)
        for (const auto& span : answer->spans)
            addHeading(share(shownText(span.text), span.probability));
    if (const auto& relationship = m_trace->relationship)
        for (const auto& candidate : relationship->candidates)
            addHeading(
                share(tr("the second text %1").arg(QString::fromStdString(candidate.text)), candidate.probability));
    for (const auto& quantity : m_trace->quantities)
        addHeading(tr("%1: %2").arg(QString::fromStdString(quantity.name),
                                    QString::number(static_cast<double>(quantity.value), 'g', 4)));
    const auto& tokens = m_trace->source.empty() ? m_trace->target : m_trace->source;
    for (const auto& labels : m_trace->tokenLabels) {
        const auto at = static_cast<std::size_t>(labels.position);
        if (at >= tokens.size() || tokens[at].special || labels.candidates.empty())
            continue;
        const auto& label = labels.candidates.front();
        addHeading(share(tr("%1: %2").arg(shownText(tokens[at].letters), QString::fromStdString(label.text)),
                         label.probability));
    }
}

void AnswerList::addHeading(const QString& text) {
    auto* heading = new QListWidgetItem(text, this);
    heading->setFlags(Qt::ItemIsEnabled);
}

void AnswerList::addCandidates(int position, const std::vector<Candidate>& candidates) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto& candidate = candidates[i];
        auto* line = new QListWidgetItem(shownText(candidate.letters), this);
        line->setData(PositionRole, position);
        line->setData(CandidateRole, static_cast<qulonglong>(i));
        line->setData(ShareRole, static_cast<double>(candidate.probability));
        line->setData(Qt::AccessibleDescriptionRole, percent(candidate.probability));
        line->setToolTip(toolTipOf({tr("%1, id %2: %3")
                                        .arg(QString::fromStdString(candidate.text), QString::number(candidate.id),
                                             QString::number(static_cast<double>(candidate.probability), 'f', 4))}));
    }
}

const Candidate* AnswerList::candidateOf(const QListWidgetItem* item) const {
    if (!item || !m_trace || !item->data(ShareRole).isValid())
        return nullptr;
    const int position = item->data(PositionRole).toInt();
    const auto index = static_cast<std::size_t>(item->data(CandidateRole).toULongLong());
    if (position < 0)
        return index < m_trace->labels.size() ? &m_trace->labels[index] : nullptr;
    for (const auto& prediction : m_trace->predictions)
        if (prediction.position == position && index < prediction.candidates.size())
            return &prediction.candidates[index];
    return nullptr;
}

} // namespace headlight
