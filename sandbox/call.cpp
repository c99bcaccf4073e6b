// SPDX-License-Identifier: Apache-2.0
#include "sandbox/call.hpp"

#include "http/target.hpp"
#include "sandbox/encoding.hpp"

#include <algorithm>
#include <charconv>

namespace alli::sandbox {
namespace {

std::string decoded_parameter(std::string_view text)
{
    // Query strings are form-encoded, where a plus is a blank; in a path it is a plus.
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '+', ' ');
    auto decoded = http::percent_decoded(plain);
    if (!decoded) bad_parameter("broken escape in the query");
    return std::move(*decoded);
}

} // namespace

Query::Query(std::string_view text)
{
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        std::string value = equals == std::string_view::npos ? "" : decoded_parameter(pair.substr(equals + 1));
        pairs_.emplace_back(decoded_parameter(pair.substr(0, equals)), std::move(value));
    }
}

std::optional<std::string> Query::find(std::string_view name) const
{
    const auto found =
        std::find_if(pairs_.rbegin(), pairs_.rend(), [&](const auto& pair) { return pair.first == name; });
    if (found == pairs_.rend()) return std::nullopt;
    return found->second;
}

std::vector<std::string> Query::all(std::string_view name) const
{
    std::vector<std::string> values;
    for (const auto& [key, value] : pairs_)
        if (key == name) values.push_back(value);
    return values;
}

std::int64_t Query::number(std::string_view name, std::int64_t fallback, std::int64_t low, std::int64_t high) const
{
    const auto text = find(name);
    if (!text) return fallback;
    std::int64_t value = 0;
    const auto [end, bad] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (bad != std::errc{} || end != text->data() + text->size() || value < low || value > high)
        bad_parameter("{} must be an integer from {} to {}", name, low, high);
    return value;
}

std::optional<bool> Query::boolean(std::string_view name) const
{
    const auto text = find(name);
    if (!text) return std::nullopt;
    const std::string lower = folded(*text);
    if (lower != "true" && lower != "false") bad_parameter("{} must be true or false", name);
    return lower == "true";
}

std::string_view Call::path() const
{
    return http::split_target(target).path;
}

Query Call::query() const
{
    return Query{http::split_target(target).query};
}

void not_found(std::string_view what)
{
    throw Error(Fault::refused, "", "{} not found", what);
}

} // namespace alli::sandbox
