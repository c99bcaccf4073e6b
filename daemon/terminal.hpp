// SPDX-License-Identifier: Apache-2.0
// Text for a person's eye. What people wrote into conversations is foreign: control characters and escape sequences are
// taken out of it before it reaches a terminal, for they could move, colour, overwrite or answer there. Pure but for
// is_*.
#pragma once

#include "alli/zone.hpp"

#include <cstdio>
#include <string>
#include <string_view>

namespace alli::daemon {

/// Without control characters (line breaks and tabs stay) and escape sequences; bytes that are no UTF-8 become '?'.
std::string printable(std::string_view text);

/// As printable(), and on one line.
std::string printable_line(std::string_view text);

/// Whether there is a terminal at that descriptor that knows escape sequences: TERM is set, and not "dumb".
bool takes_escapes(int descriptor);

/// Whether bold text is welcome on stdout: such a terminal, and NO_COLOR not set.
bool wants_bold();

/// A snippet (HTML-escaped, with <mark>) as terminal text on one line.
std::string snippet_text(std::string_view snippet, bool bold);

/// A failure on stderr: what happened, and on a line of its own what to do.
void print_failure(std::string_view sentence, std::string_view hint);

/// "2026-01-31 18:30:05 +09:00", "2026-01-31 09:30:05 UTC", or "-" for none.
std::string say_time(std::optional<Instant> when, const Zone& zone = Zone::of_host());

/// JSON text and a line break to stdout; stripped of what a terminal could act on where stdout is one.
void print_json(std::string_view json);

} // namespace alli::daemon
