// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/search_body.hpp"

#include "alli/error.hpp"
#include "alli/headers.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

using nlohmann::json;

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

[[noreturn]] void refuse(std::string_view sentence)
{
    throw Error(Fault::usage, R"(for example {"q": "hotel", "limit": 20})", "{}", sentence);
}

json parse_flat(const std::string& body)
{
    bool nested = false;
    const auto note = [&nested](int depth, json::parse_event_t event, const json&) {
        const bool opens = event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
        nested = nested || (opens && depth > 0);
        return !nested;
    };
    json made = json::parse(body, note, false);
    if (nested) refuse("no member of the body may be an object or a list");
    if (made.is_discarded() || !made.is_object()) refuse("the body must be a JSON object");
    return made;
}

bool is_number(std::string_view name)
{
    return name == "limit" || name == "context";
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

bool is_json_type(std::string_view content_type)
{
    constexpr std::string_view json_type = "application/json";
    const std::string_view type = trimmed(content_type.substr(0, content_type.find(';')));
    return same_name(type, json_type);
}

Parameters read_search_body(std::string body)
{
    replace_half_pairs(body);
    const json members = parse_flat(body);
    Parameters parameters;
    for (const auto& [name, value] : members.items()) {
        if (value.is_null()) continue;
        if (value.is_number_integer())
            parameters.push_back({name, value.dump()});
        else if (value.is_string() && !is_number(name))
            parameters.push_back({name, value.get<std::string>()});
        else
            refuse(is_number(name) ? "limit and context must be whole numbers"
                                   : "q, tz, sort, cursor and group must be strings");
    }
    return parameters;
}

} // namespace alli::proxy
