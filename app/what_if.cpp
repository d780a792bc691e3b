#include "app/what_if.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>

namespace headlight {

namespace {

struct Texts {
    Q_DECLARE_TR_FUNCTIONS(headlight::WhatIf)
};

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
    m_hypothesis.clear();
    if (shown.target.empty())
        return;
    m_hypothesis.push_back(shown.target.front().id);
    m_hypothesis.insert(m_hypothesis.end(), m_begin.begin(), m_begin.end()); // the beam begins behind it
    m_hypothesis.insert(m_hypothesis.end(), emitted.begin(), emitted.end() - (finished && !emitted.empty() ? 1 : 0));
}

void WhatIf::apply(Request& request) const {
    request.intervention.forced = m_forced;
    if (m_hypothesis.empty()) {
        request.beginIds = m_begin;
    } else {
        request.target.reset();
        request.targetIds = m_hypothesis;
    }
}

QString WhatIf::words() const {
    QStringList parts;
    if (!m_hypothesis.empty())
        parts << Texts::tr("a hypothesis of the beam");
    else if (!m_begin.empty())
        parts << Texts::tr("its first %n token(s) kept", nullptr, static_cast<int>(m_begin.size()));
    QStringList steps;
    for (const auto& forced : m_forced)
        steps << QString::number(forced.query.value);
    if (!steps.isEmpty())
        parts << Texts::tr("attention forced at step %1").arg(steps.join(QStringLiteral(", ")));
    return parts.join(QStringLiteral(", "));
}

} // namespace headlight
