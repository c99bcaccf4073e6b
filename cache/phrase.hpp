// SPDX-License-Identifier: Apache-2.0
// Words that stand together: what a person asks for, what the index is asked for it, and whether a text holds it. An
// atom is a word, or one letter of a script without spaces. Pure.
#pragma once

#include "cache/letters.hpp"

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

struct Atom {
    std::string text;
    bool unspaced = false;
    bool joined = false; // nothing parts it from the one before
    std::uint32_t begin = 0, end = 0;
    std::shared_ptr<const WholeWord> whole{}; // of the last part of a word with soft breaks; hardly any has one
};

inline constexpr std::size_t all_atoms = std::numeric_limits<std::size_t>::max();

/// The first `most` of them.
std::vector<Atom> atoms_of(std::string_view text, std::size_t most = all_atoms);

struct Phrase {
    std::vector<Atom> atoms;
    bool prefix = false;     // of the last word; letters without spaces are found within their run anyway
    bool drops_last = false; // its last letter, a long vowel, may be missing where the word ends: サーバー, サーバ

    bool is_letter() const { return atoms.size() == 1 && atoms.front().unspaced; }

    /// Whether its first letter may end a run that the index has no token for: the expression begins behind it.
    bool skips_first() const;

    /// Whether rows that the expression finds may not hold it: they are to be looked at. `has_all_letters`: in an index
    /// that has the single letters of runs beside their pairs.
    bool needs_check(bool has_all_letters = false) const;
};

/// Whether it may lose its last letter: katakana, four letters or more.
bool ends_with_long_vowel(const std::vector<Atom>& atoms);

/// For the index of pairs. An expression of FTS5 that cannot fail. Of a single letter: only where it begins a pair or
/// is a run of its own. Without the first letter where it skips_first(), without the last where it drops_last.
std::string index_expression(const Phrase& phrase);

/// How many atoms from `at` on are the phrase; 0: it does not stand there.
std::size_t match_at(const std::vector<Atom>& atoms, std::size_t at, const Phrase& phrase);

/// Where in the text a match begins whose first atom this is.
std::uint32_t begin_of_match(const Atom& first, const Phrase& phrase);

bool holds(const std::vector<Atom>& atoms, const Phrase& phrase);

} // namespace alli::cache
