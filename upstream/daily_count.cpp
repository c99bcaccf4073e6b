// SPDX-License-Identifier: Apache-2.0
#include "upstream/daily_count.hpp"

#include "alli/error.hpp"
#include "alli/instant.hpp"

#include <nlohmann/json.hpp>

namespace alli::upstream {
namespace {

[[noreturn]] void refuse(const char* why)
{
    throw Error(Fault::bad_reply, "check upstream.daily_count", "upstream's daily counts cannot be read: {}", why);
}

bool is_date(const std::string& text)
{
    return text.size() == 10 && from_rfc3339(text);
}

DailyCount read_one(const nlohmann::json& entry)
{
    const auto date = entry.is_object() ? entry.find("date") : entry.end();
    if (date == entry.end() || !date->is_string()) refuse("an entry has no date");
    const auto count = entry.find("count");
    if (count == entry.end() || !count->is_number_integer()) refuse("an entry has no whole number as its count");
    DailyCount one;
    one.date = date->get<std::string>();
    one.count = count->get<std::int64_t>();
    if (!is_date(one.date)) refuse("a date is not YYYY-MM-DD");
    if (one.count < 0) refuse("a count is negative");
    return one;
}

} // namespace

std::vector<DailyCount> read_daily_counts(const std::string& body)
{
    auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_object() && !json.contains("counts") && json.contains("result")) json = nlohmann::json(json["result"]);
    if (json.is_discarded()) refuse("it is not JSON");
    const auto counts = json.is_object() ? json.find("counts") : json.end();
    if (counts == json.end() || !counts->is_array()) refuse("it has no list \"counts\"");
    std::vector<DailyCount> all;
    all.reserve(counts->size());
    for (const auto& entry : *counts) all.push_back(read_one(entry));
    return all;
}

} // namespace alli::upstream
