// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/program/feed_reader.hpp"

#include "cache/conversations.hpp"
#include "upstream/target.hpp"

namespace simulation {

using namespace alli;

// False: only upstream could say, and nobody asks it here.
bool FeedReader::take(Program& program, const std::string& id)
{
    bool asks_upstream = false;
    const auto now = ask(program, id, &asks_upstream);
    if (asks_upstream) return false;
    if (now)
        copy_[id] = *now;
    else
        copy_.erase(id);
    return true;
}

// As the mirror shows it, all its chats included.
std::optional<json> FeedReader::ask(Program& program, const std::string& id, bool* asks_upstream)
{
    const std::map<std::string, std::string> from_mirror{{"Cache-Control", "only-if-cached, max-stale"}};
    const std::string target = upstream::conversation_target({id});
    const Answer item = program.ask("GET", target, from_mirror);
    *asks_upstream = !item->done || item->status == 504;
    if (*asks_upstream || item->status != 200) return std::nullopt;
    json all;
    all["item"] = item->unwrapped();
    for (int page = 1;; ++page) {
        const Answer chats = program.ask("GET", target + "/chats?pageNo=" + std::to_string(page), from_mirror);
        *asks_upstream = !chats->done || chats->status == 504;
        if (*asks_upstream || chats->status != 200) break;
        const json body = chats->unwrapped();
        if (!body.contains("chats") || body["chats"].empty()) break;
        all["chats"].push_back(body["chats"]);
    }
    return all;
}

std::string FeedReader::read(Program& program, bool* more)
{
    const int limit = 1 + static_cast<int>(random_.below(20));
    const Answer asked = program.ask("GET", fmt::format("/mirror/v1/changes?since={}&limit={}", since_, limit));
    *more = false;
    if (!asked->done) return "the feed does not answer";
    if (asked->status == 410) {
        ++resets_;
        since_ = 0;
        copy_.clear();
        again_.clear();
        *more = true;
        return "";
    }
    if (asked->status != 200) return fmt::format("the feed is {}: {}", asked->status, asked->body);
    const json body = asked->parsed();
    for (const json& change : body["changes"]) {
        if (change["seq"].get<std::int64_t>() <= since_) return "the feed goes back: " + change.dump();
        since_ = change["seq"];
        ++changes_;
        if (change["conversationId"].is_null() || change["kind"] == "outbox") continue;
        const std::string id = change["conversationId"];
        if (!take(program, id)) again_.insert(id);
    }
    *more = std::ssize(body["changes"]) == limit;
    return "";
}

std::string FeedReader::act(Program& program)
{
    bool more = true;
    for (auto pages = 1 + random_.below(3); more && pages > 0; --pages)
        if (std::string wrong = read(program, &more); !wrong.empty()) return wrong;
    return "";
}

std::string FeedReader::check(Program& program)
{
    for (bool more = true; more;)
        if (std::string wrong = read(program, &more); !wrong.empty()) return wrong;
    std::erase_if(again_, [&](const std::string& id) { return take(program, id); });
    for (const std::string& id : again_) {
        if (program.store().read([&](cache::Reader& db) { return cache::find_held(db, {id}).has_value(); }))
            return id + " is held, and only upstream can say what it is";
        copy_.erase(id); // it was purged
    }
    again_.clear();
    std::size_t held = 0;
    const auto ids = program.store().read([](cache::Reader& db) {
        const Instant end{std::chrono::hours(24 * 365 * 300)};
        auto all = cache::ids_within(db, {Instant{}, end});
        for (auto& id : cache::ids_without_chat(db)) all.push_back(std::move(id));
        return all;
    });
    for (const ConversationId& id : ids) {
        bool asks_upstream = false;
        const auto now = ask(program, id.value, &asks_upstream);
        if (!now) continue;
        ++held;
        const auto copy = copy_.find(id.value);
        if (copy == copy_.end()) return "the feed never named " + id.value;
        if (copy->second != *now)
            return fmt::format("who follows the feed has {} instead of {}", copy->second.dump(), now->dump());
    }
    if (held != copy_.size()) return fmt::format("who follows the feed has {} instead of {}", copy_.size(), held);
    return "";
}

} // namespace simulation
