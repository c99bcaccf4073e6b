// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/attempt.hpp"

#include "alli/json_scan.hpp"
#include "alli/json_text.hpp"
#include "sync/delivery/verdict.hpp"

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

bool all_same(const Patch& wanted, const Patch& found)
{
    return !wanted.empty() &&
           std::equal(wanted.begin(), wanted.end(), found.begin(), found.end(),
                      [](const auto& a, const auto& b) { return cache::same_member(a.first, a.second, b.second); });
}

const std::string* find_value(const Patch& patch, const std::string& name)
{
    for (const auto& [member, value] : patch)
        if (member == name) return &value;
    return nullptr;
}

// Of an answer what bears any of these members, whatever upstream wraps it in.
std::string_view content_of(std::string_view answer, const Patch& members)
{
    std::vector<std::string_view> names;
    for (const auto& [name, value] : members) names.push_back(name);
    return find_content(whole_value(answer), names).text;
}

bool bears_all(std::string_view object, const Patch& members)
{
    return std::all_of(members.begin(), members.end(), [&](const auto& member) {
        return !find_member(whole_value(object), member.first).text.empty();
    });
}

// As it was sent, or as upstream's answer showed it: upstream may spell it otherwise.
bool has_set(const cache::Earlier& one, const std::string& name, const std::string& value, const Known& known)
{
    const Patch patch = known.categories.shown(cache::patch_of(one.kind, one.body));
    const std::string* set = find_value(patch, name);
    if (set == nullptr) return false;
    if (cache::same_member(name, *set, value)) return true;
    if (!one.response || value == "null") return false; // what an answer lacks is null too
    const std::string_view content = content_of(*one.response, {{name, ""}});
    return cache::same_member(name, cache::values_of(content, {{name, ""}}).front().second, value);
}

// Set by us before, not by somebody else meanwhile.
bool is_ours(const std::string& name, const std::string& value, const Known& known)
{
    return std::any_of(known.earlier.begin(), known.earlier.end(),
                       [&](const cache::Earlier& one) { return has_set(one, name, value, known); });
}

// For people to read: what no parser reads is put right.
nlohmann::ordered_json shown(const std::string& value)
{
    return nlohmann::ordered_json::parse(readable_json(value), nullptr, false);
}

std::string find_conflict(const Entry& entry, const Patch& ours, const Patch& theirs, const Known& known)
{
    using Json = nlohmann::ordered_json;
    Json conflict = Json::object();
    const Patch base = cache::read_patch(*entry.base);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const auto& [name, value] = theirs[i];
        const std::string* before = find_value(base, name);
        if (before == nullptr || cache::same_member(name, *before, value) ||
            cache::same_member(name, ours[i].second, value))
            continue;
        if (is_ours(name, value, known)) continue;
        conflict[name]["base"] = shown(*before);
        conflict[name]["upstream"] = shown(value);
        conflict[name]["ours"] = shown(ours[i].second);
    }
    return conflict.empty() ? "" : conflict.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ReadBack found(ReadBack::Finding finding)
{
    ReadBack result;
    result.finding = finding;
    return result;
}

// Whether an earlier attempt was applied. A value of ours that is only the state before a later write of ours proves
// nothing, nor does another value as long as the attempt may not be seen yet.
ReadBack::Finding judge_attempt(const Patch& ours, const Patch& theirs, const Known& known)
{
    if (cache::any_lagging(known.lagging, theirs)) return ReadBack::Finding::lagging;
    if (all_same(ours, theirs)) return ReadBack::Finding::applied;
    return known.attempt_may_lag ? ReadBack::Finding::lagging : ReadBack::Finding::send;
}

Task<ReadBack> read_chat_back_first(upstream::Client& client, const Entry& entry, const Known& known)
{
    const Patch ours = cache::patch_of(entry.kind, entry.body);
    const ChatId chat = entry.chat.value_or(ChatId{});
    const auto seen = co_await client.find_chat(*entry.conversation, chat, Priority::delivery);
    if (!seen) co_return ReadBack{}; // upstream says so itself when it is sent
    co_return found(judge_attempt(ours, cache::values_of(seen->raw, ours), known));
}

