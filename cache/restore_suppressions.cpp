// SPDX-License-Identifier: Apache-2.0
#include "cache/restore_suppressions.hpp"

#include "alli/error.hpp"
#include "cache/purge_rows.hpp"
#include "cache/rows/suppression_list.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

bool has_table(Connection& db, std::string_view name)
{
    return db.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", name);
}

/// None: there is no such file, or it cannot be read.
std::optional<SuppressionList> find_list(const std::string& path)
{
    if (!std::filesystem::exists(path)) return std::nullopt;
    std::optional<SuppressionList> list;
    try {
        Writer db(path, "FULL"); // nobody else has it open; its log may have to be read
        list = has_table(db, "purged") && has_table(db, "fact") ? load_suppression_list(db) : SuppressionList{};
    } catch (const Error& error) {
        if (error.fault() == Fault::disk_full) throw;
        list.reset();
    }
    return list;
}

// The mirror may know of it from before the outbox was lost.
std::optional<SuppressionList> find_replaced_list(const ReplacedFiles& replaced)
{
    auto list = find_list(replaced.outbox);
    if (list && !list->key.empty()) return list;
    auto copy = find_list(replaced.mirror);
    return copy && !copy->key.empty() ? copy : list;
}

std::string own_user(std::string_view headers)
{
    const Json json = Json::parse(headers, nullptr, false);
    const auto own = json.is_object() ? json.find("OWN-USER-ID") : json.end();
    return json.is_object() && own != json.end() && own->is_string() ? own->get<std::string>() : "";
}

/// Every conversation and user that an entry of the outbox names.
struct Named {
    std::set<std::string> conversations, users;
};

void add_all(const Json& body, const char* name, std::set<std::string>& to)
{
    const auto list = body.find(name);
    if (list == body.end() || !list->is_array()) return;
    for (const Json& one : *list)
        if (one.is_string()) to.insert(one.get<std::string>());
}

Named find_named(Connection& outbox)
{
    Named named;
    for (const Row row : outbox.query("SELECT conversation, headers, CASE WHEN conversation IS NULL THEN body END"
                                      " FROM entry")) {
        if (!row.is_null(0)) named.conversations.emplace(row.text(0));
        if (auto user = own_user(row.text(1)); !user.empty()) named.users.insert(std::move(user));
        if (const Json body = Json::parse(row.text(2), nullptr, false); body.is_object()) {
            add_all(body, "conversationIds", named.conversations);
            add_all(body, "userIds", named.users);
        }
    }
    return named;
}

// With what the mirror knows of it: whose it is, and how old.
Conversation find_known(Connection& mirror, const std::string& id)
{
    Conversation known;
    known.id = ConversationId{id};
    for (const Row row : mirror.query("SELECT user_id, last_chat_at, created_at FROM conversation WHERE id = ?1", id)) {
        known.user_id = row.optional_text(0);
        known.last_chat_at = row.optional_instant(1);
        known.created_at = row.optional_instant(2);
    }
    return known;
}

std::int64_t purge_named_writes(Writer& outbox, Connection& mirror)
{
    const Named named = find_named(outbox);
    IdSet doomed;
    for (const std::string& id : named.conversations)
        if (is_suppressed(outbox, find_known(mirror, id))) doomed.insert(id);
    std::size_t removed = purge_writes(outbox, {}, doomed).removed.size();
    for (const std::string& user : named.users) {
        Conversation anybody; // by its user alone
        anybody.user_id = user;
        if (!is_suppressed(outbox, anybody)) continue;
        PurgeOptions wish;
        wish.user = user;
        removed += purge_writes(outbox, wish, doomed).removed.size();
    }
    return static_cast<std::int64_t>(removed);
}

} // namespace

std::string merge_suppressions(Writer& outbox, Writer& mirror, const ReplacedFiles& replaced, const std::string& since)
{
    const auto theirs = find_replaced_list(replaced);
    if (!theirs)
        return fmt::format("what was purged since {} is not known here, and is in it again: purge it again", since);
    if (theirs->key.empty()) return "nothing was purged since that would be in it again";

    const SuppressionList own = load_suppression_list(outbox);
    const bool mixed = !own.key.empty() && own.key != theirs->key;
    put_suppression_list(outbox, *theirs);
    put_suppression_version(outbox, std::max(own.version, theirs->version) + 1);
    const std::int64_t removed = purge_named_writes(outbox, mirror);
    std::string said = "what was purged since stays away";
    if (removed > 0)
        said += fmt::format(" (with {} waiting or settled {})", removed, removed == 1 ? "write" : "writes");
    if (mixed && !own.hashes.empty())
        said += fmt::format("; the backup's own list of {} purged ids is another mirror's, and cannot be merged: purge "
                            "those again",
                            own.hashes.size());
    return said;
}

} // namespace alli::cache
