// A figure as a file: that each format opens again and says what the view says, and that failures leave nothing behind.
#include "core/error.h"
#include "core/files/whole_file.h"
#include "tests/support/trace_from_ascii.h"
#include "widgets/alignment_view.h"
#include "widgets/figure_exporter.h"

#include <QBuffer>
#include <QDir>
#include <QFontInfo>
#include <QImageReader>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMimeData>
#include <QPainter>
#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>

using namespace headlight;
using Format = FigureExporter::Format;

namespace {

/// A view with numbers that are hard to write, and a picture that is easy to check: red on the left, blue on the right.
class Plain : public TraceView {
    Q_OBJECT
public:
    void setTrace(TracePointer, TracePointer) override {}
    void setSelection(Selection*) override {}
    void setAppearance(const Appearance&) override {}
    void figure(QPaintDevice& device, const QSize& size) override {
        drawn = size;
        QPainter painter(&device);
        painter.fillRect(0, 0, size.width() / 2, size.height(), Qt::red);
        painter.fillRect(size.width() / 2, 0, size.width() - size.width() / 2, size.height(), Qt::blue);
        painter.drawText(4, size.height() / 2, label);
    }
    QStringList describe() const override { return {}; }
    ViewNumbers numbers() const override {
        ViewNumbers numbers{{u"token"_qs, u"weight"_qs},
                            {{u"a,b"_qs, u"0.5"_qs},
                             {u"say \"hi\""_qs, u"1e-05"_qs},
                             {u"two\nlines"_qs, u"nan"_qs},
                             {u"注意力 tab\tstop"_qs, QString()}}};
        if (!field.isNull())
            numbers.rows << QStringList{field, QString()};
        return numbers;
    }
    double drawMilliseconds() const override { return 0; }

    QString label = u"label"_qs;
    QString field; ///< of one row more, unless it is null
    QSize drawn;
};

/// A real view: three words, each with a cell of its own.
struct Sentence {
    Sentence() {
        view.setSelection(&selection);
        view.setTrace(std::make_shared<const Trace>(traceFromAscii(R"(
                     the   cat   注意力
            le       9     1     .
            chat     .     8     2
            <&>      .     .     #
        )")),
                      nullptr);
        view.resize(420, 360);
    }
    Selection selection;
    AlignmentView view;
};

QByteArray contents(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// The Error that a call throws, if it throws one.
template <class Call>
std::optional<Error> errorOf(Call call) {
    try {
        call();
    } catch (const Error& error) {
        return error;
    }
    return std::nullopt;
}

struct Svg {
    QSize size; ///< in CSS pixels
    QString viewBox;
    QString title;
    QStringList texts;
    QSet<QString> families;
    int shapes = 0;
    int images = 0;
    QString error; ///< of the XML reader
};

Svg readSvg(const QByteArray& bytes) {
    Svg svg;
    QXmlStreamReader reader(bytes);
    const auto pixels = [&](const QString& name) {
        auto length = reader.attributes().value(name).toString();
        return qRound(length.remove(u"mm"_qs).toDouble() / 25.4 * 96);
    };
    while (!reader.atEnd()) {
        reader.readNext();
        if (!reader.isStartElement())
            continue;
        const auto name = reader.name();
        if (name == u"svg") {
            svg.size = QSize(pixels(u"width"_qs), pixels(u"height"_qs));
            svg.viewBox = reader.attributes().value(u"viewBox"_qs).toString();
        } else if (name == u"title") {
            svg.title = reader.readElementText();
        } else if (name == u"text") {
            svg.families << reader.attributes().value(u"font-family"_qs).toString();
            svg.texts << reader.readElementText().trimmed();
        } else if (name == u"rect" || name == u"path" || name == u"polyline" || name == u"polygon") {
            ++svg.shapes;
        } else if (name == u"image") {
            ++svg.images;
        }
    }
    if (reader.hasError())
        svg.error = reader.errorString();
    return svg;
}

} // namespace

class TestFigureExporter : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void sessionIsKeptInPictures_data();
    void sessionIsKeptInPictures();
    void numbersOpenElsewhere();
    void pagesSayWhatIsPointedAt();
    void captionAndLegendAreAChoice();
    void nothingIsBehindATransparentPicture();
    void formatByEnding_data() {
        QTest::addColumn<QString>("file");
        QTest::addColumn<int>("format");
        QTest::newRow("png") << u"a.png"_qs << int(Format::Png);
        QTest::newRow("capitals") << u"folder.d/A.SVG"_qs << int(Format::Svg);
        QTest::newRow("two dots") << u"注意.力.pdf"_qs << int(Format::Pdf);
        QTest::newRow("mixed case") << u"a.Csv"_qs << int(Format::Csv);
        QTest::newRow("none") << u"picture"_qs << -1;
        QTest::newRow("none, in a folder with one") << u"a.png/picture"_qs << -1;
        QTest::newRow("hidden file") << u".png"_qs << -1;
        QTest::newRow("another kind") << u"a.bmp"_qs << -1;
        QTest::newRow("only the last counts") << u"a.png.bak"_qs << -1;
    }
    void formatByEnding() {
        QFETCH(QString, file);
        QFETCH(int, format);
        int found = -1;
        const auto error = errorOf([&] { found = int(FigureExporter::formatOf(file.toStdString())); });
        QCOMPARE(found, format);
        QCOMPARE(error.has_value(), format < 0);
        if (error) {
            QVERIFY(error->kind() == Error::Kind::Unsupported);
            QCOMPARE(QString::fromStdString(error->place()), file);
            QVERIFY(QString::fromStdString(error->remedy()).contains(u".svg"_qs));
        }
    }

