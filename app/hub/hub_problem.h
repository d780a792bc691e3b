// What kept the hub from giving what was asked of it, in words that tell what to do.
#pragma once

#include <QCoreApplication>
#include <QMetaType>
#include <QString>
#include <QUrl>

#include <stdexcept>

namespace headlight {

struct HubProblem {
    enum class Kind {
        NoSuchModel, ///< or it is private
        NoSuchRevision,
        NotAModel,       ///< nothing in it that this program opens
        TermsToAccept,   ///< gated, and nobody was named
        TokenNotAllowed, ///< gated or private, and the token is another's
        TokenWrong,
        NoNetwork,
        Offline, ///< by the environment's wish
        NotSecure,
        NotTheHub, ///< a proxy or a captive page answered
        Busy,
        WrongBytes, ///< what came is not what was announced
        Disk,
        Other,
    };
    Kind kind = Kind::Other;
    QString text; ///< one or two sentences, without the token
    QUrl visit;   ///< a page where something can be done about it; empty: there is none
};

/// The same, on its way to whoever tells it.
class HubFailure : public std::runtime_error {
public:
    explicit HubFailure(HubProblem problem)
        : std::runtime_error(problem.text.toStdString()), m_problem(std::move(problem)) {}
    const HubProblem& problem() const { return m_problem; }

private:
    HubProblem m_problem;
};

/// Where the hub's texts are translated.
struct HubText {
    Q_DECLARE_TR_FUNCTIONS(headlight::HubText)
};

/// A size as people read it: "604 MB"; sizes count in thousands.
QString bytesInWords(qint64 bytes);

} // namespace headlight
