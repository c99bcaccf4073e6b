// SPDX-License-Identifier: Apache-2.0
// Reads an API key from file or environment text: removes a byte order mark, line ends and surrounding white space, and
// reports common mistakes. Pure; no message contains a part of the key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alli::daemon {

/// The key in `bytes` (UTF-8, or UTF-16 with a byte order mark). Empty if there is none. Throws Error{settings} that
/// says what is wrong and how to correct it; `what` is the subject: "the API key in FILE".
std::string read_key(std::string_view bytes, const std::string& what);

/// The lines of a file in the same encodings as UTF-8, without blank lines and comments ("# ..."), trimmed. Invalid
/// text becomes U+FFFD.
struct TextLine {
    std::size_t number = 0; // from 1
    std::string text;
};
std::vector<TextLine> read_text_lines(std::string_view bytes);

/// True if the text is valid UTF-8.
bool is_text(std::string_view bytes);

} // namespace alli::daemon
