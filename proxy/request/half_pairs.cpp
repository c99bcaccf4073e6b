// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/half_pairs.hpp"

#include <algorithm>
#include <string_view>

namespace alli::proxy {
namespace {

constexpr std::size_t escape_size = 6; // \uXXXX

// The code unit of an escape at `at`; -1: there is none.
int unit_at(std::string_view text, std::size_t at)
{
    if (text.size() - at < escape_size || text[at] != '\\' || text[at + 1] != 'u') return -1;
    const std::string digits(text.substr(at + 2, 4));
    return digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos ? std::stoi(digits, nullptr, 16) : -1;
}

bool is_high(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

bool is_low(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

} // namespace

void replace_half_pairs(std::string& body)
{
    for (std::size_t at = body.find('\\'); at < body.size(); at = body.find('\\', at)) {
        const int unit = unit_at(body, at);
        const bool pair = is_high(unit) && is_low(unit_at(body, std::min(at + escape_size, body.size())));
        if (!pair && (is_high(unit) || is_low(unit))) body.replace(at, escape_size, "\\ufffd");
        at += pair ? 2 * escape_size : 2;
    }
}

} // namespace alli::proxy
