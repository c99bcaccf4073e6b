// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/list_query.hpp"

#include "alli/error.hpp"
#include "alli/headers.hpp"
#include "cache/text/case_fold.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace alli::proxy {
namespace {

struct NamedOrder {
    std::string_view name;
    cache::Order order;
};
constexpr std::array orders{
    NamedOrder{"LAST_CHAT_TIME_DESC", cache::Order::last_chat_desc},
    NamedOrder{"LAST_CHAT_TIME_ASC", cache::Order::last_chat_asc},
    NamedOrder{"CREATED_AT_DESC", cache::Order::created_desc},
    NamedOrder{"CREATED_AT_ASC", cache::Order::created_asc},
};

struct NamedTime {
    std::string_view name;
    std::optional<Instant> cache::ListFilter::*member;
};
constexpr std::array times{
    NamedTime{"startedAt", &cache::ListFilter::started_at},
    NamedTime{"endAt", &cache::ListFilter::end_at},
    NamedTime{"firstChatStartedAt", &cache::ListFilter::first_started_at},
    NamedTime{"firstChatEndAt", &cache::ListFilter::first_end_at},
};

[[noreturn]] void refuse(std::string_view name, std::string_view what)
{
    throw Error(Fault::usage, "", "{} must be {}", name, what);
}

std::optional<Instant> read_time(const Parameters& parameters, std::string_view name, TimeUnit unit)
{
    const auto text = find_parameter(parameters, name);
    if (!text) return std::nullopt;
    double value = 0;
    const char* end = text->data() + text->size();
    const auto [stop, bad] = std::from_chars(text->data(), end, value);
    if (bad != std::errc{} || stop != end || !(value > -1e18 && value < 1e18)) refuse(name, "a number");
    const auto instant = read_instant(*text, unit == TimeUnit::unknown ? guess_unit(value) : unit);
    if (!instant) refuse(name, "a time within range");
    return instant;
}

bool read_flag(const Parameters& parameters, std::string_view name)
{
    const auto text = find_parameter(parameters, name);
    if (!text) return false;
    const bool on = same_name(*text, "true"); // some clients write True
    if (!on && !same_name(*text, "false")) refuse(name, "true or false");
    return on;
}

cache::Order read_order(const Parameters& parameters)
{
    const auto text = find_parameter(parameters, "order");
    if (!text) return cache::Order::last_chat_desc;
    const auto order = find_order(*text);
    if (!order) refuse("order", "LAST_CHAT_TIME_DESC, LAST_CHAT_TIME_ASC, CREATED_AT_DESC or CREATED_AT_ASC");
    return *order;
}

} // namespace

std::optional<std::string> find_parameter(const Parameters& parameters, std::string_view name)
{
    const auto found = std::find_if(parameters.rbegin(), parameters.rend(),
                                    [&](const Parameter& p) { return p.name == name && !p.value.empty(); });
    if (found == parameters.rend()) return std::nullopt;
    return found->value;
}

int read_number(const Parameters& parameters, std::string_view name, int fallback, int low, int high)
{
    const auto text = find_parameter(parameters, name);
    if (!text) return fallback;
    int value = 0;
    const char* end = text->data() + text->size();
    const auto [stop, bad] = std::from_chars(text->data(), end, value);
    if (bad != std::errc{} || stop != end || value < low || value > high)
        refuse(name, fmt::format("a whole number from {} to {}", low, high));
    return value;
}

std::optional<cache::Order> find_order(std::string_view name)
{
    const auto* found =
        std::find_if(orders.begin(), orders.end(), [&](const NamedOrder& one) { return one.name == name; });
    if (found == orders.end()) return std::nullopt;
    return found->order;
}

std::vector<std::string> read_names(std::string_view list)
{
    std::vector<std::string> names;
    while (!list.empty()) {
        const std::string_view name = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), name.size() + 1));
        if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    }
    return names;
}

std::vector<std::string> read_list_variables(const Parameters& parameters)
{
    std::vector<std::string> names;
    for (const Parameter& parameter : parameters)
        if (parameter.name == "variables" && !parameter.value.empty() &&
            std::find(names.begin(), names.end(), parameter.value) == names.end())
            names.push_back(parameter.value);
    return names;
}

bool is_slow(const Parameters& parameters)
{
    constexpr auto narrowing = std::to_array<std::string_view>(
        {"userIds", "llmAppId", "categoryId", "activeOnly", "firstChatStartedAt", "firstChatEndAt"});
    const auto has = [&](std::string_view name) { return find_parameter(parameters, name).has_value(); };
    if (has("searchTerm")) return true;
    const auto narrowed = std::count_if(narrowing.begin(), narrowing.end(), has);
    // Windows are of chat times: in the order of creation nothing says where their rows stand.
    const bool by_creation = find_parameter(parameters, "order").value_or("").starts_with("CREATED");
    return narrowed > 1 || (by_creation && (narrowed > 0 || has("startedAt") || has("endAt")));
}

ListQuery read_list_query(const Parameters& parameters, TimeUnit unit)
{
    ListQuery query;
    for (const Parameter& parameter : parameters)
        if (parameter.name == "userIds" && !parameter.value.empty()) query.filter.user_ids.push_back(parameter.value);
    query.filter.app_id = find_parameter(parameters, "llmAppId");
    query.filter.category_id = find_parameter(parameters, "categoryId");
    for (const NamedTime& time : times) query.filter.*time.member = read_time(parameters, time.name, unit);
    query.filter.search_term = cache::folded_case(find_parameter(parameters, "searchTerm").value_or(""));
    query.filter.active_only = read_flag(parameters, "activeOnly");
    read_flag(parameters, "backgroundRunning");
    query.filter.order = read_order(parameters);
    query.page_size = read_number(parameters, "pageSize", conversations_a_page, 1, conversations_a_page);
    query.cursor = find_parameter(parameters, "cursor");
    query.variables = read_list_variables(parameters);
    return query;
}

} // namespace alli::proxy