ReadBack judge_conversation(const Entry& entry, const std::string& raw, const Known& known)
{
    const Patch ours = known.categories.shown(cache::patch_of(entry.kind, entry.body));
    const Patch theirs = cache::values_of(raw, ours);
    const auto attempt = entry.in_doubt ? judge_attempt(ours, theirs, known) : ReadBack::Finding::send;
    if (attempt != ReadBack::Finding::send) return found(attempt);
    if (known.overwrite || !checks_conflicts(entry)) return ReadBack{};
    if (cache::any_lagging(known.lagging, theirs)) return found(ReadBack::Finding::lagging);
    ReadBack result;
    result.conflict = find_conflict(entry, ours, theirs, known);
    if (!result.conflict.empty()) result.finding = ReadBack::Finding::conflict;
    return result;
}

void add_headers(upstream::Request& request, const std::string& headers)
{
    const auto json = nlohmann::ordered_json::parse(headers, nullptr, false);
    if (!json.is_object()) return;
    for (const auto& [name, value] : json.items())
        if (value.is_string()) request.headers.add(name, value.get<std::string>());
}

} // namespace

std::optional<std::string> copy_in(EditKind kind, const std::optional<std::string>& answer)
{
    const bool has_content = kind == EditKind::update || kind == EditKind::title || kind == EditKind::feedback;
    if (!has_content || !answer || !answer->starts_with('{')) return std::nullopt;
    return answer;
}

std::optional<std::string> find_copy(const Entry& entry, const std::optional<upstream::Reply>& reply)
{
    const upstream::Expected expected = expected_answer(entry);
    if (expected.shape == upstream::Shape::nothing || !reply) return std::nullopt;
    if (upstream::authenticity_of(*reply, expected) != upstream::Authenticity::service) return std::nullopt;
    return copy_in(entry.kind, reply->body);
}

bool may_send_over(const Entry& entry, const std::string& raw, const Known& known)
{
    if (entry.in_doubt) return false;
    const Patch ours = known.categories.shown(cache::patch_of(entry.kind, entry.body));
    const bool lags = std::any_of(ours.begin(), ours.end(), [&](const auto& member) {
        return cache::find_written(known.lagging, member.first) != nullptr;
    });
    const std::string shown(content_of(raw, ours));
    const bool is_whole = !content_of(raw, {{"createdAt", ""}}).empty(); // a part may leave out anything
    if (lags || !(is_whole || bears_all(shown, ours))) return false;
    return judge_conversation(entry, shown, known).finding == ReadBack::Finding::send;
}

upstream::Request request_of(const Entry& entry)
{
    upstream::Request request;
    request.method = entry.method;
    request.target = entry.path;
    request.body = entry.body;
    add_headers(request, entry.headers);
    request.headers.add("Idempotency-Key", entry.upstream_key);
    request.headers.add("Via", "1.1 alli-mirror");
    return request;
}

bool needs_read_back(const Entry& entry, bool waited, bool overwrite)
{
    if (!entry.conversation) return false;
    if (entry.in_doubt && can_be_read_back(entry.kind)) return true;
    return waited && !overwrite && checks_conflicts(entry);
}

Task<ReadBack> read_back_first(upstream::Client& client, const Entry& entry, Known known)
{
    if (entry.kind == EditKind::feedback) co_return co_await read_chat_back_first(client, entry, known);
    const auto seen = co_await client.find_conversation(*entry.conversation, Priority::delivery);
    if (entry.kind == EditKind::remove) {
        if (!seen) co_return found(ReadBack::Finding::applied);
        co_return found(known.attempt_may_lag ? ReadBack::Finding::lagging : ReadBack::Finding::send);
    }
    if (!seen) co_return ReadBack{}; // upstream says so itself when it is sent
    ReadBack result = judge_conversation(entry, seen->raw, known);
    result.raw = seen->raw;
    co_return result;
}

} // namespace alli::sync
