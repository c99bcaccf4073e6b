// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/integrity_check.hpp"

#include "alli/error.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace alli::cache {
namespace {

using Lines = std::vector<std::string>;

class Check {
  public:
    Check(Connection& db, ActiveReads& reads, const PageCheck& how) : db_(db), reads_(reads), how_(how) {}

    Lines run()
    {
        if (auto whole = run_pragma(std::to_string(how_.most))) return std::move(*whole);
        Lines found;
        for (const Table& table : load_tables()) {
            const auto more = run_pragma('"' + table.name + '"');
            if (more)
                found.insert(found.end(), more->begin(), more->end());
            else if (table.has_rowid)
                read_rows(table.name);
        }
        if (std::ssize(found) > how_.most) found.resize(static_cast<std::size_t>(how_.most));
        return found;
    }

  private:
    struct Table {
        std::string name;
        bool has_rowid;
    };

    // None: it was ended, for it held up the log. Each call is one snapshot.
    template <class F>
    auto in_time(F work) -> std::optional<decltype(work())>
    {
        const ActiveReads::Entry entry(&reads_, db_, how_.what);
        try {
            return work();
        } catch (const Error& error) {
            const bool ended = error.fault() == Fault::canceled && entry.was_ended();
            if (!ended || (how_.stopping && how_.stopping())) throw;
            return std::nullopt;
        }
    }

    std::optional<Lines> run_pragma(const std::string& argument)
    {
        return in_time([&] {
            Lines lines;
            for (const Row row : db_.query(fmt::format("PRAGMA {}({})", how_.pragma, argument))) {
                std::string line(row.text(0));
                std::replace(line.begin(), line.end(), '\n', ' ');
                if (line != "ok") lines.push_back(std::move(line));
            }
            return lines;
        });
    }

    std::vector<Table> load_tables()
    {
        const auto read = [](const Row& row) { return Table{std::string(row.text(0)), row.integer(1) == 0}; };
        return db_.all(read, "SELECT name, wr FROM pragma_table_list"
                             " WHERE schema = 'main' AND type IN ('table', 'shadow')");
    }

    // Every cell and every page that a long row overflows to; SQLite refuses what cannot be one.
    void read_rows(const std::string& table)
    {
        const std::string sql = fmt::format("SELECT rowid, * FROM \"{}\" NOT INDEXED WHERE rowid > ?1 ORDER BY rowid"
                                            " LIMIT 2000",
                                            table);
        std::int64_t after = std::numeric_limits<std::int64_t>::min();
        const auto some = [&] {
            bool any = false;
            for (const Row row : db_.query(sql, after)) any = true, after = row.integer(0);
            return any;
        };
        for (;;)
            if (const auto more = in_time(some); more && !*more) return; // what was ended goes on behind its last row
    }

    Connection& db_;
    ActiveReads& reads_;
    const PageCheck& how_;
};

} // namespace

std::vector<std::string> find_page_damage(Connection& db, ActiveReads& reads, const PageCheck& check)
{
    return Check(db, reads, check).run();
}

} // namespace alli::cache
