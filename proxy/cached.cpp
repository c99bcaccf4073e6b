// SPDX-License-Identifier: Apache-2.0
#include "proxy/cached.hpp"

#include "cache/conversations.hpp"
#include "cache/last_chat.hpp"
#include "cache/overlay.hpp"
#include "cache/problems.hpp"
#include "proxy/forward.hpp"
#include "proxy/narrowed.hpp"
#include "proxy/notice.hpp"
#include "proxy/passed_up.hpp"
#include "proxy/run_barrier.hpp"
#include "proxy/runs.hpp"
#include "proxy/validator.hpp"
#include "proxy/withhold.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

using Age = std::optional<std::chrono::microseconds>;

// Never negative: the clock may have been set back since.
Age age_of(const Context& cx, std::optional<Instant> verified_at)
{
    if (!verified_at) return std::nullopt;
    return std::max(cx.needs.clock.now() - *verified_at, std::chrono::microseconds{0});
}

std::int64_t whole_seconds(std::chrono::microseconds time)
{
    return std::chrono::floor<std::chrono::seconds>(time).count();
}

// How an answer out of the mirror came to be, beside its age.
struct How {
    std::string_view origin = "hit"; // or why upstream was asked in vain
    int forward_status = 0;          // what it answered then
    bool part = false;
};

std::string_view detail_of(const Upstream& upstream, bool part)
{
    if (!upstream.key_accepted) return part ? "key-rejected-partial" : "key-rejected";
    if (!upstream.reachable) return part ? "offline-partial" : "offline";
    return part ? "partial" : "";
}

std::string cache_status(const Context& cx, const Request& rq, Age age, const How& how)
{
    std::string text;
    text.reserve(64);
    const auto add = std::back_inserter(text);
    fmt::format_to(add, "alli-mirror; {}", how.origin);
    if (how.forward_status != 0) fmt::format_to(add, "; fwd-status={}", how.forward_status);
    if (age) fmt::format_to(add, "; ttl={}", whole_seconds(cx.options.max_age - *age));
    std::string_view detail = detail_of(cx.needs.upstream(), how.part);
    if (detail.empty() && is_narrowed(rq)) detail = "mirror-only";
    if (!detail.empty()) fmt::format_to(add, "; detail={}", detail);
    return text;
}

Response mirror_response(const Context& cx, const Request& rq, const Answer& answer, const How& how = {})
{
    const Age age = age_of(cx, answer.verified_at);
    Response response = text_response("application/json", answer.body);
    response.headers.push_back({"Cache-Status", cache_status(cx, rq, age, how)});
    if (age) response.headers.push_back({"Age", std::to_string(whole_seconds(*age))});
    validate(response, rq, answer.tag);
    return response;
}

bool will_do(const Context& cx, const Wishes& wishes, const Answer& answer)
{
    return !wishes.no_cache && wishes.accept(age_of(cx, answer.verified_at), cx.options.max_age);
}

bool is_old(const Context& cx, const Answer& answer)
{
    if (answer.verified_at > cx.needs.clock.now()) return true; // the clock was set back: nobody knows how old it is
    const Age age = age_of(cx, answer.verified_at);
    return !age || *age > cx.options.max_age;
}

void wake_when_old(const Context& cx, const Wishes& wishes, const Answer& answer)
{
    if (!wishes.only_if_cached && is_old(cx, answer)) cx.needs.wake();
}

Task<std::optional<Answer>> find_answer(const Context& cx, const Read& read, bool part)
{
    const auto job = [&](cache::Reader& db) -> std::optional<Answer> {
        std::optional<Found> found = read.find(db, part);
        if (!found) return std::nullopt;
        Answer answer = make_answer(std::move(found->body), cache::load_progress(db).verified_at, found->verified_at);
        if (read.of) {
            answer.of = cache::find_pk(db, *read.of);
            answer.growing =
                answer.of && cache::is_growing(db, *answer.of, cx.needs.clock.now() - Runs::without_a_word);
            answer.doubted = cache::find_problem(db, cache::problem_key(*read.of)).has_value();
        }
        return answer;
    };
    if (read.slow) co_return co_await cx.needs.store.read_long(job);
    co_return cx.needs.store.read(job);
}

// What can be said without upstream about a list that is not covered, or (unknown) about an id that is not held.
Response nothing_held(const Context& cx, bool unknown, std::string_view why, bool asked)
{
    const auto covered = cx.needs.store.read([](cache::Reader& db) { return cache::load_covered(db); });
    Response response = unknown && covered.complete
                            ? problem(Surface::contract_read, 404, "there is no such conversation or chat")
                            : problem(Surface::contract_read, 504, fmt::format("{}, and {}", why, describe(covered)));
    response.headers.push_back({"Cache-Status", asked ? "alli-mirror; fwd=miss; detail=offline" : "alli-mirror"});
    return response;
}

