// SPDX-License-Identifier: Apache-2.0
// A snippet: the part of a text around its best match, HTML-escaped, with matches in <mark>. Never cuts a character.
// Pure.
#pragma once

#include "cache/text/phrase.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

struct Snippet {
    std::string html;
    std::size_t matched = 0; // how many of the phrases are in it
};

Snippet make_snippet(std::string_view text, const std::vector<Phrase>& wanted);

} // namespace alli::cache
