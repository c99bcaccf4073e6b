// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/edit.hpp"

#include "alli/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array names{std::pair{EditKind::update, std::string_view("update")},
                           std::pair{EditKind::title, std::string_view("title")},
                           std::pair{EditKind::feedback, std::string_view("feedback")},
                           std::pair{EditKind::bulk_update, std::string_view("bulk_update")},
                           std::pair{EditKind::remove, std::string_view("delete")},
                           std::pair{EditKind::stop, std::string_view("stop")}};

struct Member { // of a body, and as what it shows
    EditKind kind;
    std::string_view sent, shown;
    bool nullable = true;
};
constexpr std::array members{Member{EditKind::update, "state", "state"},
                             Member{EditKind::update, "assignee", "assignee"},
                             Member{EditKind::update, "categoryIds", "categories", false},
                             Member{EditKind::update, "title", "title"},
                             Member{EditKind::title, "title", "title"},
                             Member{EditKind::feedback, "rating", "rating"},
                             Member{EditKind::feedback, "feedbackSelection", "feedbackSelection"},
                             Member{EditKind::feedback, "suggestedAnswer", "suggestedAnswer"}};

const Member* find_member(EditKind kind, std::string_view sent)
{
    const auto* found =
        std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.kind == kind && m.sent == sent; });
    return found == members.end() ? nullptr : found;
}

// Discarded where it is none, or so deep that comparing or writing it would need too much of the stack.
Json parse(std::string_view text)
{
    constexpr std::size_t deepest = 500;
    return is_deeper_than(text, deepest) ? Json(Json::value_t::discarded) : Json::parse(text, nullptr, false);
}

/// Where a member's value stands in the text of an object.
struct Span {
    std::size_t at = 0, size = 0;
};

// Of every wanted member that is there; the last of several of one name is the one that counts.
std::vector<std::optional<Span>> find_spans(std::string_view raw, const Patch& wanted)
{
    std::vector<std::optional<Span>> spans(wanted.size());
    for (JsonMembers member(whole_value(raw)); member.next();) {
        const std::string_view text = member.value.text;
        const auto found =
            std::find_if(wanted.begin(), wanted.end(), [&](const auto& it) { return it.first == member.key; });
        if (found != wanted.end() && !text.empty())
            spans[static_cast<std::size_t>(found - wanted.begin())] =
                Span{static_cast<std::size_t>(text.data() - raw.data()), text.size()};
    }
    return spans;
}

std::vector<std::string> texts(const Json& body, const char* name)
{
    std::vector<std::string> found;
    const auto at = body.find(name);
    if (at == body.end() || !at->is_array()) return found;
    for (const Json& item : *at)
        if (item.is_string()) found.push_back(item.get<std::string>());
    return found;
}

} // namespace

std::string_view name_of(EditKind kind) noexcept
{
    return names[static_cast<std::size_t>(kind)].second;
}

std::optional<EditKind> find_edit_kind(std::string_view name) noexcept
{
    for (const auto& [kind, own] : names)
        if (own == name) return kind;
    return std::nullopt;
}

Patch patch_of(EditKind kind, std::string_view body)
{
    Patch patch;
    Json json = parse(body);
    if (kind == EditKind::bulk_update && json.is_object()) {
        json = json.value("conversationInfo", Json());
        kind = EditKind::update;
    }
    if (!json.is_object()) return patch;
    for (const auto& [name, value] : json.items()) {
        const Member* member = find_member(kind, name);
        if (member == nullptr || (value.is_null() && !member->nullable)) continue;
        patch.emplace_back(member->shown, value.dump());
    }
    return patch;
}

std::string write_patch(const Patch& patch)
{
    std::string text = "{";
    for (const auto& [name, value] : patch) {
        if (text.size() > 1) text += ',';
        text += quoted_text(name) + ':' + value;
    }
    return text += '}';
}

Patch read_patch(std::string_view text)
{
    Patch patch;
    for (JsonMembers member(whole_value(text)); member.next();)
        if (!member.value.text.empty()) patch.emplace_back(member.key, member.value.text);
    return patch;
}

Patch values_of(std::string_view raw, const Patch& wanted)
{
    Patch values;
    const auto spans = find_spans(raw, wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        values.emplace_back(wanted[i].first, spans[i] ? std::string(raw.substr(spans[i]->at, spans[i]->size)) : "null");
    return values;
}

std::string with_patch(std::string_view raw, const Patch& patch)
{
    const auto spans = find_spans(raw, patch);
    std::string text(raw);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < patch.size(); ++i)
        if (spans[i]) order.push_back(i);
    // From the back, so that what stands before stays where it is.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return spans[a]->at > spans[b]->at; });
    for (const std::size_t i : order) text.replace(spans[i]->at, spans[i]->size, patch[i].second);
    for (std::size_t i = 0; i < patch.size(); ++i) {
        if (spans[i]) continue;
        const std::size_t end = text.rfind('}');
        if (end == std::string::npos) return text;
        const std::size_t last = text.find_last_not_of(" \t\r\n", end - 1);
        const bool empty = last == std::string::npos || text[last] == '{';
        text.insert(end, (empty ? "" : ",") + quoted_text(patch[i].first) + ':' + patch[i].second);
    }
    return text;
}

bool same_value(std::string_view a, std::string_view b)
{
    if (a == b) return true;
    const nlohmann::json left = parse(a), right = parse(b); // in no order
    return !left.is_discarded() && left == right;
}

bool same_member(std::string_view name, std::string_view a, std::string_view b)
{
    if (name != "categories" || a == b) return same_value(a, b);
    nlohmann::json left = parse(a), right = parse(b);
    if (!left.is_array() || !right.is_array()) return same_value(a, b);
    for (nlohmann::json* set : {&left, &right}) {
        std::sort(set->begin(), set->end());
        set->erase(std::unique(set->begin(), set->end()), set->end());
    }
    return left == right;
}

Selection read_selection(std::string_view body)
{
    const Json json = parse(body);
    if (!json.is_object()) return {};
    return {texts(json, "userIds"), texts(json, "llmAppIds"), texts(json, "categoryIds"),
            texts(json, "conversationIds")};
}

} // namespace alli::cache
