// SPDX-License-Identifier: Apache-2.0
// What a letter is to the tokenizer.
#pragma once

#include <cstdint>

namespace alli::cache {

enum class LetterKind : std::uint8_t {
    separator, // parts words: space, punctuation, signs, whatever is no character
    word,      // of scripts that part their words
    unspaced,  // of Han, kana, Hangul, Thai and others that do not, or whose words take endings; and emoji
};

/// Parts a word that is a word as a whole too. Not seen (Unicode's invisible separator); between other letters nothing.
inline constexpr char32_t soft_break = 0x2063;

} // namespace alli::cache
