// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/forward.hpp"

#include "alli/content_hash.hpp"
#include "alli/error.hpp"
#include "alli/headers.hpp"
#include "cache/conversations.hpp"
#include "proxy/relay/pending_overlay.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/relay/runs.hpp"
#include "proxy/relay/suppression_filter.hpp"
#include "proxy/relay/vary.hpp"
#include "proxy/request/conditional.hpp"
#include "proxy/request/view.hpp"
#include "upstream/authenticity.hpp"
#include "upstream/reply.hpp"
#include "upstream/target.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr auto for_our_copy = std::to_array<std::string_view>(
    {"If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range"});
constexpr auto naming = std::to_array<std::string_view>({"OWN-USER-ID", "USER-EMAIL"});

upstream::Request request_for(const Context& cx, const Request& rq)
{
    upstream::Request request = relayed_request(rq);
    request.method = "GET";
    request.timeout = cx.options.forward_timeout;
    std::erase_if(request.headers, [](const Header& header) { return is_one_of(for_our_copy, header.name); });
    return request;
}

// Upstream answers 404 for a conversation that the mirror holds: has the engine check it again, which is subject to the
// limit of deletions.
void recheck_missing(const Backend& backend, const ReadSubject& subject, const upstream::Reply& reply)
{
    if ((reply.status != 404 && reply.status != 410) || upstream::is_html(reply) || !subject.conversation) return;
    if (backend.store.read([&](cache::Reader& db) { return cache::find_pk(db, *subject.conversation).has_value(); }))
        backend.sync.refresh(*subject.conversation);
}

// The 404 for chats of a purged person's conversation, which the mirror does not hold. None: they may be shown.
Task<std::optional<upstream::Reply>> find_suppressed(const Backend& backend, const ReadSubject& subject,
                                                     const upstream::Request& request)
{
    const auto owner = find_owner(backend.store, subject);
    if (!owner) co_return std::nullopt;
    upstream::Request look = request;
    look.target = upstream::conversation_target(*owner->conversation);
    Task<upstream::Reply> looking = backend.upstream.send(std::move(look));
    upstream::Reply reply = co_await std::move(looking);
    suppress_purged(backend.store, owner->operation, reply);
    if (reply.status == 200) co_return std::nullopt;
    co_return reply;
}

// `backend` by value: the loop of the request that asked first may end before.
Task<Coalescer::Outcome> ask_and_fill(Backend backend, ReadSubject subject, upstream::Request request,
                                      FillTarget target)
{
    Coalescer::Outcome outcome;
    Task<std::optional<upstream::Reply>> suppressing = find_suppressed(backend, subject, request);
    if (auto suppressed = co_await std::move(suppressing)) {
        outcome.reply = std::move(*suppressed);
        co_return outcome;
    }
    const auto asked_at = backend.clock.steady();
    const Headers asked_with = request.headers;
    Task<upstream::Reply> asking = backend.upstream.send(std::move(request));
    outcome.reply = co_await std::move(asking);
    suppress_purged(backend.store, subject.operation, outcome.reply);
    const bool may_fill =
        outcome.reply.status == 200 && is_reply_about(subject, outcome.reply) && !is_special(outcome.reply, asked_with);
    if (may_fill) {
        Task<bool> filling = fill_cache(backend, std::move(target), outcome.reply.body);
        outcome.stored = co_await std::move(filling);
    }
    recheck_missing(backend, subject, outcome.reply);
    apply_pending_edits(backend.store, subject, asked_at, outcome.reply);
    co_return outcome;
}

Task<SharedReply> ask_alone(const Context& cx, ReadSubject subject, upstream::Request request, FillTarget target)
{
    SharedReply alone;
    try {
        Task<Coalescer::Outcome> asking = ask_and_fill(cx, std::move(subject), std::move(request), std::move(target));
        Coalescer::Outcome outcome = co_await std::move(asking);
        alone.stored = outcome.stored;
        alone.reply = std::make_shared<const upstream::Reply>(std::move(outcome.reply));
    } catch (const Error&) {
        alone.failure = std::current_exception();
    }
    co_return alone;
}

} // namespace

bool is_reply_about(const ReadSubject& subject, const upstream::Reply& reply)
{
    upstream::Expected expected{upstream::Shape::list}; // read strictly before it is kept
    if (subject.operation == OperationId::get_conversation)
        expected = {upstream::Shape::conversation, subject.conversation->value};
    if (subject.operation == OperationId::get_chat) expected = {upstream::Shape::chat, subject.chat->value};
    return upstream::authenticity_of(reply, expected) == upstream::Authenticity::service;
}

Task<SharedReply> forward_read(const Context& cx, const Request& rq, FillTarget target)
{
    require_whole_view(rq);
    upstream::Request request = request_for(cx, rq);
    ReadSubject subject = subject_of(rq);
    const bool shared = std::none_of(naming.begin(), naming.end(), [&](std::string_view name) { return rq.has(name); });
    if (!shared || target.what == FillTarget::What::nothing) {
        Task<SharedReply> alone = ask_alone(cx, std::move(subject), std::move(request), std::move(target));
        co_return co_await std::move(alone);
    }
    Coalescer::Work work = [backend = static_cast<const Backend&>(cx), subject, request, target] {
        return ask_and_fill(backend, subject, request, target);
    };
    // A request that comes after a write or a run must not share what was asked before it.
    std::string key = fmt::format("{} {} {}", cx.store.outbox_commits(), cx.runs.events(), rq.target);
    Task<SharedReply> sharing = cx.coalescer.share(std::move(key), std::move(work));
    SharedReply reply = co_await std::move(sharing);
    if (!reply.collapsed || !reply.reply || !may_vary(*reply.reply)) co_return reply;
    // The shared reply was selected by another request's headers.
    Task<SharedReply> alone = ask_alone(cx, std::move(subject), std::move(request), std::move(target));
    co_return co_await std::move(alone);
}

Response forwarded_response(const SharedReply& shared, const Request& rq, ResponseOrigin origin)
{
    upstream::Reply head{shared.reply->status, shared.reply->headers, {}};
    std::erase_if(head.headers, [](const Header& header) { return same_name(header.name, "ETag"); });
    Response response = relayed_response(std::move(head), origin);
    require_no_redirect(response);
    response.cache->stored = shared.stored;
    response.cache->collapsed = shared.collapsed;
    const std::string_view body = shared.reply->body;
    response.body = std::shared_ptr<const std::string>(shared.reply, &shared.reply->body);
    if (response.status == 200) validate(response, rq, fmt::format("\"{:016x}\"", content_hash(body)));
    return response;
}

bool is_upstream_failure(Fault fault) noexcept
{
    constexpr std::array faults{Fault::unreachable, Fault::unavailable, Fault::bad_reply, Fault::key_rejected};
    return std::find(faults.begin(), faults.end(), fault) != faults.end();
}

bool is_unusable_status(int status) noexcept
{
    if (status < 300) return false;
    const Fault fault = upstream::fault_of(status);
    return fault == Fault::unavailable || fault == Fault::key_rejected;
}

} // namespace alli::proxy
