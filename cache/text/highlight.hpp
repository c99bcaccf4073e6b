// SPDX-License-Identifier: Apache-2.0
// The positions in a text of the words of a query, by the rules of the index: for snippets, and for clients that show
// the text itself. Pure; from any thread.
#pragma once

#include "cache/text/phrase.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace alli::cache {

struct MatchSpan { // of the text, in bytes
    std::size_t begin, end;
    std::size_t phrase; // which of those that are wanted
};

/// Ordered by where they begin; they may overlap.
std::vector<MatchSpan> find_spans(std::string_view text, const std::vector<Phrase>& wanted);

struct TextRange { // in UTF-16 code units, as JavaScript counts
    std::size_t begin, end;

    bool operator==(const TextRange&) const = default;
};

/// What is to be highlighted for a query: ordered, apart from each other, the first `most`.
std::vector<TextRange> find_highlights(std::string_view text, const std::vector<Phrase>& wanted, std::size_t most);

} // namespace alli::cache
