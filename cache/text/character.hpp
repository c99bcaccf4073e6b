// SPDX-License-Identifier: Apache-2.0
// What one character becomes for a search, and what is left of characters that stand together: the rules of
// docs/search.md, by ICU's data. A change is a change of index_version. Pure; from any thread.
#pragma once

#include "cache/text/letter_kind.hpp"

#include <unicode/umachine.h>

#include <array>

namespace alli::cache {

/// UTF-16 of characters that belong together: one that stands alone, and what composes with it.
struct Segment {
    static constexpr std::size_t capacity = 512; // 16 characters of the worst expansion but one (U+FDFA alone is 18)
    std::array<UChar, capacity> units;
    std::int32_t size = 0;
};

/// Appends the character in its compatibility form, without case; nothing for what is invisible. A sign that stands for
/// letters or digits comes with a blank on either side.
void append_mapped(Segment& segment, UChar32 code);

/// Takes the marks away that do not make another letter, composes, and unites letters that are written in several ways.
void fold(Segment& segment);

/// A mark that makes a sign of what it stands on: the keycap of 1️⃣.
bool encloses(UChar32 code);

/// Whether nothing of what stands before it composes with it.
bool begins_segment(UChar32 code);

/// Of a character that is folded already.
LetterKind kind_of(UChar32 code);

} // namespace alli::cache
