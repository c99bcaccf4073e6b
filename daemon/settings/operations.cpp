// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/operations.hpp"

#include "alli/error.hpp"
#include "proxy/route_map.hpp"
#include "proxy/routes.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

constexpr std::array members{
    std::pair{std::string_view("upstream.daily_count"), &Config::daily_count},
    std::pair{std::string_view("upstream.update"), &Config::update},
    std::pair{std::string_view("upstream.delete"), &Config::remove},
    std::pair{std::string_view("upstream.title"), &Config::title},
};

std::string Config::*member_of(std::string_view key)
{
    return std::find_if(members.begin(), members.end(), [&](const auto& it) { return it.first == key; })->second;
}

const OperationRule& rule_of(std::string_view key)
{
    const auto rules = operation_rules();
    return *std::find_if(rules.begin(), rules.end(), [&](const OperationRule& rule) { return rule.key == key; });
}

std::string_view short_name(const OperationRule& rule)
{
    return rule.key.substr(rule.key.find('.') + 1);
}

// Renaming may share the update's method and path: the body distinguishes them. Deletion may not.
void require_unlike(const Config& config, const Operation& removing)
{
    for (const std::string_view other : {"upstream.update", "upstream.title"}) {
        std::optional<Operation> known;
        try {
            known = read_operation(config.*member_of(other), rule_of(other));
        } catch (const Error&) {
            continue; // which its own check says
        }
        if (*known == removing)
            throw Error(Fault::settings, "give one of them another method or path",
                        "upstream.delete is the same as {}: one would be taken for the other", other);
    }
}

} // namespace

Operations read_operations(const Config& config)
{
    Operations operations;
    for (const OperationRule& rule : operation_rules())
        operations.*rule.member = read_operation(config.*member_of(rule.key), rule);
    return operations;
}

void check_operation(const Config& config, std::string_view key)
{
    const Operation operation = read_operation(config.*member_of(key), rule_of(key));
    if (const proxy::Route* other = proxy::find_documented(proxy::routes(), operation.method, operation.path))
        throw Error(Fault::settings, "write the method and path that upstream has for it",
                    "{} says where the API has another operation, {}", key, proxy::name_of(other->operation));
    if (key == "upstream.delete") require_unlike(config, operation);
}

void reset_operations(Config& config)
{
    const Config fresh;
    for (const auto& [key, member] : members) config.*member = fresh.*member;
}

Json operations_json(const Config& config)
{
    Json json;
    for (const OperationRule& rule : operation_rules())
        json[std::string(short_name(rule))] = config.*member_of(rule.key);
    return json;
}

std::optional<Operation> find_operation(const Json& status, std::string_view key)
{
    const OperationRule& rule = rule_of(key);
    const Json operations = status.value("operations", Json::object());
    const auto found = operations.is_object() ? operations.find(std::string(short_name(rule))) : operations.end();
    if (!operations.is_object() || found == operations.end() || !found->is_string()) return std::nullopt;
    try {
        return read_operation(found->get<std::string>(), rule);
    } catch (const Error&) {
        return std::nullopt;
    }
}

} // namespace alli::daemon
