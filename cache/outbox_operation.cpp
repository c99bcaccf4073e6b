// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox_operation.hpp"

namespace alli::cache {
namespace {

std::string fact_of(EditKind kind)
{
    return "operation " + std::string(name_of(kind));
}

struct Untaken {
    std::int64_t id;
    ConversationId conversation;
    std::string path;
};

std::vector<Untaken> load_untaken(Writer& db, EditKind kind)
{
    std::vector<Untaken> entries;
    for (const Row row : db.query("SELECT id, conversation, path FROM entry WHERE state <> 'delivered' AND kind = ?1"
                                  " AND conversation IS NOT NULL",
                                  name_of(kind)))
        entries.push_back({row.integer(0), ConversationId{std::string(row.text(1))}, std::string(row.text(2))});
    return entries;
}

} // namespace

std::optional<std::string> find_noted_operation(Connection& db, EditKind kind)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = ?1", fact_of(kind)))
        return std::string(row.text(0));
    return std::nullopt;
}

std::int64_t follow_operation(Writer& db, EditKind kind, const Operation& now,
                              const std::function<std::string(const ConversationId&)>& path_of)
{
    const std::vector<Untaken> entries = load_untaken(db, kind);
    for (const Untaken& entry : entries) {
        const auto query = entry.path.find('?');
        std::string path = path_of(entry.conversation);
        if (query != entry.path.npos) path += entry.path.substr(query);
        db.run("UPDATE entry SET method = ?2, path = ?3 WHERE id = ?1", entry.id, now.method, path);
    }
    db.run("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", fact_of(kind), text_of(now));
    return std::ssize(entries);
}

} // namespace alli::cache
