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
    const bool refused = lag_random_.unit() < nature.faults, lost = lag_random_.unit() < nature.faults;
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
    if (refused) co_return plain(503, R"({"type":"APIError","code":7000,"message":"busy"})");
    if (auto stray = stray_to_write()) co_return std::move(*stray);
    if (!talks.contains(id) || talks.at(id).visible_from > ours()) {
        this->refused.insert(request.body.empty() ? id : request.body);
        co_return plain(404, R"({"type":"APIError","code":7003,"message":"no such conversation"})");
    }
    const std::size_t effect = effects.size();
    Reply answer = apply(request, id);
    on_its_way(true);
    co_await clock_.sleep(half);
    on_its_way(false);
    if (lost) throw Error(Fault::unreachable, "", "the connection was reset");
    if (effect < effects.size()) effects[effect].answered = true;
    co_return answer;
}

Reply World::apply(const alli::upstream::Request& request, const std::string& id)
{
    if (request.method == "DELETE") return apply_delete(id);
    const json body = json::parse(request.body);
    const auto chat = request.target.find("/chats/");
    if (chat == std::string::npos) return apply_title(id, body["title"]);
    const std::string rest = request.target.substr(chat + 7);
    return apply_feedback(id, decode(rest.substr(0, rest.find('/'))), body);
}

Reply World::apply_title(const std::string& id, const std::string& title)
{
    Talk& talk = talks.at(id);
    talk.title_before = talk.fields["title"];
    rename(id, title);
    effects.push_back({id, "title", title});
    talk.lags_until = clock_.passed() / std::chrono::milliseconds(1) + nature.read_lag;
    talk.changed = std::max(ours(), talk.visible_from) + nature.read_lag;
    if (talk.before_stale) talk.changed += 20'000; // what lags passes for a change of somebody else's
    return reply_about_one(item(id, 20));
}

Reply World::apply_feedback(const std::string& id, const std::string& chat, const json& body)
{
    Talk& talk = talks.at(id);
    for (json& one : talk.chats) {
        if (one["id"] != chat) continue;
        one.update(body);
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
    titles[id].push_back(title);
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
