// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/world_answers.hpp"

#include "alli/error.hpp"

#include <algorithm>

namespace simulation {

using alli::Error;
using alli::Fault;
using alli::upstream::Reply;

// A write of ours. Its answer may be lost; what does not come from upstream at all is another matter.
alli::Task<Reply> World::write(alli::upstream::Request request)
{
    const auto half = std::chrono::milliseconds(lag_random_.below(static_cast<std::uint64_t>(nature.latency)) / 2);
    const bool busy = lag_random_.unit() < nature.faults, lost = lag_random_.unit() < nature.faults;
    const bool bulk = request.target.ends_with("/bulk_update");
    const std::string rest = request.target.substr(root.size() + 1);
    const std::string id = decode(rest.substr(0, rest.find('/')));
    const auto on_its_way = [&](bool whether) {
        if (talks.contains(id)) talks.at(id).being_written = whether;
    };
    on_its_way(true);
    co_await clock_.sleep(half);
    on_its_way(false);
    if (away) throw Error(Fault::unreachable, "", "no route to upstream");
    if (rejecting) co_return plain(401, R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})");
    if (busy) co_return plain(503, R"({"type":"APIError","code":7000,"message":"busy"})");
    if (auto waits = storm()) co_return std::move(*waits);
    if (auto stray = stray_to_write()) co_return std::move(*stray);
    if (!bulk && (!talks.contains(id) || talks.at(id).visible_from > ours())) {
        refused.insert(request.body.empty() ? id : request.body);
        co_return plain(404, R"({"type":"APIError","code":7003,"message":"no such conversation"})");
    }
    const std::size_t first = effects.size();
    Reply answer = apply(request, id);
    const std::size_t end = effects.size();
    trace(request, answer);
    on_its_way(true);
    co_await clock_.sleep(half);
    on_its_way(false);
    if (lost) throw Error(Fault::unreachable, "", "the connection was reset");
    for (std::size_t at = first; at < end; ++at) effects[at].answered = true;
    co_return answer;
}

Reply World::apply(const alli::upstream::Request& request, const std::string& id)
{
    if (request.method == "DELETE") return apply_delete(id);
    const json body = json::parse(request.body);
    if (request.target.ends_with("/bulk_update")) return apply_bulk(body);
    if (body.contains("assignee")) return apply_update(id, body["assignee"]);
    const auto chat = request.target.find("/chats/");
    if (chat == std::string::npos) return apply_title(id, body["title"]);
    const std::string rest = request.target.substr(chat + 7);
    return apply_feedback(id, decode(rest.substr(0, rest.find('/'))), body);
}

Reply World::apply_title(const std::string& id, const std::string& title)
{
    Talk& talk = talks.at(id);
    begin_to_lag(talk, "title", talk.fields["title"]);
    rename(id, title);
    effects.push_back({id, "title", title});
    return reply_about_one(item(id, 20));
}

Reply World::apply_update(const std::string& id, const json& assignee)
{
    Talk& talk = talks.at(id);
    begin_to_lag(talk, "assignee", talk.fields["assignee"]);
    assign(id, assignee);
    effects.push_back({id, "update", assignee});
    return reply_about_one(item(id, 20));
}

Reply World::apply_bulk(const json& body)
{
    const json& assignee = body["conversationInfo"]["assignee"];
    effects.push_back({"", "bulk", assignee});
    for (const json& one : body["conversationIds"]) {
        const auto talk = talks.find(one.get<std::string>());
        if (talk == talks.end() || talk->second.visible_from > ours()) continue;
        begin_to_lag(talk->second, "assignee", talk->second.fields["assignee"]);
        assign(talk->first, assignee);
        effects.push_back({talk->first, "bulk", assignee});
    }
    return plain(200, "");
}

void World::begin_to_lag(Talk& talk, const std::string& name, json before)
{
    Talk::Written& written = talk.written[name];
    written.before = std::move(before);
    written.lags_until = passed() + nature.read_lag;
    const bool shows_in_lists = talk.fields.contains(name);
    if (!shows_in_lists) return;
    talk.changed = std::max(ours(), talk.visible_from) + nature.read_lag;
    if (written.before_stale) talk.changed += 20'000; // what lags passes for a change of somebody else's
}

bool World::shows_before(const Talk::Written& written)
{
    return written.before && passed() < written.lags_until && lag_random_.unit() < 0.6;
}

Reply World::apply_feedback(const std::string& id, const std::string& chat, const json& body)
{
    Talk& talk = talks.at(id);
    for (json& one : talk.chats) {
        if (one["id"] != chat) continue;
        if (nature.feedback_lags) begin_to_lag(talk, chat, one.value("suggestedAnswer", json()));
        one.update(body);
        values[chat].push_back(one["suggestedAnswer"]);
        talk.chats_edited = true;
        effects.push_back({id, "feedback", body["suggestedAnswer"]});
        return reply_about_one(one);
    }
    refused.insert(body.dump());
    return plain(404, R"({"type":"APIError","code":7003,"message":"no such chat"})");
}

Reply World::apply_delete(const std::string& id)
{
    effects.push_back({id, "delete", id});
    remove(id);
    return plain(200, "");
}

void World::rename(const std::string& id, const std::string& title)
{
    talks.at(id).fields["title"] = title;
    values[id + " title"].push_back(title);
}

void World::assign(const std::string& id, const json& assignee)
{
    talks.at(id).fields["assignee"] = assignee;
    values[id + " assignee"].push_back(assignee);
}

// Writes too meet portals, gateways and proxies.
std::optional<Reply> World::stray_to_write()
{
    if (!nature.strays_to_writes || writes_.unit() >= nature.strays) return std::nullopt;
    switch (writes_.below(4)) {
    case 0:
        return plain(200, "<html>Log in to the hotel's network</html>", "text/html");
    case 1:
        return plain(403, "<html><title>Request blocked</title></html>", "text/html");
    case 2:
        return plain(413, "<html><title>413 Request Entity Too Large</title></html>", "text/html");
    default:
        return plain(404, R"({"message":"no Route matched with those values"})");
    }
}

} // namespace simulation
