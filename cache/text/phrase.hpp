// SPDX-License-Identifier: Apache-2.0
// Phrases: their tokens, the FTS5 expression that finds them, and whether a text contains them. A token is a word, or
// one letter of a script without spaces. Pure.
#pragma once

#include "cache/text/normalizer.hpp"

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

struct WholeWord {
    std::string text;
    std::uint32_t begin = 0;
};

struct PhraseToken {
    std::string text;
    bool unspaced = false;
    bool joined = false; // no separator between it and the one before
    std::uint32_t begin = 0, end = 0;
    std::shared_ptr<const WholeWord> whole{}; // of the last part of a word with soft breaks; hardly any has one
};

inline constexpr std::size_t all_tokens = std::numeric_limits<std::size_t>::max();

/// The first `most` tokens.
std::vector<PhraseToken> tokens_of(std::string_view text, std::size_t most = all_tokens);

struct Phrase {
    std::vector<PhraseToken> tokens;
    bool prefix = false;     // of the last word; letters without spaces are found within their run anyway
    bool drops_last = false; // its last letter, a long vowel, may be missing where the word ends: サーバー, サーバ

    bool is_letter() const { return tokens.size() == 1 && tokens.front().unspaced; }

    /// Whether its first letter may end a run that the index has no token for: the expression then leaves it out.
    bool skips_first() const;

    /// Whether the expression finds rows that may not contain the phrase, so that each must be checked.
    /// `has_all_letters`: in an index that has the single letters of runs beside their pairs.
    bool needs_check(bool has_all_letters = false) const;
};

/// Whether it may lose its last letter: katakana, four letters or more.
bool ends_with_long_vowel(const std::vector<PhraseToken>& tokens);

/// For the index of pairs. An expression of FTS5 that cannot fail. Of a single letter: only where it begins a pair or
/// is a run of its own. Without the first letter where it skips_first(), without the last where it drops_last.
std::string index_expression(const Phrase& phrase);

/// How many tokens from `at` on are the phrase; 0: it does not begin there.
std::size_t match_at(const std::vector<PhraseToken>& tokens, std::size_t at, const Phrase& phrase);

/// Where in the text a match begins whose first token this is.
std::uint32_t begin_of_match(const PhraseToken& first, const Phrase& phrase);

bool holds(const std::vector<PhraseToken>& tokens, const Phrase& phrase);

} // namespace alli::cache
