// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/operations.hpp"

#include "cache/db/meta.hpp"

namespace alli::cache {
namespace {

std::string meta_name(EditKind kind)
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
    const auto read = [](const Row& row) {
        return Untaken{row.integer(0), row.get<ConversationId>(1), std::string(row.text(2))};
    };
    return db.all(read,
                  "SELECT id, conversation, path FROM entry WHERE state <> 'delivered' AND kind = ?1"
                  " AND conversation IS NOT NULL",
                  name_of(kind));
}

} // namespace

std::optional<std::string> find_noted_operation(Connection& db, EditKind kind)
{
    return find_meta<std::string>(db, meta_name(kind));
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
    put_meta(db, meta_name(kind), text_of(now));
    return std::ssize(entries);
}

} // namespace alli::cache
