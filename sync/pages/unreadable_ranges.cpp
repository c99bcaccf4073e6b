// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/unreadable_ranges.hpp"

#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "sync/pages/retry.hpp"

namespace alli::sync {
namespace {

// A poll and a comparison side by side each note what was in their way: where one begins no higher than the other
// ends, it is the same.
void absorb_above(cache::Writer& db, cache::Problem& problem, cache::Span& span)
{
    const auto next = std::chrono::microseconds(span.through < Instant::max() ? 1 : 0);
    for (const cache::Problem& it : cache::load_windows(db, {span.from, span.through + next})) {
        if (it.unreadable->from <= span.from) continue;
        span.through = std::max(span.through, it.unreadable->through);
        problem.since = std::min(problem.since, it.since);
        cache::clear_problem(db, it.key);
    }
}

// Known by its lower end; of a neighbour that reached further: what it could not mark verified, nobody has.
void put(cache::Writer& db, cache::Problem problem, cache::Span span, const std::string& why)
{
    const std::string key = "window " + to_rfc3339(span.from);
    absorb_above(db, problem, span);
    if (const auto there = cache::find_problem(db, key); there && there->unreadable)
        span.through = std::max(span.through, there->unreadable->through);
    if (!why.empty())
        problem.what = fmt::format("conversations between {} and {} cannot be listed: {}", to_rfc3339(span.from),
                                   to_rfc3339(span.through), why);
    problem.unreadable = span;
    cache::put_problem(db, key, problem);
}

// Seen again before its turn, by a poll for instance, it is no further try.
void count_try(cache::Problem& problem, const cache::Span& span, Instant now)
{
    if (problem.retry_at && !cache::is_due(problem, now)) return;
    ++problem.tries;
    problem.retry_at = now + retry_pause(to_rfc3339(span.from), now, problem.tries);
}

// As old as the oldest of those that were known there, and as often tried.
cache::Problem begin_with(const cache::Span& span, const std::vector<cache::Problem>& known, Instant now)
{
    cache::Problem problem;
    problem.since = now;
    problem.hint = "lists of that time are answered by upstream, not by the mirror, until it can be read";
    for (const cache::Problem& it : known) {
        if (!it.unreadable->overlaps(span)) continue;
        problem.since = std::min(problem.since, it.since);
        if (it.tries <= problem.tries) continue;
        problem.tries = it.tries;
        problem.retry_at = it.retry_at;
    }
    return problem;
}

} // namespace

void note_unreadable(cache::Writer& db, const std::vector<Unreadable>& passed_by, Instant through, Instant now,
                     const std::vector<cache::Problem>& known)
{
    for (const Unreadable& part : passed_by) {
        const cache::Span span{part.span.from, std::min(part.span.through, through)};
        if (span.from >= span.through) continue;
        cache::Problem problem = begin_with(span, known, now);
        count_try(problem, span, now);
        put(db, std::move(problem), span, part.why);
    }
}

void note_unreadable(cache::Writer& db, const std::vector<Unreadable>& passed_by, Instant through, Instant now)
{
    if (passed_by.empty()) return;
    note_unreadable(db, passed_by, through, now, cache::load_windows(db, {cache::beginning_of_time, Instant::max()}));
}

std::vector<cache::Problem> take_unreadable(cache::Writer& db, cache::Span span)
{
    if (span.from >= span.through) return {};
    auto taken = cache::load_windows(db, span);
    for (const cache::Problem& it : taken) cache::clear_problem(db, it.key);
    for (const cache::Problem& it : taken)
        for (const cache::Span& left : it.unreadable->without(span)) put(db, it, left, "");
    return taken;
}

// Above the boundary nothing is verified: polls, and comparisons of what bears times from the future, look there.
std::optional<cache::Span> begin_retry(cache::Writer& db, const std::string& key)
{
    const auto problem = cache::find_problem(db, key);
    if (!problem || !problem->unreadable) return std::nullopt; // meanwhile it was read
    cache::Span span = *problem->unreadable;
    span.through = std::min(span.through, cache::load_progress(db).boundary.value_or(span.through));
    if (span == *problem->unreadable) return span;
    cache::clear_problem(db, key);
    if (span.from >= span.through) return std::nullopt;
    put(db, *problem, span, "");
    return span;
}

void end_retry(cache::Writer& db, cache::Span span, const std::string& why, Instant now)
{
    const auto left = cache::load_windows(db, span);
    std::vector<Unreadable> again;
    for (const cache::Problem& it : left)
        if (cache::is_due(it, now)) again.push_back({*it.unreadable, why});
    note_unreadable(db, again, Instant::max(), now, left);
}

} // namespace alli::sync
