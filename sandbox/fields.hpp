// SPDX-License-Identifier: Apache-2.0
// A rule as an option writes it: its parts, separated by colons, each read or refused with a sentence that names it.
#pragma once

#include "alli/error.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

namespace alli::sandbox {

class Fields {
  public:
    /// `noun` names the whole in an error, `hint` says how it is written.
    Fields(std::string_view noun, std::string_view whole, std::string (*hint)())
        : noun_(noun), whole_(whole), rest_(whole), hint_(hint)
    {}

    bool empty() const { return rest_.empty(); }
    std::string_view next()
    {
        const std::string_view part = rest_.substr(0, rest_.find(':'));
        rest_.remove_prefix(std::min(part.size() + 1, rest_.size()));
        return part;
    }

    template <class Number>
    Number number(std::string_view part, Number low) const
    {
        Number value{};
        const auto [end, bad] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (bad != std::errc{} || end != part.data() + part.size() || !(value >= low)) refuse(part);
        return value;
    }

    [[noreturn]] void refuse(std::string_view part) const
    {
        throw Error(Fault::usage, hint_(), "in the {} \"{}\", \"{}\" does not fit", noun_, whole_, part);
    }

  private:
    std::string_view noun_, whole_, rest_;
    std::string (*hint_)();
};

/// The names of a table's rows.
template <class Table>
std::string joined_names(const Table& table)
{
    std::string names;
    for (const auto& row : table) names += (names.empty() ? "" : ", ") + std::string{row.name};
    return names;
}

} // namespace alli::sandbox
