// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/outbox_copy.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

std::optional<std::int64_t> number(Connection& db, const std::string& sql)
{
    std::optional<std::int64_t> found;
    can([&] { found = db.one<std::int64_t>(sql); });
    return found;
}

class Copy {
  public:
    Copy(Writer& db, std::string from, std::string to) : db_(db), from_(std::move(from)), to_(std::move(to)) {}

    CopiedOutbox run()
    {
        copy_small_tables();
        copy_webhooks();
        const std::int64_t last = last_number();
        const std::int64_t first = number(db_, fmt::format("SELECT min(id) FROM {}.entry", from_)).value_or(1);
        std::string columns;
        if (can([&] { columns = common_columns("entry"); }) && !columns.empty())
            copy_entries(fmt::format("INSERT OR IGNORE INTO {1}.entry ({2}) SELECT {2} FROM {0}.entry"
                                     " WHERE id BETWEEN ?1 AND ?2",
                                     from_, to_, columns),
                         first, last);
        in_transaction(db_, [&] {
            db_.run(fmt::format("DELETE FROM {}.sqlite_sequence WHERE name = 'entry'", to_));
            db_.run(fmt::format("INSERT INTO {}.sqlite_sequence (name, seq) VALUES ('entry', ?1)", to_), last);
        });
        return count();
    }

  private:
    // The columns that both have: the old file may be of an older version.
    std::string common_columns(std::string_view table)
    {
        return db_
            .one<std::string>("SELECT group_concat(name, ', ') FROM pragma_table_info(?1, ?3)"
                              " WHERE name IN (SELECT name FROM pragma_table_info(?1, ?2))",
                              table, from_, to_)
            .value_or("");
    }

    // [first, last]: as a whole, or where something in it cannot be read, each half by itself.
    void copy_entries(const std::string& sql, std::int64_t first, std::int64_t last)
    {
        if (first > last || tries_left_ == 0 || can([&] { db_.run(sql, first, last); }) || first == last) return;
        if (!last_is_known_) --tries_left_;
        const std::int64_t middle = first + (last - first) / 2;
        copy_entries(sql, first, middle);
        copy_entries(sql, middle + 1, last);
    }

    // All of them or none: half a suppression list would look like a whole one, and the mirror has another.
    void copy_small_tables()
    {
        can([&] {
            in_transaction(db_, [&] {
                for (const std::string table : {"fact", "purged"})
                    db_.run(fmt::format("INSERT INTO {1}.{2} ({3}) SELECT {3} FROM {0}.{2}", from_, to_, table,
                                        common_columns(table)));
                // Nobody did; and what could not be read is to be read from the other nodes.
                db_.run(fmt::format("DELETE FROM {}.fact WHERE name IN ('stopped_in_order', 'cluster_writes_position')",
                                    to_));
            });
        });
    }

    // Without its position a webhook would begin with what is new, and its receiver would never know what it missed.
    void copy_webhooks()
    {
        for (const std::string table : {"webhook", "webhook_hold"})
            can([&] {
                if (const std::string columns = common_columns(table); !columns.empty())
                    db_.run(fmt::format("INSERT OR IGNORE INTO {1}.{2} ({3}) SELECT {3} FROM {0}.{2}", from_, to_,
                                        table, columns));
            });
    }

    std::int64_t last_number()
    {
        const auto given = number(db_, fmt::format("SELECT seq FROM {}.sqlite_sequence WHERE name = 'entry'", from_));
        const auto highest = number(db_, fmt::format("SELECT max(id) FROM {}.entry", from_));
        if (given || highest) return std::max(given.value_or(0), highest.value_or(0));
        last_is_known_ = false;
        SystemClock clock; // nobody knows: one that is higher than any that was counted up to
        return std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
    }

    CopiedOutbox count()
    {
        CopiedOutbox copied;
        copied.entries = number(db_, fmt::format("SELECT count(*) FROM {}.entry", to_)).value_or(0);
        copied.waiting = number(db_, fmt::format("SELECT count(*) FROM {}.entry WHERE state IN ('pending', 'sending',"
                                                 " 'conflict')",
                                                 to_))
                             .value_or(0);
        copied.lost = number(db_, fmt::format("SELECT count(*) FROM (SELECT id FROM {0}.entry INDEXED BY entry_by_state"
                                              " WHERE state IN ('pending', 'sending', 'conflict', 'failed')) o"
                                              " WHERE NOT EXISTS (SELECT 1 FROM {1}.entry e WHERE e.id = o.id)",
                                              from_, to_));
        return copied;
    }

    Writer& db_;
    std::string from_, to_;
    bool last_is_known_ = true;
    int tries_left_ = 20'000; // else: of a file that cannot be read at all, each number would be tried for hours
};

} // namespace

CopiedOutbox copy_outbox(Writer& db, const std::string& from, const std::string& to)
{
    return Copy(db, from, to).run();
}

} // namespace alli::cache
