// Pictures are drawn by the view itself; here is what each format asks for around that, and writing it whole.
#include "widgets/figure_exporter.h"

#include "core/error.h"
#include "core/files/whole_file.h"
#include "widgets/trace_view.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFile>
#include <QFont>
#include <QFontInfo>
#include <QImage>
#include <QImageWriter>
#include <QMimeData>
#include <QPdfWriter>
#include <QRegularExpression>
#include <QSvgGenerator>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <memory>
#include <span>
#include <utility>

namespace headlight {

namespace {

/// Where the translations of this file's sentences are found.
struct Words {
    Q_DECLARE_TR_FUNCTIONS(FigureExporter)
};

/// A logical pixel is 1/96 inch, as CSS has it.
constexpr int pixelsPerInch = 96;
constexpr double leastScale = 0.25;
constexpr double mostScale = 8;
constexpr int mostPixels = 30'000; ///< of one side
/// Readers of PDF refuse pages beyond 14 400 points.
constexpr int mostPdfPixels = 14'400 * pixelsPerInch / 72;
constexpr qint64 mostPixelsInAll = 250'000'000; ///< 1 GB while it is drawn

constexpr std::array endings{
    std::pair{FigureExporter::Format::Png, ".png"},
    std::pair{FigureExporter::Format::Svg, ".svg"},
    std::pair{FigureExporter::Format::Pdf, ".pdf"},
    std::pair{FigureExporter::Format::Csv, ".csv"},
};

QString nameOf(const std::filesystem::path& file) {
    return QFile::decodeName(file.c_str());
}

[[noreturn]] void refuse(const QString& place, const QString& detail, const QString& remedy) {
    throw Error(Error::Kind::Invalid, place.toStdString(), detail.toStdString(), remedy.toStdString());
}

/// The figure's size in logical pixels, of which none is nonsense and none more than `most`.
QSize checkedSize(const TraceView& view, const QSize& asked, int most) {
    const auto size = asked.isNull() || asked == QSize() ? view.figureArea().size() : asked;
    if (size.isEmpty() || size.width() > most || size.height() > most)
        refuse(Words::tr("size of the picture"), Words::tr("%1 × %2 pixels").arg(size.width()).arg(size.height()),
               Words::tr("each side must be from 1 to %1").arg(most));
    return size;
}

/// XML 1.0 has no way to write some characters: each is replaced by the sign of something missing.
QString fitForXml(QString text) {
    for (qsizetype i = 0; i < text.size(); ++i) {
        const auto letter = text.at(i);
        const auto code = letter.unicode();
        if (letter.isHighSurrogate() && i + 1 < text.size() && text.at(i + 1).isLowSurrogate())
            ++i;
        else if ((code < 0x20 && code != '\t' && code != '\n' && code != '\r') || letter.isSurrogate()
                 || code >= 0xfffe)
            text[i] = QChar::ReplacementCharacter;
    }
    return text;
}

QString oneLine(const QString& title) {
    return fitForXml(title).simplified();
}

QByteArray encodedPng(TraceView& view, const FigureExporter::Options& options) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    QImageWriter writer(&buffer, "png");
    if (!writer.write(FigureExporter::image(view, options)))
        refuse(QStringLiteral("PNG"), writer.errorString(), {});
    return bytes;
}

/// What QSvgGenerator leaves undone.
QByteArray finishedSvg(const QByteArray& bytes, const QString& placeholder, const QString& title) {
    auto text = fitForXml(QString::fromUtf8(bytes));
    // The generator writes a title as it is, < and & included, so it was given one that holds neither.
    text.replace(QStringLiteral("<title>%1</title>").arg(placeholder),
                 QStringLiteral("<title>%1</title>").arg(oneLine(title).toHtmlEscaped()));
    // A family may be a name of Qt's or of this machine only: say which it is, and what will do elsewhere.
    static const QRegularExpression family(QStringLiteral("font-family=\"([^\",]*)\""));
    QStringList families;
    for (auto found = family.globalMatch(text); found.hasNext();)
        families << found.next().captured(1);
    families.removeDuplicates();
    for (const auto& name : families)
        text.replace(QStringLiteral("font-family=\"%1\"").arg(name),
                     QStringLiteral("font-family=\"%1, sans-serif\"").arg(QFontInfo(QFont(name)).family()));
    text.replace(QStringLiteral("<image "),
                 QStringLiteral("<image style=\"image-rendering:optimizeSpeed;image-rendering:pixelated\" "));
    return text.toUtf8();
}

QByteArray encodedSvg(TraceView& view, const FigureExporter::Options& options) {
    const auto size = checkedSize(view, options.size, mostPixels);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(pixelsPerInch);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setDescription(QStringLiteral("Headlight"));
    const auto placeholder = QStringLiteral("figure");
    generator.setTitle(placeholder);
    view.figure(generator, size);
    return finishedSvg(bytes, placeholder, options.title);
}

QByteArray encodedPdf(TraceView& view, const FigureExporter::Options& options) {
    const auto size = checkedSize(view, options.size, mostPdfPixels);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    {
        QPdfWriter writer(&buffer); // complete once it is gone
        writer.setTitle(oneLine(options.title));
        writer.setCreator(QStringLiteral("Headlight"));
        writer.setResolution(pixelsPerInch);
        // Pages are of whole points; rounded down, or a seam of white would be left at the edge of a dark figure.
        const QSize points(std::max(1, size.width() * 72 / pixelsPerInch),
                           std::max(1, size.height() * 72 / pixelsPerInch));
        writer.setPageSize(QPageSize(points, {}, QPageSize::ExactMatch));
        writer.setPageMargins(QMarginsF());
        view.figure(writer, size);
    }
    return bytes;
}

/// What a spreadsheet would take for a formula gets an apostrophe in front, which makes it a text to every one of them;
/// a number stays as it is. A field that begins so already gets one more: whoever takes one from each that is followed
/// by apostrophes and one of these signs has what was written.
QString withoutFormula(const QString& field) {
    static const QRegularExpression formula(QStringLiteral("^'*(?:[=+@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]|-.)"));
    bool isNumber = false;
    field.toDouble(&isNumber);
    return !isNumber && formula.match(field).hasMatch() ? QLatin1Char('\'') + field : field;
}

/// RFC 4180: quoted where it must be, quotes doubled, lines end with CR LF.
QByteArray encodedCsv(const ViewNumbers& numbers) {
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

/// One line for each row, for whoever pastes into a spreadsheet.
QString tabSeparated(const ViewNumbers& numbers) {
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

/// Writes its numbers when they are asked for.
class CopiedFigure final : public QMimeData {
public:
    explicit CopiedFigure(std::function<ViewNumbers()> numbers) : m_numbers(std::move(numbers)) {}

    QStringList formats() const override {
        return m_numbers ? QMimeData::formats() << csv << plain : QMimeData::formats();
    }
    bool hasFormat(const QString& format) const override { return formats().contains(format); }

protected:
    QVariant retrieveData(const QString& format, QMetaType type) const override {
        if (m_numbers && format == csv)
            return encodedCsv(m_numbers());
        return m_numbers && format == plain ? QVariant(tabSeparated(m_numbers()))
                                            : QMimeData::retrieveData(format, type);
    }

private:
    inline static const QString csv = QStringLiteral("text/csv");
    inline static const QString plain = QStringLiteral("text/plain");

    std::function<ViewNumbers()> m_numbers;
};

} // namespace

FigureExporter::Format FigureExporter::formatOf(const std::filesystem::path& file) {
    const auto ending = nameOf(file.extension()).toLower();
    for (const auto& [format, known] : endings) {
        if (ending == QLatin1String(known))
            return format;
    }
    throw Error(Error::Kind::Unsupported, file.string(),
                ending.isEmpty() ? Words::tr("the name does not say what kind of file to write").toStdString()
                                 : Words::tr("files of kind %1 cannot be written").arg(ending).toStdString(),
                Words::tr("end the name in .png, .svg, .pdf or .csv").toStdString());
}

void FigureExporter::save(TraceView& view, const std::filesystem::path& file, const Options& options) {
    const auto bytes = encode(view, formatOf(file), options);
    writeFileAtomically(file, std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
}

QByteArray FigureExporter::encode(TraceView& view, Format format, const Options& options) {
    switch (format) {
    case Format::Png:
        return encodedPng(view, options);
    case Format::Svg:
        return encodedSvg(view, options);
    case Format::Pdf:
        return encodedPdf(view, options);
    case Format::Csv: {
        const auto numbers = view.numbers();
        if (numbers.rows.isEmpty()) // whoever reads it would not know why
            refuse(QStringLiteral("CSV"),
                   Words::tr("there are no numbers to write: %1").arg(view.describe().join(QLatin1Char(' '))), {});
        return encodedCsv(numbers);
    }
    }
    return {};
}

QImage FigureExporter::image(TraceView& view, const Options& options) {
    if (!(options.scale >= leastScale && options.scale <= mostScale)) // not a number included
        refuse(Words::tr("scale of the picture"), QString::number(options.scale),
               Words::tr("it must be from %1 to %2").arg(leastScale).arg(mostScale));
    const auto size = checkedSize(view, options.size, mostPixels);
    const auto pixelsAt = [size](double scale) {
        const auto pixels = [scale](int side) { return std::max(1, static_cast<int>(std::lround(side * scale))); };
        return QSize(pixels(size.width()), pixels(size.height()));
    };
    const auto scaled = pixelsAt(options.scale);
    const auto inAll = static_cast<qint64>(scaled.width()) * scaled.height();
    if (scaled.width() > mostPixels || scaled.height() > mostPixels || inAll > mostPixelsInAll)
        refuse(
            Words::tr("size of the picture"),
            Words::tr("%1 × %2 pixels, %3 times enlarged").arg(scaled.width()).arg(scaled.height()).arg(options.scale),
            Words::tr("at most %1 a side and %2 million in all; choose a smaller size or scale")
                .arg(mostPixels)
                .arg(mostPixelsInAll / 1'000'000));
    // QPainter enlarges by the device pixel ratio, but does not reduce by it.
    const double drawnScale = std::max(1.0, options.scale);
    QImage picture(pixelsAt(drawnScale), QImage::Format_RGB32);
    if (picture.isNull())
        refuse(Words::tr("size of the picture"),
               Words::tr("%1 × %2 pixels do not fit into memory").arg(scaled.width()).arg(scaled.height()),
               Words::tr("choose a smaller size or scale"));
    picture.fill(Qt::white);
    picture.setDevicePixelRatio(drawnScale);
    view.figure(picture, size);
    if (picture.size() != scaled)
        picture = picture.scaled(scaled, Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
    picture.setDevicePixelRatio(options.scale);
    // Only now: fonts are measured by the dots per metre while it is drawn, and would grow twice.
    const auto dots = static_cast<int>(std::lround(pixelsPerInch * options.scale / 0.0254));
    picture.setDotsPerMeterX(dots);
    picture.setDotsPerMeterY(dots);
    picture.setText(QStringLiteral("Title"), oneLine(options.title));
    picture.setText(QStringLiteral("Software"), QStringLiteral("Headlight"));
    return picture;
}

QMimeData* FigureExporter::mimeData(TraceView& view, const Options& options) {
    auto data = std::make_unique<CopiedFigure>(view.numbersLater());
    data->setImageData(image(view, options));
    data->setData(QStringLiteral("image/svg+xml"), encode(view, Format::Svg, options));
    return data.release();
}

} // namespace headlight
