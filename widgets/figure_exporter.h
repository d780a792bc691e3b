// What a view shows, as a file or on the clipboard: a picture, a page to point at, or its numbers.
#pragma once

#include <QByteArray>
#include <QSize>
#include <QString>

#include <filesystem>
#include <vector>

class QImage;
class QMimeData;

namespace headlight {

class TraceView;

/// A file is written whole or not at all. The figure is drawn at its size on screen unless another is
/// given; `scale` multiplies the pixels of a PNG, not what is in the picture.
class FigureExporter {
public:
    enum class Format { Png, Svg, Pdf, Gif, Html, Csv, Json, Npy, Tex };

    struct Options {
        QSize size{};                ///< logical pixels; empty: the view's own
        double scale = 2;            ///< PNG only, 0.25 to 8
        QString title{};             ///< for the file's metadata: the model and the sentence
        QString session{};           ///< kept in a PNG or SVG, for sessionIn(); empty: none
        bool transparent = false;    ///< PNG only: nothing behind what the view draws
        int frameMilliseconds = 500; ///< GIF only: how long each picture is shown
    };

    /// By the ending of the name, any case.
    /// @throws Error Unsupported when it is none of .png .svg .pdf .gif .html .csv .json .npy .tex
    static Format formatOf(const std::filesystem::path& file);

    /// @throws Error Unreadable when the file cannot be written, with the system's reason; Invalid for an impossible
    /// size
    static void save(TraceView& view, const std::filesystem::path& file, const Options& options);
    /// The bytes that save() would write.
    static QByteArray encode(TraceView& view, Format format, const Options& options);
    /// A PNG for each picture that the view plays, numbered in front of the ending: all of them or none.
    /// @returns their names
    static std::vector<std::filesystem::path> saveFrames(TraceView& view, const std::filesystem::path& file,
                                                         const Options& options);
    /// What a picture was given to keep.
    /// @throws Error when it keeps nothing
    static QString sessionIn(const std::filesystem::path& file);
    static QImage image(TraceView& view, const Options& options);
    /// The picture (image, SVG) and its numbers (text, CSV) together, for whoever pastes them.
    static QMimeData* mimeData(TraceView& view, const Options& options);
};

} // namespace headlight