    void pngHasItsSize_data() {
        QTest::addColumn<double>("scale");
        QTest::addColumn<QSize>("size");
        QTest::addColumn<QSize>("pixels");
        QTest::newRow("as on screen") << 1.0 << QSize(300, 201) << QSize(300, 201);
        QTest::newRow("twice") << 2.0 << QSize(300, 201) << QSize(600, 402);
        QTest::newRow("once and a half") << 1.5 << QSize(300, 201) << QSize(450, 302);
        QTest::newRow("a quarter") << 0.25 << QSize(300, 201) << QSize(75, 50);
        QTest::newRow("eight times") << 8.0 << QSize(30, 20) << QSize(240, 160);
        QTest::newRow("the view's own") << 1.0 << QSize() << QSize(123, 45);
        QTest::newRow("the smallest") << 1.0 << QSize(2, 1) << QSize(2, 1);
    }
    void pngHasItsSize() {
        QFETCH(double, scale);
        QFETCH(QSize, size);
        QFETCH(QSize, pixels);
        Plain view;
        view.resize(123, 45);
        auto bytes = FigureExporter::encode(view, Format::Png, {.size = size, .scale = scale});
        QCOMPARE(view.drawn, size.isValid() ? size : view.size());
        QBuffer buffer(&bytes);
        QImageReader reader(&buffer, "png");
        const auto image = reader.read();
        QVERIFY2(!image.isNull(), qPrintable(reader.errorString()));
        QCOMPARE(image.size(), pixels);
        // All of the figure is in it, whatever the scale: its left half is red, its right half blue to the last pixel.
        QCOMPARE(image.pixelColor(0, 0), QColor(Qt::red).toRgb());
        QCOMPARE(image.pixelColor(pixels.width() - 1, pixels.height() - 1), QColor(Qt::blue).toRgb());
        QVERIFY(std::abs(image.dotsPerMeterX() * 0.0254 - 96 * scale) < 1);
    }

