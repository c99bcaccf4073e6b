// SPDX-License-Identifier: Apache-2.0
// What a person put where a key belongs, as the key: what surrounds it beyond doubt (byte order mark, line ends, white
// space) is taken off; what is a mistake is named. Pure; no message holds a part of the key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alli::daemon {

/// The key in `bytes` (UTF-8, or UTF-16 with its byte order mark); empty: there is none. Throws Error{settings} that
/// says what is wrong and how to mend it; `what` is its subject: "the API key in FILE".
std::string read_key(std::string_view bytes, const std::string& what);

/// The lines of a file (encoded likewise) that say something: without blank ones and comments ("# ..."), each without
/// what surrounds it. As UTF-8, with U+FFFD for what is no text.
struct TextLine {
    std::size_t number = 0; // from 1
    std::string text;
};
std::vector<TextLine> read_text_lines(std::string_view bytes);

/// Whether it is UTF-8 throughout.
bool is_text(std::string_view bytes);

} // namespace alli::daemon
