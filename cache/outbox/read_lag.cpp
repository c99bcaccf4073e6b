// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/read_lag.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace alli::cache {
namespace {

const std::string* find_value(const Patch& patch, std::string_view name)
{
    const auto found =
        std::find_if(patch.begin(), patch.end(), [&](const auto& member) { return member.first == name; });
    return found == patch.end() ? nullptr : &found->second;
}

// Whether it may be the state before this write. Where that is not known, anything may be.
bool may_be_before(const Delivered& write, std::string_view name, std::string_view value)
{
    const auto known = write.before.find(std::string(name));
    return known == write.before.end() ||
           std::any_of(known->second.begin(), known->second.end(),
                       [&](const auto& before) { return same_member(name, before, value); });
}

} // namespace

bool may_lag(Clock::Steady asked_at, Clock::Steady answered_at, std::chrono::nanoseconds read_lag)
{
    return asked_at <= answered_at + read_lag;
}

const std::string* find_written(std::span<const Delivered> delivered, std::string_view name)
{
    const std::string* last = nullptr;
    for (const Delivered& write : delivered)
        if (const std::string* value = find_value(write.written, name)) last = value;
    return last;
}

Reading judge_reading(std::span<const Delivered> delivered, std::string_view name, std::string_view value)
{
    const std::string* last = find_written(delivered, name);
    if (last == nullptr || same_member(name, *last, value)) return Reading::current;
    for (const Delivered& write : delivered) {
        const std::string* written = find_value(write.written, name);
        if (written == nullptr) continue;
        // What one of ours wrote and a later one replaced is the state before that later one.
        if (same_member(name, *written, value) || may_be_before(write, name, value)) return Reading::lagging;
    }
    return Reading::changed;
}

bool any_lagging(std::span<const Delivered> delivered, const Patch& read)
{
    return std::any_of(read.begin(), read.end(), [&](const auto& member) {
        return judge_reading(delivered, member.first, member.second) == Reading::lagging;
    });
}

// By hand, as write_patch does it: the values are JSON already and stay byte for byte.
std::string write_before(const Delivered& delivered)
{
    std::string text = "{";
    for (const auto& [name, values] : delivered.before) {
        if (text.size() > 1) text += ',';
        text += nlohmann::json(name).dump() + ":[";
        for (std::size_t i = 0; i < values.size(); ++i) text += (i == 0 ? "" : ",") + values[i];
        text += ']';
    }
    return text += '}';
}

void read_before(std::string_view text, Delivered& delivered)
{
    const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!json.is_object()) return;
    for (const auto& [name, values] : json.items()) {
        if (!values.is_array()) continue;
        auto& known = delivered.before[name];
        for (const auto& value : values) known.push_back(value.dump());
    }
}

} // namespace alli::cache
