// A byte trie over the pieces of a vocabulary: which pieces does the text here start with?
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace headlight {

/// Built once, then only read. A node is an index; walk from `root` with `child`.
class PieceTrie {
public:
    static constexpr std::uint32_t root = 0;
    static constexpr std::uint32_t nowhere = UINT32_MAX;

    PieceTrie() : PieceTrie(std::vector<std::pair<std::string_view, int>>{}) {}
    /// Texts with their ids. The texts must differ and not be empty; they are not needed afterwards.
    explicit PieceTrie(std::vector<std::pair<std::string_view, int>> pieces);

    /// The node one byte further, or `nowhere`.
    std::uint32_t child(std::uint32_t node, char byte) const;
    /// The id of the piece that ends at the node, or -1.
    int id(std::uint32_t node) const { return m_nodes[node].id; }
    /// Bytes of the longest piece that `text` starts with; 0 when there is none.
    std::size_t longestPrefix(std::string_view text) const { return longestMatch(text).length; }
    struct Match {
        std::size_t length = 0; ///< bytes; 0: none
        int id = -1;
    };
    /// The same with its id.
    Match longestMatch(std::string_view text) const;

private:
    struct Node {
        std::uint32_t firstChild = 0; ///< children lie next to each other, in the order of their bytes
        std::uint32_t childCount = 0;
        int id = -1;
    };

    std::vector<Node> m_nodes;
    std::vector<unsigned char> m_bytes; ///< of each node, the byte that leads to it
};

} // namespace headlight
