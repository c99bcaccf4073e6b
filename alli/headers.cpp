// SPDX-License-Identifier: Apache-2.0
#include "alli/headers.hpp"

#include <algorithm>

namespace alli {
namespace {

constexpr char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

} // namespace

bool same_name(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept
{
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::vector<std::string_view> list_elements(std::string_view list)
{
    std::vector<std::string_view> elements;
    for (;;) {
        const auto comma = list.find(',');
        elements.push_back(trimmed(list.substr(0, comma)));
        if (comma == list.npos) return elements;
        list.remove_prefix(comma + 1);
    }
}

const std::string* Headers::find(std::string_view name) const noexcept
{
    for (const Header& header : *this)
        if (same_name(header.name, name)) return &header.value;
    return nullptr;
}

std::string_view Headers::first(std::string_view name) const noexcept
{
    const std::string* value = find(name);
    return value ? std::string_view(*value) : std::string_view{};
}

std::size_t Headers::count(std::string_view name) const noexcept
{
    return static_cast<std::size_t>(
        std::count_if(begin(), end(), [&](const Header& header) { return same_name(header.name, name); }));
}

std::string Headers::joined(std::string_view name) const
{
    std::string all;
    for (const Header& header : *this)
        if (same_name(header.name, name)) all.append(all.empty() ? "" : ", ").append(header.value);
    return all;
}

void Headers::add(std::string name, std::string value)
{
    push_back({std::move(name), std::move(value)});
}

void Headers::erase(std::string_view name)
{
    std::erase_if(*this, [&](const Header& header) { return same_name(header.name, name); });
}

} // namespace alli
