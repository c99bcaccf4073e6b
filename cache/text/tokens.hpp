// SPDX-License-Identifier: Apache-2.0
// A text as tokens for the index. A word is one token. A run of letters without spaces (Han, kana, Hangul, ...) is a
// token for each pair of neighbours, so that any part of it is a phrase of pairs. Where runs of both kinds touch ("3"
// and "日" of "3日間") the first one's last letter is a token too, and what comes second gets another one with a '+':
// "3日" is told from "3 日". A word with a soft break in it is its parts, and the whole beside the last of them. Single
// letters have an index of their own. docs/decisions/0013 has the reasons. Pure.
#pragma once

#include "cache/text/normalizer.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace alli::cache {

enum class TokenSet {
    pairs,      // as above
    everything, // and all single letters of runs beside them
    letters, // of these only the common ones, and whichever ends its run: the others are where a pair begins with them
};

/// Letters of which every long text has some: their pairs are too many to go through.
bool is_common(char32_t code) noexcept;

struct Token {
    std::string_view text; // valid during the call
    std::uint32_t begin, end;
    bool beside; // at the position of the token before
};

/// Called for each token in order; not 0: stop, and it is returned.
using TakeToken = int (*)(void* to, const Token& token);

int tokenize(std::string_view text, TokenSet set, TakeToken take, void* to);

/// A token between two runs of pairs, where the second begins with the letter that the first ends with.
inline constexpr std::string_view run_break = "/";

inline constexpr std::size_t longest_word = 128; // bytes; what is beyond does not count

} // namespace alli::cache
