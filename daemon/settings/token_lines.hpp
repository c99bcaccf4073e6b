// SPDX-License-Identifier: Apache-2.0
// The format of the tokens file (proxy.tokens_file): "NAME SCOPE SHA256-HEX [expires=DATE] [app=ID] [user=ID]" a line,
// values percent-encoded; blank lines and comments ("# ...") are ignored. A bare token is of an older version and has
// scope write. Pure; no message repeats a line, which may be a token.
#pragma once

#include "alli/zone.hpp"
#include "proxy/access/token.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::daemon {

struct TokenLine {
    proxy::Token token; // named "line N" where it has no name
    std::size_t number = 0;
    bool bare = false;
};

/// Throws Error{settings} that names `file`, the line and the fault, duplicates of names or tokens included (except
/// bare ones). A date without a time is valid until the end of that day in `zone`.
std::vector<TokenLine> read_token_lines(std::string_view bytes, const std::string& file, const Zone& zone);

/// Formats a line, without a line break.
std::string write_token_line(const proxy::Token& token);

/// Parses 64 hexadecimal digits; none for anything else.
std::optional<Digest> read_digest(std::string_view hex);

/// The fault of a name, such as "is empty"; empty if it is valid. Names appear in messages and in paths of the API.
std::string_view find_name_fault(std::string_view name);
/// The fault of a token's scope and part together; empty if they are valid.
std::string_view find_part_fault(const proxy::Principal& principal);

/// Parses a date, as the end of that day in `zone`, or RFC 3339. None if it is neither.
std::optional<Instant> read_expiry(std::string_view text, const Zone& zone);

} // namespace alli::daemon
