// Pictures are drawn by the view itself; here is what each format asks for around that, and writing it whole.
#include "widgets/figure_exporter.h"

#include "core/error.h"
#include "core/files/whole_file.h"
#include "widgets/gif.h"
#include "widgets/number_formats.h"
#include "widgets/trace_view.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFile>
#include <QFont>
#include <QFontInfo>
#include <QImage>
#include <QImageReader>
#include <QImageWriter>
#include <QMimeData>
#include <QPdfWriter>
#include <QRegularExpression>
#include <QSvgGenerator>
#include <QXmlStreamReader>

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
constexpr auto sessionKey = "headlight-session"; ///< of a picture's text
constexpr qint64 mostBytesOfPicture = 256 << 20;
constexpr double leastScale = 0.25;
constexpr double mostScale = 8;
constexpr int mostPixels = 30'000; ///< of one side
/// Readers of PDF refuse pages beyond 14 400 points.
constexpr int mostPdfPixels = 14'400 * pixelsPerInch / 72;
constexpr qint64 mostPixelsInAll = 250'000'000; ///< 1 GB while it is drawn

constexpr std::array endings{
    std::pair{FigureExporter::Format::Png, ".png"},   std::pair{FigureExporter::Format::Svg, ".svg"},
    std::pair{FigureExporter::Format::Pdf, ".pdf"},   std::pair{FigureExporter::Format::Csv, ".csv"},
    std::pair{FigureExporter::Format::Json, ".json"}, std::pair{FigureExporter::Format::Npy, ".npy"},
    std::pair{FigureExporter::Format::Tex, ".tex"},   std::pair{FigureExporter::Format::Html, ".html"},
    std::pair{FigureExporter::Format::Gif, ".gif"},
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
QByteArray finishedSvg(const QByteArray& bytes, const QString& placeholder, const QString& title,
                       const QString& session) {
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
    if (!session.isEmpty()) {
        const auto end = text.indexOf(QStringLiteral("</title>"));
        text.insert(end + 8, QStringLiteral("\n<metadata id=\"%1\">%2</metadata>")
                                 .arg(QLatin1String(sessionKey), fitForXml(session).toHtmlEscaped()));
    }
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
    return finishedSvg(bytes, placeholder, options.title, options.session);
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

QByteArray encodedGif(TraceView& view, const FigureExporter::Options& options) {
    constexpr qint64 mostPixelsOfAll = 400'000'000;
    QList<QImage> frames;
    qint64 pixels = 0;
    for (int frame = 0; frame < view.frames(); ++frame) {
        view.showFrame(frame);
        frames.append(FigureExporter::image(view, options));
        pixels += static_cast<qint64>(frames.back().width()) * frames.back().height();
        if (pixels > mostPixelsOfAll)
            refuse(QStringLiteral("GIF"), Words::tr("%1 pictures are too much for memory").arg(view.frames()),
                   Words::tr("choose a smaller size or scale"));
    }
    return asGif(frames, options.frameMilliseconds);
}

QByteArray encodedNumbers(const TraceView& view, FigureExporter::Format format,
                          const FigureExporter::Options& options) {
    const auto numbers = view.numbers();
    if (numbers.rows.isEmpty()) // whoever reads it would not know why
        refuse(QStringLiteral("CSV"),
               Words::tr("there are no numbers to write: %1").arg(view.describe().join(QLatin1Char(' '))), {});
    switch (format) {
    case FigureExporter::Format::Json:
        return asJson(numbers);
    case FigureExporter::Format::Npy:
        return asNpy(numbers);
    case FigureExporter::Format::Tex:
        return asTex(numbers, options.title);
    default:
        return asCsv(numbers);
    }
}

/// The drawing, and over each place of it one that says what it is.
QByteArray encodedHtml(TraceView& view, const FigureExporter::Options& options) {
    auto withoutSession = options; // which no one looks for in a page
    withoutSession.session.clear();
    const auto drawing = QString::fromUtf8(encodedSvg(view, withoutSession));
    const auto size = checkedSize(view, options.size, mostPixels);
    QString places;
    for (const auto& place : view.places(size))
        places += QStringLiteral("<rect x=\"%1\" y=\"%2\" width=\"%3\" height=\"%4\" data-words=\"%5\"/>\n")
                      .arg(place.area.x())
                      .arg(place.area.y())
                      .arg(place.area.width())
                      .arg(place.area.height())
                      .arg(fitForXml(place.words.join(QLatin1Char('\n'))).toHtmlEscaped());
    auto figure = drawing.mid(drawing.indexOf(QLatin1String("<svg")));
    figure.insert(figure.lastIndexOf(QLatin1String("</svg>")),
                  QStringLiteral("<g class=\"places\">\n%1</g>\n").arg(places));
    return QStringLiteral(
               "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>%1</title>\n<style>\n"
               "body { margin: 0; font-family: sans-serif; }\n"
               "svg { max-width: 100%; height: auto; }\n"
               ".places rect { fill: transparent; }\n"
               ".places rect:hover { stroke: #3b5bfd; stroke-width: 2; }\n"
               "#words { position: fixed; display: none; white-space: pre; pointer-events: none; padding: 6px 9px;\n"
               "  background: #16181d; color: #fff; border-radius: 5px; font-size: 13px; }\n"
               "</style>\n</head>\n<body>\n%2<div id=\"words\"></div>\n<script>\n"
               "const words = document.getElementById('words');\n"
               "document.addEventListener('mousemove', event => {\n"
               "  const said = event.target.dataset && event.target.dataset.words;\n"
               "  words.style.display = said ? 'block' : 'none';\n"
               "  words.textContent = said || '';\n"
               "  words.style.left = Math.min(event.clientX + 14, innerWidth - words.offsetWidth - 4) + 'px';\n"
               "  words.style.top = Math.min(event.clientY + 14, innerHeight - words.offsetHeight - 4) + 'px';\n"
               "});\n</script>\n</body>\n</html>\n")
        .arg(oneLine(options.title).toHtmlEscaped(), figure)
        .toUtf8();
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
            return asCsv(m_numbers());
        return m_numbers && format == plain ? QVariant(asTabs(m_numbers())) : QMimeData::retrieveData(format, type);
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
                Words::tr("end the name in .png, .svg, .pdf, .gif, .html, .csv, .json, .npy or .tex").toStdString());
}

void FigureExporter::save(TraceView& view, const std::filesystem::path& file, const Options& options) {
    const auto bytes = encode(view, formatOf(file), options);
    writeFileAtomically(file, std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size()))));
}