    void pngSaysWhatItShows() {
        Sentence sentence;
        QTemporaryDir folder;
        const auto path = folder.filePath(u"注意 力.PNG"_qs);
        FigureExporter::save(sentence.view, path.toStdString(), {.title = u"ascii: the cat 注意力"_qs});
        const QImage image(path);
        QCOMPARE(image.size(), sentence.view.figureArea().size() * 2);
        QCOMPARE(image.text(u"Title"_qs), u"ascii: the cat 注意力"_qs);
        QSet<QRgb> colors;
        for (int y = 0; y < image.height(); ++y)
            for (int x = 0; x < image.width(); ++x)
                colors.insert(image.pixel(x, y));
        QVERIFY2(colors.size() > 20, "the picture is all but blank");
    }

    void scaleAddsPixelsNotContent() {
        Sentence sentence;
        const auto once = FigureExporter::image(sentence.view, {.size = {420, 360}, .scale = 1});
        auto twice = FigureExporter::image(sentence.view, {.size = {420, 360}, .scale = 2});
        twice.setDevicePixelRatio(1);
        const auto halved = twice.scaled(once.size(), Qt::IgnoreAspectRatio, Qt::SmoothTransformation);
        qint64 apart = 0;
        for (int y = 0; y < once.height(); ++y)
            for (int x = 0; x < once.width(); ++x)
                apart += std::abs(qGray(once.pixel(x, y)) - qGray(halved.pixel(x, y)));
        const double mean = static_cast<double>(apart) / (once.width() * once.height());
        QVERIFY2(mean < 4, qPrintable(u"a pixel differs by %1 of 255 in the mean"_qs.arg(mean)));
    }

    void svgIsVectorsAndText() {
        Sentence sentence;
        const auto svg = readSvg(FigureExporter::encode(
            sentence.view, Format::Svg, {.size = {500, 400}, .title = u"a <b> & \"c\"\n\x01 \uffff d"_qs}));
        QCOMPARE(svg.error, QString());
        QCOMPARE(svg.size, QSize(500, 400));
        QCOMPARE(svg.viewBox, u"0 0 500 400"_qs);
        QCOMPARE(svg.title, u"a <b> & \"c\" \ufffd \ufffd d"_qs);
        for (const auto& label : {u"the"_qs, u"cat"_qs, u"注意力"_qs, u"le"_qs, u"chat"_qs, u"<&>"_qs})
            QVERIFY2(svg.texts.contains(label),
                     qPrintable(label + u" is not among "_qs + svg.texts.join(QLatin1Char('|'))));
        QVERIFY2(svg.shapes >= 9, "there is less than a shape for each cell");
        QCOMPARE(svg.images, 0);
        QVERIFY2(svg.families == QSet<QString>{QFontInfo(sentence.view.font()).family() + u", sans-serif"_qs},
                 qPrintable(svg.families.values().join(QLatin1Char('|'))));
    }

    void svgHoldsNoForbiddenCharacters_data() {
        QTest::addColumn<QString>("forbidden");
        QTest::newRow("a control character") << u"\x01"_qs;
        QTest::newRow("the last of them") << u"\x1f"_qs;
        QTest::newRow("a form feed") << u"\f"_qs;
        QTest::newRow("U+FFFE") << QString(QChar(0xfffe));
        QTest::newRow("U+FFFF") << QString(QChar(0xffff));
        QTest::newRow("half of a pair") << QString(QChar(0xd83d));
        QTest::newRow("the other half") << QString(QChar(0xde00));
    }
    void svgHoldsNoForbiddenCharacters() {
        QFETCH(QString, forbidden);
        Plain view;
        view.label = u"a%1b"_qs.arg(forbidden);
        const auto bytes = FigureExporter::encode(view, Format::Svg, {.size = {90, 60}, .title = view.label});
        const auto svg = readSvg(bytes);
        QCOMPARE(svg.error, QString());
        QCOMPARE(svg.title, u"a\ufffdb"_qs);
        QVERIFY(!QString::fromUtf8(bytes).contains(forbidden));
        // Where the sign is of another font than the letters, the text comes in parts.
        const auto text = svg.texts.join(QString());
        QVERIFY2(text.startsWith(u'a') && text.endsWith(u'b'), qPrintable(text));
    }
    void svgKeepsWhatXmlCanSay() {
        Plain view;
        view.label = u"<s> & \u05d0 \U0001f600"_qs;
        const auto svg = readSvg(FigureExporter::encode(view, Format::Svg, {.size = {90, 60}, .title = view.label}));
        QCOMPARE(svg.error, QString());
        QCOMPARE(svg.title, view.label);
        for (const auto& part : {u"<s>"_qs, u"&"_qs, u"\u05d0"_qs, u"\U0001f600"_qs})
            QVERIFY2(svg.texts.join(QString()).contains(part), qPrintable(svg.texts.join(u'|')));
    }

