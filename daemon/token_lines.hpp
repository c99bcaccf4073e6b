// SPDX-License-Identifier: Apache-2.0
// The text of the tokens file (proxy.tokens_file): a line a token, "NAME SCOPE SHA256-HEX [expires=DATE] [app=ID]
// [user=ID]", values percent-encoded; blank lines and comments ("# ..."). A line that is one bare token is of an older
// version: scope write. Pure; no message repeats what stands in a line, for it may be a token.
#pragma once

#include "alli/zone.hpp"
#include "proxy/token.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::daemon {

struct TokenLine {
    proxy::Token token; // named "line N" where it has no name
    std::size_t number = 0;
    bool bare = false;
};

/// Throws Error{settings} that names `file`, the line and what is wrong with it: also a name or a token that stands
/// twice, bare ones apart. A day without a time is one of `zone`, and the token is good until its end.
std::vector<TokenLine> read_token_lines(std::string_view bytes, const std::string& file, const Zone& zone);

/// As such a line, without a line break.
std::string write_token_line(const proxy::Token& token);

/// 64 digits of hexadecimal; none for anything else.
std::optional<Digest> read_digest(std::string_view hex);

/// What is wrong with a name, "is empty" for one; empty: nothing. Names are for people, and for a path of the API.
std::string_view find_name_fault(std::string_view name);
/// What is wrong with a token's scope and part together; empty: nothing.
std::string_view find_part_fault(const proxy::Principal& principal);

/// The end of a day of `zone`, or RFC 3339. None when it is neither.
std::optional<Instant> read_expiry(std::string_view text, const Zone& zone);

} // namespace alli::daemon
