// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/overlay.hpp"

#include "alli/json_scan.hpp"
#include "alli/json_string.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/rows/categories.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/conversation_rows.hpp"
#include "cache/rows/suppression_list.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::cache {
namespace {

std::vector<ConversationId> changed_by(Connection& db, std::int64_t entry)
{
    return db.all<ConversationId>("SELECT conversation FROM edit WHERE entry = ?1", entry);
}

// One value however many there are: a statement takes so many and no more. SQLite's JSON ends a text at a NUL, and what
// it would find is another's.
std::string list_of(const std::vector<std::string>& wanted)
{
    std::string list = "[";
    for (const std::string& value : wanted)
        if (value.find('\0') == std::string::npos) list += (list.size() > 1 ? "," : "") + quoted_text(value);
    return list += ']';
}

void add_condition(std::string& where, std::vector<Value>& values, std::string_view condition,
                   const std::vector<std::string>& wanted)
{
    if (wanted.empty()) return;
    constexpr std::string_view any = "SELECT value FROM json_each(?)";
    where += (where.empty() ? " WHERE " : " AND ") + fmt::format(fmt::runtime(condition), any);
    values.emplace_back(list_of(wanted));
}

// A category by what conversations may bear for it. Of one that is not certain, by its id alone.
std::vector<std::string> with_names(Connection& db, const std::vector<std::string>& ids)
{
    std::vector<std::string> values;
    for (const std::string& id : ids) {
        const auto known = find_category_values(db, id);
        if (known) values.insert(values.end(), known->begin(), known->end());
        if (!known) values.push_back(id);
    }
    return values;
}

// By AND across the kinds, by OR within each; as upstream does it when the update gets there.
std::vector<ConversationId> select(Connection& db, const Selection& wanted)
{
    std::vector<ConversationId> ids;
    if (!wanted.given()) return ids;
    std::string where;
    std::vector<Value> values;
    add_condition(where, values, "user_id IN ({})", wanted.users);
    add_condition(where, values, "app_id IN ({})", wanted.apps);
    add_condition(where, values, "id IN ({})", wanted.conversations);
    add_condition(where, values,
                  "EXISTS (SELECT 1 FROM category c WHERE c.conversation = conversation.pk AND c.name IN ({}))",
                  with_names(db, wanted.categories));
    const std::string sql = "SELECT id FROM conversation" + where;
    for (const Row row : db.query_values(sql, values)) ids.push_back(ConversationId{std::string(row.text(0))});
    return ids;
}

// As the mirror shows it.
std::optional<std::string> find_shown_chat(Connection& db, const ConversationId& id, const std::string& chat)
{
    const auto pk = find_pk(db, id);
    auto text = pk ? find_text(db, *pk, chat) : std::nullopt;
    return text ? std::optional(std::move(text->raw)) : std::nullopt;
}

// Before a first edit changes the mirror's row, what upstream sent is put aside.
void keep_upstream(Writer& db, const ConversationId& id, const std::string& chat)
{
    if (chat.empty())
        db.run("INSERT OR IGNORE INTO upstream_raw (conversation, chat, raw)"
               " SELECT id, '', raw FROM conversation WHERE id = ?1",
               id.value);
    else if (const auto raw = find_shown_chat(db, id, chat))
        db.run("INSERT OR IGNORE INTO upstream_raw (conversation, chat, raw) VALUES (?1, ?2, ?3)", id.value, chat,
               *raw);
}

std::vector<ConversationId> add_edits(Writer& db, const Entry& entry)
{
    std::vector<ConversationId> ids;
    if (entry.kind == EditKind::stop) return ids;
    const Patch patch = load_category_names(db).shown(patch_of(entry.kind, entry.body));
    if (entry.kind != EditKind::remove && patch.empty()) return ids;
    std::optional<std::string> text, chat;
    if (entry.kind != EditKind::remove) text = write_patch(patch);
    if (entry.kind == EditKind::feedback && entry.chat) chat = entry.chat->value;
    if (entry.conversation)
        ids.push_back(*entry.conversation);
    else
        ids = select(db, read_selection(entry.body));
    std::erase_if(ids, [&](const ConversationId& id) { return is_purged(db, id); });
    for (const ConversationId& id : ids) {
        db.run("INSERT INTO edit (entry, conversation, place, chat, patch) VALUES (?1, ?2, ?3, ?4, ?5)"
               " ON CONFLICT DO UPDATE SET place = ?3",
               entry.id, id.value, entry.place, chat, text);
        keep_upstream(db, id, "");
        if (chat) keep_upstream(db, id, *chat);
    }
    return ids;
}

const std::string* find_value(const Patch& patch, const std::string& name)
{
    const auto found =
        std::find_if(patch.begin(), patch.end(), [&](const auto& member) { return member.first == name; });
    return found == patch.end() ? nullptr : &found->second;
}

// What upstream has now: of its answer only the members that were set, so that the row keeps its shape. What it shows
// as it was before is an answer that came from a copy of upstream's which lags, not what was written.
Patch confirmed_values(const Patch& patch, const std::optional<std::string>& answer, const Patch& base)
{
    if (!answer) return patch;
    std::vector<std::string_view> names;
    for (const auto& [name, value] : patch) names.push_back(name);
    const JsonValue shown = find_content(whole_value(*answer), names);
    Patch values = patch;
    for (auto& [name, value] : values) {
        const JsonValue own = find_member(shown, name);
        const std::string* before = find_value(base, name);
        if (!own.text.empty() && (before == nullptr || !same_member(name, *before, own.text))) value = own.text;
    }
    return values;
}

// What reads may go on showing: what upstream had before it was sent, and what it was seen to have since. Where both
// are the written value, a read may have been quicker than the answer, and the state before is not known.
void learn_before(Delivered& write, const std::optional<Patch>& base, const std::optional<Patch>& mirrored)
{
    for (const auto& [name, value] : write.written) {
        const std::string* sent_over = base ? find_value(*base, name) : nullptr;
        const std::string* held = mirrored ? find_value(*mirrored, name) : nullptr;
        const bool held_differs = held && !same_member(name, *held, value);
        if (!sent_over && !held_differs) continue;
        auto& before = write.before[name];
        if (sent_over && !same_member(name, *sent_over, value)) before.push_back(*sent_over);
        if (held_differs && (before.empty() || !same_member(name, before.front(), *held))) before.push_back(*held);
    }
}

/// Upstream's answer, where it sent its own copy, and what it had before, where that is known.
struct Answer {
    const std::optional<std::string>& copy;
    Patch base;
};

void confirm_raw(Writer& db, const ConversationId& id, const EditRow& edit, const Answer& answer,
                 const Confirmation& when)
{
    Delivered write;
    write.written = confirmed_values(edit.patch, answer.copy, answer.base);
    const std::string chat = edit.chat.value_or("");
    const auto raw = find_upstream_raw(db, id, chat);
    learn_before(write, when.base ? std::optional(read_patch(*when.base)) : std::nullopt,
                 raw ? std::optional(values_of(*raw, write.written)) : std::nullopt);
    db.run("UPDATE edit SET patch = ?3, before = ?4 WHERE entry = ?1 AND conversation = ?2", edit.entry, id.value,
           write_patch(write.written), write_before(write));
    if (raw) put_upstream_raw(db, id, chat, with_patch(*raw, write.written));
}

void confirm_one(Writer& db, const ConversationId& id, std::int64_t entry, const Answer& answer,
                 const Confirmation& when)
{
    const auto edits = load_edits(db, id);
    for (const EditRow& edit : edits) {
        if (edit.entry != entry) continue;
        if (!edit.removes) confirm_raw(db, id, edit, answer, when);
    }
}

} // namespace

