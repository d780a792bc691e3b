#include "widgets/gif.h"

#include <QRgb>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace headlight {

namespace {

constexpr int coarse = 1 << 15; ///< colours of five bits a channel, as which they are counted
constexpr std::size_t mostColors = 256;

int coarseOf(QRgb color) {
    return (qRed(color) >> 3) << 10 | (qGreen(color) >> 3) << 5 | qBlue(color) >> 3;
}

/// The palette, and for each coarse colour its place there.
struct Palette {
    std::vector<QRgb> colors;
    std::vector<std::uint8_t> places;
};

Palette paletteOf(const QList<QImage>& frames) {
    struct Sum {
        std::int64_t count = 0, red = 0, green = 0, blue = 0;
    };
    std::vector<Sum> sums(coarse);
    for (const auto& frame : frames)
        for (int y = 0; y < frame.height(); ++y) {
            const auto* line = reinterpret_cast<const QRgb*>(frame.constScanLine(y));
            for (int x = 0; x < frame.width(); ++x) {
                auto& sum = sums[static_cast<std::size_t>(coarseOf(line[x]))];
                ++sum.count;
                sum.red += qRed(line[x]);
                sum.green += qGreen(line[x]);
                sum.blue += qBlue(line[x]);
            }
        }
    std::vector<int> order(coarse);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return sums[static_cast<std::size_t>(a)].count > sums[static_cast<std::size_t>(b)].count;
    });
    Palette palette;
    for (const int color : order) {
        const auto& sum = sums[static_cast<std::size_t>(color)];
        if (sum.count == 0 || palette.colors.size() == mostColors)
            break;
        palette.colors.push_back(qRgb(static_cast<int>(sum.red / sum.count), static_cast<int>(sum.green / sum.count),
                                      static_cast<int>(sum.blue / sum.count)));
    }
    palette.places.resize(coarse);
    for (int color = 0; color < coarse; ++color) {
        const auto& sum = sums[static_cast<std::size_t>(color)];
        if (sum.count == 0)
            continue;
        const auto far = [&](QRgb other) {
            const auto red = sum.red / sum.count - qRed(other), green = sum.green / sum.count - qGreen(other),
                       blue = sum.blue / sum.count - qBlue(other);
            return red * red + green * green + blue * blue;
        };
        const auto nearest = std::min_element(palette.colors.begin(), palette.colors.end(),
                                              [&](QRgb a, QRgb b) { return far(a) < far(b); });
        palette.places[static_cast<std::size_t>(color)] = static_cast<std::uint8_t>(nearest - palette.colors.begin());
    }
    return palette;
}

void addShort(QByteArray& bytes, int number) {
    bytes += static_cast<char>(number & 0xff);
    bytes += static_cast<char>(number >> 8 & 0xff);
}

/// Codes of a growing number of bits, in blocks of at most 255 bytes.
class Codes {
public:
    explicit Codes(QByteArray& bytes) : m_bytes(bytes) {}
    void add(int code, int bits) {
        m_waiting |= static_cast<std::uint32_t>(code) << m_bits;
        for (m_bits += bits; m_bits >= 8; m_bits -= 8, m_waiting >>= 8)
            add(static_cast<char>(m_waiting & 0xff));
    }
    void end() {
        if (m_bits > 0)
            add(static_cast<char>(m_waiting & 0xff));
        endBlock();
        m_bytes += '\0';
    }

private:
    void add(char byte) {
        m_block += byte;
        if (m_block.size() == 255)
            endBlock();
    }
    void endBlock() {
        if (!m_block.isEmpty())
            m_bytes += static_cast<char>(m_block.size()) + m_block;
        m_block.clear();
    }

    QByteArray& m_bytes;
    QByteArray m_block;
    std::uint32_t m_waiting = 0;
    int m_bits = 0;
};

/// Lempel, Ziv and Welch's compression: each code is a run of pixels that was met before, and one pixel more.
void addPixels(QByteArray& bytes, const QImage& frame, const Palette& palette) {
    constexpr int pixelBits = 8, clear = 1 << pixelBits, end = clear + 1, mostCodes = 1 << 12;
    bytes += static_cast<char>(pixelBits);
    Codes codes(bytes);
    std::vector<std::int16_t> longer; // [code, pixel]; -1: not met yet
    int next = 0, bits = 0;
    const auto begin = [&] {
        codes.add(clear, bits == 0 ? pixelBits + 1 : bits);
        longer.assign(std::size_t{mostCodes} << pixelBits, -1);
        next = end + 1;
        bits = pixelBits + 1;
    };
    begin();
    int run = -1;
    for (int y = 0; y < frame.height(); ++y) {
        const auto* line = reinterpret_cast<const QRgb*>(frame.constScanLine(y));
        for (int x = 0; x < frame.width(); ++x) {
            const int pixel = palette.places[static_cast<std::size_t>(coarseOf(line[x]))];
            if (run < 0) {
                run = pixel;
                continue;
            }
            auto& known = longer[static_cast<std::size_t>(run) << pixelBits | static_cast<std::size_t>(pixel)];
            if (known >= 0) {
                run = known;
                continue;
            }
            codes.add(run, bits);
            run = pixel;
            if (next == mostCodes) {
                begin();
                continue;
            }
            known = static_cast<std::int16_t>(next);
            if (next++ == 1 << bits) // the reader learns a code one step later
                ++bits;
        }
    }
    codes.add(run, bits);
    codes.add(end, bits);
    codes.end();
}

} // namespace

QByteArray asGif(const QList<QImage>& given, int milliseconds) {
    QList<QImage> frames;
    for (const auto& frame : given)
        frames.append(frame.convertToFormat(QImage::Format_RGB32));
    const auto palette = paletteOf(frames);
    const auto size = frames.front().size();
    QByteArray bytes("GIF89a");
    addShort(bytes, size.width());
    addShort(bytes, size.height());
    bytes += QByteArray("\xf7\0\0", 3); // a palette of 256 colours
    for (std::size_t i = 0; i < mostColors; ++i) {
        const auto color = i < palette.colors.size() ? palette.colors[i] : QRgb();
        for (const int part : {qRed(color), qGreen(color), qBlue(color)})
            bytes += static_cast<char>(part);
    }
    bytes += QByteArray("\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0", 19); // without end
    for (qsizetype i = 0; i < frames.size(); ++i) {
        const int hundredths = std::clamp(milliseconds / 10 * (i + 1 == frames.size() ? 2 : 1), 2, 65'535);
        bytes += QByteArray("\x21\xf9\x04\x04", 4);
        addShort(bytes, hundredths);
        bytes += QByteArray("\0\0\x2c\0\0\0\0", 7);
        addShort(bytes, size.width());
        addShort(bytes, size.height());
        bytes += '\0';
        addPixels(bytes, frames[i], palette);
    }
    bytes += '\x3b';
    return bytes;
}

} // namespace headlight
