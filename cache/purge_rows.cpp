// SPDX-License-Identifier: Apache-2.0
#include "cache/purge_rows.hpp"

#include "cache/conversations.hpp"
#include "cache/db/meta.hpp"
#include "cache/entry_user.hpp"
#include "cache/outbox/entry_order.hpp"
#include "cache/outbox/overlay_rows.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/webhook_state.hpp"

#include <nlohmann/json.hpp>

#include <cctype>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view remains_name = "purge_remains"; // in the table of single facts

void add_ids(Reader& db, std::string_view sql, const auto& argument, std::vector<ConversationId>& ids)
{
    for (ConversationId& id : db.all<ConversationId>(sql, argument)) ids.push_back(std::move(id));
}

bool is_meant(const Conversation& conversation, const PurgeOptions& wish)
{
    const auto when = conversation.last_chat_at ? conversation.last_chat_at : conversation.created_at;
    return conversation.id == wish.conversation || (wish.user && conversation.user_id == wish.user) ||
           (wish.before && when && *when < *wish.before);
}

// Whose deletion waits: in no list, and whole all the same.
std::vector<Conversation> load_hidden(Reader& db)
{
    const auto read = [&](const Row& row) {
        return reread_conversation(db, row.get<ConversationId>(1), std::string(row.text(0)));
    };
    return db.all(read, "SELECT raw, conversation FROM upstream_raw WHERE chat = ''"
                        " AND NOT EXISTS (SELECT 1 FROM conversation c WHERE c.id = upstream_raw.conversation)");
}

std::optional<Instant> created_at(Connection& db, const ConversationId& id)
{
    if (const auto at = db.one<std::optional<Instant>>("SELECT created_at FROM conversation WHERE id = ?1", id.value))
        return *at;
    if (auto raw = find_upstream_raw(db, id, "")) return reread_conversation(db, id, std::move(*raw)).created_at;
    return std::nullopt;
}

// --- the outbox --------------------------------------------------------------------------------------------------

// Takes a bulk update's names of what is purged out of it. None: it names nothing else. The same: it names none.
std::optional<std::string> without(const std::string& body, const PurgeOptions& wish, const IdSet& ids)
{
    Json json = Json::parse(body, nullptr, false);
    if (!json.is_object()) return body;
    bool changed = false;
    const auto strip = [&](const char* name, auto is_purged) {
        const auto list = json.find(name);
        if (list == json.end() || !list->is_array() || list->empty()) return true;
        Json kept = Json::array();
        for (const Json& one : *list)
            if (!one.is_string() || !is_purged(one.get<std::string>())) kept.push_back(one);
        changed = changed || kept.size() != list->size();
        *list = std::move(kept);
        return !list->empty(); // without any it would mean all
    };
    const bool named = strip("conversationIds", [&](const std::string& id) { return ids.contains(id); }) &&
                       strip("userIds", [&](const std::string& id) { return wish.user == id; });
    if (!named) return std::nullopt;
    return changed ? json.dump(-1, ' ', false, Json::error_handler_t::replace) : body;
}

// What it was sent over, by conversation, without those that are purged: by the others it is still told whether it was
// applied. It may hold some that the update does not name.
std::optional<std::string> over_others(const std::optional<std::string>& base, const IdSet& ids)
{
    if (!base) return base;
    const Patch before = read_patch(*base);
    Patch others;
    for (const auto& one : before)
        if (!ids.contains(one.first)) others.push_back(one);
    return others.size() == before.size() ? base : write_patch(others);
}

bool is_named(std::string_view headers, const std::string& user)
{
    const auto users = users_named_in(headers);
    return std::find(users.begin(), users.end(), user) != users.end();
}

// A short id is in many a word without being meant.
bool is_word_of(std::string_view text, std::string_view id)
{
    const auto goes_on = [](char one, char next) {
        const auto is_of_word = [](char c) {
            return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
        };
        return is_of_word(one) && is_of_word(next);
    };
    for (auto at = text.find(id); at != text.npos && !id.empty(); at = text.find(id, at + 1)) {
        const auto end = at + id.size();
        const bool begins = at == 0 || !goes_on(text[at - 1], id.front());
        if (begins && (end == text.size() || !goes_on(id.back(), text[end]))) return true;
    }
    return false;
}

