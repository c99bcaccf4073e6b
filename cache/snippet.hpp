// SPDX-License-Identifier: Apache-2.0
// The part of a text around its first match: HTML-escaped, matches within <mark>. Never cuts a character of UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

std::string make_snippet(std::string_view text, const std::vector<std::string>& terms);

} // namespace alli::cache
