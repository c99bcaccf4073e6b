// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/inspect.hpp"

#include "alli/error.hpp"
#include "cache/db/meta.hpp"
#include "cache/rows/problems.hpp"
#include "cache/upkeep/integrity_check.hpp"
#include "cache/upkeep/verify.hpp"

namespace alli::cache {
namespace {

constexpr std::chrono::hours a_week{7 * 24};
constexpr const char* reading = "the first look at a file that was left open"; // where it holds up the log

// In words; empty: it is sound, or there was no time to see.
std::string find_damage(Store& store, Store::File file, const Stopping& stopping)
{
    const std::string& path = store.mirror_path();
    try {
        const auto db = file == Store::File::mirror ? open_mirror(path) : open_outbox(path);
        db->interrupt_when(stopping);
        const auto found = find_page_damage(*db, store.active_reads(file), {"quick_check", 1, reading, stopping});
        if (!found.empty()) return found.front();
    } catch (const Error& error) {
        if (error.fault() == Fault::damaged) return error.what();
        if (error.fault() != Fault::canceled) throw;
    }
    return "";
}

void keep(Writer& db, const std::vector<Finding>& findings, Instant now)
{
    put_meta(db, "inspected_at", now);
    if (findings.empty()) return; // and what an earlier one found was cleared by verify()
    Problem problem;
    problem.what = fmt::format("{} found {} in which the mirror disagrees with itself: {}: {}", weekly_check,
                               findings.size() == 1 ? "a place" : fmt::format("{} places", findings.size()),
                               findings.front().where, findings.front().what);
    problem.hint = "alli-mirror verify --repair";
    problem.since = now;
    put_problem(db, weekly_check, problem);
}

// Only a damaged page ends the process; rows that contradict each other wait for a person's word.
bool report_pages(Store& store, const std::vector<Finding>& findings)
{
    for (const Finding& one : findings) {
        if (one.repair != Repair::replace) continue;
        store.report_damage(one.where == "outbox" ? Store::File::outbox : Store::File::mirror, one.what);
        return true;
    }
    return false;
}

} // namespace

Task<> inspect_unread(Store& store, Stopping stopping)
{
    for (const Store::File file : {Store::File::outbox, Store::File::mirror}) {
        if (!store.is_unread(file)) continue;
        const auto look = [&](Reader&) { return find_damage(store, file, stopping); };
        const std::string damage = co_await store.read_long(look, reading);
        if (!damage.empty()) store.report_damage(file, damage);
    }
}

Task<> inspect_when_due(Store& store, Instant now, Stopping stopping)
{
    const auto last = store.read([](Reader& db) { return find_meta<Instant>(db, "inspected_at"); });
    if (last && *last <= now && now - *last < a_week) co_return;
    std::vector<Finding> findings;
    if (last) {
        VerifyOptions options;
        options.stopping = std::move(stopping);
        Task<VerifyReport> work = verify(store, std::move(options));
        VerifyReport report = co_await std::move(work);
        findings = std::move(report.findings);
    }
    if (report_pages(store, findings)) co_return;
    const auto put = [&](Writer& db) { keep(db, findings, now); };
    co_await store.write(put);
}

} // namespace alli::cache
