// SPDX-License-Identifier: Apache-2.0
// What is printed on a terminal, and what a terminal can show. Users' text goes through alli/printable.hpp before.
#pragma once

#include "alli/printable.hpp"

#include <cstdio>
#include <string>
#include <string_view>

namespace alli::daemon {

/// True if the descriptor is a terminal that supports escape sequences: TERM is set and not "dumb".
bool takes_escapes(int descriptor);

/// True if stdout is such a terminal and NO_COLOR is not set.
bool wants_bold();

/// A snippet (HTML-escaped, with <mark>) as terminal text on one line.
std::string snippet_text(std::string_view snippet, bool bold);

/// Prints a failure on stderr: the sentence, and the hint on a line of its own.
void print_failure(std::string_view sentence, std::string_view hint);

/// Tells on stderr that there may be more than a command found.
void print_incomplete_note();

/// Prints JSON text and a line break to stdout; on a terminal control characters are removed.
void print_json(std::string_view json);

} // namespace alli::daemon
