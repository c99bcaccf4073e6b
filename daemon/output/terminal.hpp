// SPDX-License-Identifier: Apache-2.0
// Text for a terminal. Control characters and escape sequences are removed from users' text, because a terminal would
// execute them. Pure except for the functions that query a terminal.
#pragma once

#include "alli/zone.hpp"

#include <cstdio>
#include <string>
#include <string_view>

namespace alli::daemon {

/// Removes control characters (except line breaks and tabs) and escape sequences; bytes that are not UTF-8 become '?'.
std::string printable(std::string_view text);

/// As printable(), and on one line.
std::string printable_line(std::string_view text);

/// True if the descriptor is a terminal that supports escape sequences: TERM is set and not "dumb".
bool takes_escapes(int descriptor);

/// True if stdout is such a terminal and NO_COLOR is not set.
bool wants_bold();

/// A snippet (HTML-escaped, with <mark>) as terminal text on one line.
std::string snippet_text(std::string_view snippet, bool bold);

/// Prints a failure on stderr: the sentence, and the hint on a line of its own.
void print_failure(std::string_view sentence, std::string_view hint);

/// "2026-01-31 18:30:05 +09:00", "2026-01-31 09:30:05 UTC", or "-" for none.
std::string say_time(std::optional<Instant> when, const Zone& zone = Zone::of_host());

/// Prints JSON text and a line break to stdout; on a terminal control characters are removed.
void print_json(std::string_view json);

} // namespace alli::daemon
