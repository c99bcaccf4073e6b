// SPDX-License-Identifier: Apache-2.0
// A text as a search sees it, letter by letter: folded by the rules of docs/search.md, with the place in the original
// that each letter came from. Pure; from any thread. Of the few million letters a second that are usual, nearly all are
// one look into a table; ICU sees only what composes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace alli::cache {

enum class LetterKind : std::uint8_t {
    separator, // parts words: space, punctuation, signs, whatever is no character
    word,      // of scripts that part their words
    unspaced,  // of Han, kana, Hangul, Thai and others that do not, or whose words take endings; and emoji
};

/// Parts a word that is a word as a whole too. Not seen (Unicode's invisible separator); between other letters nothing.
inline constexpr char32_t soft_break = 0x2063;

struct Letter {
    char32_t code;
    LetterKind kind;
    std::uint32_t begin, end; // bytes of the original
};

class Letters {
  public:
    explicit Letters(std::string_view text) : text_(text) {}

    bool next(Letter& letter); // false after the last

  private:
    inline bool next_folded(Letter& letter);
    bool end_word(Letter& letter);
    bool next_slowly(Letter& letter);
    void fold_segment();
    void begin_word(char32_t first);
    char32_t peek(std::size_t number) const; // a character that is still to come, folded by itself; 0: none

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
