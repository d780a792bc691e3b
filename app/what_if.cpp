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
    hypothesis.clear();
    begin.clear();
    for (int before = 0; before < step && static_cast<std::size_t>(before) < shown.emitted.size(); ++before)
        begin.push_back(shown.emitted[static_cast<std::size_t>(before)].id);
    std::erase_if(forced, [step](const Intervention::Forced& one) { return one.query.value > step; });
}

void WhatIf::chooseCandidate(const Trace& shown, int step, std::int64_t id) {
    keepUntil(shown, step);
    begin.push_back(id);
}

void WhatIf::forceAttention(const Trace& shown, int step, int key) {
    keepUntil(shown, step);
    std::erase_if(forced, [step](const Intervention::Forced& one) { return one.query.value == step; });
    if (key >= 0)
        forced.push_back({Query(step), Key(key)});
    else if (forced.empty())
        begin.clear(); // nothing is left that differs
}

void WhatIf::chooseHypothesis(const Trace& shown, const std::vector<std::int64_t>& emitted, bool finished) {
    hypothesis.clear();
    if (shown.target.empty())
        return;
    hypothesis.push_back(shown.target.front().id);
    hypothesis.insert(hypothesis.end(), begin.begin(), begin.end()); // the beam begins behind it
    hypothesis.insert(hypothesis.end(), emitted.begin(), emitted.end() - (finished && !emitted.empty() ? 1 : 0));
}

void WhatIf::apply(Request& request) const {
    request.intervention.forced = forced;
    if (hypothesis.empty()) {
        request.beginIds = begin;
    } else {
        request.target.reset();
        request.targetIds = hypothesis;
    }
}

QString WhatIf::words() const {
    QStringList parts;
    if (!hypothesis.empty())
        parts << Texts::tr("a hypothesis of the beam");
    else if (!begin.empty())
        parts << Texts::tr("its first %n token(s) kept", nullptr, static_cast<int>(begin.size()));
    QStringList steps;
    for (const auto& one : forced)
        steps << QString::number(one.query.value);
    if (!steps.isEmpty())
        parts << Texts::tr("attention forced at step %1").arg(steps.join(QStringLiteral(", ")));
    return parts.join(QStringLiteral(", "));
}

} // namespace headlight
