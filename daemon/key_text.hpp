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

/// The keys of a file with one a line; blank lines and comments ("# ...") are passed by. Throws likewise, with the
/// line: "the token in FILE:3".
std::vector<std::string> read_keys(std::string_view bytes, const std::string& what);

} // namespace alli::daemon
