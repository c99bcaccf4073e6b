// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/confirmation.hpp"

#include "alli/error.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/categories.hpp"
#include "upstream/members.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::Entry;
using cache::Patch;
using upstream::Priority;

constexpr std::size_t most_read = 3; // of what a bulk update changes

std::string_view find_value(const Patch& patch, const std::string& name)
{
    for (const auto& [member, value] : patch)
        if (member == name) return value;
    return {};
}

Effect effect_of_member(const std::string& name, std::string_view ours, std::string_view theirs, const Patch& base)
{
    if (theirs.empty()) return Effect::unreadable;
    if (cache::same_member(name, ours, theirs)) return Effect::shown;
    const std::string_view before = find_value(base, name);
    // Not known: any value may be ours as upstream spells it, but for none at all.
    if (before.empty()) return theirs == "null" && name != "categories" ? Effect::not_shown : Effect::unreadable;
    if (!cache::same_member(name, before, theirs)) return Effect::shown;
    return name == "categories" ? Effect::unreadable : Effect::not_shown; // ours may be names that are not known here
}

// A conversation that a bulk update changes.
struct Candidate {
    ConversationId id;
    std::optional<std::string> base;
};

// Those that a read can tell something of: what the update sets is something else there now, as far as is known.
std::vector<Candidate> find_unchanged(cache::Store& store, const Entry& entry, const Patch& ours)
{
    return store.read([&](cache::Reader& db) {
        std::vector<Candidate> candidates;
        for (const ConversationId& id : cache::find_edited(db, entry.id, 100)) {
            if (candidates.size() == most_read) break;
            auto base = cache::find_base(db, id, ours);
            if (base && effect_in(*base, ours, base) == Effect::not_shown) candidates.push_back({id, std::move(base)});
        }
        return candidates;
    });
}

std::vector<Candidate> candidates_of(const Entry& entry)
{
    std::vector<Candidate> candidates;
    for (auto& [id, members] : cache::read_patch(*entry.base)) candidates.push_back({ConversationId{id}, members});
    return candidates;
}

Task<Effect> read_conversation_back(upstream::Client& client, ConversationId id, Patch ours,
                                    std::optional<std::string> base)
{
    const auto found = co_await client.find_conversation(std::move(id), Priority::delivery);
    co_return found ? effect_in(found->raw, ours, base) : Effect::not_shown;
}

Task<Effect> read_chat_back(upstream::Client& client, ConversationId id, ChatId chat, Patch ours,
                            std::optional<std::string> base)
{
    const auto found = co_await client.find_chat(std::move(id), std::move(chat), Priority::delivery);
    co_return found ? effect_in(found->raw, ours, base) : Effect::not_shown;
}

// One that is gone tells nothing. What one had before is the mirror's word and may be old: a value that is neither that
// nor the written one tells something only where none of them is as it was.
Task<Effect> read_bulk_back(upstream::Client& client, std::vector<Candidate> candidates, Patch ours)
{
    Effect effect = Effect::unreadable;
    for (const Candidate& it : candidates) {
        const auto found = co_await client.find_conversation(it.id, Priority::delivery);
        if (!found) continue;
        if (effect_in(found->raw, ours, std::nullopt) == Effect::shown) co_return Effect::shown;
        const Effect one = effect_in(found->raw, ours, it.base);
        if (one == Effect::not_shown || effect == Effect::unreadable) effect = one;
    }
    co_return effect;
}

// Before it is sent (again) only the written value shows that it was: what it is sent over may be old knowledge, and
// somebody else's value is not its effect.
Task<Effect> ask(upstream::Client& client, cache::Store& store, const Entry& entry, bool before_sending)
{
    const ConversationId id = entry.conversation.value_or(ConversationId{});
    const ChatId chat = entry.chat.value_or(ChatId{});
    const auto names = store.read([](cache::Reader& db) { return cache::load_category_names(db); });
    const Patch ours = names.shown(cache::patch_of(entry.kind, entry.body));
    switch (entry.kind) {
    case EditKind::update:
    case EditKind::title:
        co_return co_await read_conversation_back(client, id, ours, entry.base);
    case EditKind::feedback:
        co_return co_await read_chat_back(client, id, chat, ours, before_sending ? std::nullopt : entry.base);
    case EditKind::bulk_update: {
        auto candidates = entry.base ? candidates_of(entry) : find_unchanged(store, entry, ours);
        if (before_sending)
            for (Candidate& one : candidates) one.base.reset();
        co_return co_await read_bulk_back(client, std::move(candidates), ours);
    }
    case EditKind::remove: {
        const auto found = co_await client.find_conversation(id, Priority::delivery);
        co_return found ? Effect::not_shown : Effect::shown;
    }
    case EditKind::stop: {
        const bool running = co_await client.is_running(id, Priority::delivery);
        co_return running ? Effect::not_shown : Effect::shown;
    }
    }
    co_return Effect::unreadable;
}

} // namespace

Effect effect_in(std::string_view raw, const Patch& ours, const std::optional<std::string>& base)
{
    const auto members = upstream::members_of(raw);
    if (!members) return Effect::unreadable;
    const Patch before = base ? cache::read_patch(*base) : Patch();
    Effect effect = Effect::unreadable;
    for (const auto& [name, value] : ours) {
        const Effect one = effect_of_member(name, value, upstream::value_of(*members, name), before);
        if (one == Effect::not_shown) return one;
        if (one == Effect::shown) effect = one;
    }
    return effect;
}

std::string find_bulk_base(cache::Store& store, const Entry& entry)
{
    const auto names = store.read([](cache::Reader& db) { return cache::load_category_names(db); });
    const Patch ours = names.shown(cache::patch_of(entry.kind, entry.body));
    Patch base;
    for (Candidate& one : find_unchanged(store, entry, ours)) base.emplace_back(one.id.value, std::move(*one.base));
    return cache::write_patch(base);
}

Task<Effect> read_back(upstream::Client& client, cache::Store& store, const Entry& entry, bool before_sending)
{
    bool refused = false;
    Effect effect = Effect::unreadable;
    try {
        effect = co_await ask(client, store, entry, before_sending);
    } catch (const Error& error) {
        refused = error.fault() == Fault::refused; // there is no such read
        if (!refused) throw;
    }
    co_return effect;
}

} // namespace alli::sync
