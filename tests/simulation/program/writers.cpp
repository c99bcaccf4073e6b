// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/program/writers.hpp"

#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "upstream/target.hpp"

namespace simulation {

using namespace alli;
using cache::EntryState;

namespace {

// Of what a write sets, one that is of this write alone; of a deletion the id.
std::string value_of(const cache::Entry& entry)
{
    if (entry.kind == cache::EditKind::remove) return entry.conversation->value;
    const json body = json::parse(entry.body);
    switch (entry.kind) {
    case cache::EditKind::title:
        return body["title"];
    case cache::EditKind::feedback:
        return body["suggestedAnswer"];
    case cache::EditKind::bulk_update:
        return body["conversationInfo"]["assignee"];
    default:
        return body["assignee"];
    }
}

// By what name the world and the readers know what it sets.
std::string name_of_set(const cache::Entry& entry)
{
    if (entry.kind == cache::EditKind::feedback) return entry.chat->value;
    return entry.kind == cache::EditKind::title ? "title" : "assignee";
}

bool concerns(const cache::Entry& entry, const std::string& id)
{
    if (entry.conversation) return entry.conversation->value == id;
    const json ids = json::parse(entry.body)["conversationIds"];
    return std::find(ids.begin(), ids.end(), json(id)) != ids.end();
}

} // namespace

void Writers::act(Program& program)
{
    const auto unknown = std::find_if(writes_.begin(), writes_.end(), [](const Write& one) {
        return !one.acknowledged && !one.over && !one.asked->done;
    });
    if (unknown != writes_.end() && unknown->asked.use_count() == 1 && random_.below(3) == 0)
        return ask(program, *unknown);
    if (auto write = think_of_one(program)) ask(program, writes_.emplace_back(std::move(*write)));
}

std::optional<Writers::Write> Writers::think_of_one(Program& program)
{
    if (world_.talks.empty()) return std::nullopt;
    const auto found = world_.talks.find(pick());
    if (wide_ && found->second.visible_from > world_.ours()) return std::nullopt; // nobody can know of it
    Write write{{found->first}, "title", fmt::format("ours {}", writes_.size()), "PUT", "", "", nullptr};
    const ConversationId id{found->first};
    if (wide_ && random_.below(3) == 0) {
        think_of_update(program, write);
        return write;
    }
    const auto draw = random_.below(20);
    if (draw == 0 && deletions_.insert(id.value).second) {
        write.what = "delete", write.value = id.value, write.method = "DELETE";
        write.target = upstream::conversation_target(id, "");
    } else if (draw < 6 && !found->second.chats.empty()) {
        think_of_rating(program, write, found->second);
        write.body = json{{"rating", draw < 4}, {"suggestedAnswer", write.value}}.dump();
    } else {
        write.target = upstream::conversation_target(id, "/title");
        write.body = json{{"title", write.value}}.dump();
        note_base(program, write, id.value, "title");
    }
    return write;
}

void Writers::think_of_rating(Program& program, Write& write, Talk& talk)
{
    const ConversationId id{write.ids.front()};
    const ChatId chat{talk.chats[random_.below(talk.chats.size())]["id"].get<std::string>()};
    write.what = "feedback", write.method = "POST";
    write.target = upstream::chat_target(id, chat, "/feedback");
    cache::Entry entry;
    entry.kind = cache::EditKind::feedback, entry.conversation = id, entry.chat = chat, entry.body = R"({"rating":1})";
    const auto base = program.store().read([&](cache::Reader& db) { return cache::find_base(db, entry); });
    if (!base) talk.written[chat.value].before_unknown = true;
}

// Of one, or of up to four at once.
void Writers::think_of_update(Program& program, Write& write)
{
    const json info{{"assignee", write.value}};
    if (random_.below(2) == 0) {
        write.what = "update";
        write.target = upstream::conversation_target({write.ids.front()}, "");
        write.body = info.dump();
    } else {
        for (auto more = random_.below(4); more > 0; --more)
            if (const std::string id = pick(); std::find(write.ids.begin(), write.ids.end(), id) == write.ids.end())
                write.ids.push_back(id);
        write.what = "bulk", write.method = "POST", write.target = "/webapi/v2/conversations/bulk_update";
        write.body = json{{"conversationIds", write.ids}, {"conversationInfo", info}}.dump();
    }
    for (const std::string& id : write.ids) note_base(program, write, id, "assignee");
}

std::string Writers::pick()
{
    auto found = world_.talks.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(random_.below(world_.talks.size())));
    return found->first;
}

