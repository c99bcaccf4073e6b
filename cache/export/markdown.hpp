// SPDX-License-Identifier: Apache-2.0
// Escapes user text for Markdown so that it renders literally: it cannot become a link, an image, a heading, a list or
// HTML. Addresses become code, because some dialects link them. For CommonMark and its common extensions. Pure.
#pragma once

#include <string>
#include <string_view>

namespace alli::cache {

/// On one line, for a heading or a list item.
std::string markdown_line(std::string_view text);

/// As a block quotation that keeps lines, indentation and empty lines. Without a final line end.
std::string markdown_quote(std::string_view text);

/// As inline code: for ids.
std::string markdown_code(std::string_view text);

} // namespace alli::cache