    void pdfIsOnePageOfTheFiguresSize() {
        Sentence sentence;
        const auto bytes =
            FigureExporter::encode(sentence.view, Format::Pdf, {.size = {480, 360}, .title = u"A title"_qs});
        QVERIFY(bytes.startsWith("%PDF-"));
        QVERIFY(bytes.trimmed().endsWith("%%EOF"));
        static const QRegularExpression box(u"/MediaBox \\[\\s*0 0 ([0-9.]+) ([0-9.]+)"_qs);
        const auto match = box.match(QString::fromLatin1(bytes));
        QVERIFY(match.hasMatch());
        QCOMPARE(match.captured(1).toDouble(), 360.0); // 480 pixels of 1/96 inch in points
        QCOMPARE(match.captured(2).toDouble(), 270.0);
        QCOMPARE(bytes.count("/Type /Page\n"), 1);
    }

    void pdfTextCanBeRead() {
        const auto program = QStandardPaths::findExecutable(u"pdftotext"_qs);
        QVERIFY2(!program.isEmpty(), "pdftotext is not installed (package poppler-utils)");
        Sentence sentence;
        QTemporaryDir folder;
        const auto path = folder.filePath(u"figure.pdf"_qs);
        FigureExporter::save(sentence.view, path.toStdString(), {.size = {480, 360}});
        QProcess reader;
        reader.start(program, {path, u"-"_qs});
        QVERIFY(reader.waitForFinished());
        // Some fonts draw a radical and the character of its shape with one glyph, and Qt names it by the former.
        const auto text = QString::fromUtf8(reader.readAllStandardOutput()).normalized(QString::NormalizationForm_KC);
        for (const auto& label : {u"the"_qs, u"cat"_qs, u"le"_qs, u"chat"_qs, u"注意力"_qs})
            QVERIFY2(text.contains(label), qPrintable(label + u" is not in: "_qs + text));
    }

    void csvIsQuotedWhereItMustBe() {
        Plain view; // of no size: numbers need none
        view.resize(0, 0);
        QCOMPARE(FigureExporter::encode(view, Format::Csv, {}), QByteArray("token,weight\r\n"
                                                                           "\"a,b\",0.5\r\n"
                                                                           "\"say \"\"hi\"\"\",1e-05\r\n"
                                                                           "\"two\nlines\",nan\r\n"
                                                                           "注意力 tab\tstop,\r\n"));
    }

