// SPDX-License-Identifier: Apache-2.0
// How many columns a text takes on a terminal: letters of Chinese, Japanese and Korean, and pictures, take two,
// combining marks none. For printable text on one line. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace alli::daemon {

std::size_t display_width(std::string_view text);

/// The text, or as much of its beginning as fits with "…" behind it.
std::string cut_to_width(std::string_view text, std::size_t width);

} // namespace alli::daemon
