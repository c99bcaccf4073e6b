// SPDX-License-Identifier: Apache-2.0
#include "daemon/mcp/mcp_arguments.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/nearest.hpp"
#include "alli/relative_time.hpp"

#include <cmath>
#include <limits>

namespace alli::daemon {
namespace {

[[noreturn]] void refuse(const char* name, std::string_view what)
{
    throw Error(Fault::usage, "", "{} must be {}", name, what);
}

const Json* find_argument(const Json& arguments, const char* name)
{
    const auto found = arguments.find(name);
    return found == arguments.end() || found->is_null() ? nullptr : &*found;
}

} // namespace

void require_known(const Json& arguments, const Json& input_schema)
{
    std::vector<std::string_view> names;
    for (const auto& [name, shape] : input_schema.at("properties").items()) names.emplace_back(name);
    for (const auto& [name, value] : arguments.items()) {
        if (value.is_null() || std::find(names.begin(), names.end(), name) != names.end()) continue;
        const std::string_view nearest = find_nearest(name, names);
        throw Error(Fault::usage,
                    nearest.empty()
                        ? fmt::format("it takes {}", names.empty() ? "none" : fmt::to_string(fmt::join(names, ", ")))
                        : fmt::format("did you mean {}?", nearest),
                    "an argument is none of this tool");
    }
}

std::string read_text(const Json& arguments, const char* name)
{
    const Json* found = find_argument(arguments, name);
    if (found == nullptr) return "";
    if (!found->is_string()) refuse(name, "a string");
    return found->get<std::string>();
}

std::optional<std::string> read_optional(const Json& arguments, const char* name)
{
    std::string text = read_text(arguments, name);
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::string require_text(const Json& arguments, const char* name)
{
    std::string text = read_text(arguments, name);
    if (text.empty()) refuse(name, "given");
    return text;
}

bool require_flag(const Json& arguments, const char* name)
{
    const Json* found = find_argument(arguments, name);
    if (found == nullptr || !found->is_boolean()) refuse(name, "true or false");
    return found->get<bool>();
}

int read_number(const Json& arguments, const char* name, int fallback, int low, int high)
{
    const Json* found = find_argument(arguments, name);
    if (found == nullptr) return fallback;
    const double number = found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(number >= low && number <= high) || number != std::floor(number))
        refuse(name, fmt::format("a whole number from {} to {}", low, high));
    return static_cast<int>(number);
}

Zone read_zone(const Json& arguments)
{
    const std::string name = read_text(arguments, "tz");
    return name.empty() ? Zone::of_host() : Zone::load(name);
}

std::optional<Instant> read_bound(const Json& arguments, const char* name, const Zone& zone, ReadBound read)
{
    const std::string text = read_text(arguments, name);
    if (text.empty()) return std::nullopt;
    const auto when = read(absolute_time(text, zone, SystemClock().now()), zone);
    if (!when) refuse(name, "a day like 2026-01-31 or yesterday or 7d, or a time like 2026-01-31T09:30:00Z");
    return when;
}

} // namespace alli::daemon
