// Builds the trie level by level from the sorted pieces, so that siblings lie together and are found by bisection.
#include "core/text/piece_trie.h"

#include <algorithm>

namespace headlight {

PieceTrie::PieceTrie(std::vector<std::pair<std::string_view, int>> pieces) {
    std::sort(pieces.begin(), pieces.end());

    // Each node stands for the run of sorted pieces that share its first `depth` bytes.
    struct Run {
        std::size_t begin;
        std::size_t end;
        std::size_t depth;
    };
    std::vector<Run> runs{{0, pieces.size(), 0}};
    m_nodes.emplace_back();
    m_bytes.push_back(0);

    for (std::size_t node = 0; node < m_nodes.size(); ++node) {
        auto [begin, end, depth] = runs[node];
        if (begin < end && pieces[begin].first.size() == depth)
            m_nodes[node].id = pieces[begin++].second;
        m_nodes[node].firstChild = static_cast<std::uint32_t>(m_nodes.size());
        while (begin < end) {
            const char byte = pieces[begin].first[depth];
            std::size_t next = begin + 1;
            while (next < end && pieces[next].first[depth] == byte)
                ++next;
            m_nodes.emplace_back();
            m_bytes.push_back(static_cast<unsigned char>(byte));
            runs.push_back({begin, next, depth + 1});
            begin = next;
        }
        m_nodes[node].childCount = static_cast<std::uint32_t>(m_nodes.size()) - m_nodes[node].firstChild;
    }
}

std::uint32_t PieceTrie::child(std::uint32_t node, char byte) const {
    const auto first = m_bytes.begin() + m_nodes[node].firstChild;
    const auto last = first + m_nodes[node].childCount;
    const auto wanted = static_cast<unsigned char>(byte);
    const auto found = std::lower_bound(first, last, wanted);
    return found != last && *found == wanted ? static_cast<std::uint32_t>(found - m_bytes.begin()) : nowhere;
}

PieceTrie::Match PieceTrie::longestMatch(std::string_view text) const {
    Match longest;
    std::uint32_t node = root;
    for (std::size_t length = 1; length <= text.size(); ++length) {
        node = child(node, text[length - 1]);
        if (node == nowhere)
            break;
        if (id(node) >= 0)
            longest = {length, id(node)};
    }
    return longest;
}

} // namespace headlight
