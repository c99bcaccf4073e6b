// SPDX-License-Identifier: Apache-2.0
// Headers on their way out: which of them the transport writes itself, and how one is written. Pure.
#pragma once

#include "alli/headers.hpp"

namespace alli::upstream {

/// Headers that the transport writes itself, from the URL and the body, whatever a request says: Host, lengths,
/// connection.
bool is_framing(std::string_view name) noexcept;
/// The line in libcurl's syntax, which writes an empty value as "Name;".
std::string header_line(const Header& header);
/// Whether it is one line of text with a name, as a header must be to be passed on.
bool is_clean(const Header& header) noexcept;

} // namespace alli::upstream