    /// No field is a formula to a spreadsheet; numbers are as they were, and so is all else once the sign is taken off.
    void csvHoldsNoFormulas_data() {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("written");
        for (const auto* number : {"0.5", "-0.25", "+1", "-1e-05", "-inf", "nan", "-7"})
            QTest::newRow(number) << QString::fromLatin1(number) << QString::fromLatin1(number);
        for (const auto* text : {"=1+1", "+cmd", "@SUM(A1)", "\t=1", "\r=1", "-1+1", "=", "@", "'=1", "''@"})
            QTest::newRow(text) << QString::fromLatin1(text) << u'\'' + QString::fromLatin1(text);
        QTest::newRow("wide") << u"\uff1d1"_qs << u"'\uff1d1"_qs;
        for (const auto* text : {"-", "'s", "'", "a=b", "", " =1", "<s>", "##-"})
            QTest::newRow(text) << QString::fromLatin1(text) << QString::fromLatin1(text);
    }
    void csvHoldsNoFormulas() {
        QFETCH(QString, field);
        QFETCH(QString, written);
        Plain view;
        view.field = field;
        auto quoted = written;
        if (written.contains(u'\r'))
            quoted = u'"' + written + u'"';
        QCOMPARE(QString::fromUtf8(FigureExporter::encode(view, Format::Csv, {})).section(u"\r\n"_qs, 5, 5),
                 quoted + u',');
        view.resize(60, 40);
        const std::unique_ptr<QMimeData> data(FigureExporter::mimeData(view, {}));
        auto pasted = written;
        QCOMPARE(data->text().section(u'\n', 5, 5), pasted.replace(u'\t', u' ').replace(u'\r', u' ') + u'\t');
    }

    void csvHoldsEachCell() {
        Sentence sentence;
        QTemporaryDir folder;
        const auto path = folder.filePath(u"numbers.csv"_qs);
        FigureExporter::save(sentence.view, path.toStdString(), {});
        const auto lines = contents(path).split('\n');
        QCOMPARE(lines.size(), 1 + 9 + 1);
        QVERIFY2(lines[5].startsWith("ascii additive,1,chat,1,cat,0.8"), lines[5].constData());
    }

    void mimeDataHasPictureAndNumbers() {
        Plain view;
        view.resize(60, 40);
        const std::unique_ptr<QMimeData> data(FigureExporter::mimeData(view, {.scale = 2}));
        QCOMPARE(qvariant_cast<QImage>(data->imageData()).size(), QSize(120, 80));
        QCOMPARE(readSvg(data->data(u"image/svg+xml"_qs)).size, QSize(60, 40));
        QCOMPARE(data->data(u"text/csv"_qs), FigureExporter::encode(view, Format::Csv, {}));
        QCOMPARE(data->text(), u"token\tweight\na,b\t0.5\nsay \"hi\"\t1e-05\ntwo lines\tnan\n注意力 tab stop\t\n"_qs);
    }

    void impossibleSizes_data() {
        QTest::addColumn<int>("format");
        QTest::addColumn<QSize>("size");
        QTest::addColumn<double>("scale");
        QTest::addColumn<QString>("named");
        const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
        const int png = int(Format::Png), svg = int(Format::Svg), pdf = int(Format::Pdf);
        QTest::newRow("no width") << png << QSize(0, 100) << 1.0 << u"0 × 100"_qs;
        QTest::newRow("negative height") << svg << QSize(100, -7) << 1.0 << u"100 × -7"_qs;
        QTest::newRow("too wide") << svg << QSize(30001, 10) << 1.0 << u"30001 × 10"_qs;
        QTest::newRow("too wide once enlarged") << png << QSize(7501, 10) << 4.0 << u"30004 × 40"_qs;
        QTest::newRow("too large in all") << png << QSize(20000, 20000) << 1.0 << u"20000 × 20000"_qs;
        QTest::newRow("the largest number") << png << QSize(INT_MAX, INT_MAX) << 8.0 << u"2147483647"_qs;
        QTest::newRow("a page that no reader opens") << pdf << QSize(100, 19201) << 1.0 << u"100 × 19201"_qs;
        QTest::newRow("scale 0") << png << QSize(10, 10) << 0.0 << u"0"_qs;
        QTest::newRow("scale too small") << png << QSize(10, 10) << 0.2 << u"0.2"_qs;
        QTest::newRow("scale too large") << png << QSize(10, 10) << 8.5 << u"8.5"_qs;
        QTest::newRow("scale not a number") << png << QSize(10, 10) << nan << u"nan"_qs;
        QTest::newRow("scale without end") << png << QSize(10, 10) << inf << u"inf"_qs;
    }
    void impossibleSizes() {
        QFETCH(int, format);
        QFETCH(QSize, size);
        QFETCH(double, scale);
        QFETCH(QString, named);
        Plain view;
        const auto error =
            errorOf([&] { FigureExporter::encode(view, Format(format), {.size = size, .scale = scale}); });
        QVERIFY(error.has_value());
        QVERIFY(error->kind() == Error::Kind::Invalid);
        QVERIFY2(QString::fromStdString(error->detail()).contains(named), error->what());
        QVERIFY2(!view.drawn.isValid(), "it was drawn all the same");
    }

