// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/read_through.hpp"

#include "alli/log.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/read_state.hpp"
#include "cache/rows/envelopes.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/visibility.hpp"
#include "proxy/reads/cache_policy.hpp"
#include "proxy/reads/mirror_response.hpp"
#include "proxy/reads/run_barrier.hpp"
#include "proxy/relay/conversation_sniffer.hpp"
#include "proxy/relay/forward.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/relay/runs.hpp"
#include "proxy/relay/suppression_filter.hpp"
#include "proxy/request/cluster.hpp"
#include "proxy/request/conditional.hpp"
#include "proxy/request/polling.hpp"
#include "proxy/request/unsupported_parameters.hpp"
#include "proxy/request/view.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

Response problem_response(int status, std::string_view detail, ResponseOrigin origin, bool offline)
{
    Response response = problem(ErrorFormat::contract_read, status, detail);
    response.cache.emplace();
    response.cache->origin = origin;
    if (offline) response.cache->detail = "offline";
    return response;
}

Response no_cache_failed()
{
    return problem_response(504, "upstream cannot be reached, and no-cache asks for its word", ResponseOrigin::request,
                            true);
}

Response hidden_by_pending_delete()
{
    Response response = no_such_conversation();
    response.cache.emplace().origin = ResponseOrigin::hit;
    return response;
}

std::string describe(const cache::Covered& covered)
{
    if (!covered.through) return "the mirror is not complete for any time yet";
    const std::string through = to_rfc3339(*covered.through);
    if (covered.from == cache::beginning_of_time) return fmt::format("the mirror is complete through {}", through);
    return fmt::format("the mirror is complete from {} through {} alone", to_rfc3339(*covered.from), through);
}

Lookup lookup_of(const Context& cx, const CachedResponse& found)
{
    Lookup lookup;
    lookup.held = true;
    lookup.age = age_of(cx, found);
    lookup.verified_in_future = found.verified_at > shared_now(cx);
    return lookup;
}

// Read before the response cache is searched: what a commit changed is known once the commit can be seen.
std::optional<Instant> mirror_verified_at(const Context& cx)
{
    const std::uint64_t commits = cx.store.commits();
    ResponseCache::Verified& verified = cx.response_cache.verified;
    if (verified.commits != commits) verified = {commits, verified_at(cx)};
    return verified.at;
}

// Finds nothing of a conversation that left the principal's view since the request was admitted.
ReadSpec only_in_view(const Request& rq, const ReadSpec& read)
{
    ReadSpec narrowed = read;
    narrowed.find = [&rq, &read](cache::Reader& db, bool part) -> std::optional<StoredBody> {
        if (read.conversation && !cache::is_visible(db, *read.conversation, view_of(rq))) return std::nullopt;
        return read.find(db, part);
    };
    return narrowed;
}

// One request's way through a read; lives while that is served.
class ReadThrough {
  public:
    ReadThrough(const Context& cx, const Request& rq, const ReadSpec& read)
        : cx_(cx), rq_(rq), read_(read), directives_(cache_directives_of(rq)), began_(cx.clock.now())
    {
        policy_.lifetime = cx.options.max_age;
        policy_.mirror_only = is_narrowed(rq);
        policy_.unsupported = read.unsupported.has_value();
        policy_.polled = read.polled;
        policy_.revalidate_when_stale = read.revalidate_when_stale;
        policy_.one_off = read.one_off;
    }

    Task<Response> run();

  private:
    using Found = std::optional<CachedResponse>;

    Task<bool> pass_run_barrier();
    Task<Found> look_up(bool part);
    std::string put_into_envelope(cache::Reader& db, StoredBody held, std::uint64_t lists) const;
    Lookup judge(const Found& found) const;
    Task<Response> execute(CacheDecision decision, Found found); // anything but serve
    Response serve(CacheDecision decision, CachedResponse found);
    Task<Response> forward(Found found);
    Task<Response> serve_after_failure(Found found, std::exception_ptr failure);
    Task<Response> poll_and_serve();
    Task<Response> time_out(Unmet why, bool asked);
    Task<std::optional<Response>> find_part();
    std::string_view reason_for(Unmet why, bool asked) const;
    bool is_hidden() const;
    bool is_for_leader(const Found& found) const;