struct AffectedEntry {
    std::int64_t id;
    std::optional<ConversationId> line;
    bool waits;
    std::optional<std::string> body, base; // what they become; no body: it goes
};

std::vector<AffectedEntry> look_through(Connection& outbox, const PurgeOptions& wish, const IdSet& ids)
{
    std::vector<AffectedEntry> affected;
    for (const Row row :
         outbox.query("SELECT id, conversation, state, headers, CASE WHEN conversation IS NULL THEN body END,"
                      " CASE WHEN conversation IS NULL THEN base END FROM entry")) {
        AffectedEntry one{row.integer(0), {}, row.text(2) != "delivered" && row.text(2) != "failed", {}, {}};
        if (!row.is_null(1)) one.line = ConversationId{std::string(row.text(1))};
        auto rest = find_rest(one.line, row.text(3), std::string(row.text(4)), row.optional_text(5), wish, ids);
        if (!rest) continue;
        one.body = std::move(rest->body);
        one.base = std::move(rest->base);
        affected.push_back(std::move(one));
    }
    return affected;
}

PurgedWrites summary_of(const std::vector<AffectedEntry>& affected)
{
    PurgedWrites writes;
    for (const AffectedEntry& one : affected) {
        writes.lines.push_back(one.line);
        if (one.body) continue;
        writes.removed.push_back(one.id);
        if (one.waits) ++writes.waiting;
    }
    return writes;
}

} // namespace

std::vector<ConversationId> find_wanted(Reader& mirror, const PurgeOptions& wish)
{
    std::vector<ConversationId> ids;
    if (wish.conversation) add_ids(mirror, "SELECT id FROM conversation WHERE id = ?1", wish.conversation->value, ids);
    if (wish.user) add_ids(mirror, "SELECT id FROM conversation WHERE user_id = ?1", *wish.user, ids);
    if (wish.before)
        add_ids(mirror,
                "SELECT id FROM conversation WHERE last_chat_at < ?1 OR (last_chat_at IS NULL AND created_at < ?1)",
                *wish.before, ids);
    for (const Conversation& hidden : load_hidden(mirror))
        if (is_meant(hidden, wish)) ids.push_back(hidden.id);
    return ids;
}

std::int64_t count_chats(Connection& mirror, const ConversationId& id)
{
    return mirror.require<std::int64_t>("SELECT (SELECT count(*) FROM chat_row r JOIN conversation c"
                                        " ON r.place >= c.pk << 24 AND r.place < (c.pk + 1) << 24 WHERE c.id = ?1)"
                                        " + (SELECT count(*) FROM hidden_chat WHERE conversation = ?1)",
                                        id.value);
}

std::int64_t erase_all_of(Writer& mirror, const ConversationId& id)
{
    const std::int64_t chats = count_chats(mirror, id);
    note_purged_day(mirror, created_at(mirror, id));
    mirror.run("DELETE FROM edit WHERE conversation = ?1", id.value);
    erase_conversation(mirror, id);
    mirror.run("DELETE FROM change WHERE conversation = ?1", id.value); // by now it is no row's
    mirror.run("DELETE FROM problem WHERE conversation = ?1", id.value);
    erase_mentions(mirror, id.value);
    mirror.run("DELETE FROM tombstone WHERE id = ?1", id.value);
    mirror.run("DELETE FROM suspect WHERE id = ?1", id.value);
    mirror.run("DELETE FROM temp.arrival WHERE conversation = ?1", id.value);
    return chats;
}

void erase_mentions(Writer& mirror, const std::string& id)
{
    const auto read = [](const Row& row) { return std::pair(std::string(row.text(0)), std::string(row.text(1))); };
    for (const auto& [key, what] : mirror.all(read, "SELECT key, what FROM problem WHERE instr(what, ?1) > 0", id))
        if (is_word_of(what, id)) mirror.run("DELETE FROM problem WHERE key = ?1", key);
}

std::vector<ConversationId> find_suppressed_hidden(Reader& mirror)
{
    std::vector<ConversationId> found;
    for (const Conversation& hidden : load_hidden(mirror))
        if (is_suppressed(mirror, hidden)) found.push_back(hidden.id);
    return found;
}

