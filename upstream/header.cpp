// SPDX-License-Identifier: Apache-2.0
#include "upstream/header.hpp"

#include <algorithm>
#include <array>

namespace alli::upstream {
namespace {

constexpr auto framing = std::to_array<std::string_view>(
    {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Expect", "Upgrade", "TE", "Trailer"});

bool is_token(std::string_view name)
{
    constexpr std::string_view token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return !name.empty() && name.find_first_not_of(token) == name.npos;
}

bool is_clean_value(std::string_view value)
{
    return value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos;
}

} // namespace

bool is_framing(std::string_view name) noexcept
{
    return std::any_of(framing.begin(), framing.end(), [&](std::string_view own) { return same_name(own, name); });
}

bool is_clean(const Header& header) noexcept
{
    return is_token(header.name) && is_clean_value(header.value);
}

std::string header_line(const Header& header)
{
    return header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
}

} // namespace alli::upstream