std::vector<std::filesystem::path> FigureExporter::saveFrames(TraceView& view, const std::filesystem::path& file,
                                                              const Options& options) {
    const int count = view.frames();
    const auto digits = static_cast<int>(QString::number(count - 1).size());
    std::vector<std::filesystem::path> names;
    std::vector<QByteArray> pictures;
    for (int frame = 0; frame < count; ++frame) {
        view.showFrame(frame);
        pictures.push_back(encodedPng(view, options));
        const auto number = QStringLiteral("_%1.png").arg(frame, digits, 10, QLatin1Char('0'));
        names.push_back(file.parent_path() / (file.stem().string() + number.toStdString()));
    }
    std::vector<FileToWrite> files;
    for (std::size_t i = 0; i < names.size(); ++i)
        files.push_back({names[i], std::as_bytes(std::span(pictures[i].constData(),
                                                           static_cast<std::size_t>(pictures[i].size())))});
    writeFilesAtomically(files);
    return names;
}

QByteArray FigureExporter::encode(TraceView& view, Format format, const Options& options) {
    switch (format) {
    case Format::Png:
        return encodedPng(view, options);
    case Format::Svg:
        return encodedSvg(view, options);
    case Format::Pdf:
        return encodedPdf(view, options);
    case Format::Gif:
        return encodedGif(view, options);
    case Format::Html:
        return encodedHtml(view, options);
    case Format::Csv:
    case Format::Json:
    case Format::Npy:
    case Format::Tex:
        return encodedNumbers(view, format, options);
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
    QImage picture(pixelsAt(drawnScale),
                   options.transparent ? QImage::Format_ARGB32_Premultiplied : QImage::Format_RGB32);
    if (picture.isNull())
        refuse(Words::tr("size of the picture"),
               Words::tr("%1 × %2 pixels do not fit into memory").arg(scaled.width()).arg(scaled.height()),
               Words::tr("choose a smaller size or scale"));
    picture.fill(options.transparent ? Qt::transparent : Qt::white);
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
    if (!options.session.isEmpty())
        picture.setText(QLatin1String(sessionKey), // of plain texts the writer closes up the spaces
                        QString::fromLatin1(options.session.toUtf8().toBase64()));
    return picture;
}

QMimeData* FigureExporter::mimeData(TraceView& view, const Options& options) {
    auto data = std::make_unique<CopiedFigure>(view.numbersLater());
    data->setImageData(image(view, options));
    data->setData(QStringLiteral("image/svg+xml"), encode(view, Format::Svg, options));
    return data.release();
}

QString FigureExporter::sessionIn(const std::filesystem::path& file) {
    const auto name = nameOf(file);
    QString session;
    if (formatOf(file) == Format::Png) {
        const auto kept = QImageReader(name).text(QLatin1String(sessionKey)).toLatin1();
        session = QString::fromUtf8(QByteArray::fromBase64(kept));
    } else if (QFile drawing(name); drawing.size() <= mostBytesOfPicture && drawing.open(QIODevice::ReadOnly)) {
        QXmlStreamReader reader(&drawing);
        while (session.isEmpty() && !reader.atEnd())
            if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == QLatin1String("metadata")
                && reader.attributes().value(QLatin1String("id")) == QLatin1String(sessionKey))
                session = reader.readElementText();
    }
    if (session.isEmpty())
        throw Error(Error::Kind::Unsupported, file.string(), Words::tr("holds no session of Headlight").toStdString(),
                    Words::tr("pictures that this program saves do, unless that is switched off").toStdString());
    return session;
}

} // namespace headlight
