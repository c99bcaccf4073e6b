// SPDX-License-Identifier: Apache-2.0
// A text as a search sees it, letter by letter: NFKC, case folded, without what is invisible, Latin, Greek and Cyrillic
// without their marks; with the place in the original that each letter came from. Pure; from any thread. Of the few
// million letters a second that are usual, nearly all are one look into a table; ICU sees only what composes.
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
    bool next_slowly(Letter& letter);
    void fold_segment();

    static constexpr std::size_t most_pending = 64; // of one base letter and its marks; more of them are cut off
    std::string_view text_;
    std::size_t at_ = 0;
    char32_t pending_[most_pending];
    std::size_t pending_at_ = 0, pending_end_ = 0;
    std::uint32_t segment_begin_ = 0;
};

void append_utf8(std::string& text, char32_t code);

} // namespace alli::cache