    const Context& cx_;
    const Request& rq_;
    const ReadSpec& read_;
    const CacheDirectives directives_;
    Instant began_;
    ReadPolicy policy_;
    bool superseded_ = false;
    std::uint64_t commits_ = 0; // before the last lookup
};

Task<Response> ReadThrough::run()
{
    const std::optional<CacheDecision> early = decide_without_lookup(directives_, policy_);
    if (early && early->action != Action::poll) {
        if (read_.unsupported && is_hidden()) co_return hidden_by_pending_delete();
        if (read_.unsupported && !policy_.mirror_only) cx_.unsupported_parameters.note(*read_.unsupported, began_);
        co_return co_await execute(*early, std::nullopt);
    }
    if (meets_barrier(cx_, read_.conversation)) superseded_ = !co_await pass_run_barrier();
    began_ = cx_.clock.now();
    if (early) co_return co_await execute(*early, std::nullopt);
    if (read_.polled && read_.fetch && !directives_.only_if_cached) co_await read_.fetch(began_ - cx_.options.max_age);
    Found found = co_await look_up(false);
    if (!found && is_hidden()) co_return hidden_by_pending_delete();
    if (found && found->growing && !superseded_ && !policy_.mirror_only) note_growing(cx_, *read_.conversation);
    const CacheDecision decision = decide(directives_, judge(found), policy_);
    if (decision.action == Action::serve) co_return serve(decision, std::move(*found));
    co_return co_await execute(decision, std::move(found));
}

// False: the mirror may not show yet how a run ended.
Task<bool> ReadThrough::pass_run_barrier()
{
    Task<Passage> passing = pass_barrier(cx_, read_.conversation, !directives_.only_if_cached);
    co_return co_await std::move(passing) == Passage::mirror;
}

// A deletion is pending, or upstream has just confirmed it: the conversation is gone, whatever upstream still says.
bool ReadThrough::is_hidden() const
{
    if (!read_.conversation || policy_.mirror_only) return false;
    return cx_.store.read([&](cache::Reader& db) { return cache::is_hidden(db, *read_.conversation); });
}

Task<ReadThrough::Found> ReadThrough::look_up(bool part)
{
    // Read before the snapshot is taken: the rows are not older than this says.
    const std::optional<Instant> verified = mirror_verified_at(cx_);
    commits_ = cx_.store.commits();
    const std::uint64_t lists = cx_.store.latest().of_lists();
    const auto job = [&](cache::Reader& db) -> Found {
        std::optional<StoredBody> held = read_.find(db, part);
        if (!held) return std::nullopt;
        // A poll may have been committed so lately that only the snapshot shows it.
        const auto verified_at = read_.polled ? cache::load_progress(db).verified_at : verified;
        const auto part_at = held->verified_at;
        CachedResponse found =
            make_cached_response(put_into_envelope(db, std::move(*held), lists), verified_at, part_at);
        if (read_.conversation) {
            const cache::ReadState state =
                cache::load_read_state(db, *read_.conversation, cx_.clock.now() - Runs::forget_after);
            found.row = state.pk;
            found.growing = state.streaming;
            found.unreadable = state.unreadable;
        }
        return found;
    };
    if (read_.slow) co_return co_await cx_.store.read_long(job);
    co_return cx_.store.read(job);
}

// A slow read runs on another thread than the loop.
std::string ReadThrough::put_into_envelope(cache::Reader& db, StoredBody held, std::uint64_t lists) const
{
    if (!held.content) return std::move(held.body);
    if (read_.slow) return cache::in_envelope(db, *held.content, std::move(held.body));
    return cx_.response_cache.envelopes.put_around(std::move(held.body), *held.content, db, cx_.store.latest(), lists);
}

Lookup ReadThrough::judge(const Found& found) const
{
    Lookup lookup = found ? lookup_of(cx_, *found) : Lookup{};
    lookup.incomplete = read_.may_be_incomplete || (found && (found->unreadable || found->growing));
    lookup.superseded = superseded_;
    return lookup;
}