// What upstream shows late can be told from what somebody else changed only where the mirror knew what was there
// before.
void Writers::note_base(Program& program, const Write& write, const std::string& id, const std::string& name)
{
    Talk& talk = world_.talks.at(id);
    const cache::Patch wanted{{name, json(write.value).dump()}};
    const auto base = program.store().read([&](cache::Reader& db) { return cache::find_base(db, {id}, wanted); });
    const bool stale = base && json::parse(*base)[name] != talk.fields[name];
    if (!base || stale) talk.written[name].before_unknown = true;
    if (stale) talk.written[name].before_stale = true;
}

// An app gives each of its writes a key, and repeats it with the same.
void Writers::ask(Program& program, Write& write)
{
    std::map<std::string, std::string> headers{{"Idempotency-Key", write.what + ' ' + write.value}};
    if (!write.body.empty()) headers["Content-Type"] = "application/json";
    if (random_.below(5) == 0) headers["Prefer"] = "respond-async";
    write.asked = program.ask(write.method, write.target, headers, write.body);
}

Writers::Entries Writers::load(Program& program) const
{
    return program.store().read_outbox([&](cache::Reader& db) {
        Entries entries;
        for (const cache::Entry& one : cache::list_entries(db, {{}, {}, 1'000'000})) entries.emplace(one.id, one);
        return entries;
    });
}

void Writers::find_entries(Program& program, const Entries& entries)
{
    for (const auto& [id, listed] : entries) {
        const auto whole = program.store().read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); });
        entries_by_value_.try_emplace(value_of(*whole), id);
    }
    for (Write& write : writes_)
        if (const auto found = entries_by_value_.find(write.value); found != entries_by_value_.end())
            write.entry = found->second;
}

std::string Writers::check(Program& program)
{
    const Entries entries = load(program);
    find_entries(program, entries);
    for (Write& write : writes_) {
        if (write.over || is_forgotten(write)) continue;
        if (std::string wrong = check_one(write, entries); !wrong.empty())
            return fmt::format("{} of {}, {}", write.what, fmt::join(write.ids, " "), wrong);
    }
    if (std::string wrong = check_order(); !wrong.empty()) return wrong;
    return check_doubles();
}

int Writers::forget_lost(Program& program)
{
    const Entries entries = load(program);
    int lost = 0;
    for (Write& write : writes_) {
        if (write.entry == 0 || entries.contains(write.entry)) continue;
        lost_.insert(write.value); // its key, too: an app that repeats it is not known again
        write.entry = 0;
        entries_by_value_.erase(write.value);
        for (const std::string& id : write.ids)
            if (const auto talk = world_.talks.find(id); talk != world_.talks.end()) // through what lag, nobody knows
                for (auto& [name, written] : talk->second.written) written.before_unknown = true;
        if (write.over || !write.acknowledged || is_forgotten(write)) continue;
        lost += was_applied(write) ? 0 : 1;
        write.over = true;
    }
    return lost;
}

bool Writers::was_applied(const Write& write) const
{
    if (write.what == "delete" && (world_.gone.contains(write.value) || was_refused(write)))
        return true; // by whomever, or upstream knew of none
    return std::any_of(world_.effects.begin(), world_.effects.end(),
                       [&](const Effect& one) { return one.what == write.what && one.value == write.value; });
}

bool Writers::was_refused(const Write& write) const
{
    return world_.refused.contains(write.body.empty() ? write.value : write.body);
}

bool Writers::is_forgotten(const Write& write) const
{
    return std::any_of(write.ids.begin(), write.ids.end(), [&](const auto& id) { return forgotten_.contains(id); });
}

std::string Writers::check_one(Write& write, const Entries& entries)
{
    const int status = write.asked->done ? write.asked->status : 0;
    if (!write.acknowledged && status / 100 == 2) write.acknowledged = true, ++acknowledged_;
    if (status == 200 && !was_applied(write)) return write.value + ": answered with 200, and upstream never did it";
    if (status == 404 && !was_refused(write)) return write.value + ": answered with 404, and upstream never said that";
    if (!write.acknowledged) return "";
    const auto entry = entries.find(write.entry);
    if (entry == entries.end()) {
        if (!was_applied(write)) return write.value + ": acknowledged, and neither in the outbox nor upstream";
        write.over = true;
        return "";
    }
    if (entry->second.state == EntryState::delivered && !was_applied(write))
        return write.value + ": said to be delivered, and upstream never did it";
    const bool forbidden = entry->second.last_error.value_or("").find("not this one") != std::string::npos;
    const bool somebody_elses = entry->second.attempts >= 10;
    const bool explained = was_refused(write) || forbidden || somebody_elses;
    if (entry->second.state == EntryState::failed && !explained)
        return fmt::format("{}: failed ({}), and upstream never refused it", write.value,
                           entry->second.last_error.value_or(""));
    return "";
}