void note_outbox(Writer& db, const std::optional<ConversationId>& id)
{
    note_change(db, id.value_or(ConversationId{}), ChangeKind::outbox);
}

void show_edit(Writer& db, const Entry& entry)
{
    note_outbox(db, entry.conversation);
    for (const ConversationId& id : add_edits(db, entry)) show_effect(db, id);
}

void confirm_edit(Writer& db, const Entry& entry, const std::optional<std::string>& answer, const Confirmation& when)
{
    note_outbox(db, entry.conversation);
    std::vector<ConversationId> ids = changed_by(db, entry.id);
    if (ids.empty()) ids = add_edits(db, entry); // it never had to wait
    Answer its{answer, {}};
    if (entry.conversation && (when.base || entry.base)) its.base = read_patch(when.base ? *when.base : *entry.base);
    db.run("UPDATE edit SET confirmed_at = ?2, lags_until = ?3, confirmed_utc = ?4 WHERE entry = ?1", entry.id,
           ticks(when.at), ticks(when.at + when.lag), when.utc);
    for (const ConversationId& id : ids) {
        confirm_one(db, id, entry.id, its, when);
        show_effect(db, id);
        if (entry.kind == EditKind::remove) forget_upstream(db, id); // what was hidden is gone for good
    }
}

void drop_edit(Writer& db, std::int64_t entry)
{
    const auto ids = changed_by(db, entry);
    db.run("DELETE FROM edit WHERE entry = ?1", entry);
    if (ids.size() != 1) note_outbox(db, std::nullopt); // a bulk update, or one that showed nowhere
    for (const ConversationId& id : ids) {
        if (ids.size() == 1) note_outbox(db, id);
        show_effect(db, id);
    }
}