Task<Response> ReadThrough::execute(CacheDecision decision, Found found)
{
    // A node that follows has no poll to ask for: upstream continues the list.
    if (decision.action == Action::poll && !follows(cx_)) co_return co_await poll_and_serve();
    if (decision.action == Action::gateway_timeout) co_return co_await time_out(decision.unmet, false);
    co_return co_await forward(std::move(found));
}

Response ReadThrough::serve(CacheDecision decision, CachedResponse found)
{
    if (decision.refresh) cx_.sync.poll_soon();
    if (decision.store) {
        found.operation = rq_.operation;
        found.conversation = read_.conversation;
        cx_.response_cache.put(rq_.target, commits_, found);
    }
    return mirror_response(cx_, rq_, found);
}

Task<Response> ReadThrough::forward(Found found)
{
    const ResponseOrigin origin = directives_.no_cache ? ResponseOrigin::request
                                  : found              ? ResponseOrigin::stale
                                                       : ResponseOrigin::miss;
    FillTarget fill;
    // The engine retries by itself what it could not read, and not as often as apps ask.
    if (!directives_.no_store && !(found && found->unreadable)) fill = read_.fill;
    std::optional<SharedReply> reply;
    if (!read_.polled) {
        Task<SharedReply> asking = forward_read(cx_, rq_, std::move(fill));
        reply = co_await std::move(asking);
    } else if (read_.continue_upstream) {
        Task<std::optional<SharedReply>> asking = read_.continue_upstream(std::move(fill));
        reply = co_await std::move(asking);
    }
    if (!reply) co_return co_await time_out(Unmet::absent, false);
    if (reply->failure) {
        Task<Response> serving = serve_after_failure(std::move(found), reply->failure);
        co_return co_await std::move(serving);
    }
    note_answer(cx_, read_.fill, *reply->reply);
    const int status = reply->reply->status;
    if (status == 200 && is_for_leader(found)) leave_to_leader(cx_, read_.conversation);
    if (is_unusable_status(status) && found && !directives_.no_cache)
        co_return mirror_response(cx_, rq_, *found, origin, status);
    co_return forwarded_response(*reply, rq_, origin);
}

// What this machine alone would keep. What a run left is fetched anyway, and what cannot be read is the engine's to
// try.
bool ReadThrough::is_for_leader(const Found& found) const
{
    if (directives_.no_store || superseded_ || (found && (found->unreadable || found->growing))) return false;
    return read_.conversation ? read_.fill.what != FillTarget::What::nothing
                              : read_.fill.what == FillTarget::What::list;
}

// Upstream failed: falls back to what the mirror holds (stale-if-error, RFC 5861).
Task<Response> ReadThrough::serve_after_failure(Found found, std::exception_ptr failure)
{
    const std::optional<Fault> fault = fault_of(failure);
    if (fault == Fault::unreachable && directives_.no_cache) co_return no_cache_failed();
    if (!fault || !is_upstream_failure(*fault) || directives_.no_cache) std::rethrow_exception(failure);
    if (found) co_return mirror_response(cx_, rq_, *found);
    if (fault == Fault::unreachable)
        co_return co_await time_out(read_.unsupported ? Unmet::excluded : Unmet::absent, true);
    std::optional<Response> part;
    if (!read_.unsupported) part = co_await find_part();
    if (!part) std::rethrow_exception(failure);
    co_return std::move(*part);
}

Task<Response> ReadThrough::poll_and_serve()
{
    const bool polled = co_await poll(cx_, began_);
    if (!polled && directives_.no_cache) co_return no_cache_failed();
    if (polled && read_.fetch) co_await read_.fetch(began_);
    Found found = co_await look_up(false);
    if (!found) co_return co_await forward(std::nullopt);
    const bool validated =
        found->verified_at && *found->verified_at >= began_ && *found->verified_at <= shared_now(cx_);
    if (directives_.no_cache && !validated) co_return no_cache_failed();
    const CacheDecision decision = decide_to_serve(directives_, judge(found), policy_);
    co_return serve(decision, std::move(*found));
}

