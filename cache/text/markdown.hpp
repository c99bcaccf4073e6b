// SPDX-License-Identifier: Apache-2.0
// Markdown stripping: removes the marks of emphasis and code, because a reader of "**서울**에서" searches for
// "서울에서". Only marks that have a partner on their line are removed. Where Latin letters or digits touch a mark on
// both sides a soft break takes its place (cache/text/letter_kind.hpp). The page has the same rule (page/marks.js):
// tests/page/marks.json holds for both. Pure.
#pragma once

#include <string>
#include <string_view>

namespace alli::cache {

std::string strip_markdown(std::string_view text);

} // namespace alli::cache