// Complete or not, for who says that it will do.
Task<std::optional<Response>> find_part(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes)
{
    if (!wishes.max_stale) co_return std::nullopt;
    const std::optional<Answer> part = co_await find_answer(cx, read, true);
    if (!part) co_return std::nullopt;
    const How how{"hit", 0, true};
    co_return mirror_response(cx, rq, *part, how);
}

Task<Response> part_or_nothing(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes,
                               std::string_view why, bool asked)
{
    std::optional<Response> part = co_await find_part(cx, rq, read, wishes);
    if (part) co_return std::move(*part);
    co_return nothing_held(cx, read.one_thing, why, asked);
}

constexpr std::string_view away = "upstream cannot be reached";
constexpr std::string_view too_old = "the request wants what is held, and what is held is too old for it";

Response insisted_in_vain()
{
    Response response =
        problem(Surface::contract_read, 504, "upstream cannot be reached, and no-cache asks for its word");
    response.headers.push_back({"Cache-Status", "alli-mirror; fwd=request; detail=offline"});
    return response;
}

Response deleted_here()
{
    Response response = no_such_conversation();
    response.headers.push_back({"Cache-Status", "alli-mirror; hit"});
    return response;
}

Response after_trouble(const Context& cx, const Request& rq, const Answer& found, Why why, int status)
{
    return mirror_response(cx, rq, found, {forward_reason(why), status});
}

// Upstream has no word now, or none that can be read: what was found will have to do.
Task<Response> answer_without(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes,
                              std::optional<Answer> found, std::exception_ptr failure)
{
    const std::optional<Fault> fault = fault_of(failure);
    if (fault == Fault::unreachable && wishes.no_cache) co_return insisted_in_vain();
    if (!fault || !is_no_word(*fault) || wishes.no_cache) std::rethrow_exception(failure);
    if (found) co_return mirror_response(cx, rq, *found);
    if (fault == Fault::unreachable) co_return co_await part_or_nothing(cx, rq, read, wishes, away, true);
    std::optional<Response> part = co_await find_part(cx, rq, read, wishes);
    if (!part) std::rethrow_exception(failure);
    co_return std::move(*part);
}

// `keep_as_of`: the commits before it was read, where it may be kept.
Response answer_found(const Context& cx, const Request& rq, const Wishes& wishes, Answer found,
                      std::optional<std::uint64_t> keep_as_of)
{
    wake_when_old(cx, wishes, found);
    found.route = rq.route;
    if (keep_as_of && !wishes.no_store) cx.answers.put(rq.target, *keep_as_of, found);
    return mirror_response(cx, rq, found);
}

// Upstream's word, and where it has none, or none now, what was found after all.
Task<Response> ask_upstream(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes,
                            std::optional<Answer> found)
{
    const Why why = wishes.no_cache ? Why::request : found ? Why::stale : Why::miss;
    Kept kept;
    // What the engine cannot read it tries again by itself, and not as often as somebody asks.
    if (!wishes.no_store && !(found && found->doubted)) kept = read.kept;
    Task<Landing> asking = forward_read(cx, rq, std::move(kept));
    const Landing landing = co_await std::move(asking);
    if (landing.failure) {
        Task<Response> without = answer_without(cx, rq, read, wishes, std::move(found), landing.failure);
        co_return co_await std::move(without);
    }
    note_answer(cx, read.kept, *landing.reply);
    if (is_trouble(landing.reply->status) && found && !wishes.no_cache)
        co_return after_trouble(cx, rq, *found, why, landing.reply->status);
    co_return forwarded_response(landing, rq, why);
}

constexpr std::string_view gap =
    "the mirror does not hold all of this page, and upstream is not asked to go on from this cursor of the mirror's";

// A page behind a cursor of ours that the mirror does not know whole.
Task<Response> answer_behind(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes)
{
    if (!read.ask_behind || wishes.only_if_cached) co_return co_await part_or_nothing(cx, rq, read, wishes, gap, false);
    Kept kept;
    if (!wishes.no_store) kept = read.kept;
    Task<std::optional<Landing>> asking = read.ask_behind(std::move(kept));
    const std::optional<Landing> landing = co_await std::move(asking);
    if (!landing) co_return co_await part_or_nothing(cx, rq, read, wishes, gap, false);
    if (!landing->failure) co_return forwarded_response(*landing, rq, wishes.no_cache ? Why::request : Why::miss);
    Task<Response> without = answer_without(cx, rq, read, wishes, std::nullopt, landing->failure);
    co_return co_await std::move(without);
}

