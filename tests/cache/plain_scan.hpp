// SPDX-License-Identifier: Apache-2.0
// What docs/search.md says, written a second time, slowly and without the program's own code: what searches are held
// against. Reads the table of kanji out of that page.
#pragma once

#include <string>

namespace plain_scan {

/// Letters, digits and one blank for each thing that parts words.
std::u32string plain(const std::string& text);

/// Without Markdown's marks of emphasis and code.
std::string without_emphasis(const std::string& text);

/// Letters without spaces anywhere, words whole; a blank behind a word may be missing where letters without spaces
/// follow.
bool stands_in(const std::u32string& text, const std::u32string& term, bool prefix = false);

bool is_word(char32_t c);
bool is_unspaced(char32_t c);
std::u32string decode(const std::string& text);
std::string to_utf8(const std::u32string& text);
std::string decomposed(const std::string& text); // as macOS writes file names

} // namespace plain_scan