SuppressedRows find_suppressed_rows(Reader& mirror, std::int64_t from)
{
    constexpr int step = 500;
    std::int64_t last = from;
    const auto read = [&](const Row& row) {
        Conversation held;
        last = row.integer(0);
        held.id = row.get<ConversationId>(1);
        held.user_id = row.optional_text(2);
        held.last_chat_at = row.optional_instant(3);
        held.created_at = row.optional_instant(4);
        return held;
    };
    const auto some = mirror.all(read,
                                 "SELECT pk, id, user_id, last_chat_at, created_at FROM conversation"
                                 " WHERE pk >= ?1 ORDER BY pk LIMIT ?2",
                                 from, step);
    SuppressedRows found;
    if (some.size() == step) found.next = last + 1;
    for (const Conversation& held : some)
        if (is_suppressed(mirror, held)) found.ids.push_back(held.id);
    return found;
}

namespace {

void erase_purged(Writer& mirror)
{
    const auto erase = [&](const std::vector<ConversationId>& ids) {
        constexpr std::int64_t step_chats = 500;
        for (std::size_t next = 0; next < ids.size();)
            in_transaction(mirror, [&] {
                for (std::int64_t size = 0; next < ids.size() && size < step_chats; ++next)
                    size += erase_all_of(mirror, ids[next]) + 1;
            });
    };
    erase(find_suppressed_hidden(mirror));
    for (std::optional<std::int64_t> from = 0; from;) {
        const SuppressedRows found = find_suppressed_rows(mirror, *from);
        erase(found.ids);
        from = found.next;
    }
}

} // namespace

std::optional<Instant> find_remains(Connection& mirror)
{
    return find_meta<Instant>(mirror, remains_name);
}

void note_remains(Writer& mirror, Instant erased_at)
{
    put_meta(mirror, remains_name, erased_at);
}

void drop_remains(Writer& mirror, Instant erased_at)
{
    if (find_remains(mirror) == erased_at) drop_meta(mirror, remains_name);
}

void adopt_suppression_list(Writer& mirror, Writer& outbox, Instant now)
{
    if (!has_suppression_list(outbox) && has_suppression_list(mirror))
        in_transaction(outbox, [&] {
            put_suppression_list(outbox, load_suppression_list(mirror));
            put_suppression_version(outbox, suppression_version(mirror));
        });
    if (is_same_suppression_list(mirror, outbox)) return;
    const SuppressionList copy = load_suppression_list(mirror);
    if (copy.key == load_suppression_list(outbox).key) // an older outbox may have been put back by hand
        in_transaction(outbox, [&] {
            const std::int64_t latest = std::max(copy.version, suppression_version(outbox));
            if (merge_suppression_list(outbox, copy)) put_suppression_version(outbox, latest + 1);
        });
    in_transaction(mirror, [&] { put_suppression_list(mirror, load_suppression_list(outbox)); });
    in_transaction(outbox, [&] { drop_webhook_holds(outbox); }); // of a backup, which may name what was purged since
    erase_purged(mirror);
    in_transaction(mirror, [&] {
        restart_feed(mirror, now); // it may have named what is gone, and its readers hold that
        note_remains(mirror, now);
        put_suppression_version(mirror, suppression_version(outbox));
    });
}

std::optional<RestOfWrite> find_rest(const std::optional<ConversationId>& line, std::string_view headers,
                                     const std::string& body, const std::optional<std::string>& base,
                                     const PurgeOptions& wish, const IdSet& ids)
{
    const bool named = wish.user && is_named(headers, *wish.user);
    if (named || (line && ids.contains(line->value))) return RestOfWrite{};
    if (line) return std::nullopt;
    RestOfWrite rest{without(body, wish, ids), base};
    rest.base = over_others(base, ids);
    if (rest.body == body && rest.base == base) return std::nullopt;
    return rest;
}

PurgedWrites find_writes(Reader& outbox, const PurgeOptions& wish, const IdSet& ids)
{
    return summary_of(look_through(outbox, wish, ids));
}

PurgedWrites purge_writes(Writer& outbox, const PurgeOptions& wish, const IdSet& ids)
{
    const std::vector<AffectedEntry> affected = look_through(outbox, wish, ids);
    if (!affected.empty()) note_highest_place(outbox);
    for (const AffectedEntry& one : affected)
        if (one.body)
            outbox.run("UPDATE entry SET body = ?2, base = ?3, response = NULL WHERE id = ?1", one.id, *one.body,
                       one.base);
        else
            outbox.run("DELETE FROM entry WHERE id = ?1", one.id);
    return summary_of(affected);
}

} // namespace alli::cache
