// SPDX-License-Identifier: Apache-2.0
#include "sandbox/faults.hpp"

#include "alli/error.hpp"
#include "sandbox/fields.hpp"
#include "sandbox/routes.hpp"

#include <algorithm>
#include <array>

namespace alli::sandbox {
namespace {

using std::chrono::milliseconds;

struct Kind {
    std::string_view name;
    FaultRule::Kind kind;
    std::int64_t amount; // where none is named
};

constexpr auto kinds = std::to_array<Kind>({
    {"latency", FaultRule::Kind::latency, 200},
    {"too_many", FaultRule::Kind::too_many, 0},
    {"too_many_retry_after", FaultRule::Kind::too_many_retry_after, 1},
    {"too_many_date", FaultRule::Kind::too_many_date, 2},
    {"unavailable_html", FaultRule::Kind::unavailable_html, 0},
    {"bad_gateway_html", FaultRule::Kind::bad_gateway_html, 0},
    {"server_error", FaultRule::Kind::server_error, 0},
    {"unauthorized", FaultRule::Kind::unauthorized, 0},
    {"reset_before", FaultRule::Kind::reset_before, 0},
    {"reset_after", FaultRule::Kind::reset_after, 0},
    {"hang", FaultRule::Kind::hang, 60'000},
    {"stall", FaultRule::Kind::stall, 60'000},
    {"drip", FaultRule::Kind::drip, 50},
    {"cut_body", FaultRule::Kind::cut_body, 0},
    {"not_json", FaultRule::Kind::not_json, 0},
    {"wrong_type", FaultRule::Kind::wrong_type, 0},
    {"same_cursor", FaultRule::Kind::same_cursor, 0},
    {"empty_page", FaultRule::Kind::empty_page, 0},
    {"unasked", FaultRule::Kind::unasked, 0},
    {"unasked_close", FaultRule::Kind::unasked_close, 0},
});

std::string fault_hint()
{
    return "kind[:route[:count[:amount]]][:p=0.1][:skip=N][:after=MS][:for=MS], where kind is one of " + fault_kinds() +
           "; route is an operationId or *; amount is seconds of Retry-After, else milliseconds";
}

struct Setting {
    std::string_view name;
    void (*set)(FaultRule&, std::string_view value, const Fields& fields);
};

constexpr auto settings = std::to_array<Setting>({
    {"p", [](FaultRule& rule, std::string_view value, const Fields& f) { rule.probability = f.number(value, 0.0); }},
    {"skip", [](FaultRule& rule, std::string_view value, const Fields& f) { rule.skip = f.number(value, 0); }},
    {"after", [](FaultRule& rule, std::string_view value,
                 const Fields& f) { rule.after = milliseconds{f.number<std::int64_t>(value, 0)}; }},
    {"for", [](FaultRule& rule, std::string_view value,
               const Fields& f) { rule.lasts = milliseconds{f.number<std::int64_t>(value, 0)}; }},
});

// Takes a part of the form name=value; false: it is another one.
bool take_setting(FaultRule& rule, std::string_view part, const Fields& fields)
{
    const auto equals = part.find('=');
    if (equals == part.npos) return false;
    for (const Setting& setting : settings) {
        if (setting.name != part.substr(0, equals)) continue;
        setting.set(rule, part.substr(equals + 1), fields);
        return true;
    }
    fields.refuse(part);
}

} // namespace

std::string fault_kinds()
{
    return joined_names(kinds);
}

FaultRule parse_fault(std::string_view text)
{
    Fields fields("fault", text, &fault_hint);
    std::string name{fields.next()};
    std::replace(name.begin(), name.end(), '-', '_');
    const auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const Kind& known) { return known.name == name; });
    if (kind == kinds.end()) throw Error(Fault::usage, fault_hint(), "there is no fault \"{}\"", name);

    FaultRule rule{.kind = kind->kind, .amount = kind->amount};
    for (int place = 0; !fields.empty();) {
        const std::string_view part = fields.next();
        if (take_setting(rule, part, fields)) continue;
        if (place > 2) fields.refuse(part);
        if (place == 0 && !part.empty()) rule.route = part;
        if (place == 1 && !part.empty()) rule.count = fields.number<int>(part, -1);
        if (place == 2 && !part.empty()) rule.amount = fields.number<std::int64_t>(part, 0);
        ++place;
    }
    if (rule.route != "*" && !is_operation(rule.route))
        throw Error(Fault::usage, fault_hint(), "in the fault \"{}\", \"{}\" is no operation", text, rule.route);
    return rule;
}

Faults::Faults(std::vector<FaultRule> rules, std::uint64_t seed, Instant now) : random_(seed), since_(now)
{
    for (FaultRule& rule : rules) rules_.push_back({std::move(rule)});
}

bool Faults::fits(Counted& counted, std::string_view operation, Instant now)
{
    const FaultRule& rule = counted.rule;
    if (rule.route != "*" && rule.route != operation) return false;
    const auto passed = std::chrono::duration_cast<milliseconds>(now - since_);
    if (passed < rule.after || passed - rule.after >= rule.lasts) return false;
    if (counted.seen++ < rule.skip) return false;
    if (rule.count >= 0 && counted.struck >= rule.count) return false;
    return rule.probability >= 1 || random_.unit() < rule.probability;
}

Strike Faults::strike(std::string_view operation, Instant now)
{
    Strike strike;
    for (Counted& counted : rules_) {
        if (!fits(counted, operation, now)) continue;
        const bool latency = counted.rule.kind == FaultRule::Kind::latency;
        if (!latency && strike.fault) continue; // its turn comes with the next request
        ++counted.struck;
        if (latency)
            strike.latency += milliseconds{counted.rule.amount};
        else
            strike.fault = counted.rule;
    }
    if (strike.fault) strike.dice = random_.next();
    return strike;
}

} // namespace alli::sandbox