// Once everything in it was verified since the request came.
Task<Response> answer_anew(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes)
{
    const Instant since = cx.needs.clock.now();
    if (!co_await poll(cx, since)) co_return insisted_in_vain();
    if (read.fetch) co_await read.fetch(since);
    std::optional<Answer> found = co_await find_answer(cx, read, false);
    if (!found) co_return co_await answer_behind(cx, rq, read, wishes);
    if (!found->verified_at || *found->verified_at < since) co_return insisted_in_vain();
    co_return mirror_response(cx, rq, *found);
}

// A page behind a cursor of ours: upstream cannot read that, so what makes it fresh is a poll of the engine's.
Task<Response> answer_polled(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes)
{
    const Instant now = cx.needs.clock.now();
    if (read.fetch && !wishes.only_if_cached) co_await read.fetch(now - cx.options.max_age);
    std::uint64_t commits = cx.needs.store.commits();
    std::optional<Answer> found = co_await find_answer(cx, read, false);
    if (found && !will_do(cx, wishes, *found)) {
        if (wishes.only_if_cached) co_return nothing_held(cx, false, too_old, false);
        if (co_await poll(cx, now) && read.fetch) co_await read.fetch(now);
        commits = cx.needs.store.commits();
        found = co_await find_answer(cx, read, false);
    }
    if (!found) co_return co_await answer_behind(cx, rq, read, wishes);
    co_return answer_found(cx, rq, wishes, std::move(*found),
                           read.never_old || read.unrepeated ? std::nullopt : std::optional(commits));
}

// A parameter says more than the mirror understands: nothing that is held may pass for the answer.
Task<Response> answer_beyond(const Context& cx, const Request& rq, const Read& read, const Wishes& wishes)
{
    cx.passed_up.note(*read.beyond, cx.needs.clock.now());
    constexpr std::string_view not_held = "what a parameter asks for here is not in the mirror";
    if (wishes.only_if_cached) co_return nothing_held(cx, false, not_held, false);
    Kept kept;
    if (!wishes.no_store) kept = read.kept;
    Task<Landing> asking = forward_read(cx, rq, std::move(kept));
    const Landing landing = co_await std::move(asking);
    if (!landing.failure) co_return forwarded_response(landing, rq, wishes.no_cache ? Why::request : Why::miss);
    if (fault_of(landing.failure) != Fault::unreachable) std::rethrow_exception(landing.failure);
    co_return wishes.no_cache ? insisted_in_vain() : nothing_held(cx, false, not_held, true);
}

// As if upstream were away, whatever it is like: what is held whole is answered, however old, and its age said. The
// answers that are kept are of the whole mirror, so this one is not.
Task<Response> answer_narrowed(const Context& cx, const Request& rq, const Read& asked, const Wishes& wishes)
{
    const Read read = only_in_view(rq, asked);
    if (read.beyond || wishes.no_cache) co_return nothing_held(cx, false, mirror_alone, false);
    if (meets_barrier(cx, read)) { // what has just ended is waited for, and then it is what the mirror has
        Task<Passage> passing = pass_barrier(cx, read, !wishes.only_if_cached);
        co_await std::move(passing);
    }
    std::optional<Answer> found = co_await find_answer(cx, read, false);
    if (!found) co_return co_await part_or_nothing(cx, rq, read, wishes, mirror_alone, false);
    if (!will_do(cx, wishes, *found)) co_return nothing_held(cx, false, too_old, false);
    co_return answer_found(cx, rq, wishes, std::move(*found), std::nullopt);
}

} // namespace

// Before a kept answer is looked for: whatever a commit changed is known once that commit can be seen.
static std::optional<Instant> mirror_verified_at(const Context& cx)
{
    const std::uint64_t commits = cx.needs.store.commits();
    Answers::Verified& verified = cx.answers.verified;
    if (verified.commits != commits) verified = {commits, verified_at(cx)};
    return verified.at;
}

std::optional<Response> answer_at_once(const Context& cx, Request& rq)
{
    if ((rq.method != "GET" && rq.method != "HEAD") || is_narrowed(rq)) return std::nullopt; // they are of the whole
    const Answer* kept = cx.answers.find(rq.target, cx.needs.store.latest(), mirror_verified_at(cx));
    if (!kept || rq.has("AGENT-EMAIL")) return std::nullopt;
    if (!is_at_rest(cx, rq.path(), cx.answers.verified.at)) return std::nullopt;
    const Wishes wishes = wishes_of(rq);
    if (!will_do(cx, wishes, *kept)) return std::nullopt;
    rq.route = kept->route;
    require_accepted_key(cx);
    wake_when_old(cx, wishes, *kept);
    return mirror_response(cx, rq, *kept);
}

