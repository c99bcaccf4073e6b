// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/program/readers.hpp"

#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "cache/rows/progress.hpp"
#include "upstream/target.hpp"

namespace simulation {

using namespace alli;

namespace {

const std::string lists = "/webapi/v2/conversations";

// Those that the mirror lists, by last chat time.
std::map<std::string, Ms> load_places(Program& program)
{
    return program.store().read([](cache::Reader& db) {
        std::map<std::string, Ms> places;
        const Instant end{std::chrono::hours(24 * 365 * 300)};
        for (const ConversationId& id : cache::ids_within(db, {Instant{}, end}))
            places[id.value] = std::chrono::floor<std::chrono::milliseconds>(*cache::find_held(db, id)->last_chat_at)
                                   .time_since_epoch()
                                   .count();
        return places;
    });
}

} // namespace

std::string Readers::act(Program& program)
{
    if (wide_ && random_.below(4) == 0) return read_ratings(program);
    switch (random_.below(6)) {
    case 0:
        return read_list(program);
    case 1:
    case 2:
        return read_next_page(program);
    case 3:
        return search(program);
    default:
        if (!forgotten_.empty() && random_.below(4) == 0) return look_for_purged(program);
        return read_item(program);
    }
}

std::optional<std::string> Readers::pick(Program& program)
{
    const auto places = load_places(program);
    if (places.empty()) return std::nullopt;
    auto found = places.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(random_.below(places.size())));
    return found->first;
}

std::string Readers::read_item(Program& program)
{
    const auto id = pick(program);
    if (!id || left_alone_.contains(*id)) return "";
    std::map<std::string, std::string> headers;
    if (random_.below(2) == 0) headers = {{"Cache-Control", "only-if-cached, max-stale"}};
    const bool deleted = writers_.waiting(program, *id).deleted;
    const Answer asked = program.ask("GET", upstream::conversation_target({*id}), headers);
    if (!asked->done) return ""; // it went upstream
    if (asked->is_hit() && asked->status == 200 && deleted) return *id + " is shown, and its deletion waits";
    if (!asked->is_hit() || asked->status != 200) return "";
    ++looks_.items;
    return check_item(program, *id, asked->unwrapped());
}

std::string Readers::check_item(Program& program, const std::string& id, const json& item)
{
    const Writers::Waiting waiting = writers_.waiting(program, id);
    for (const char* name : {"title", "assignee"}) {
        if (!wide_ && name != std::string_view("title")) break;
        if (std::string wrong = check_value(waiting, id, name, item[name]); !wrong.empty()) return wrong;
    }
    return "";
}

// The suggested answers to its last messages.
std::string Readers::read_ratings(Program& program)
{
    const auto id = pick(program);
    if (!id || left_alone_.contains(*id)) return "";
    const Answer asked = program.ask("GET", upstream::conversation_target({*id}, "/chats"),
                                     {{"Cache-Control", "only-if-cached, max-stale"}});
    if (!asked->done || !asked->is_hit() || asked->status != 200) return "";
    const Writers::Waiting waiting = writers_.waiting(program, *id);
    const json body = asked->unwrapped();
    for (const json& chat : body["chats"]) {
        const json shown = chat.value("suggestedAnswer", json());
        if (std::string wrong = check_value(waiting, *id, chat["id"], shown); !wrong.empty()) return wrong;
    }
    ++looks_.ratings;
    return "";
}

std::string Readers::check_value(const Writers::Waiting& waiting, const std::string& id, const std::string& name,
                                 const json& shown)
{
    const auto talk = world_.talks.find(id);
    if (talk == world_.talks.end() && name != "title") return ""; // what it refuses now is undone
    if (talk != world_.talks.end() && talk->second.written[name].before_unknown) return ""; // lag looks like a change
    if (waiting.open) return "";
    if (const auto waits = waiting.values.find(name); waits != waiting.values.end())
        return shown == waits->second
                   ? ""
                   : fmt::format("{} of {} is {}, and {} waits", name, id, shown.dump(), waits->second.dump());
    const bool of_item = name == "title" || name == "assignee";
    const std::string key = of_item ? id + ' ' + name : name;
    const auto& values = world_.values[key];
    const auto found = std::find(values.rbegin(), values.rend(), shown);
    if (found == values.rend() && shown.is_null() && !of_item && shown_[key] == 0) return "";
    if (found == values.rend()) return fmt::format("{} of {} is {}, which upstream never had", name, id, shown.dump());
    const auto at = static_cast<std::size_t>(std::distance(found, values.rend())) - (of_item ? 1 : 0);
    std::size_t& youngest = shown_[key];
    if (at < youngest)
        return fmt::format("{} of {} is {} again, after {}", name, id, shown.dump(),
                           values[youngest - (of_item ? 0 : 1)].dump());
    youngest = at;
    return "";
}

