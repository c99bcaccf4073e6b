// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/apply.hpp"

#include "alli/clock.hpp"
#include "cache/conversations.hpp"
#include "cache/db/meta.hpp"
#include "cache/deletions.hpp"
#include "cache/open_files.hpp"
#include "cache/outbox/overlay_ingest.hpp"
#include "cache/outbox/overlay_rows.hpp"
#include "cache/replica/extras.hpp"
#include "cache/replica/notes.hpp"
#include "cache/replica/state.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/suppressed_writes.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>

namespace alli::cache {
namespace {

/// What is published of one conversation.
struct Group {
    const PublishedConversation* conversation = nullptr;
    std::vector<const PublishedChat*> chats; // by ordinal
};

std::map<std::string_view, Group> group(const PublishedRows& rows)
{
    std::map<std::string_view, Group> groups;
    for (const PublishedConversation& one : rows.conversations) groups[one.id].conversation = &one;
    for (const PublishedChat& one : rows.chats) groups[one.conversation].chats.push_back(&one);
    for (auto& [id, all] : groups)
        std::sort(all.chats.begin(), all.chats.end(),
                  [](const PublishedChat* a, const PublishedChat* b) { return a->ordinal < b->ordinal; });
    return groups;
}

// What is purged leaves no trace. `erased`: something was held.
bool end_purged(Writer& db, const ConversationId& id, bool& erased)
{
    if (!has_suppression_list(db) || !is_suppressed(db, find_known(db, {id.value}).front())) return false;
    erased = erased || find_pk(db, id).has_value();
    erase_all_of(db, id);
    return true;
}

void end_conversation(Writer& db, const PublishedConversation& ended, bool& erased)
{
    const ConversationId id{ended.id};
    note_end(db, id);
    if (end_purged(db, id, erased)) return;
    clear_deletion_candidate(db, id);
    if (erase_conversation(db, id)) note_change(db, id, ChangeKind::deleted);
    if (ended.deleted_at)
        db.run("INSERT INTO tombstone (id, deleted_at) VALUES (?1, ?2)"
               " ON CONFLICT (id) DO UPDATE SET deleted_at = ?2 WHERE deleted_at <> ?2",
               ended.id, *ended.deleted_at);
    else
        db.run("DELETE FROM tombstone WHERE id = ?1", ended.id);
}

// Its times are the leader's: where no field tells them they were worked out of what came with it.
Conversation conversation_of(Writer& db, const PublishedConversation& published)
{
    Conversation read = reread_conversation(db, {published.id}, published.item);
    read.raw = published.item;
    read.chats_at.reset();
    if (published.chats_at) read.chats_at = static_cast<std::size_t>(*published.chats_at);
    read.last_chat_at = published.last_chat_at;
    read.created_at = published.created_at;
    read.last_chat_guessed = false;
    return read;
}

// What else is kept out of a mirror is kept out by the leader: here it comes as it is.
void put_item(Writer& db, const Conversation& read)
{
    const Shown shown = overlay_conversation(db, read);
    if (!shown.hidden) put_rows(db, shown.instead ? *shown.instead : read);
}

void put_all_chats(Writer& db, const ConversationId& id, const std::vector<const PublishedChat*>& published)
{
    for (std::size_t at = 0; at < published.size();) {
        const std::int64_t first = published[at]->ordinal;
        std::vector<Chat> run;
        for (; at < published.size() && published[at]->ordinal == first + std::ssize(run); ++at)
            run.push_back(reread_chat(db, {published[at]->id}, published[at]->chat));
        put_chats(db, id, first, run);
    }
}

// Whose row is there: of one whose deletion waits nothing of it is kept.
void put_extras(Writer& db, const ConversationId& id, const Group& group)
{
    if (group.conversation) put_variables(db, id, group.conversation->variables);
    const auto pk = find_pk(db, id);
    for (const PublishedChat* const chat : group.chats)
        if (pk) put_detail(db, *pk, chat->ordinal, chat->detail);
}

bool is_whole(Writer& db, const ConversationId& id, const Group& group)
{
    const auto held = find_held(db, id);
    const bool hidden = !find_pk(db, id) && is_hidden(db, id);
    if (hidden && group.conversation && !find_upstream_raw(db, id, ""))
        return true; // its end is confirmed: none is kept
    if (!held && !hidden) return false;
    const std::int64_t chats = held ? held->chats : 0;
    return group.conversation ? chats == group.conversation->held
                              : group.chats.empty() || group.chats.back()->ordinal < chats;
}

bool apply(Writer& db, const ConversationId& id, const Group& group, bool& erased)
{
    if (group.conversation && group.conversation->deleted) {
        end_conversation(db, *group.conversation, erased);
        return true;
    }
    if (group.conversation) {
        const Conversation read = conversation_of(db, *group.conversation);
        if (is_suppressed(db, read)) { // by a purge here that the leader does not know yet
            erase_all_of(db, id);
            note_purged(db, id);
            return true;
        }
        put_item(db, read);
    }
    put_all_chats(db, id, group.chats);
    if (group.conversation) cut_chats(db, id, group.conversation->held);
    put_extras(db, id, group);
    return is_whole(db, id, group);
}

std::size_t rows_of(const Group& group)
{
    return group.chats.size() + (group.conversation ? 1 : 0);
}

void move_to(PublishedRows& part, const Group& group)
{
    if (group.conversation) part.conversations.push_back(*group.conversation);
    for (const PublishedChat* const chat : group.chats) part.chats.push_back(*chat);
}

} // namespace

std::optional<ReplicaPosition> find_position(Reader& db)
{
    const auto text = find_meta<std::string>(db, cluster_position_name);
    if (!text) return std::nullopt;
    const std::size_t store = text->find('\n'), number = text->find('\n', store + 1);
    if (number == text->npos) return std::nullopt;
    return ReplicaPosition{text->substr(0, store), std::stoll(text->substr(store + 1, number - store - 1)),
                           text->substr(number + 1)};
}

void put_position(Writer& db, const ReplicaPosition& position)
{
    const std::string text = fmt::format("{}\n{}\n{}", position.store, position.number, position.nonce);
    if (find_meta<std::string>(db, cluster_position_name) != text) put_meta(db, cluster_position_name, text);
}

void drop_position(Writer& db)
{
    drop_meta(db, cluster_position_name);
}

std::vector<PublishedRows> in_parts(PublishedRows rows, std::size_t about)
{
    std::vector<PublishedRows> parts;
    for (const auto& [id, all] : group(rows)) {
        if (parts.empty() || parts.back().size() + rows_of(all) > about) parts.emplace_back();
        move_to(parts.back(), all);
    }
    return parts;
}

std::vector<ConversationId> apply_rows(Writer& db, const PublishedRows& rows)
{
    std::vector<ConversationId> incomplete;
    bool erased = false; // of what is purged
    without_notes(db, [&] {
        for (const PublishedState& one : rows.state)
            if (one.name == unit_name) put_state(db, one);
        for (const auto& [id, all] : group(rows)) {
            const ConversationId conversation{std::string(id)};
            if (!apply(db, conversation, all, erased)) incomplete.push_back(conversation);
        }
        if (erased) restart_feed(db, SystemClock().now()); // readers of the feed begin anew, and find it missing
    });
    return incomplete;
}

void apply_state(Writer& db, std::span<const PublishedState> state, const ReplicaPosition& position)
{
    without_notes(db, [&] {
        for (const PublishedState& one : state) put_state(db, one);
        put_position(db, position);
    });
}

void claim_nothing(Writer& db)
{
    without_notes(db, [&] {
        db.run("DELETE FROM coverage");
        Progress none;
        none.unit = load_progress(db).unit;
        none.list_embeds = load_progress(db).list_embeds;
        save_progress(db, none);
        drop_position(db);
        db.change_set().lists();
    });
}

} // namespace alli::cache
