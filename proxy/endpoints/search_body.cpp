// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/search_body.hpp"

#include "alli/error.hpp"
#include "alli/headers.hpp"
#include "proxy/request/half_pairs.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

using nlohmann::json;

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
