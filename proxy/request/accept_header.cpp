// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/accept_header.hpp"

#include "alli/headers.hpp"

#include <algorithm>
#include <string>

namespace alli::proxy {
namespace {

constexpr int most = 1000;

/// The part before the next `separator`, without blanks around it; `rest` goes on behind it.
std::string_view take_part(std::string_view& rest, char separator)
{
    const std::string_view part = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    return trimmed(part);
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// "0", "1", "0.25", "1.000"
int read_weight(std::string_view text)
{
    const bool shaped = !text.empty() && (text[0] == '0' || text[0] == '1') && text.size() <= 5 &&
                        (text.size() == 1 || text[1] == '.') &&
                        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(text.size(), 2)),
                                    text.end(), is_digit);
    if (!shaped || text[0] == '1') return most;
    int weight = 0;
    for (std::size_t at = 2; at < 5; ++at) weight = weight * 10 + (at < text.size() ? text[at] - '0' : 0);
    return weight;
}

int weight_among(std::string_view parameters)
{
    while (!parameters.empty()) {
        std::string_view value = take_part(parameters, ';');
        if (same_name(take_part(value, '='), "q")) return read_weight(trimmed(value));
    }
    return most;
}

} // namespace

std::optional<int> weight_of(std::string_view list, std::string_view name)
{
    while (!list.empty()) {
        std::string_view one = take_part(list, ',');
        if (same_name(take_part(one, ';'), name)) return weight_among(one);
    }
    return std::nullopt;
}

std::optional<int> weight_of_type(std::string_view accept, std::string_view type)
{
    const std::string family = std::string(type.substr(0, type.find('/'))) + "/*";
    for (const std::string_view name : {type, std::string_view(family), std::string_view("*/*")})
        if (const auto weight = weight_of(accept, name)) return weight;
    return std::nullopt;
}

} // namespace alli::proxy
