// Builds a Trace from a picture in text, so that a test shows what it tests:
//
//           le   chat  dort  </s>
//     the   9    .     .     .
//     cat   1    8     .     .
//     +s    .    .     #     .
//     </s>  .    .     .     #
//
// The first line names the source tokens, each following line one emitted token and its weights over the source:
// digits,
// '.' for 0 and '#' for 10, with or without spaces between, each row scaled to sum to 1. A token begins a word unless
// it starts with '+'; one in angle brackets is special.
#pragma once

#include "core/trace/trace.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace headlight {

struct AsciiOptions {
    int layers = 1;
    int heads = 1; ///< head h of layer l is the picture turned to the right by l * heads + h columns
    bool selfAttention =
        false; ///< encoder and decoder blocks as well: half on the token itself, half on the one before
    int positionDimensions = 0; ///< dimensions of a sinusoidal position table; 0: none
};

namespace ascii {

inline std::vector<Token> tokens(const std::vector<std::string>& names, std::string& text) {
    static std::map<std::string, std::int64_t> ids;
    std::vector<Token> made;
    int word = -1;
    for (const auto& name : names) {
        Token token;
        token.special = name.size() > 1 && name.front() == '<' && name.back() == '>';
        const bool continues = name.size() > 1 && name.front() == '+';
        const auto letters = continues ? name.substr(1) : name;
        token.text = token.special || continues ? letters : "\u2581" + letters;
        token.letters = token.special || continues ? letters : " " + letters;
        token.id = ids.emplace(token.text, static_cast<std::int64_t>(ids.size())).first->second;
        if (!token.special) {
            if (!continues && !text.empty())
                text += ' ';
            token.bytes.begin = text.size();
            text += letters;
            token.bytes.end = text.size();
            token.word = continues ? std::max(word, 0) : word + 1;
            word = token.word;
        }
        made.push_back(token);
    }
    return made;
}

inline std::vector<float> weights(const std::string& cells, std::size_t columns) {
    std::vector<float> row;
    float sum = 0;
    for (const char cell : cells) {
        const float weight = cell == '.' ? 0.0F : cell == '#' ? 10.0F : static_cast<float>(cell - '0');
        if (weight < 0 || weight > 10)
            throw std::invalid_argument("a cell is not a digit, '.' or '#': " + cells);
        row.push_back(weight);
        sum += weight;
    }
    if (row.size() != columns || sum == 0)
        throw std::invalid_argument("a row has " + std::to_string(row.size()) + " cells of sum " + std::to_string(sum)
                                    + " for " + std::to_string(columns) + " columns: " + cells);
    for (auto& weight : row)
        weight /= sum;
    return row;
}

inline AttentionBlock block(BlockKind kind, const std::vector<std::vector<float>>& rows, const AsciiOptions& options) {
    AttentionBlock made;
    made.kind = kind;
    made.layers = options.layers;
    made.heads = options.heads;
    made.queries = static_cast<int>(rows.size());
    made.keys = static_cast<int>(rows.front().size());
    for (int head = 0; head < options.layers * options.heads; ++head) {
        for (auto row : rows) {
            std::rotate(row.rbegin(), row.rbegin() + head % made.keys, row.rend());
            made.weights.insert(made.weights.end(), row.begin(), row.end());
        }
    }
    return made;
}

inline std::vector<std::vector<float>> selfAndPrevious(std::size_t size) {
    std::vector<std::vector<float>> rows(size, std::vector<float>(size, 0.0F));
    for (std::size_t i = 0; i < size; ++i) {
        rows[i][i] += 0.5F;
        rows[i][i == 0 ? 0 : i - 1] += 0.5F;
    }
    return rows;
}

inline PositionTable sinusoids(int positions, int dimensions) {
    PositionTable table;
    table.positions = positions;
    table.dimensions = dimensions;
    for (int position = 0; position < positions; ++position) {
        for (int dimension = 0; dimension < dimensions; ++dimension) {
            const double angle = position / std::pow(10000.0, (dimension - dimension % 2) / double(dimensions));
            table.values.push_back(static_cast<float>(dimension % 2 == 0 ? std::sin(angle) : std::cos(angle)));
        }
    }
    return table;
}

} // namespace ascii

/// The Trace of an encoder–decoder whose cross attention is the picture. Its decoder takes in `<s>` and then what it
/// emitted before.
inline Trace traceFromAscii(const char* art, const AsciiOptions& options = {}) {
    std::istringstream lines(art);
    std::string line;
    std::vector<std::string> columns;
    std::vector<std::string> names;
    std::vector<std::vector<float>> rows;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string word;
        std::vector<std::string> found;
        while (words >> word)
            found.push_back(word);
        if (found.empty())
            continue;
        if (columns.empty()) {
            columns = found;
            continue;
        }
        names.push_back(found.front());
        std::string cells;
        for (std::size_t i = 1; i < found.size(); ++i)
            cells += found[i];
        rows.push_back(ascii::weights(cells, columns.size()));
    }
    if (rows.empty())
        throw std::invalid_argument("the picture has no rows");

    Trace trace;
    trace.model = "ascii";
    trace.family = "picture";
    trace.source = ascii::tokens(columns, trace.sourceText);
    trace.emitted = ascii::tokens(names, trace.targetText);
    for (auto& token : trace.emitted)
        token.bytes = {}; // generated, not typed
    std::string nothing;
    trace.target = ascii::tokens({"<s>"}, nothing);
    trace.target.insert(trace.target.end(), trace.emitted.begin(), trace.emitted.end() - 1);
    trace.cross = ascii::block(BlockKind::Cross, rows, options);
    if (options.selfAttention) {
        trace.encoder = ascii::block(BlockKind::Encoder, ascii::selfAndPrevious(trace.source.size()), options);
        trace.decoder = ascii::block(BlockKind::Decoder, ascii::selfAndPrevious(trace.target.size()), options);
    }
    if (options.positionDimensions > 0)
        trace.encoderPositions = trace.decoderPositions = ascii::sinusoids(
            static_cast<int>(std::max(trace.source.size(), trace.target.size())), options.positionDimensions);
    for (std::size_t step = 0; step < trace.emitted.size(); ++step) {
        const auto& token = trace.emitted[step];
        trace.predictions.push_back(
            {static_cast<int>(step), {{token.id, token.text, 0.75F, token.letters}, {9999, "\u2581?", 0.25F, " ?"}}});
    }
    trace.timings = {.tokenize = 0.25, .model = 1.5};
    return trace;
}

} // namespace headlight
