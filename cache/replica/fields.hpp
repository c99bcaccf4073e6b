// SPDX-License-Identifier: Apache-2.0
// Rows of values as a text that another node reads: nobody else looks into it. Pure.
#pragma once

#include "cache/db/writer.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

using Field = std::optional<Value>; // none: null
using Fields = std::vector<Field>;

std::string text_of(const Fields& row);

/// Rows of so many columns. Throws Error{bad_reply}, which names `name`, for a text that is none of ours.
std::vector<Fields> rows_of(std::string_view text, std::size_t columns, std::string_view name);

[[noreturn]] void throw_unreadable(std::string_view name);

/// A field that must be a text, or a number.
std::string take_text(Field& field, std::string_view name);
std::int64_t take_number(const Field& field, std::string_view name);

} // namespace alli::cache
