// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/totals.hpp"

#include <spdlog/fmt/fmt.h>

#include <filesystem>

namespace alli::cache {
namespace {

std::int64_t bytes_of(const std::string& path)
{
    std::error_code absent; // a file that is not there has no bytes
    const auto size = std::filesystem::file_size(path, absent);
    return absent ? 0 : static_cast<std::int64_t>(size);
}

Totals load_rows(Connection& db)
{
    const auto read = [](const Row& row) { return Totals{row.integer(0), row.integer(1), 0}; };
    return db.one(read, "SELECT conversations, chats FROM totals").value_or(Totals());
}

Totals count_rows(Connection& db)
{
    Totals totals;
    totals.conversations = db.require<std::int64_t>("SELECT count(*) FROM conversation");
    totals.chats = db.require<std::int64_t>("SELECT count(*) FROM chat_row");
    return totals;
}

} // namespace

Totals load_totals(Reader& db)
{
    Totals totals = load_rows(db);
    totals.bytes = bytes_of(db.path()) + bytes_of(db.path() + "-wal");
    return totals;
}

Totals load_totals(Writer& db)
{
    Totals totals = load_totals(static_cast<Reader&>(db));
    totals.conversations += db.row_changes().conversations();
    totals.chats += db.row_changes().chats();
    return totals;
}

Totals count_totals(Reader& db)
{
    Totals totals = count_rows(db);
    totals.bytes = bytes_of(db.path()) + bytes_of(db.path() + "-wal");
    return totals;
}

std::optional<std::string> find_wrong_totals(Reader& db)
{
    const Totals kept = load_rows(db), counted = count_rows(db);
    if (kept.conversations == counted.conversations && kept.chats == counted.chats) return std::nullopt;
    return fmt::format("the totals kept are {} conversations and {} messages, those of the rows {} and {}",
                       kept.conversations, kept.chats, counted.conversations, counted.chats);
}

// What the transaction changed before is in what is counted.
void repair_totals(Writer& db)
{
    db.run("INSERT OR IGNORE INTO totals (one, conversations, chats) VALUES (1, 0, 0)");
    const Totals kept = load_rows(db), counted = count_rows(db);
    db.row_changes().set(counted.conversations - kept.conversations, counted.chats - kept.chats);
}

} // namespace alli::cache
