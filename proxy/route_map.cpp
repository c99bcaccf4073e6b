// SPDX-License-Identifier: Apache-2.0
#include "proxy/route_map.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

bool is_variable(std::string_view segment)
{
    return segment.starts_with('{');
}

// Of decoded segments: bulk%5Fupdate is bulk_update, and no id.
bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path)
{
    return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(),
                      [](std::string_view p, std::string_view s) { return is_variable(p) ? !s.empty() : p == s; });
}

void allow(std::string& list, std::string_view method)
{
    if (list.find(method) != list.npos) return;
    if (!list.empty()) list += ", ";
    list += method;
    if (method == "GET") list += ", HEAD";
}

// Of what is relayed: /webapi/v2/conversations/ID/...
std::optional<ConversationId> find_conversation(const std::vector<std::string>& decoded)
{
    constexpr std::array<std::string_view, 3> conversations{"webapi", "v2", "conversations"};
    if (decoded.size() <= conversations.size()) return std::nullopt;
    if (!std::equal(conversations.begin(), conversations.end(), decoded.begin())) return std::nullopt;
    const std::string& id = decoded[conversations.size()];
    if (id.empty() || id == "bulk_update") return std::nullopt;
    return ConversationId{id};
}

const OperationRule* find_rule(const Route& route)
{
    for (const OperationRule& rule : operation_rules())
        if (rule.name == name_of(route.operation)) return &rule;
    return nullptr;
}

} // namespace

void RouteMap::add(const Route& route, std::string method, std::string_view pattern, bool exact)
{
    Row row{&route, std::move(method), {}, exact};
    for (const std::string_view segment : split_path(pattern)) row.pattern.emplace_back(segment);
    rows_.push_back(std::move(row));
}

RouteMap::RouteMap(std::span<const Route> routes, const Operations& operations)
{
    for (const Route& route : routes) {
        const OperationRule* rule = find_rule(route);
        if (rule == nullptr) {
            add(route, std::string(route.method), route.pattern, true);
            continue;
        }
        const Operation& set = operations.*rule->member;
        // The table has a row for each method that an app may use; an operation with one method has the setting's.
        const bool one_method = route.operation == OperationId::delete_conversation || route.method == "GET";
        const std::string method = one_method ? set.method : std::string(route.method);
        add(route, method, set.path, method == set.method);
        // Apps that follow the contract ask for counts here, and the mirror computes them itself.
        if (route.method == "GET" && set.path != route.pattern)
            add(route, std::string(route.method), route.pattern, true);
    }
}

Match RouteMap::find(std::string_view method, std::string_view path) const
{
    std::vector<std::string> decoded; // all of them: a relayed path must be clean too
    for (const std::string_view segment : split_path(path)) decoded.push_back(decode_segment(segment));

    Match match;
    const Row* found = nullptr;
    const std::string_view wanted = method == "HEAD" ? "GET" : method;
    for (const Row& row : rows_) {
        if (!fits(row.pattern, decoded)) continue;
        allow(match.allow, row.method);
        if (row.method == wanted && (found == nullptr || (row.exact && !found->exact))) found = &row;
    }
    if (found == nullptr) {
        match.conversation = find_conversation(decoded);
        return match;
    }
    match.route = found->route;
    for (std::size_t i = 0; i < found->pattern.size(); ++i)
        if (is_variable(found->pattern[i])) match.ids.push_back(decoded[i]);
    const bool of_the_contract = match.route->error_format != ErrorFormat::ours;
    if (of_the_contract && !match.ids.empty()) match.conversation = ConversationId{match.ids[0]};
    return match;
}

const Route* find_documented(std::span<const Route> routes, std::string_view method, std::string_view pattern)
{
    const auto same = [](std::string_view a, std::string_view b) {
        return a == b || (is_variable(a) && is_variable(b));
    };
    const auto wanted = split_path(pattern);
    for (const Route& route : routes) {
        if (find_rule(route) != nullptr || route.method != method) continue;
        const auto own = split_path(route.pattern);
        if (std::equal(own.begin(), own.end(), wanted.begin(), wanted.end(), same)) return &route;
    }
    return nullptr;
}

} // namespace alli::proxy
