// SPDX-License-Identifier: Apache-2.0
// Words that stand together: what a person asks for, what the index is asked for it, and whether a text holds it. An
// atom is a word, or one letter of a script without spaces. Pure.
#pragma once

#include "cache/letters.hpp"

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

struct Atom {
    std::string text;
    bool unspaced = false;
    bool joined = false; // nothing parts it from the one before
    std::uint32_t begin = 0, end = 0;
};

inline constexpr std::size_t all_atoms = std::numeric_limits<std::size_t>::max();

/// The first `most` of them.
std::vector<Atom> atoms_of(std::string_view text, std::size_t most = all_atoms);

struct Phrase {
    std::vector<Atom> atoms;
    bool prefix = false; // of the last word; letters without spaces are found within their run anyway

    bool is_letter() const { return atoms.size() == 1 && atoms.front().unspaced; }

    /// Whether its first letter may end a run that the index has no token for: then it is not exact (see below).
    bool needs_check() const;
};

/// For the index of pairs. An expression of FTS5 that cannot fail. Of a single letter: only where it begins a pair or
/// is a run of its own. Where it needs_check(): without the first letter.
std::string index_expression(const Phrase& phrase);

/// How many atoms from `at` on are the phrase; 0: it does not stand there.
std::size_t match_at(const std::vector<Atom>& atoms, std::size_t at, const Phrase& phrase);

bool holds(const std::vector<Atom>& atoms, const Phrase& phrase);

} // namespace alli::cache
