// SPDX-License-Identifier: Apache-2.0
// Markdown's marks of emphasis and code taken out of a text: where "**서울**에서" was written a person reads "서울에서"
// and looks for that. Only marks that have a partner on their line go; all else stays as it is. Where Latin letters or
// digits touch a mark on both sides a soft break takes its place (cache/letters.hpp). The page has the same rule
// (proxy/page/marks.js): tests/page/marks.json holds for both. Pure.
#pragma once

#include <string>
#include <string_view>

namespace alli::cache {

std::string without_marks(std::string_view text);

} // namespace alli::cache
