// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/entry_summary.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_bytes = 120; // of a value

// Never within a character.
std::string shortened(std::string text)
{
    if (text.size() <= most_bytes) return text;
    std::size_t end = most_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    return text + "...";
}

/// A value as it is read aloud: "open", nothing, billing, refunds.
std::string say_value(const std::string& json)
{
    const Json value = Json::parse(json, nullptr, false);
    if (value.is_null()) return "nothing";
    if (value.is_string()) return '"' + shortened(value.get<std::string>()) + '"';
    if (!value.is_array() || value.empty()) return value.empty() && value.is_array() ? "none" : shortened(json);
    std::string list;
    for (const Json& one : value)
        list += (list.empty() ? "" : ", ") +
                (one.is_string() ? one.get<std::string>() : one.dump(-1, ' ', false, Json::error_handler_t::replace));
    return shortened(std::move(list));
}

const std::string* find_value(const Patch& patch, std::string_view name)
{
    const auto found = std::find_if(patch.begin(), patch.end(), [&](const auto& it) { return it.first == name; });
    return found == patch.end() ? nullptr : &found->second;
}

std::string say_rating(const std::string& json)
{
    return json == "true" ? "rate good" : json == "false" ? "rate bad" : "take the rating back";
}

std::string say_member(const std::string& name, const std::string& value, const std::string* before)
{
    if (name == "rating") return say_rating(value);
    const std::string from = before != nullptr && *before != "null" && *before != value ? say_value(*before) : "";
    if (name == "title")
        return from.empty() ? fmt::format("rename to {}", say_value(value))
                            : fmt::format("rename {} to {}", from, say_value(value));
    return fmt::format("set {}{} to {}", name, from.empty() ? "" : " from " + from, say_value(value));
}

std::string say_members(const Entry& entry)
{
    const Patch patch = patch_of(entry.kind, entry.body);
    const Patch before = entry.base ? read_patch(*entry.base) : Patch{};
    std::string said;
    for (const auto& [name, value] : patch)
        said += (said.empty() ? "" : ", ") + say_member(name, value, find_value(before, name));
    return said;
}

std::string say_selection(const Selection& selection)
{
    struct Kind {
        const std::vector<std::string>& ids;
        const char* name;
    };
    std::string said;
    for (const Kind& kind : {Kind{selection.conversations, "named"}, Kind{selection.users, "of users"},
                             Kind{selection.apps, "of apps"}, Kind{selection.categories, "in categories"}})
        if (!kind.ids.empty())
            said += fmt::format("{}{} ({})", said.empty() ? "" : " and ", kind.name, kind.ids.size());
    return said.empty() ? "many conversations" : "conversations " + said;
}

} // namespace

std::string say_change(const Entry& entry)
{
    if (entry.kind == EditKind::remove) return "delete the conversation";
    if (entry.kind == EditKind::stop) return "stop the run";
    const std::string members = say_members(entry);
    if (entry.kind == EditKind::bulk_update)
        return fmt::format("{} of {}", members.empty() ? "update" : members, say_selection(read_selection(entry.body)));
    return members.empty() ? fmt::format("{} the conversation", entry.kind == EditKind::feedback ? "rate" : "update")
                           : members;
}

} // namespace alli::cache
