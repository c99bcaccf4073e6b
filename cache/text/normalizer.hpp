// SPDX-License-Identifier: Apache-2.0
// Text normalizer: the letters of a text, folded by the rules of docs/search.md, each with its position in the
// original. Pure; from any thread. Nearly all letters cost one table lookup; ICU handles only those that compose.
#pragma once

#include "cache/text/letter_kind.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace alli::cache {

struct Letter {
    char32_t code;
    LetterKind kind;
    std::uint32_t begin, end; // bytes of the original
};

class Normalizer {
  public:
    explicit Normalizer(std::string_view text) : text_(text) {}

    bool next(Letter& letter); // false after the last

  private:
    inline bool next_folded(Letter& letter);
    bool end_word(Letter& letter);
    bool next_slowly(Letter& letter);
    void fold_segment();
    void begin_word(char32_t first);
    char32_t peek(std::size_t number) const; // a character that follows, folded by itself; 0: none

    static constexpr std::size_t most_pending = 64; // of one base letter and its marks; more of them are cut off
    std::string_view text_;
    std::size_t at_ = 0;
    char32_t pending_[most_pending];
    std::size_t pending_at_ = 0, pending_end_ = 0;
    std::uint32_t segment_begin_ = 0;
    bool in_word_ = false;
    bool ends_word_ =
        false; // after `suffix_` signs, which belong to the word; a separator follows that is not in the text
    int suffix_ = 0;
};

void append_utf8(std::string& text, char32_t code);

} // namespace alli::cache
