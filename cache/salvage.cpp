// SPDX-License-Identifier: Apache-2.0
#include "cache/salvage.hpp"

#include "alli/clock.hpp"
#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "cache/aside.hpp"
#include "cache/migrate.hpp"
#include "cache/sqlite.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

std::string salvaged_name(const std::string& path)
{
    return path + ".salvaged";
}

// Of what cannot be read there is nothing to tell but that.
template <class F>
bool can(F read)
{
    try {
        read();
        return true;
    } catch (const Error& error) {
        if (error.fault() == Fault::disk_full) throw;
        return false;
    }
}

// The columns that both have: the damaged file may be of an older version.
std::string common_columns(Connection& db, std::string_view table)
{
    std::set<std::string> old;
    for (const Row row : db.query("SELECT name FROM pragma_table_info(?1, 'old')", table)) old.emplace(row.text(0));
    std::string columns;
    for (const Row row : db.query("SELECT name FROM pragma_table_info(?1, 'main')", table))
        if (old.contains(std::string(row.text(0)))) columns += (columns.empty() ? "" : ", ") + std::string(row.text(0));
    return columns;
}

std::optional<std::int64_t> number(Connection& db, std::string_view sql)
{
    std::optional<std::int64_t> found;
    can([&] {
        for (const Row row : db.query(sql)) found = row.optional_integer(0);
    });
    return found;
}

// [first, last]: as a whole, or where something in it cannot be read, each half by itself.
void copy_entries(Writer& db, const std::string& sql, std::int64_t first, std::int64_t last)
{
    if (first > last || can([&] { db.run(sql, first, last); }) || first == last) return;
    const std::int64_t middle = first + (last - first) / 2;
    copy_entries(db, sql, first, middle);
    copy_entries(db, sql, middle + 1, last);
}

// All of them or none: half a ledger would look like a whole one, and the mirror has another.
void copy_small_tables(Writer& db)
{
    can([&] {
        in_transaction(db, [&] {
            for (const std::string table : {"fact", "purged"})
                db.run(fmt::format("INSERT INTO main.{0} ({1}) SELECT {1} FROM old.{0}", table,
                                   common_columns(db, table)));
            db.run("DELETE FROM fact WHERE name = 'stopped_in_order'"); // nobody did
        });
    });
}

// Numbers that were given out are never used again, whatever became of their entries.
std::int64_t last_number(Writer& db)
{
    const auto given = number(db, "SELECT seq FROM old.sqlite_sequence WHERE name = 'entry'");
    const auto highest = number(db, "SELECT max(id) FROM old.entry");
    if (given || highest) return std::max(given.value_or(0), highest.value_or(0));
    SystemClock clock; // nobody knows: one that is higher than any that was counted up to
    return std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
}

Salvaged copy_all(Writer& db)
{
    copy_small_tables(db);
    const std::int64_t last = last_number(db);
    const std::int64_t first = number(db, "SELECT min(id) FROM old.entry").value_or(1);
    std::string columns;
    if (can([&] { columns = common_columns(db, "entry"); }) && !columns.empty())
        copy_entries(db,
                     fmt::format("INSERT OR IGNORE INTO main.entry ({0}) SELECT {0} FROM old.entry"
                                 " WHERE id BETWEEN ?1 AND ?2",
                                 columns),
                     first, last);
    in_transaction(db, [&] {
        db.run("DELETE FROM main.sqlite_sequence WHERE name = 'entry'");
        db.run("INSERT INTO main.sqlite_sequence (name, seq) VALUES ('entry', ?1)", last);
    });
    Salvaged salvaged;
    salvaged.entries = number(db, "SELECT count(*) FROM main.entry").value_or(0);
    salvaged.waiting =
        number(db, "SELECT count(*) FROM main.entry WHERE state IN ('pending', 'sending', 'conflict')").value_or(0);
    salvaged.lost = number(db, "SELECT count(*) FROM (SELECT id FROM old.entry INDEXED BY entry_by_state"
                               " WHERE state IN ('pending', 'sending', 'conflict', 'failed')) o"
                               " WHERE NOT EXISTS (SELECT 1 FROM main.entry e WHERE e.id = o.id)");
    return salvaged;
}

void remove_with_log(const std::string& path)
{
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path + suffix);
}

std::string directory_of(const std::string& path)
{
    const fs::path parent = fs::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

} // namespace

Salvaged salvage_outbox(const std::string& path)
{
    const std::string made = salvaged_name(path);
    remove_with_log(made); // of a salvage that was cut short
    Salvaged salvaged;
    {
        Writer db(made, "FULL");
        migrate(db, outbox_schema);
        can([&] { db.run("ATTACH ?1 AS old", path); }); // else there is no table to read from, and a number to give out
        salvaged = copy_all(db);
        can([&] { db.run("DETACH old"); });
        db.checkpoint(Writer::Checkpoint::truncate);
    }
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(made + suffix);
    sync_to_disk(made);
    salvaged.aside = set_aside(path);
    finish_salvage(path);
    return salvaged;
}

void finish_salvage(const std::string& path)
{
    const std::string made = salvaged_name(path);
    if (fs::exists(path)) return remove_with_log(made); // the damaged file is still there: it begins again
    if (!fs::exists(made)) return;
    fs::rename(made, path);
    sync_to_disk(directory_of(path));
}

} // namespace alli::cache
