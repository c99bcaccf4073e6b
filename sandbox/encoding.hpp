// SPDX-License-Identifier: Apache-2.0
// The small encodings that an HTTP service of this kind speaks: base64 ids, folded texts, JSON strings.
// Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace alli::sandbox {

/// The standard alphabet with padding, as ids are written.
std::string base64(std::string_view bytes);

/// The URL-safe alphabet without padding, as cursors are written.
std::string base64url(std::string_view bytes);

/// Reads either alphabet, padded or not. None when it is neither.
std::optional<std::string> from_base64(std::string_view text);

/// For comparing without case: ASCII and Latin-1 letters lowered, everything else as it is.
std::string folded(std::string_view text);

/// Appends `text` as a JSON string with its quotes. Bytes above 0x7f pass unchanged: `text` must be UTF-8.
void append_json(std::string& out, std::string_view text);
std::string json_text(std::string_view text);

/// The first `count` characters (not bytes) of UTF-8.
std::string first_characters(std::string_view text, std::size_t count);

} // namespace alli::sandbox
