#include "widgets/number_formats.h"

#include "core/error.h"
#include "widgets/plain_text.h"

#include <QCoreApplication>
#include <QRegularExpression>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace headlight {

namespace {

struct Texts {
    Q_DECLARE_TR_FUNCTIONS(FigureExporter)
};

/// What a spreadsheet would take for a formula gets an apostrophe in front, which makes it a text to every one of them;
/// a number stays as it is. A field that begins so already gets one more: whoever takes one from each that is followed
/// by apostrophes and one of these signs has what was written.
QString withoutFormula(const QString& field) {
    static const QRegularExpression formula(QStringLiteral("^'*(?:[=+@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]|-.)"));
    bool isNumber = false;
    field.toDouble(&isNumber);
    return !isNumber && formula.match(field).hasMatch() ? QLatin1Char('\'') + field : field;
}

struct NamedMap {
    std::vector<std::vector<float>> rows;
    QStringList rowNames;
    QStringList columnNames;
};

/// The cells of the first panel that has some. @throws Error when none has
NamedMap mapIn(const ViewNumbers& numbers, const char* place) {
    enum { Panel, Row, RowName, Column, ColumnName, Value };
    NamedMap map;
    QString panel;
    for (const auto& row : numbers.rows) {
        bool isRow = false, isColumn = false;
        const auto at = static_cast<std::size_t>(row.value(Row).toUInt(&isRow));
        const auto column = static_cast<std::size_t>(row.value(Column).toUInt(&isColumn));
        if (!isRow || !isColumn || (!map.rows.empty() && row.value(Panel) != panel) || at > map.rows.size())
            continue;
        panel = row.value(Panel);
        if (at == map.rows.size()) {
            map.rows.emplace_back();
            map.rowNames << row.value(RowName);
        }
        if (column != map.rows[at].size())
            continue;
        bool isNumber = false;
        const float value = row.value(Value).toFloat(&isNumber);
        map.rows[at].push_back(isNumber ? value : std::numeric_limits<float>::quiet_NaN());
        if (at == 0)
            map.columnNames << row.value(ColumnName);
    }
    const auto even = [&](const auto& row) { return row.size() == map.rows.front().size(); };
    if (map.rows.empty() || !std::all_of(map.rows.begin(), map.rows.end(), even))
        throw Error(Error::Kind::Invalid, place, Texts::tr("this view has no map to write").toStdString(),
                    Texts::tr("CSV and JSON have the numbers of every view").toStdString());
    return map;
}

/// A text for TeX to say to the letter, but for what no font of it has.
QString forTex(const QString& text) {
    static const QList<std::pair<QChar, QString>> signs{
        {u'\\', QStringLiteral("\\textbackslash{}")},
        {u'{', QStringLiteral("\\{")},
        {u'}', QStringLiteral("\\}")},
        {u'$', QStringLiteral("\\$")},
        {u'&', QStringLiteral("\\&")},
        {u'#', QStringLiteral("\\#")},
        {u'%', QStringLiteral("\\%")},
        {u'_', QStringLiteral("\\_")},
        {u'^', QStringLiteral("\\^{}")},
        {u'~', QStringLiteral("\\~{}")},
        {u'<', QStringLiteral("\\textless{}")},
        {u'>', QStringLiteral("\\textgreater{}")},
        {u'"', QStringLiteral("\\textquotedbl{}")},
    };
    QString written;
    for (const auto letter : brief(text)) {
        const auto found =
            std::find_if(signs.begin(), signs.end(), [&](const auto& sign) { return sign.first == letter; });
        written += found == signs.end() ? QString(letter) : found->second;
    }
    return QLatin1Char('{') + written + QLatin1Char('}'); // which may hold a comma
}

} // namespace

/// Quoted where it must be, quotes doubled, lines end with CR LF.
QByteArray asCsv(const ViewNumbers& numbers) {
    QByteArray bytes;
    const auto add = [&bytes](const QStringList& fields) {
        for (qsizetype i = 0; i < fields.size(); ++i) {
            auto field = withoutFormula(fields[i]).toUtf8();
            const auto special = [](char byte) { return byte == ',' || byte == '"' || byte == '\r' || byte == '\n'; };
            if (std::any_of(field.cbegin(), field.cend(), special))
                field = '"' + field.replace('"', "\"\"") + '"';
            if (i > 0)
                bytes += ',';
            bytes += field;
        }
        bytes += "\r\n";
    };
    add(numbers.columns);
    for (const auto& row : numbers.rows)
        add(row);
    return bytes;
}