    void whatCannotBeWritten_data() {
        QTest::addColumn<QString>("file");
        QTest::newRow("a folder that is not there") << u"missing/figure.svg"_qs;
        QTest::newRow("a file where a folder should be") << u"plain.txt/figure.pdf"_qs;
        QTest::newRow("a folder of that name") << u"folder.csv"_qs;
    }
    void whatCannotBeWritten() {
        QFETCH(QString, file);
        QTemporaryDir folder;
        const QDir inside(folder.path());
        QVERIFY(inside.mkdir(u"folder.csv"_qs));
        QFile plain(folder.filePath(u"plain.txt"_qs));
        QVERIFY(plain.open(QIODevice::WriteOnly));
        plain.close();
        const auto before = inside.entryList(QDir::AllEntries | QDir::NoDotAndDotDot);

        Plain view;
        view.resize(40, 30);
        const auto path = folder.filePath(file).toStdString();
        const auto error = errorOf([&] { FigureExporter::save(view, path, {}); });
        QVERIFY(error.has_value());
        QVERIFY(error->kind() == Error::Kind::Unreadable);
        QCOMPARE(error->place(), path);
        const auto reason = QString::fromStdString(error->detail()).section(u": "_qs, 1);
        QVERIFY2(reason.size() > 5 && !reason.contains(u"Unknown"_qs), error->what());
        QCOMPARE(inside.entryList(QDir::AllEntries | QDir::NoDotAndDotDot), before);
    }

