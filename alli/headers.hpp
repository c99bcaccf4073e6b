// SPDX-License-Identifier: Apache-2.0
// HTTP headers as every room passes them on: an ordered list of names and values, in which a name may occur more than
// once. Names are compared without regard to ASCII case. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace alli {

struct Header {
    std::string name;
    std::string value;
};

/// Equal but for the case of ASCII letters.
bool same_name(std::string_view a, std::string_view b) noexcept;

/// Without blanks and line ends around it.
std::string_view trimmed(std::string_view text) noexcept;

/// The elements of a comma-separated list, trimmed, empty ones included.
std::vector<std::string_view> list_elements(std::string_view list);

class Headers : public std::vector<Header> {
  public:
    using std::vector<Header>::vector;

    /// The value of the first header of that name; nullptr: there is none.
    const std::string* find(std::string_view name) const noexcept;
    /// The same; empty where there is none.
    std::string_view first(std::string_view name) const noexcept;
    std::size_t count(std::string_view name) const noexcept;
    /// All values of that name as one list (RFC 9110 5.3).
    std::string joined(std::string_view name) const;
    void add(std::string name, std::string value);
    /// All headers of that name.
    void erase(std::string_view name);

    /// Whether the predicate holds for the value of a header of that name.
    template <class Predicate>
    bool any(std::string_view name, Predicate predicate) const
    {
        for (const Header& header : *this)
            if (same_name(header.name, name) && predicate(std::string_view(header.value))) return true;
        return false;
    }
};

} // namespace alli