QString asTabs(const ViewNumbers& numbers) {
    QString text;
    const auto add = [&text](const QStringList& fields) {
        for (qsizetype i = 0; i < fields.size(); ++i) {
            auto field = withoutFormula(fields[i]);
            for (const auto separator : {QLatin1Char('\t'), QLatin1Char('\n'), QLatin1Char('\r')})
                field.replace(separator, QLatin1Char(' '));
            if (i > 0)
                text += QLatin1Char('\t');
            text += field;
        }
        text += QLatin1Char('\n');
    };
    add(numbers.columns);
    for (const auto& row : numbers.rows)
        add(row);
    return text;
}

QByteArray asJson(const ViewNumbers& numbers) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& row : numbers.rows) {
        auto& object = list.emplace_back(nlohmann::ordered_json::object());
        for (qsizetype i = 0; i < numbers.columns.size(); ++i) {
            auto& value = object[numbers.columns[i].toStdString()];
            const auto field = row.value(i);
            const bool isName = i == 2 || i == 4; // a token may look like a number
            bool isNumber = false, isWhole = false;
            const double number = field.toDouble(&isNumber);
            const auto whole = field.toLongLong(&isWhole);
            if (isWhole && !isName)
                value = whole;
            else if (isNumber && !isName)
                value = std::isfinite(number) ? nlohmann::ordered_json(number) : nlohmann::ordered_json();
            else if (!field.isEmpty() || isName)
                value = field.toStdString();
        }
    }
    const auto text = list.dump(0, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    return QByteArray::fromStdString(text);
}

QByteArray asNpy(const ViewNumbers& numbers) {
    const auto map = mapIn(numbers, "NPY");
    auto header = QStringLiteral("{'descr': '<f4', 'fortran_order': False, 'shape': (%1, %2), }")
                      .arg(map.rows.size())
                      .arg(map.rows.front().size())
                      .toLatin1();
    constexpr qsizetype before = 10; // magic, version, length of what follows
    header += QByteArray((64 - (before + header.size() + 1) % 64) % 64, ' ') + '\n';
    QByteArray bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 0xff);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    for (const auto& row : map.rows)
        for (const float value : row)
            for (int byte = 0; byte < 4; ++byte)
                bytes += static_cast<char>(std::bit_cast<std::uint32_t>(value) >> (8 * byte) & 0xff);
    return bytes;
}

QByteArray asTex(const ViewNumbers& numbers, const QString& title) {
    const auto map = mapIn(numbers, "TeX");
    const auto columns = map.rows.front().size();
    const auto listed = [](const QStringList& names) {
        QStringList written;
        for (const auto& name : names)
            written << forTex(name);
        return written.join(QLatin1Char(','));
    };
    float low = 0, high = 0;
    QString cells;
    for (std::size_t row = 0; row < map.rows.size(); ++row)
        for (std::size_t column = 0; column < columns; ++column) {
            const float value = map.rows[row][column];
            if (std::isfinite(value)) {
                low = std::min(low, value);
                high = std::max(high, value);
            }
            cells += QStringLiteral("%1 %2 %3\n")
                         .arg(column)
                         .arg(row)
                         .arg(std::isfinite(value) ? QString::number(static_cast<double>(value), 'g', 6)
                                                   : QStringLiteral("nan"));
        }
    const bool differs = low < 0;
    const auto most = differs ? std::max(-low, high) : std::max(1.0F, high);
    const auto text =
        QStringLiteral(
            "% %1\n"
            "% needs: \\usepackage[T1]{fontenc} \\usepackage{pgfplots} \\pgfplotsset{compat=1.18}\n"
            "\\begin{tikzpicture}\n"
            "\\begin{axis}[\n"
            "  title=%2, y dir=reverse, axis on top, enlargelimits=false, axis equal image,\n"
            "  xtick={0,...,%3}, xticklabels={%4}, xticklabel pos=upper,\n"
            "  x tick label style={rotate=60, anchor=west, font=\\small},\n"
            "  ytick={0,...,%5}, yticklabels={%6}, y tick label style={font=\\small},\n"
            "  tick style={draw=none}, colorbar, point meta min=%7, point meta max=%8,\n"
            "  colormap={weights}{%9},\n"
            "]\n"
            "\\addplot[matrix plot*, mesh/cols=%10, point meta=explicit] table[meta index=2, header=false] {\n"
            "%11};\n"
            "\\end{axis}\n"
            "\\end{tikzpicture}\n")
            .arg(brief(title), forTex(title), QString::number(columns - 1), listed(map.columnNames),
                 QString::number(map.rows.size() - 1), listed(map.rowNames),
                 QString::number(static_cast<double>(differs ? -most : 0)), QString::number(static_cast<double>(most)),
                 differs ? QStringLiteral("rgb255=(30,90,168) rgb255=(255,255,255) rgb255=(196,82,10)")
                         : QStringLiteral("rgb255=(255,255,255) rgb255=(27,58,147)"),
                 QString::number(columns), cells);
    return text.toUtf8();
}

} // namespace headlight