// By the first time that each was applied. A bulk update is a barrier for all; but it waits for no conflict.
std::string Writers::check_order() const
{
    std::map<std::string, std::int64_t> last;
    std::int64_t last_bulk = 0, last_of_all = 0;
    std::set<std::string> seen;
    for (const Effect& effect : world_.effects) {
        const auto entry = entries_by_value_.find(effect.value);
        if (entry == entries_by_value_.end() || !seen.insert(effect.what + effect.id + effect.value).second) continue;
        const std::int64_t number = entry->second;
        const bool bulk = effect.what == "bulk", free = held_up_.contains(effect.id);
        std::int64_t& before = last[free && bulk ? "bulk " + effect.id : effect.id];
        const std::int64_t later = free ? before : std::max(before, bulk ? last_of_all : last_bulk);
        if (number < later)
            return fmt::format("{} ({}) of {} was applied after entry {}", effect.value, number, effect.id, later);
        before = std::max(before, number), last_of_all = std::max(last_of_all, number);
        if (bulk) last_bulk = std::max(last_bulk, number);
    }
    return "";
}

// An answer to a bulk update has no word that proves it, and a read tells nothing once one of its conversations is
// purged, or somebody else set another value between the first time that this one stood there and the last.
bool Writers::is_unprovable(const std::string& assignee) const
{
    const auto write =
        std::find_if(writes_.begin(), writes_.end(), [&](const Write& one) { return one.value == assignee; });
    if (write == writes_.end()) return false;
    return is_forgotten(*write) || std::any_of(write->ids.begin(), write->ids.end(), [&](const std::string& id) {
               const auto found = world_.values.find(id + " assignee");
               if (found == world_.values.end()) return false;
               const auto& values = found->second;
               const auto first = std::find(values.begin(), values.end(), json(assignee));
               const auto last = std::find(values.rbegin(), values.rend(), json(assignee)).base();
               return first != values.end() &&
                      std::any_of(first, last, [&](const json& one) { return one != assignee; });
           });
}

std::string Writers::check_doubles() const
{
    std::map<std::string, const Effect*> before;
    for (const Effect& effect : world_.effects) {
        const Effect*& one = before[effect.what + effect.id + effect.value];
        if (one && effect.what == "bulk" && is_unprovable(effect.value)) continue;
        if (one && one->answered && !lost_.contains(effect.value))
            return effect.value + " was applied twice, and the first was answered";
        one = &effect;
    }
    return "";
}

std::string Writers::settle_conflicts(Program& program)
{
    for (const auto& [id, entry] : load(program)) {
        if (entry.state != EntryState::conflict) continue;
        held_up_.insert(entry.conversation->value);
        const json about = json::parse(*entry.conflict);
        for (const auto& [name, values] : about.items())
            if (!values["upstream"].is_string() || !values["upstream"].get<std::string>().starts_with("edited"))
                return fmt::format("{} of {} is in conflict: {}", id, entry.conversation->value, *entry.conflict);
        const std::string target = "/mirror/v1/outbox/" + std::to_string(id);
        if (random_.below(2) == 0) {
            program.ask("POST", target + "/retry");
            continue;
        }
        const Answer asked = program.ask("DELETE", target);
        for (Write& write : writes_)
            if (write.entry == id && asked->done && asked->status / 100 == 2) write.over = true;
    }
    return "";
}

// Its app waits for the answer.
bool Writers::is_on_its_way(const cache::Entry& entry) const
{
    return std::any_of(writes_.begin(), writes_.end(),
                       [&](const Write& one) { return one.entry == entry.id && !one.asked->done; });
}

Writers::Waiting Writers::waiting(Program& program, const std::string& id) const
{
    Waiting all;
    std::map<std::int64_t, std::pair<std::string, json>> values; // by place
    for (const auto& [number, entry] : load(program)) {
        const auto whole =
            program.store().read_outbox([&, at = number](cache::Reader& db) { return cache::find_entry(db, at); });
        if (!concerns(*whole, id)) continue;
        if (entry.state == EntryState::conflict || is_on_its_way(entry)) all.open = true;
        if (entry.state != EntryState::pending && entry.state != EntryState::sending) continue;
        if (entry.kind != cache::EditKind::remove)
            values[entry.place] = {name_of_set(*whole), value_of(*whole)};
        else if (!is_on_its_way(entry))
            all.deleted = true;
    }
    for (auto& [place, set] : values) all.values[set.first] = std::move(set.second);
    return all;
}

std::set<std::string> Writers::rated(Program& program) const
{
    std::set<std::string> all;
    for (const auto& [id, entry] : load(program))
        if (entry.kind == cache::EditKind::feedback && entry.state != EntryState::failed)
            all.insert(entry.conversation->value);
    return all;
}

int Writers::waiting_in_all(Program& program) const
{
    const auto counts = program.store().read_outbox([](cache::Reader& db) { return cache::count_entries(db); });
    return static_cast<int>(counts.pending);
}

} // namespace simulation
