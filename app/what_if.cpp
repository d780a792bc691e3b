#include "app/what_if.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>

namespace headlight {

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("headlight::WhatIf", text);
}

} // namespace

void WhatIf::keepUntil(const Trace& shown, int step) {
    m_hypothesis.clear();
    m_begin.clear();
    for (int before = 0; before < step && static_cast<std::size_t>(before) < shown.emitted.size(); ++before)
        m_begin.push_back(shown.emitted[static_cast<std::size_t>(before)].id);
    std::erase_if(m_forced, [step](const Intervention::Forced& forced) { return forced.query.value > step; });
}

void WhatIf::chooseCandidate(const Trace& shown, int step, std::int64_t id) {
    keepUntil(shown, step);
    m_begin.push_back(id);
}

void WhatIf::forceAttention(const Trace& shown, int step, int key) {
    keepUntil(shown, step);
    std::erase_if(m_forced, [step](const Intervention::Forced& forced) { return forced.query.value == step; });
    if (key >= 0)
        m_forced.push_back({Query(step), Key(key)});
    else if (m_forced.empty())
        m_begin.clear(); // nothing is left that differs
}

void WhatIf::chooseHypothesis(const Trace& shown, const std::vector<std::int64_t>& emitted, bool finished) {
    clear();
    if (shown.target.empty())
        return;
    m_hypothesis.push_back(shown.target.front().id);
    m_hypothesis.insert(m_hypothesis.end(), emitted.begin(), emitted.end() - (finished && !emitted.empty() ? 1 : 0));
}

void WhatIf::apply(Request& request) const {
    request.beginIds = m_begin;
    request.intervention.forced = m_forced;
    if (!m_hypothesis.empty()) {
        request.target.reset();
        request.targetIds = m_hypothesis;
    }
}

QString WhatIf::words() const {
    if (!m_hypothesis.empty())
        return tr("a hypothesis of the beam");
    QStringList parts;
    if (!m_begin.empty())
        parts << tr("its first %1 tokens chosen").arg(m_begin.size());
    QStringList steps;
    for (const auto& forced : m_forced)
        steps << QString::number(forced.query.value);
    if (!steps.isEmpty())
        parts << tr("attention forced at step %1").arg(steps.join(QStringLiteral(", ")));
    return parts.join(QStringLiteral(", "));
}

} // namespace headlight
