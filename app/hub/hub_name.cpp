#include "app/hub/hub_name.h"

#include "app/hub/hub_problem.h"

#include <QStringList>
#include <QUrl>

#include <algorithm>

namespace headlight {

namespace {

const QString usual = QStringLiteral("main");

bool isLetter(QChar letter) {
    return letter.unicode() < 128 && (letter.isLetterOrNumber() || QStringLiteral("._-").contains(letter));
}

/// Why this is no name of a model or of its owner; empty: it is one.
QString problemOfPart(const QString& part) {
    constexpr qsizetype longest = 96;
    const auto edge = [](QChar letter) { return letter == QLatin1Char('-') || letter == QLatin1Char('.'); };
    if (part.isEmpty())
        return HubText::tr("a name is missing");
    if (part.size() > longest)
        return HubText::tr("a name has at most %1 letters").arg(longest);
    if (!std::all_of(part.begin(), part.end(), isLetter))
        return HubText::tr("a name has only letters from a to z, digits, '.', '_' and '-'");
    if (edge(part.front()) || edge(part.back()))
        return HubText::tr("a name neither begins nor ends with '-' or '.'");
    if (part.contains(QLatin1String("--")) || part.contains(QLatin1String("..")))
        return HubText::tr("a name has no \"--\" or \"..\"");
    if (part.endsWith(QLatin1String(".git")))
        return HubText::tr("a name does not end in \".git\"");
    return {};
}

bool isRevision(const QString& revision) {
    constexpr qsizetype longest = 200;
    if (revision.isEmpty() || revision.size() > longest)
        return false;
    const auto parts = revision.split(QLatin1Char('/'));
    return std::all_of(parts.begin(), parts.end(), [](const QString& part) {
        return !part.isEmpty() && part.front() != QLatin1Char('.') && !part.endsWith(QLatin1String(".lock"))
               && !part.contains(QLatin1String("..")) && std::all_of(part.begin(), part.end(), [](QChar letter) {
                      return isLetter(letter) || letter == QLatin1Char('+');
                  });
    });
}

/// What follows the host, where the text is an address.
std::optional<QString> pathOfAddress(const QString& text) {
    for (const auto* host : {"huggingface.co/", "www.huggingface.co/", "hf.co/", "hf-mirror.com/"})
        if (text.startsWith(QLatin1String(host), Qt::CaseInsensitive))
            return text.section(QLatin1Char('/'), 1);
    if (text.startsWith(QLatin1String("http://"), Qt::CaseInsensitive)
        || text.startsWith(QLatin1String("https://"), Qt::CaseInsensitive))
        return QUrl(text).path();
    return std::nullopt;
}

} // namespace

std::optional<HubName> HubName::parse(const QString& text, QString* why) {
    const auto fail = [why](const QString& reason) {
        if (why)
            *why = reason;
        return std::nullopt;
    };
    const auto trimmed = text.trimmed();
    QStringList parts;
    QString revision = usual;
    if (const auto path = pathOfAddress(trimmed)) {
        auto plain = path->section(QLatin1Char('?'), 0, 0).section(QLatin1Char('#'), 0, 0);
        parts = plain.split(QLatin1Char('/'), Qt::SkipEmptyParts);
        if (parts.value(0) == QLatin1String("datasets") || parts.value(0) == QLatin1String("spaces"))
            return fail(HubText::tr("this is the address of something else than a model"));
        if (parts.value(0) == QLatin1String("api"))
            parts.removeFirst();
        if (parts.value(0) == QLatin1String("models"))
            parts.removeFirst();
        // …/org/name/tree/REVISION, …/org/name/blob/REVISION/file; or of a name without an owner
        for (qsizetype i = 1; i < std::min<qsizetype>(parts.size(), 3); ++i) {
            if (QStringList{QStringLiteral("tree"), QStringLiteral("blob"), QStringLiteral("resolve"),
                            QStringLiteral("commit")}
                    .contains(parts[i])) {
                revision = parts.value(i + 1, usual);
                parts = parts.mid(0, i);
                break;
            }
        }
        parts = parts.mid(0, 2);
    } else {
        const auto at = trimmed.indexOf(QLatin1Char('@'));
        if (at >= 0)
            revision = trimmed.mid(at + 1);
        parts = trimmed.left(at < 0 ? trimmed.size() : at).split(QLatin1Char('/'));
    }
    if (parts.size() > 2)
        return fail(HubText::tr("a name is NAME or OWNER/NAME"));
    if (parts.isEmpty())
        return fail(HubText::tr("a name is missing"));
    for (const auto& part : std::as_const(parts))
        if (const auto problem = problemOfPart(part); !problem.isEmpty())
            return fail(problem);
    if (!isRevision(revision))
        return fail(HubText::tr("\"%1\" cannot be a revision").arg(revision.left(80)));
    return HubName{parts.join(QLatin1Char('/')), revision};
}

QString HubName::text() const {
    return revision == usual ? id : id + QLatin1Char('@') + revision;
}

} // namespace headlight