// A deletion waits, or upstream has just confirmed it: whatever upstream may still say, it is gone.
static bool is_deleted_here(const Context& cx, const Read& read)
{
    return read.of && cx.needs.store.read([&](cache::Reader& db) { return cache::is_hidden(db, *read.of); });
}

Task<Response> answer_read(const Context& cx, const Request& rq, const Read& read)
{
    const Wishes wishes = wishes_of(rq);
    if (rq.has("AGENT-EMAIL")) { // that member may see less than the project's key does
        if (wishes.only_if_cached || is_narrowed(rq))
            co_return nothing_held(cx, false, "what a member sees is never held", false);
        co_return co_await relay_read(cx, rq);
    }
    require_accepted_key(cx);
    if (is_narrowed(rq)) co_return co_await answer_narrowed(cx, rq, read, wishes);
    if (read.beyond) {
        if (is_deleted_here(cx, read)) co_return deleted_here();
        Task<Response> beyond = answer_beyond(cx, rq, read, wishes);
        co_return co_await std::move(beyond);
    }
    if (meets_barrier(cx, read)) {
        Task<Passage> passing = pass_barrier(cx, read, !wishes.only_if_cached);
        const Passage passage = co_await std::move(passing);
        if (passage == Passage::upstream && wishes.only_if_cached) co_return nothing_held(cx, false, too_old, false);
        if (passage == Passage::upstream && !read.polled) {
            if (is_deleted_here(cx, read)) co_return deleted_here();
            std::optional<Answer> copy = co_await find_answer(cx, read, false);
            Task<Response> asking = ask_upstream(cx, rq, read, wishes, std::move(copy));
            co_return co_await std::move(asking);
        }
    }
    if (read.polled) {
        Task<Response> answering = wishes.no_cache && !wishes.only_if_cached ? answer_anew(cx, rq, read, wishes)
                                                                             : answer_polled(cx, rq, read, wishes);
        co_return co_await std::move(answering);
    }

    const std::uint64_t commits = cx.needs.store.commits();
    std::optional<Answer> found = co_await find_answer(cx, read, false);
    if (!found && is_deleted_here(cx, read)) co_return deleted_here();
    const bool doubted = found && found->doubted;
    const bool growing = found && found->growing;
    if (growing) note_growing(cx, *read.of);
    const bool ask_all_the_same =
        read.upstream_once || doubted || growing || (found && read.never_old && is_old(cx, *found));
    if (found && will_do(cx, wishes, *found) && (!ask_all_the_same || wishes.only_if_cached)) {
        const bool lasts = !ask_all_the_same && !read.never_old && !read.unrepeated;
        co_return answer_found(cx, rq, wishes, std::move(*found), lasts ? std::optional(commits) : std::nullopt);
    }
    if (wishes.only_if_cached) {
        constexpr std::string_view unheld = "the request wants what is held alone";
        if (found) co_return nothing_held(cx, false, too_old, false);
        co_return co_await part_or_nothing(cx, rq, read, wishes, unheld, false);
    }
    Task<Response> asking = ask_upstream(cx, rq, read, wishes, std::move(found));
    co_return co_await std::move(asking);
}

void judge_parameters(const Context& cx, Read& read, const Parameters& parameters,
                      std::span<const KnownParameter> known)
{
    const auto& ignored = cx.options.ignored_parameters;
    read.unrepeated = has_ignored(parameters, ignored);
    read.beyond = find_not_understood(parameters, known, ignored);
    if (read.beyond) read.kept = Kept{};
}

Wishes wishes_of(const Request& rq)
{
    if (rq.headers.count("Cache-Control") < 2) return read_wishes(rq.header("Cache-Control"), rq.header("Pragma"));
    return read_wishes(rq.headers.joined("Cache-Control"));
}

void require_accepted_key(const Context& cx)
{
    if (!cx.options.refuse_when_key_rejected || cx.needs.upstream().key_accepted) return;
    throw Error(Fault::key_rejected, "replace the key; or let proxy.on_key_rejected be \"serve\"",
                "upstream refused the key, and the mirror is set to answer nothing then");
}

std::string describe(const cache::Covered& covered)
{
    if (!covered.through) return "the mirror is not complete for any time yet";
    const std::string through = to_rfc3339(*covered.through);
    if (covered.from == cache::beginning_of_time) return fmt::format("the mirror is complete through {}", through);
    return fmt::format("the mirror is complete from {} through {} alone", to_rfc3339(*covered.from), through);
}

} // namespace alli::proxy
