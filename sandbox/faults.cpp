// SPDX-License-Identifier: Apache-2.0
#include "sandbox/faults.hpp"

#include "alli/error.hpp"
#include "sandbox/routes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace alli::sandbox {
namespace {

struct Kind {
    std::string_view name;
    FaultRule::Kind kind;
    std::int64_t amount; // where none is named
};

constexpr auto kinds = std::to_array<Kind>({
    {"latency", FaultRule::Kind::latency, 200},
    {"too_many", FaultRule::Kind::too_many, 0},
    {"too_many_retry_after", FaultRule::Kind::too_many_retry_after, 1},
    {"unavailable_html", FaultRule::Kind::unavailable_html, 0},
    {"reset_before", FaultRule::Kind::reset_before, 0},
    {"reset_after", FaultRule::Kind::reset_after, 0},
    {"cut_body", FaultRule::Kind::cut_body, 0},
    {"not_json", FaultRule::Kind::not_json, 0},
});

const std::string& fault_hint()
{
    static const std::string hint = [] {
        std::string names;
        for (const Kind& kind : kinds) names += (names.empty() ? "" : ", ") + std::string{kind.name};
        return "kind[:route[:count[:amount]]], where kind is one of " + names +
               "; route is an operationId or *; amount is milliseconds of latency or seconds of Retry-After";
    }();
    return hint;
}

std::string_view next_part(std::string_view& rest)
{
    const std::string_view part = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
}

template <class Number>
Number read_number(std::string_view part, Number low, std::string_view whole)
{
    Number value{};
    const auto [end, bad] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (bad != std::errc{} || end != part.data() + part.size() || value < low)
        throw Error(Fault::usage, fault_hint(), "in the fault \"{}\", \"{}\" is no number that fits", whole, part);
    return value;
}

} // namespace

FaultRule parse_fault(std::string_view text)
{
    std::string_view rest = text;
    std::string name{next_part(rest)};
    std::replace(name.begin(), name.end(), '-', '_');
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& known) { return known.name == name; });
    if (kind == kinds.end()) throw Error(Fault::usage, fault_hint(), "there is no fault \"{}\"", name);

    FaultRule rule{.kind = kind->kind, .amount = kind->amount};
    if (const auto route = next_part(rest); !route.empty()) rule.route = route;
    if (rule.route != "*" && !is_operation(rule.route))
        throw Error(Fault::usage, fault_hint(), "in the fault \"{}\", \"{}\" is no operation", text, rule.route);
    if (const auto count = next_part(rest); !count.empty()) rule.count = read_number<int>(count, -1, text);
    if (const auto amount = next_part(rest); !amount.empty()) rule.amount = read_number<std::int64_t>(amount, 0, text);
    if (!rest.empty()) throw Error(Fault::usage, fault_hint(), "the fault \"{}\" has too many parts", text);
    return rule;
}

Faults::Faults(std::vector<FaultRule> rules)
{
    for (FaultRule& rule : rules) rules_.push_back({std::move(rule)});
}

Strike Faults::strike(std::string_view operation)
{
    Strike strike;
    for (Counted& counted : rules_) {
        const FaultRule& rule = counted.rule;
        if (rule.route != "*" && rule.route != operation) continue;
        if (counted.seen++ < rule.skip) continue;
        if (rule.count >= 0 && counted.struck >= rule.count) continue;
        const bool latency = rule.kind == FaultRule::Kind::latency;
        if (!latency && strike.fault) continue; // its turn comes with the next request
        ++counted.struck;
        if (latency)
            strike.latency += std::chrono::milliseconds{rule.amount};
        else
            strike.fault = rule;
    }
    return strike;
}

} // namespace alli::sandbox
