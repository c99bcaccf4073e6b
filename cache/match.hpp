// SPDX-License-Identifier: Apache-2.0
// What a person typed, as an FTS5 expression that cannot fail: words and "phrases", all of which must match, each
// quoted. Pure. (The query language grows here.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// Words and phrases, in order; quotes taken off. White space of any kind parts words, control characters too.
std::vector<std::string> terms_of(std::string_view text);

/// Empty when there is nothing to look for.
std::string match_expression(const std::vector<std::string>& terms);

} // namespace alli::cache
