// SPDX-License-Identifier: Apache-2.0
// The members of a JSON object, found by its brackets and strings alone: what the values hold (odd bytes, numbers of
// any size) does not matter, and nothing is copied. Pure, linear, without recursion.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace alli::upstream {

struct Member {
    std::string_view name;  // between its quotes, escapes as they are
    std::string_view value; // its text, without white space around it
};
using Members = std::vector<Member>;

/// None where the text is no object, or one that does not end. A byte order mark before it is passed over.
std::optional<Members> members_of(std::string_view text);

/// The value's text; empty: there is no such member. Of several the last counts.
std::string_view value_of(const Members& members, std::string_view name) noexcept;

/// The characters of a string without escapes, the digits of a number; empty for anything else.
std::string_view scalar_text(std::string_view value) noexcept;

bool is_object(std::string_view value) noexcept;
bool is_string(std::string_view value) noexcept;
bool is_integer(std::string_view value) noexcept;

} // namespace alli::upstream