bool is_confirmed(Reader& db, std::int64_t entry)
{
    return db.exists("SELECT 1 FROM edit WHERE entry = ?1 AND confirmed_at IS NOT NULL LIMIT 1", entry);
}

bool has_confirmed(Reader& db)
{
    return db.exists("SELECT 1 FROM edit WHERE lags_until IS NOT NULL LIMIT 1");
}

void forget_confirmed(Writer& db, Clock::Steady before)
{
    const auto ids =
        db.all<ConversationId>("SELECT DISTINCT conversation FROM edit WHERE lags_until < ?1", ticks(before));
    db.run("DELETE FROM edit WHERE lags_until < ?1", ticks(before));
    for (const ConversationId& id : ids) show_effect(db, id);
}

// A wall clock that was set back since makes it no longer than a whole lag. Where a read was covered, all writes to
// that conversation stay: what a read shows is judged by all of them, and the older of two would take the newer for its
// lag.
void resume_lag(Writer& db, Clock::Steady now, Instant utc, std::chrono::nanoseconds lag)
{
    using std::chrono::microseconds;
    const std::int64_t longest = std::chrono::ceil<microseconds>(lag).count();
    const std::string over =
        " FROM edit WHERE lags_until IS NOT NULL AND (confirmed_utc IS NULL OR ?1 - confirmed_utc > ?2)"
        " AND conversation NOT IN (SELECT conversation FROM edit WHERE covered > 0 AND lags_until IS NOT NULL)";
    const auto ids = db.all<ConversationId>("SELECT DISTINCT conversation" + over, utc, longest);
    db.run("DELETE" + over, utc, longest);
    for (const ConversationId& id : ids) show_effect(db, id);
    db.run("UPDATE edit SET confirmed_at = ?1 - 1000 * max(?2 - coalesce(confirmed_utc, 0), 0), covered = covered > 0"
           " WHERE lags_until IS NOT NULL",
           ticks(now), utc);
    db.run("UPDATE edit SET lags_until = confirmed_at + ?1 WHERE lags_until IS NOT NULL", longest * 1000);
}

std::optional<std::string> find_base(Reader& db, const ConversationId& id, const Patch& wanted)
{
    auto raw = find_upstream_raw(db, id, "");
    if (!raw) raw = db.one<std::string>("SELECT raw FROM conversation WHERE id = ?1", id.value);
    if (!raw) return std::nullopt;
    return write_patch(values_of(*raw, wanted));
}

std::optional<std::string> find_base(Reader& db, const Entry& entry)
{
    if (!entry.conversation) return std::nullopt;
    const Patch wanted = patch_of(entry.kind, entry.body);
    if (wanted.empty()) return std::nullopt;
    if (entry.kind != EditKind::feedback) return find_base(db, *entry.conversation, wanted);
    const std::string chat = entry.chat ? entry.chat->value : std::string();
    auto raw = find_upstream_raw(db, *entry.conversation, chat);
    if (!raw) raw = find_shown_chat(db, *entry.conversation, chat);
    if (!raw) return std::nullopt;
    return write_patch(values_of(*raw, wanted));
}

std::vector<ConversationId> find_edited(Reader& db, std::int64_t entry, int limit)
{
    return db.all<ConversationId>("SELECT conversation FROM edit WHERE entry = ?1 LIMIT ?2", entry, limit);
}

std::vector<std::int64_t> load_shown(Reader& mirror)
{
    return mirror.all<std::int64_t>("SELECT DISTINCT entry FROM edit WHERE confirmed_at IS NULL ORDER BY entry");
}

std::vector<std::int64_t> load_waiting(Reader& outbox)
{
    auto ids = outbox.all<std::int64_t>("SELECT id FROM entry WHERE state IN ('pending', 'sending', 'conflict')"
                                        " AND kind <> 'stop'");
    std::sort(ids.begin(), ids.end());
    return ids;
}

} // namespace alli::cache
