// SPDX-License-Identifier: Apache-2.0
// Markdown as a man page (troff): headings, paragraphs, tables, `literals` and *variables*. Pure.
#pragma once

#include <string>
#include <string_view>

namespace alli::daemon {

/// `header`: the arguments of .TH; `summary`: "name - what it is". The document's title and comments are left out. A
/// row of a table becomes an entry: its first cell is the term, the second the text, and the others follow as "column:
/// cell".
std::string write_man_page(std::string_view header, std::string_view summary, std::string_view markdown);

} // namespace alli::daemon
