// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/verify.hpp"

#include "alli/error.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/open_files.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/totals.hpp"
#include "cache/search/index.hpp"
#include "cache/upkeep/integrity_check.hpp"
#include "cache/upkeep/verify_rows.hpp"
#include "cache/upkeep/verify_words.hpp"

#include <algorithm>
#include <iterator>

namespace alli::cache {
namespace {

using Findings = std::vector<Finding>;

constexpr const char* verifying = "a verification"; // where it holds up the log

// A row missing from an index of SQLite's own, or too many in it.
bool is_of_index(std::string_view what)
{
    return what.find("index") != std::string_view::npos;
}

// On a connection of its own, which may be told to stop.
template <class Open>
Findings check_file(const char* where, ActiveReads& reads, const std::function<bool()>& stopping, Open open)
{
    Findings findings;
    try {
        const std::unique_ptr<Reader> db = open();
        db->interrupt_when(stopping);
        for (std::string& what : find_page_damage(*db, reads, {"integrity_check", 20, verifying, stopping})) {
            const Repair repair = is_of_index(what) ? Repair::reindex : Repair::replace;
            findings.push_back({where, std::move(what), repair});
        }
        if (findings.empty() && where == std::string_view("outbox")) findings = check_tally(*db);
    } catch (const Error& error) { // so damaged that not even that can be read
        if (error.fault() != Fault::damaged) throw;
        findings.push_back({where, error.what(), Repair::replace});
    }
    return findings;
}

class Verify {
  public:
    Verify(Store& store, VerifyOptions options) : store_(store), options_(std::move(options)) {}

    Task<Findings> look()
    {
        findings_.clear();
        chats_ = {};
        co_await look_at_files();
        if (has(Repair::replace) || has(Repair::reindex)) co_return findings_; // their rows tell nothing more
        co_await look_at_rows();
        for (WordsCheck& check : words_checks()) co_await look_at_words(check);
        co_return findings_;
    }

    // True: a file is to be set aside.
    bool leave_to_the_next_start() const
    {
        bool left = false;
        for (const Finding& one : findings_) {
            if (!one.needs_restart()) continue;
            put_damage_marker(one.where == "outbox" ? outbox_path(store_.mirror_path()) : store_.mirror_path(),
                              one.what);
            left = true;
        }
        return left;
    }

    Task<> repair()
    {
        const auto reindex = [](Writer& db) { db.script("REINDEX"); };
        if (has(Repair::reindex, "mirror")) co_await store_.write(reindex);
        if (has(Repair::reindex, "outbox")) co_await store_.write_outbox(reindex);
        const auto recount_outbox = [](Writer& db) { repair_tally(db); };
        if (has(Repair::recount_outbox)) co_await store_.write_outbox(recount_outbox);
        const auto recount = [&](Writer& db) { chats_.repair_counts(db); };
        if (has(Repair::recount)) co_await store_.write(recount);
        if (has(Repair::rebuild_index)) co_await rebuild_words();
    }

  private:
    Task<> look_at_files()
    {
        const std::string path = store_.mirror_path();
        const auto check_outbox = [&](Reader&) {
            return check_file("outbox", store_.active_reads(Store::File::outbox), options_.stopping,
                              [&] { return open_outbox(path); });
        };
        go_on("outbox.db", 0, 0);
        add(co_await store_.read_long(check_outbox, verifying));
        const auto check_mirror = [&](Reader&) {
            return check_file("mirror", store_.active_reads(Store::File::mirror), options_.stopping,
                              [&] { return open_mirror(path); });
        };
        go_on("mirror.db", 0, 0);
        add(co_await store_.read_long(check_mirror, verifying));
    }

    Task<> look_at_rows()
    {
        const auto count = [](Reader& db) { return load_totals(db).conversations; };
        const auto total = co_await store_.read_long(count, verifying);
        const auto some = [&](Reader& db) { return chats_.step(db); };
        for (bool more = true; more; go_on("rows", chats_.seen(), total))
            more = co_await store_.read_long(some, verifying);
        add(chats_.findings());
        TablesCheck tables;
        const auto step = [&](Reader& db) { return tables.step(db); };
        for (bool more = true; more; go_on("tables", 0, 0)) more = co_await store_.read_long(step, verifying);
        add(tables.findings());
    }

    Task<> look_at_words(WordsCheck& check)
    {
        const auto before = store_.commits();
        const auto some = [&](Reader& db) { return check.step(db); };
        for (bool more = true; more; go_on(check.table(), 0, 0)) more = co_await store_.read_long(some, verifying);
        check.finish(store_.commits() == before);
        const auto structure = [&](Writer& db) { check.check_structure(db); };
        if (options_.alone) co_await store_.write(structure);
        add(check.findings());
    }

    Task<> rebuild_words()
    {
        const auto drop = [](Writer& db) { rebuild_index(db); };
        co_await store_.write(drop);
        const auto extend = [](Writer& db) { return extend_index(db); };
        for (bool more = true; more; go_on("rebuilding the search index", 0, 0)) more = co_await store_.write(extend);
    }

    bool has(Repair repair, std::string_view where = "") const // empty: anywhere
    {
        return std::any_of(findings_.begin(), findings_.end(), [&](const Finding& one) {
            return one.repair == repair && (where.empty() || one.where == where);
        });
    }

    void add(Findings more)
    {
        findings_.insert(findings_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    }

    void go_on(std::string_view what, std::int64_t done, std::int64_t total) const
    {
        options_.report(what, done, total);
        if (options_.stopping()) throw Error(Fault::canceled, "", "the verification was interrupted");
    }

    Store& store_;
    VerifyOptions options_;
    Findings findings_;
    ChatCheck chats_;
};

} // namespace

Task<VerifyReport> verify(Store& store, VerifyOptions options)
{
    const bool repair = options.repair;
    Verify work(store, std::move(options));
    VerifyReport report;
    report.findings = co_await work.look();
    if (repair) report.restart = work.leave_to_the_next_start();
    if (repair && report.damaged() && !report.restart) {
        co_await work.repair();
        const Findings left = co_await work.look();
        report.repaired = left.empty();
        if (!report.repaired) report.findings = left;
    }
    const auto clear = [](Writer& db) { clear_problem(db, weekly_check); };
    if (!report.damaged()) co_await store.write(clear);
    co_return report;
}

} // namespace alli::cache
