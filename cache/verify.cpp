// SPDX-License-Identifier: Apache-2.0
#include "cache/verify.hpp"

#include "alli/error.hpp"
#include "cache/aside.hpp"
#include "cache/conversations.hpp"
#include "cache/index.hpp"
#include "cache/inspect.hpp"
#include "cache/open_files.hpp"
#include "cache/page_check.hpp"
#include "cache/problems.hpp"
#include "cache/verify_rows.hpp"
#include "cache/verify_words.hpp"

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
            const Mend mend = is_of_index(what) ? Mend::reindex : Mend::none;
            findings.push_back({where, std::move(what), mend});
        }
        if (findings.empty() && where == std::string_view("outbox")) findings = check_tally(*db);
    } catch (const Error& error) { // so damaged that not even that can be read
        if (error.fault() != Fault::damaged) throw;
        findings.push_back({where, error.what(), Mend::none});
    }
    return findings;
}

class Verify {
  public:
    Verify(Store& store, VerifyWish wish) : store_(store), wish_(std::move(wish)) {}

    Task<Findings> look()
    {
        findings_.clear();
        chats_ = {};
        co_await look_at_files();
        if (has(Mend::none) || has(Mend::reindex)) co_return findings_; // what stands in them says no more
        co_await look_at_rows();
        for (WordsCheck& check : words_checks()) co_await look_at_words(check);
        co_return findings_;
    }

    bool can_mend() const { return !findings_.empty() && !has(Mend::none); }

    // A page of a file: the next start sets it aside.
    bool leave_to_the_next_start() const
    {
        bool left = false;
        for (const Finding& one : findings_) {
            if (one.mend != Mend::none) continue;
            mark_damaged(one.where == "outbox" ? outbox_path(store_.mirror_path()) : store_.mirror_path(), one.what);
            left = true;
        }
        return left;
    }

    Task<> mend()
    {
        const auto reindex = [](Writer& db) { db.script("REINDEX"); };
        if (has(Mend::reindex)) co_await store_.write(reindex);
        const auto tally = [](Writer& db) { mend_tally(db); };
        if (has(Mend::tally)) co_await store_.write_outbox(tally);
        if (has(Mend::rows)) co_await mend_rows();
        if (has(Mend::words) || has(Mend::rows)) co_await mend_words();
    }

  private:
    Task<> look_at_files()
    {
        const std::string path = store_.mirror_path();
        const auto check_outbox = [&](Reader&) {
            return check_file("outbox", store_.active_reads(Store::File::outbox), wish_.stopping,
                              [&] { return open_outbox(path); });
        };
        go_on("outbox.db", 0, 0);
        add(co_await store_.read_long(check_outbox, verifying));
        const auto check_mirror = [&](Reader&) {
            return check_file("mirror", store_.active_reads(Store::File::mirror), wish_.stopping,
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
        if (wish_.alone) co_await store_.write(structure);
        add(check.findings());
    }

    Task<> mend_rows()
    {
        const auto tables = [](Writer& db) { mend_tables(db); };
        co_await store_.write(tables);
        const auto some = [&](Writer& db) { return chats_.mend(db); };
        for (bool more = true; more; go_on("mending rows", 0, 0)) more = co_await store_.write(some);
    }

    // After rows were cut too: what was indexed of them cannot be told any more.
    Task<> mend_words()
    {
        const auto drop = [](Writer& db) { rebuild_index(db); };
        co_await store_.write(drop);
        const auto extend = [](Writer& db) { return extend_index(db); };
        for (bool more = true; more; go_on("making the index of words anew", 0, 0))
            more = co_await store_.write(extend);
    }

    bool has(Mend mend) const
    {
        return std::any_of(findings_.begin(), findings_.end(), [&](const Finding& one) { return one.mend == mend; });
    }

    void add(Findings more)
    {
        findings_.insert(findings_.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    }

    void go_on(std::string_view what, std::int64_t done, std::int64_t total) const
    {
        wish_.report(what, done, total);
        if (wish_.stopping()) throw Error(Fault::canceled, "", "the verification was interrupted");
    }

    Store& store_;
    VerifyWish wish_;
    Findings findings_;
    ChatCheck chats_;
};

} // namespace

Task<VerifyReport> verify(Store& store, VerifyWish wish)
{
    const bool repair = wish.repair;
    Verify work(store, std::move(wish));
    VerifyReport report;
    report.findings = co_await work.look();
    if (repair) report.restart = work.leave_to_the_next_start();
    if (repair && work.can_mend()) {
        co_await work.mend();
        const Findings left = co_await work.look();
        report.repaired = left.empty();
        if (!report.repaired) report.findings = left;
    }
    const auto clear = [](Writer& db) { clear_problem(db, weekly_check); };
    if (!report.damaged()) co_await store.write(clear);
    co_return report;
}

} // namespace alli::cache
