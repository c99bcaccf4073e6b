// SPDX-License-Identifier: Apache-2.0
#include "sync/attempt.hpp"

#include "alli/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::Entry;
using cache::Patch;
using upstream::Priority;

bool checks_conflicts(const Entry& entry)
{
    return (entry.kind == EditKind::update || entry.kind == EditKind::title) && entry.base && !entry.forced;
}

bool can_be_read_back(EditKind kind)
{
    return kind != EditKind::bulk_update && kind != EditKind::stop;
}

bool all_same(const Patch& wanted, const Patch& found)
{
    return !wanted.empty() &&
           std::equal(wanted.begin(), wanted.end(), found.begin(), found.end(),
                      [](const auto& a, const auto& b) { return cache::same_value(a.second, b.second); });
}

const std::string* find_value(const Patch& patch, const std::string& name)
{
    for (const auto& [member, value] : patch)
        if (member == name) return &value;
    return nullptr;
}

// Set by us before, not by somebody else meanwhile.
bool is_ours(const std::string& name, const std::string& value, const std::vector<cache::Earlier>& earlier)
{
    return std::any_of(earlier.begin(), earlier.end(), [&](const cache::Earlier& one) {
        const Patch patch = cache::patch_of(one.kind, one.body);
        const std::string* set = find_value(patch, name);
        return set != nullptr && cache::same_value(*set, value);
    });
}

// For people to read: what no parser reads is put right.
nlohmann::ordered_json shown(const std::string& value)
{
    return nlohmann::ordered_json::parse(readable_json(value), nullptr, false);
}

std::string find_conflict(const Entry& entry, const Patch& ours, const Patch& theirs,
                          const std::vector<cache::Earlier>& earlier)
{
    using Json = nlohmann::ordered_json;
    Json conflict = Json::object();
    const Patch base = cache::read_patch(*entry.base);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const auto& [name, value] = theirs[i];
        const std::string* before = find_value(base, name);
        if (before == nullptr || cache::same_value(*before, value) || cache::same_value(ours[i].second, value))
            continue;
        if (is_ours(name, value, earlier)) continue;
        conflict[name]["base"] = shown(*before);
        conflict[name]["upstream"] = shown(value);
        conflict[name]["ours"] = shown(ours[i].second);
    }
    return conflict.empty() ? "" : conflict.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Look applied()
{
    Look look;
    look.finding = Look::Finding::applied;
    return look;
}

Task<Look> look_at_chat(upstream::Client& client, const Entry& entry)
{
    const Patch ours = cache::patch_of(entry.kind, entry.body);
    const ChatId chat = entry.chat.value_or(ChatId{});
    const auto found = co_await client.find_chat(*entry.conversation, chat, Priority::delivery);
    if (found && all_same(ours, cache::values_of(found->raw, ours))) co_return applied();
    co_return Look{};
}

Look judge_conversation(const Entry& entry, const std::string& raw, const std::vector<cache::Earlier>& earlier,
                        bool overwrite)
{
    const Patch ours = cache::patch_of(entry.kind, entry.body);
    const Patch theirs = cache::values_of(raw, ours);
    if (entry.unclear && all_same(ours, theirs)) return applied();
    Look look;
    if (overwrite || !checks_conflicts(entry)) return look;
    look.conflict = find_conflict(entry, ours, theirs, earlier);
    if (!look.conflict.empty()) look.finding = Look::Finding::conflict;
    return look;
}

void add_headers(upstream::Request& request, const std::string& headers)
{
    const auto json = nlohmann::ordered_json::parse(headers, nullptr, false);
    if (!json.is_object()) return;
    for (const auto& [name, value] : json.items())
        if (value.is_string()) request.headers.push_back({name, value.get<std::string>()});
}

} // namespace

upstream::Request request_of(const Entry& entry)
{
    upstream::Request request;
    request.method = entry.method;
    request.target = entry.path;
    request.body = entry.body;
    add_headers(request, entry.headers);
    request.headers.push_back({"Idempotency-Key", entry.upstream_key});
    request.headers.push_back({"Via", "1.1 alli-mirror"});
    return request;
}

bool needs_look(const Entry& entry, bool waited, bool overwrite)
{
    if (!entry.conversation) return false;
    if (entry.unclear && can_be_read_back(entry.kind)) return true;
    return waited && !overwrite && checks_conflicts(entry);
}

Task<Look> look_first(upstream::Client& client, const Entry& entry, std::vector<cache::Earlier> earlier, bool overwrite)
{
    if (entry.kind == EditKind::feedback) co_return co_await look_at_chat(client, entry);
    const auto found = co_await client.find_conversation(*entry.conversation, Priority::delivery);
    if (entry.kind == EditKind::remove) {
        if (!found) co_return applied();
        co_return Look{};
    }
    if (!found) co_return Look{}; // upstream says so itself when it is sent
    co_return judge_conversation(entry, found->raw, earlier, overwrite);
}

} // namespace alli::sync