// A part of what was asked for, for a request that allows stale responses.
Task<std::optional<Response>> ReadThrough::find_part()
{
    if (!directives_.max_stale) co_return std::nullopt;
    const Found part = co_await look_up(true);
    if (!part) co_return std::nullopt;
    co_return mirror_response(cx_, rq_, *part, ResponseOrigin::hit, 0, true);
}

std::string_view ReadThrough::reason_for(Unmet why, bool asked) const
{
    if (why == Unmet::too_old) return "the request wants what is held, and what is held is too old for it";
    if (policy_.mirror_only) return mirror_alone;
    if (read_.unsupported) return "what a parameter asks for here is not in the mirror";
    if (asked) return "upstream cannot be reached";
    if (read_.polled)
        return "the mirror does not hold all of this page, and upstream is not asked to go on from this cursor of the "
               "mirror's";
    return "the request wants what is held alone";
}

// 504; or 404 for an id that a complete mirror does not hold. `asked`: upstream was, in vain.
Task<Response> ReadThrough::time_out(Unmet why, bool asked)
{
    std::optional<Response> part;
    if (why == Unmet::absent) part = co_await find_part();
    if (part) co_return std::move(*part);
    const ResponseOrigin origin = asked ? ResponseOrigin::miss : ResponseOrigin::none;
    const auto covered = cx_.store.read([](cache::Reader& db) { return cache::load_covered(db); });
    if (why == Unmet::absent && read_.by_id && covered.complete)
        co_return problem_response(404, "there is no such conversation or chat", origin, asked);
    const std::string detail = fmt::format("{}, and {}", reason_for(why, asked), describe(covered));
    co_return problem_response(504, detail, origin, asked);
}

// What a member of a project sees may be less than what the project's key does: it is never held.
Task<Response> serve_member(const Context& cx, const Request& rq)
{
    if (!cache_directives_of(rq).only_if_cached && !is_narrowed(rq)) co_return co_await relay_read(cx, rq);
    const auto covered = cx.store.read([](cache::Reader& db) { return cache::load_covered(db); });
    const std::string detail = fmt::format("what a member sees is never held, and {}", describe(covered));
    co_return problem_response(504, detail, ResponseOrigin::none, false);
}

} // namespace

std::optional<Response> serve_cached(const Context& cx, Request& rq)
{
    // The cached responses are those of the whole mirror.
    if ((rq.method != "GET" && rq.method != "HEAD") || is_narrowed(rq)) return std::nullopt;
    const CachedResponse* found = cx.response_cache.find(rq.target, cx.store.latest(), mirror_verified_at(cx));
    if (!found || rq.has("AGENT-EMAIL")) return std::nullopt;
    if (!is_at_rest(cx, found->conversation, found->verified_at)) return std::nullopt;
    ReadPolicy policy;
    policy.lifetime = cx.options.max_age;
    const CacheDecision decision = decide(cache_directives_of(rq), lookup_of(cx, *found), policy);
    if (decision.action != Action::serve) return std::nullopt;
    rq.operation = found->operation;
    rq.conversation = found->conversation;
    require_accepted_key(cx);
    if (decision.refresh) cx.sync.poll_soon();
    return mirror_response(cx, rq, *found);
}

Task<Response> serve_read(const Context& cx, const Request& rq, const ReadSpec& read)
{
    if (rq.has("AGENT-EMAIL")) co_return co_await serve_member(cx, rq);
    require_accepted_key(cx);
    if (is_narrowed(rq)) {
        const ReadSpec narrowed = only_in_view(rq, read);
        ReadThrough way(cx, rq, narrowed);
        co_return co_await way.run();
    }
    ReadThrough way(cx, rq, read);
    co_return co_await way.run();
}

void check_parameters(const Context& cx, ReadSpec& read, const Parameters& parameters,
                      std::span<const KnownParameter> known)
{
    const auto& ignored = cx.options.ignored_parameters;
    read.one_off = has_ignored(parameters, ignored);
    read.unsupported = find_unsupported(parameters, known, ignored);
    if (read.unsupported) read.fill = FillTarget{};
}

} // namespace alli::proxy
