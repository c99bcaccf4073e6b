// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/problems.hpp"

#include "cache/rows/conversation_rows.hpp"
#include "cache/rows/suppression_list.hpp"

namespace alli::cache {
namespace {

Problem read_problem(const Row& row) // key, what, hint, since, tries, retry_at, conversation, from_at, through_at
{
    Problem problem;
    problem.key = std::string(row.text(0));
    problem.what = std::string(row.text(1));
    problem.hint = std::string(row.text(2));
    problem.since = *row.optional_instant(3);
    problem.tries = static_cast<int>(row.integer(4));
    problem.retry_at = row.optional_instant(5);
    problem.conversation = row.optional_text(6);
    if (const auto from = row.optional_instant(7)) problem.unreadable = Span{*from, *row.optional_instant(8)};
    return problem;
}

// A little more than the longest pause: the clock may have been put right by less than a minute.
Instant furthest_retry(Instant now)
{
    return now + longest_retry + std::chrono::minutes(1);
}

} // namespace

bool is_due(const Problem& problem, Instant now)
{
    return problem.retry_at && (*problem.retry_at <= now || *problem.retry_at > furthest_retry(now));
}

std::string problem_key(const ConversationId& id)
{
    return "conversation " + id.value;
}

void put_problem(Writer& db, std::string_view key, const Problem& problem)
{
    if (problem.conversation && is_purged(db, {*problem.conversation})) return; // while upstream was asked
    std::optional<Instant> from, through;
    if (problem.unreadable) {
        from = problem.unreadable->from;
        through = problem.unreadable->through;
        uncover(db, *problem.unreadable);
        db.change_set().lists(); // above what was covered so far, too: is_covered
    }
    db.run("INSERT INTO problem (key, what, hint, since, tries, retry_at, conversation, from_at, through_at)"
           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (key) DO UPDATE"
           " SET what = ?2, hint = ?3, tries = ?5, retry_at = ?6, conversation = ?7, from_at = ?8, through_at = ?9",
           key, problem.what, problem.hint, problem.since, problem.tries, problem.retry_at, problem.conversation, from,
           through);
    if (!problem.conversation) return;
    if (const auto pk = find_pk(db, {*problem.conversation}))
        db.change_set().conversation(*pk); // answers of it are doubted
}

bool clear_problem(Writer& db, std::string_view key)
{
    return db.run("DELETE FROM problem WHERE key = ?1", key) > 0;
}

std::optional<Problem> find_problem(Reader& db, std::string_view key)
{
    return db.one(&read_problem,
                  "SELECT key, what, hint, since, tries, retry_at, conversation, from_at, through_at"
                  " FROM problem WHERE key = ?1",
                  key);
}

std::vector<Problem> load_problems(Reader& db)
{
    return db.all(&read_problem, "SELECT key, what, hint, since, tries, retry_at, conversation, from_at, through_at"
                                 " FROM problem ORDER BY since, key");
}

std::vector<Problem> load_due_problems(Reader& db, Instant now)
{
    return db.all(&read_problem,
                  "SELECT key, what, hint, since, tries, retry_at, conversation, from_at, through_at"
                  " FROM problem WHERE retry_at <= ?1 OR retry_at > ?2 ORDER BY retry_at",
                  now, furthest_retry(now));
}

void make_windows_due(Writer& db, Instant now)
{
    db.run("UPDATE problem SET retry_at = ?1 WHERE retry_at > ?1 AND from_at IS NOT NULL", now);
}

std::vector<Problem> load_windows(Reader& db, Span span)
{
    return db.all(&read_problem,
                  "SELECT key, what, hint, since, tries, retry_at, conversation, from_at, through_at"
                  " FROM problem WHERE conversation IS NULL AND from_at < ?2 AND through_at > ?1"
                  " ORDER BY from_at",
                  span.from, span.through);
}

} // namespace alli::cache
