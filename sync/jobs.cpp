// SPDX-License-Identifier: Apache-2.0
#include "sync/jobs.hpp"

#include "sync/pages/retry.hpp"

namespace alli::sync {

bool concerns_all(const Error& error)
{
    return error.fault() != Fault::bad_reply && error.fault() != Fault::refused;
}

Task<> Jobs::attempt(Job& job, bool due, std::function<Task<>()> work)
{
    if (due && context_.clock.steady() < job.not_before) co_return;
    std::optional<Error> failure;
    try {
        if (due) co_await work();
    } catch (const Error& error) {
        failure = error;
    }
    if (failure && (concerns_all(*failure) || once)) throw Error(*failure);
    take_down(job, failure);
    const auto noted = context_.store.read([&](cache::Reader& db) { return cache::find_problem(db, job.name); });
    if (!failure && !noted) co_return;
    auto keep_it = [&](cache::Writer& db) { keep(db, job, failure, noted); };
    co_await context_.store.write(keep_it);
}

void Jobs::take_down(Job& job, const std::optional<Error>& failure) const
{
    job.failure = failure;
    job.failures = failure ? job.failures + 1 : 0;
    if (!failure) return;
    job.failed_at = context_.clock.steady();
    const auto pause = retry_pause(context_.random, job.failures, job.shortest_pause);
    job.not_before = job.failed_at + std::min(pause, job.longest_pause);
}

void Jobs::hasten(Job& job)
{
    constexpr std::chrono::seconds shortest_pause{15};
    job.not_before = std::min(job.not_before, job.failed_at + shortest_pause);
}

void Jobs::keep(cache::Writer& db, const Job& job, const std::optional<Error>& failure,
                const std::optional<cache::Problem>& noted) const
{
    cache::clear_problem(db, job.name);
    if (!failure) return;
    cache::Problem problem;
    problem.what = fmt::format("{}: {}", job.name, failure->what());
    problem.hint = failure->hint();
    problem.since = noted ? noted->since : context_.clock.now();
    cache::put_problem(db, job.name, problem);
}

} // namespace alli::sync
