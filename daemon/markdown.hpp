// SPDX-License-Identifier: Apache-2.0
// What people wrote, as Markdown that shows it letter by letter: a title, a name or a message never becomes a link, an
// image, a heading, a list or HTML, whatever it holds; an address is code, so that nobody makes a link of it. For
// CommonMark and the dialects that add to it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace alli::daemon {

/// On one line, for a heading or an item of ours.
std::string markdown_line(std::string_view text);

/// As a quotation: its lines, their indentation and the empty ones among them stay. Without an end of line.
std::string markdown_quote(std::string_view text);

/// As code within a line: for ids, which are copied from it.
std::string markdown_code(std::string_view text);

} // namespace alli::daemon
