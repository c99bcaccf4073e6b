// SPDX-License-Identifier: Apache-2.0
#include "cache/suppressed_writes.hpp"

#include "cache/entry_user.hpp"
#include "cache/rows/suppression_list.hpp"

#include <nlohmann/json.hpp>

#include <iterator>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

void add_all(const Json& body, const char* name, std::set<std::string>& to)
{
    const auto list = body.find(name);
    if (list == body.end() || !list->is_array()) return;
    for (const Json& one : *list)
        if (one.is_string()) to.insert(one.get<std::string>());
}

void add(PurgedWrites&& more, PurgedWrites& to)
{
    std::move(more.removed.begin(), more.removed.end(), std::back_inserter(to.removed));
    std::move(more.lines.begin(), more.lines.end(), std::back_inserter(to.lines));
    to.waiting += more.waiting;
}

} // namespace

void add_named(NamedInOutbox& named, std::optional<std::string> conversation, std::string_view headers,
               std::string_view body, std::string_view base)
{
    for (std::string& user : users_named_in(headers)) named.users.insert(std::move(user));
    if (conversation) {
        named.conversations.insert(std::move(*conversation));
        return;
    }
    if (const Json json = Json::parse(body, nullptr, false); json.is_object()) {
        add_all(json, "conversationIds", named.conversations);
        add_all(json, "userIds", named.users);
    }
    if (const Json json = Json::parse(base, nullptr, false); json.is_object())
        for (const auto& one : json.items()) named.conversations.insert(one.key());
}

NamedInOutbox find_named(Connection& outbox)
{
    NamedInOutbox named;
    for (const Row row : outbox.query("SELECT conversation, headers, CASE WHEN conversation IS NULL THEN body END,"
                                      " CASE WHEN conversation IS NULL THEN base END FROM entry"))
        add_named(named, row.optional_text(0), row.text(1), row.text(2), row.text(3));
    return named;
}

std::vector<Conversation> find_known(Connection& mirror, const std::set<std::string>& conversations)
{
    std::vector<Conversation> all;
    for (const std::string& id : conversations) {
        Conversation& known = all.emplace_back();
        known.id = ConversationId{id};
        for (const Row row :
             mirror.query("SELECT user_id, last_chat_at, created_at FROM conversation WHERE id = ?1", id)) {
            known.user_id = row.optional_text(0);
            known.last_chat_at = row.optional_instant(1);
            known.created_at = row.optional_instant(2);
        }
    }
    return all;
}

SuppressedOfOutbox find_suppressed(Connection& outbox, const std::vector<Conversation>& known,
                                   const std::set<std::string>& users)
{
    SuppressedOfOutbox suppressed;
    for (const Conversation& one : known)
        if (is_suppressed(outbox, one)) suppressed.conversations.insert(one.id.value);
    for (const std::string& user : users) {
        Conversation anybody; // by its user alone
        anybody.user_id = user;
        if (is_suppressed(outbox, anybody)) suppressed.users.emplace_back().user = user;
    }
    return suppressed;
}

PurgedWrites purge_suppressed_writes(Writer& outbox, const std::vector<Conversation>& known,
                                     const std::set<std::string>& users)
{
    const SuppressedOfOutbox suppressed = find_suppressed(outbox, known, users);
    const IdSet& doomed = suppressed.conversations;
    PurgedWrites purged;
    if (!doomed.empty()) purged = purge_writes(outbox, {}, doomed);
    for (const PurgeOptions& wish : suppressed.users) add(purge_writes(outbox, wish, doomed), purged);
    return purged;
}

} // namespace alli::cache
