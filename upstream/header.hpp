// SPDX-License-Identifier: Apache-2.0
// Header names and lines, and what a request must be before it may go out. Pure.
#pragma once

#include "upstream/http.hpp"

namespace alli::upstream {

/// Equal names, ASCII case folded.
bool same_name(std::string_view a, std::string_view b) noexcept;
/// The first of that name; empty: none.
std::string_view value_of(const std::vector<Header>& headers, std::string_view name) noexcept;
/// Without blanks and line ends around it.
std::string_view trimmed(std::string_view text) noexcept;

/// Headers that the transport writes itself, from the URL and the body, whatever a request says: Host, lengths,
/// connection.
bool is_framing(std::string_view name) noexcept;
/// The line in libcurl's syntax, which writes an empty value as "Name;".
std::string header_line(const Header& header);

/// Whether it is one line of text with a name, as a header must be to be passed on.
bool is_clean(const Header& header) noexcept;

/// Throws Error{usage} for an unknown method, a target that is not a clean path, or a header that would break the
/// framing.
void check_request(const Request& request);

} // namespace alli::upstream
