// SPDX-License-Identifier: Apache-2.0
// How many conversations were created on each day of a range, in UTC.
#include "sandbox/list.hpp"

#include "alli/instant.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::sandbox {
namespace {

constexpr auto longest_range = std::chrono::days{3700};

std::chrono::sys_days read_day(const Query& query, std::string_view name)
{
    const auto text = query.find(name);
    if (!text) bad_parameter("{} is required", name);
    const auto day = text->size() == 10 ? from_rfc3339(*text) : std::nullopt;
    if (!day) bad_parameter("{} must be a date, YYYY-MM-DD", name);
    return std::chrono::floor<std::chrono::days>(*day);
}

std::ptrdiff_t created_before(const World& world, Instant when)
{
    const Index& index = world.by_created();
    const auto earlier = [&](const IndexEntry& entry) { return entry.at < when; };
    return std::partition_point(index.begin(), index.end(), earlier) - index.begin();
}

} // namespace

std::string daily_counts(const World& world, const Query& query)
{
    const auto first = read_day(query, "startDate"), last = read_day(query, "endDate");
    if (last < first) bad_parameter("endDate is before startDate");
    if (last - first > longest_range) bad_parameter("the range is longer than {} days", longest_range.count());

    std::string out = R"({"counts":[)";
    for (auto day = first; day <= last; day += std::chrono::days{1}) {
        const auto count = created_before(world, day + std::chrono::days{1}) - created_before(world, day);
        if (day != first) out.push_back(',');
        out += fmt::format(R"({{"date":"{}","count":{}}})", to_rfc3339(day).substr(0, 10), count);
    }
    return out + "]}";
}

} // namespace alli::sandbox
