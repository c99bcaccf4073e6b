// SPDX-License-Identifier: Apache-2.0
// Case, folded letter by letter as Unicode has it: what `searchTerm` of a list takes for equal. Pure: any thread.
#pragma once

#include <string>
#include <string_view>

namespace alli::cache {

std::string folded_case(std::string_view text);

/// Whether `text`, folded, holds `term`, which is folded already. Allocates nothing.
bool holds_term(std::string_view text, std::string_view term) noexcept;

} // namespace alli::cache
