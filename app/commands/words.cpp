#include "app/commands/words.h"

#include <QFile>

#include <algorithm>
#include <limits>

namespace headlight {

namespace {

QString dashed(const char* name) {
    return QStringLiteral("--") + QLatin1String(name);
}

QStringList namesOf(std::span<const Option> options) {
    QStringList names;
    for (const auto& option : options)
        names.append(dashed(option.name));
    return names;
}

QString list(std::span<const Option> known) {
    return namesOf(known).join(QStringLiteral(", "));
}

} // namespace

Words::Words(const QStringList& words, std::span<const Option> known, qsizetype mostPlain) {
    for (qsizetype i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        if (!word.startsWith(QLatin1Char('-')) || word == QLatin1String("-")) {
            if (m_plain.size() == mostPlain)
                throw WrongWords(CommandLine::tr("\"%1\" is one word too many; known are %2").arg(word, list(known)));
            m_plain.append(word);
            continue;
        }
        const auto name = word.section(QLatin1Char('='), 0, 0);
        const auto option = std::find_if(known.begin(), known.end(),
                                         [&name](const Option& candidate) { return name == dashed(candidate.name); });
        if (option == known.end())
            throw WrongWords(CommandLine::tr("%1 is not known; known are %2").arg(name, list(known)));
        if (m_values.contains(name))
            throw WrongWords(CommandLine::tr("%1 is given twice").arg(name));
        const bool joined = word.size() > name.size();
        if (!option->value) {
            if (joined)
                throw WrongWords(CommandLine::tr("%1 takes no value").arg(name));
            m_values.insert(name, {});
        } else if (joined) {
            m_values.insert(name, word.mid(name.size() + 1));
        } else if (i + 1 < words.size() && !namesOf(known).contains(words[i + 1])) {
            m_values.insert(name, words[++i]);
        } else {
            throw WrongWords(CommandLine::tr("%1 needs a value: %2").arg(name, QString::fromUtf8(option->value)));
        }
    }
}

bool Words::has(const char* name) const {
    return m_values.contains(dashed(name));
}

QString Words::value(const char* name) const {
    return m_values.value(dashed(name));
}

QString Words::required(const char* name) const {
    if (value(name).isEmpty())
        throw WrongWords(CommandLine::tr("%1 is missing").arg(dashed(name)));
    return value(name);
}

void Words::requireOneOf(const char* first, const char* second) const {
    if (!has(first) && !has(second))
        throw WrongWords(CommandLine::tr("either %1 or %2 must be given").arg(dashed(first), dashed(second)));
    refuseBoth(first, second);
}

void Words::refuseBoth(const char* first, const char* second) const {
    if (has(first) && has(second))
        throw WrongWords(CommandLine::tr("%1 and %2 exclude each other").arg(dashed(first), dashed(second)));
}

std::optional<int> Words::whole(const char* name, int least, int most) const {
    if (!has(name))
        return std::nullopt;
    bool ok = false;
    const int number = value(name).toInt(&ok);
    if (!ok || number < least || number > most)
        throw WrongWords(most == std::numeric_limits<int>::max()
                             ? CommandLine::tr("%1: \"%2\" is not a whole number from %3 on")
                                   .arg(dashed(name), value(name))
                                   .arg(least)
                             : CommandLine::tr("%1: \"%2\" is not a whole number from %3 to %4")
                                   .arg(dashed(name), value(name))
                                   .arg(least)
                                   .arg(most));
    return number;
}

std::optional<double> Words::number(const char* name, double least, double most) const {
    if (!has(name))
        return std::nullopt;
    bool ok = false;
    const double found = value(name).toDouble(&ok);
    if (!ok || !(found >= least && found <= most))
        throw WrongWords(CommandLine::tr("%1: \"%2\" is not a number from %3 to %4")
                             .arg(dashed(name), value(name))
                             .arg(least)
                             .arg(most));
    return found;
}

std::vector<std::int64_t> Words::wholes(const char* name) const {
    std::vector<std::int64_t> numbers;
    if (!has(name))
        return numbers;
    for (const auto& part : value(name).split(QLatin1Char(','))) {
        bool ok = false;
        numbers.push_back(part.trimmed().toLongLong(&ok));
        if (!ok || numbers.back() < 0)
            throw WrongWords(
                CommandLine::tr("%1: \"%2\" is not a whole number; give them as 1,2,3").arg(dashed(name), part));
    }
    return numbers;
}

std::optional<int> Words::oneOf(const char* name, const QStringList& known) const {
    if (!has(name))
        return std::nullopt;
    const auto index = known.indexOf(value(name));
    if (index < 0)
        throw WrongWords(CommandLine::tr("%1: \"%2\" is not known; known are %3")
                             .arg(dashed(name), value(name), known.join(QStringLiteral(", "))));
    return static_cast<int>(index);
}

std::vector<Intervention::HeadOff> Words::heads(const char* name) const {
    std::vector<Intervention::HeadOff> heads;
    if (!has(name))
        return heads;
    for (const auto& word : value(name).split(QLatin1Char(','))) {
        const auto parts = word.split(QLatin1Char('.'));
        bool isLayer = false, isHead = false;
        const int layer = parts.value(1).toInt(&isLayer), head = parts.value(2).toInt(&isHead);
        const auto kind = kindNames().indexOf(parts.value(0));
        if (parts.size() != 3 || kind < 0 || !isLayer || !isHead || layer < 0 || head < 0)
            throw WrongWords(
                CommandLine::tr("%1: \"%2\" is not as cross.1.3: a kind, a layer and a head").arg(dashed(name), word));
        heads.push_back({static_cast<BlockKind>(kind), Layer(layer), Head(head)});
    }
    return heads;
}

QStringList kindNames() {
    return {QStringLiteral("encoder"), QStringLiteral("decoder"), QStringLiteral("cross")};
}

std::filesystem::path pathOf(const QString& name) {
    return QFile::encodeName(name).toStdString();
}

QString nameOf(const std::filesystem::path& file) {
    return QFile::decodeName(file.c_str());
}

QString printable(const QString& text) {
    QString shown;
    for (const auto letter : text) {
        if (letter.category() != QChar::Other_Control)
            shown += letter;
        else if (letter == QLatin1Char('\n'))
            shown += QLatin1String("\\n");
        else if (letter == QLatin1Char('\t'))
            shown += QLatin1String("\\t");
        else
            shown += QStringLiteral("\\x%1").arg(letter.unicode(), 2, 16, QLatin1Char('0'));
    }
    return shown;
}

QString remark(const QString& text) {
    auto line = text;
    return QStringLiteral("headlight: ") + printable(line.replace(QLatin1Char('\n'), QLatin1Char(' ')))
           + QLatin1Char('\n');
}

} // namespace headlight
