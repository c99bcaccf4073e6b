// SPDX-License-Identifier: Apache-2.0
// An upstream with a past: each read shows a conversation as it was some time ago, up to a most, another time with each
// read; answers get lost; other people change things too. Everything from one seed.
#pragma once

#include "alli/error.hpp"
#include "alli/random.hpp"
#include "tests/support/fake_clock.hpp"
#include "upstream/http.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace alli::sync {

using nlohmann::json;

class LaggingWorld final : public upstream::Transport {
  public:
    LaggingWorld(support::FakeClock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}

    struct State { // of a conversation, since then; null: it is gone
        Clock::Steady since;
        json shown;
    };
    struct Value { // of a member
        Clock::Steady since;
        json value;
        bool theirs = false;
    };
    using Member = std::pair<std::string, std::string>; // of a conversation: title, state or rating
    std::map<std::string, std::vector<State>> past;
    std::map<Member, std::vector<Value>> values;
    std::map<std::string, int> applied; // by Idempotency-Key
    /// Somebody else's value is about to be replaced by ours.
    std::function<void(const Member&, const json&)> buries;
    bool away = false;
    double loses = 0, refuses = 0; // of writes: the answer; the write itself
    std::chrono::milliseconds lag{0};

    void begin(const std::string& id, const json& conversation) { put(id, conversation, false); }
    const json& now(const std::string& id) const { return past.at(id).back().shown; }
    bool is_gone(const std::string& id) const { return now(id).is_null(); }

    /// Somebody else's value that is there, or was a second ago.
    bool is_there(const Member& member, const json& value) const
    {
        const auto& all = values.at(member);
        const auto found = std::find_if(all.begin(), all.end(), [&](const Value& one) { return one.value == value; });
        if (found == all.end() || !found->theirs) return false;
        return std::next(found) == all.end() || clock_.steady() - std::next(found)->since < std::chrono::seconds(1);
    }

    /// Somebody else's change.
    void change(const std::string& id, const std::string& member, const std::string& value)
    {
        if (is_gone(id)) return;
        json next = now(id);
        next[member] = value;
        put(id, next, true);
    }

    Task<upstream::Reply> send(upstream::Request request) override
    {
        co_await clock_.sleep(std::chrono::milliseconds(random_.below(200)));
        if (away) throw Error(Fault::unreachable, "", "no route to upstream");
        const bool writes = request.method != "GET";
        if (writes && random_.unit() < refuses) co_return says(503, "{}");
        const std::string root = "/webapi/v2/conversations/";
        const std::string rest = request.target.starts_with(root) ? request.target.substr(root.size()) : "";
        upstream::Reply reply = writes ? write(request, rest) : read(rest);
        if (std::getenv("ALLI_TRACE"))
            std::printf("%lld ms %s %s %s -> %d %s\n",
                        static_cast<long long>(clock_.passed() / std::chrono::milliseconds(1)), request.method.c_str(),
                        request.target.c_str(), request.body.c_str(), reply.status, reply.body.c_str());
        co_await clock_.sleep(std::chrono::milliseconds(random_.below(200)));
        if (writes && random_.unit() < loses) throw Error(Fault::unreachable, "", "reset");
        co_return reply;
    }

    /// What a read shows now; null: nothing. It lags behind our writes alone: what others set shows at once.
    json seen(const std::string& id)
    {
        if (!past.contains(id)) return nullptr; // one that nobody has
        const auto behind = std::chrono::milliseconds(random_.below(static_cast<std::uint64_t>(lag.count()) + 1));
        const auto when = clock_.steady() - behind;
        json shown = at(past.at(id), when).shown;
        if (shown.is_null()) return shown;
        for (const char* name : {"title", "state"}) shown[name] = seen_value({id, name}, when);
        shown["chats"][0]["rating"] = seen_value({id, "rating"}, when);
        return shown;
    }

  private:
    static upstream::Reply says(int status, const std::string& body)
    {
        upstream::Reply reply;
        reply.status = status;
        reply.body = body;
        reply.headers.add("Content-Type", "application/json");
        return reply;
    }

    template <class T>
    static const T& at(const std::vector<T>& all, Clock::Steady when)
    {
        const auto later =
            std::find_if(std::next(all.begin()), all.end(), [&](const T& one) { return one.since > when; });
        return *std::prev(later);
    }

    json seen_value(const Member& member, Clock::Steady when) const
    {
        const auto& all = values.at(member);
        for (const Value& one : all)
            if (one.theirs) when = std::max(when, one.since);
        return at(all, when).value;
    }

    void note(const Member& member, const json& value, bool theirs)
    {
        auto& all = values[member];
        if (!all.empty() && all.back().value == value) return;
        if (!all.empty() && all.back().theirs && !theirs && buries) buries(member, all.back().value);
        all.push_back({clock_.steady(), value, theirs});
    }

    void put(const std::string& id, const json& next, bool theirs)
    {
        past[id].push_back({clock_.steady(), next});
        if (next.is_null()) return;
        for (const char* name : {"title", "state"}) note({id, name}, next[name], theirs);
        note({id, "rating"}, next["chats"][0]["rating"], theirs);
    }

    upstream::Reply read(const std::string& rest)
    {
        if (rest.empty()) return says(200, R"({"conversations":[],"cursor":null})");
        const json shown = seen(rest.substr(0, rest.find('/')));
        if (shown.is_null()) return says(404, R"({"code":7003,"message":"no such conversation"})");
        return says(200, rest.find("/chats/") == rest.npos ? shown.dump() : shown["chats"][0].dump());
    }

    void count(const upstream::Request& request)
    {
        for (const Header& header : request.headers)
            if (header.name == "Idempotency-Key") ++applied[header.value];
    }

    upstream::Reply write(const upstream::Request& request, const std::string& rest)
    {
        const json body = request.body.empty() ? json::object() : json::parse(request.body);
        if (rest == "bulk_update") {
            count(request);
            for (const json& id : body["conversationIds"]) set(id, body["conversationInfo"]);
            return says(200, "");
        }
        const std::string id = rest.substr(0, rest.find('/'));
        if (is_gone(id)) return says(404, R"({"code":7003,"message":"no such conversation"})");
        count(request);
        if (request.method == "DELETE") {
            put(id, nullptr, false);
            return says(200, "");
        }
        if (rest.find("/feedback") != rest.npos) {
            json next = now(id);
            next["chats"][0].update(body);
            put(id, next, false);
            return says(200, next["chats"][0].dump());
        }
        set(id, body);
        return says(200, now(id).dump());
    }

    void set(const std::string& id, const json& members)
    {
        if (is_gone(id)) return;
        json next = now(id);
        next.update(members);
        put(id, next, false);
    }

    support::FakeClock& clock_;
    SeededRandom random_;
};

} // namespace alli::sync