// All pages at one moment.
std::string Readers::read_list(Program& program)
{
    const std::string size = std::to_string(1 + random_.below(50));
    std::set<std::string> listed;
    Answer first;
    Ms last = std::numeric_limits<Ms>::max();
    for (std::string cursor;;) {
        const std::string target = lists + "?pageSize=" + size + (cursor.empty() ? "" : "&cursor=" + cursor);
        const Answer asked = program.ask("GET", target);
        if (!asked->done || !asked->is_hit()) return ""; // it went upstream
        if (!first) first = asked;
        if (asked->status != 200) return fmt::format("a list is {}: {}", asked->status, asked->body);
        const json body = asked->parsed();
        for (const json& item : body["conversations"]) {
            const std::string id = item["id"];
            if (!listed.insert(id).second) return id + " is twice in a list";
            if (forgotten_.contains(id)) return id + " was purged, and is listed";
            if (std::string wrong = check_item(program, id, item); !wrong.empty()) return wrong;
            if (item["lastChatTime"].is_null()) continue;
            const double stamp = item["lastChatTime"].get<double>() * (world_.nature.milliseconds ? 1 : 1000);
            if (std::llround(stamp) > last) return id + " is out of order in a list";
            last = std::llround(stamp);
        }
        if (body["cursor"].is_null()) break;
        cursor = body["cursor"];
    }
    ++looks_.lists;
    return check_freshness(*first, listed);
}

// It is as old as it says, and no older.
std::string Readers::check_freshness(const Asked& first, const std::set<std::string>& listed)
{
    if (world_.clock_was_set || world_.our_clock_was_set) return "";
    const Ms age = std::stoll(std::string(first.headers.first("Age"))) * 1000 + 1000;
    for (const auto& [id, talk] : world_.talks) {
        if (!talk.last || talk.moved >= world_.ours() - age || listed.contains(id)) continue;
        if (left_alone_.contains(id) || writers_.deletions().contains(id)) continue;
        return fmt::format("a list of {} s ago lacks {}, which moved {} ms ago", age / 1000, id,
                           world_.ours() - talk.moved);
    }
    return "";
}

// Its last messages were removed since the walk began, so that it stands further down.
bool Readers::sank(Program& program, const std::string& id) const
{
    const auto before = walk_->beginning.find(id);
    const auto places = load_places(program);
    const auto now = places.find(id);
    return before != walk_->beginning.end() && now != places.end() && now->second < before->second;
}

// One page now, the next one later.
std::string Readers::read_next_page(Program& program)
{
    const bool begins = !walk_;
    if (begins) walk_ = Walk{load_places(program), {}, {}};
    const Answer asked =
        program.ask("GET", lists + "?pageSize=3" + (walk_->cursor.empty() ? "" : "&cursor=" + walk_->cursor));
    if (!asked->done || !asked->is_hit() || asked->status != 200) {
        walk_.reset(); // from here on upstream answers
        return "";
    }
    const json body = asked->parsed();
    for (const json& item : body["conversations"])
        if (const std::string id = item["id"]; !walk_->seen.insert(id).second && !sank(program, id))
            return id + " came twice in a walk";
    if (body["cursor"].is_string()) {
        walk_->cursor = body["cursor"];
        return "";
    }
    const Walk walk = std::move(*walk_);
    walk_.reset();
    ++looks_.walks;
    for (const auto& [id, place] : load_places(program)) {
        const auto before = walk.beginning.find(id);
        if (before == walk.beginning.end() || before->second != place || walk.seen.contains(id)) continue;
        if (left_alone_.contains(id) || writers_.waiting(program, id).deleted) continue;
        return id + " stayed where it is, and a walk passed it by";
    }
    return "";
}

// A message that is held is found by its words.
std::string Readers::search(Program& program)
{
    const auto id = pick(program);
    if (!id || left_alone_.contains(*id) || writers_.waiting(program, *id).deleted) return "";
    const auto chats = program.store().read([&](cache::Reader& db) { return cache::find_chats(db, {*id}, 1); });
    if (!chats || chats->empty()) return "";
    const json chat = json::parse(chats->at(random_.below(chats->size())));
    const std::string words = chat["message"];
    std::string quoted = "%22";
    for (const char letter : words) quoted += letter == ' ' ? std::string("%20") : std::string(1, letter);
    const Answer asked = program.ask("GET", "/mirror/v1/search?limit=1000&q=" + quoted + "%22");
    if (!asked->done || asked->status != 200) return "";
    ++looks_.hits;
    const json body = asked->parsed();
    for (const json& hit : body["results"])
        if (hit["chatId"] == chat["id"]) return "";
    return fmt::format("{} is held, and \"{}\" finds {}", chat["id"].dump(), words, asked->body);
}

std::string Readers::look_for_purged(Program& program)
{
    auto found = forgotten_.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(random_.below(forgotten_.size())));
    ++looks_.purged;
    const Answer asked = program.ask("GET", upstream::conversation_target({*found}));
    if (asked->done && asked->status == 200) return *found + " was purged, and is answered";
    if (program.store().read([&](cache::Reader& db) { return cache::find_held(db, {*found}).has_value(); }))
        return *found + " was purged, and is held";
    return "";
}

} // namespace simulation