    void failureKeepsTheFileOfBefore() {
        QTemporaryDir folder;
        const auto path = folder.filePath(u"figure.png"_qs);
        Plain view;
        view.resize(40, 30);
        FigureExporter::save(view, path.toStdString(), {});
        const auto before = contents(path);
        QVERIFY(errorOf([&] { FigureExporter::save(view, path.toStdString(), {.scale = 100}); }).has_value());
        QCOMPARE(contents(path), before);
        FigureExporter::save(view, path.toStdString(), {.scale = 1});
        QVERIFY(contents(path) != before);
        QCOMPARE(QDir(folder.path()).entryList(QDir::Files | QDir::Hidden), QStringList(u"figure.png"_qs));
    }
};

void TestFigureExporter::sessionIsKeptInPictures_data() {
    QTest::addColumn<QString>("name");
    QTest::newRow("PNG") << u"a.png"_qs;
    QTest::newRow("SVG") << u"a.svg"_qs;
}
void TestFigureExporter::sessionIsKeptInPictures() {
    QFETCH(QString, name);
    const QTemporaryDir folder;
    const std::filesystem::path file(folder.filePath(name).toStdString());
    const auto session = u"{\n \"text\": \"<&> ]]> 注意力 😀\", \"long\": \"%1\"}"_qs.arg(QString(100'000, u'a'));
    Sentence sentence;
    FigureExporter::save(sentence.view, file, {.title = u"title"_qs, .session = session});
    QCOMPARE(FigureExporter::sessionIn(file), session);
    FigureExporter::save(sentence.view, file, {.title = u"title"_qs});
    QVERIFY_EXCEPTION_THROWN(FigureExporter::sessionIn(file), Error);
    writeFileAtomically(file, std::as_bytes(std::span("<svg><metadata id=\"headlight-session\"><a/>", 40)));
    QVERIFY_EXCEPTION_THROWN(FigureExporter::sessionIn(file), Error);
}

void TestFigureExporter::numbersOpenElsewhere() {
    Sentence sentence;
    const auto json = QJsonDocument::fromJson(FigureExporter::encode(sentence.view, Format::Json, {})).array();
    QCOMPARE(json.size(), sentence.view.numbers().rows.size());
    const auto cell = json[0].toObject();
    QCOMPARE(cell[u"row name"_qs].toString(), u"le"_qs);
    QVERIFY(cell[u"value"_qs].isDouble() && cell[u"value"_qs].toDouble() > 0.5);

    const auto npy = FigureExporter::encode(sentence.view, Format::Npy, {});
    QVERIFY(npy.startsWith("\x93NUMPY") && npy.contains("'shape': (3, 3)"));
    QCOMPARE(npy.size() % 64, (3 * 3 * 4) % 64); // what stands before the numbers is padded
    float first = 0;
    std::memcpy(&first, npy.constData() + npy.size() - 36, sizeof first);
    QCOMPARE(first, static_cast<float>(cell[u"value"_qs].toDouble()));

    const auto tex = QString::fromUtf8(FigureExporter::encode(sentence.view, Format::Tex, {.title = u"50 %3_a"_qs}));
    QVERIFY2(tex.contains(u"title={50 \\%3\\_a}"_qs) && tex.contains(u"mesh/cols=3"_qs), qUtf8Printable(tex));
    QVERIFY2(tex.contains(u"{\\textless{}\\&\\textgreater{}}"_qs), qUtf8Printable(tex));
    Plain plain; // which has no map
    QVERIFY(errorOf([&] { FigureExporter::encode(plain, Format::Npy, {}); }));
}

void TestFigureExporter::pagesSayWhatIsPointedAt() {
    Sentence sentence;
    const auto page = QString::fromUtf8(FigureExporter::encode(sentence.view, Format::Html, {.title = u"<&>"_qs}));
    QVERIFY(page.startsWith(u"<!DOCTYPE html>"_qs) && page.contains(u"<title>&lt;&amp;&gt;</title>"_qs));
    const auto places = sentence.view.places(sentence.view.figureArea().size());
    QVERIFY(places.size() >= 9); // a cell each, at least
    for (const auto& place : places)
        QVERIFY(!place.words.isEmpty() && QRectF(QPointF(), sentence.view.size()).contains(place.area.center()));
    QCOMPARE(page.count(u"data-words="_qs), places.size());
    QVERIFY(!page.contains(u"<metadata"_qs) && !page.contains(u"src="_qs));
}

void TestFigureExporter::captionAndLegendAreAChoice() {
    Sentence sentence;
    const auto texts = [&] { return readSvg(FigureExporter::encode(sentence.view, Format::Svg, {})).texts.join(u' '); };
    QVERIFY(!texts().contains(u"what this is"_qs));
    const auto shapes = readSvg(FigureExporter::encode(sentence.view, Format::Svg, {})).shapes;
    sentence.view.setExtras(u"what this is"_qs, false);
    QVERIFY(texts().contains(u"what this is"_qs));
    QVERIFY(readSvg(FigureExporter::encode(sentence.view, Format::Svg, {})).shapes != shapes);
}

void TestFigureExporter::nothingIsBehindATransparentPicture() {
    Sentence sentence;
    auto appearance = makeAppearance(Theme::Light, ColorMap::Blue, QFont());
    appearance.window = Qt::transparent;
    sentence.view.setAppearance(appearance);
    const auto picture = FigureExporter::image(sentence.view, {.scale = 1, .transparent = true});
    QCOMPARE(qAlpha(picture.pixel(1, 1)), 0);
    QCOMPARE(qAlpha(FigureExporter::image(sentence.view, {.scale = 1}).pixel(1, 1)), 255);
}

QTEST_MAIN(TestFigureExporter)
#include "tst_figure_exporter.moc"
