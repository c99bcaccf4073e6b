// SPDX-License-Identifier: Apache-2.0
#include "proxy/writes/writes.hpp"

#include "alli/log.hpp"
#include "alli/random.hpp"
#include "cache/chat_detail.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/categories.hpp"
#include "cache/rows/envelopes.hpp"
#include "proxy/access/base64url.hpp"
#include "proxy/relay/conversation_sniffer.hpp"
#include "proxy/relay/forward.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/request/cluster.hpp"
#include "proxy/request/view.hpp"
#include "proxy/writes/write_check.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace alli::proxy {
namespace {

using cache::EditKind;
using cache::Entry;
using cache::EntryState;
using Json = nlohmann::ordered_json;

std::string headers_of(const Request& rq)
{
    Json headers = Json::object();
    for (const char* name : headers_of_a_write)
        if (rq.has(name)) headers[name] = std::string(rq.header(name));
    if (!rq.body.empty() && !headers.contains("Content-Type")) headers["Content-Type"] = "application/json";
    return headers.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// After the hash: two requests that differ in it alone are the same.
std::string with_request_id(const std::string& headers, const Request& rq)
{
    Json all = Json::parse(headers);
    if (!rq.request_id.empty()) all["X-Request-Id"] = rq.request_id;
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string new_uuid()
{
    SystemRandom random;
    std::string bytes = random.bytes(16);
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(bytes[i]));
    }
    return text;
}

// Whose request it is, not in which language an answer is wanted: a browser's may change between two attempts.
std::string without_language(const std::string& headers)
{
    Json all = Json::parse(headers);
    all.erase("Accept-Language");
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string hash_of(const Request& rq, const std::string& headers)
{
    const Digest digest = sha256(fmt::format("{}\n{}\n{}\n{}", rq.method, rq.target, headers, rq.body));
    return {digest.begin(), digest.end()};
}

std::optional<std::string> base_of(const Context& cx, const Request& rq, EditKind kind)
{
    if (kind != EditKind::update && kind != EditKind::title) return std::nullopt;
    const cache::Patch wanted = cache::patch_of(kind, rq.body);
    const ConversationId& id = *rq.conversation;
    return cx.store.read([&](cache::Reader& db) { return cache::find_base(db, id, wanted); });
}

cache::NewEntry entry_of(const Context& cx, const Request& rq, EditKind kind)
{
    cache::NewEntry entry;
    entry.kind = kind;
    entry.conversation = rq.conversation;
    if (rq.ids.size() > 1) entry.chat = ChatId{rq.ids[1]};
    entry.method = rq.method;
    entry.path = rq.target;
    entry.headers = headers_of(rq);
    entry.body = rq.body;
    entry.upstream_key = new_uuid();
    // Each app counts its own.
    if (!rq.header("Idempotency-Key").empty())
        entry.client_key = fmt::format("{}\n{}", rq.grant->principal().name, rq.header("Idempotency-Key"));
    entry.request_hash = hash_of(rq, without_language(entry.headers));
    entry.headers = with_request_id(entry.headers, rq);
    entry.base = base_of(cx, rq, kind);
    entry.created_at = cx.clock.now();
    return entry;
}

// The object with the written members alone, because the mirror does not hold it.
std::string sketch(const Context& cx, const std::string& id, EditKind kind, const std::string& body)
{
    const auto names = cx.store.read([](cache::Reader& db) { return cache::load_category_names(db); });
    cache::Patch members = names.shown(cache::patch_of(kind, body));
    members.insert(members.begin(), {"id", Json(id).dump(-1, ' ', false, Json::error_handler_t::replace)});
    return cache::write_patch(members);
}

// The body that upstream's reply would have: the mirror's, where the change shows already.
std::string expected_body(const Context& cx, const Entry& entry)
{
    const bool has_content = entry.kind == EditKind::update || entry.kind == EditKind::title ||
                             (entry.kind == EditKind::feedback && entry.chat);
    if (!has_content || !entry.conversation) return "";
    const auto found = cx.store.read([&](cache::Reader& db) -> std::optional<std::string> {
        if (entry.kind != EditKind::feedback) return cache::find_conversation(db, *entry.conversation);
        auto chat = cache::find_chat(db, *entry.conversation, *entry.chat);
        if (!chat) return std::nullopt;
        return std::move(chat->raw);
    });
    const Content content = entry.kind == EditKind::feedback ? Content::chat : Content::conversation;
    const auto enclose = [&](std::string body) {
        return cx.store.read([&](cache::Reader& db) { return cache::in_envelope(db, content, std::move(body)); });
    };
    if (found) return enclose(*found);
    return enclose(sketch(cx, entry.kind == EditKind::feedback ? entry.chat->value : entry.conversation->value,
                          entry.kind, entry.body));
}

std::string location_of(std::int64_t id)
{
    return "/mirror/v1/outbox/" + std::to_string(id);
}

Response accepted_response(const Context& cx, const Entry& entry)
{
    std::string body = expected_body(cx, entry);
    Response response = body.empty() ? Response{} : text_response("application/json", std::move(body));
    response.status = 202;
    response.headers.add("Location", location_of(entry.id));
    response.headers.add("Alli-Mirror-Outbox", std::to_string(entry.id));
    return response;
}

Entry load_entry(const Context& cx, std::int64_t id)
{
    const auto entry = cx.store.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); });
    if (!entry) throw Error(Fault::refused, "", "the write was discarded");
    return *entry;
}

// The outcome of the first request with this Idempotency-Key.
Response first_outcome(const Context& cx, const Entry& entry)
{
    if (entry.state != EntryState::delivered && entry.state != EntryState::failed) return accepted_response(cx, entry);
    if (entry.state == EntryState::failed && !entry.last_status)
        return problem(ErrorFormat::webapi, 504, entry.last_error.value_or("it was not delivered"));
    std::string body = entry.response ? *entry.response : expected_body(cx, entry);
    Response response = text_response(entry.response_type.value_or("application/json"), std::move(body));
    response.status = entry.last_status.value_or(200);
    response.headers.add("Alli-Mirror-Outbox", std::to_string(entry.id));
    return response;
}

Task<Response> repeat(const Context& cx, Entry entry)
{
    const bool waits = entry.state == EntryState::pending || entry.state == EntryState::sending;
    if (waits && co_await cx.delivery.is_awaited(entry.id)) {
        Response busy =
            problem(ErrorFormat::webapi, 409, "the first request with this Idempotency-Key is still being answered");
        busy.headers.add("Retry-After", "1");
        co_return busy;
    }
    co_return first_outcome(cx, entry);
}

Task<Response> forward(const Context& cx, const Request& rq, EditKind kind, cache::AcceptedWrite accepted)
{
    const Preference preference = read_preference(rq.header("Prefer"));
    const std::int64_t id = accepted.entry.id;
    std::optional<Entry> shared; // which a node may not have here yet
    if (cx.cluster && cx.cluster->state().shares_writes) shared = accepted.entry;
    auto patience = preference.wait.value_or(cx.options.forward_timeout);
    if (preference.respond_async) patience = preference.wait.value_or(std::chrono::milliseconds(0)); // RFC 7240, 4.3
    auto reply = co_await cx.delivery.deliver(std::move(accepted), patience);
    if (reply) {
        if (kind == EditKind::stop) note_end(cx, *rq.conversation);
        co_return relayed_response(std::move(*reply), ResponseOrigin::bypass);
    }
    Response response = accepted_response(cx, shared ? *shared : load_entry(cx, id));
    if (preference.respond_async) response.headers.add("Preference-Applied", "respond-async");
    co_return response;
}

// True if it would overtake an entry that waits.
bool is_waited_for(const Context& cx, const ConversationId& id)
{
    return cx.store.read_outbox([&](cache::Reader& db) {
        return cache::find_head(db, id).has_value() || cache::find_head(db, std::nullopt).has_value();
    });
}

// Relays a write whose body is not as the contract has it, which is partly inferred: upstream decides, and nothing is
// queued that it might never accept.
Task<Response> ask_for_judgement(const Context& cx, const Request& rq, std::string_view doubt)
{
    const ConversationId& id = *rq.conversation;
    if (is_waited_for(cx, id))
        co_return cx.upstream.state().reachable ? must_not_overtake(doubt) : doubtful_refusal(doubt);
    std::exception_ptr failure;
    Response response;
    try {
        response = co_await relay(cx, rq, cx.options.forward_timeout);
    } catch (const Error&) {
        failure = std::current_exception();
    }
    if (failure && fault_of(failure) == Fault::unreachable && !cx.upstream.state().reachable)
        co_return doubtful_refusal(doubt);
    note_end(cx, id); // it may have been applied, answered or not
    if (failure) std::rethrow_exception(failure);
    require_no_redirect(response);
    co_return response;
}

// If upstream has both operations at one path, the body tells them apart: a title alone, or any other update.
std::optional<EditKind> kind_at_shared_path(const Context& cx, const Request& rq)
{
    const Operations& operations = cx.options.operations;
    if (operations.title.path != operations.update.path) return std::nullopt;
    return sets_title_alone(rq.body) ? EditKind::title : EditKind::update;
}

Response key_mismatch()
{
    return problem(ErrorFormat::webapi, 422, "this Idempotency-Key was used for another request");
}

// By what several machines share. Where that is away for as long as an app is kept waiting, the app is told so, and
// whether it may have been accepted: asked for once more with the same Idempotency-Key, it is the same write.
Task<Response> write_shared(const Context& cx, const Request& rq, EditKind kind, cache::NewEntry entry)
{
    SharedAcceptance acceptance;
    std::optional<Error> away;
    try {
        acceptance = co_await cx.cluster->accept(std::move(entry), cx.options.forward_timeout);
    } catch (const Error& error) {
        away = error;
    }
    if (away && away->fault() == Fault::canceled) throw Error(*away);
    if (away) co_return not_accepted(*away, !rq.header("Idempotency-Key").empty());
    if (acceptance.kind == cache::Acceptance::Kind::repeated)
        co_return co_await repeat(cx, std::move(acceptance.entry));
    if (acceptance.kind == cache::Acceptance::Kind::mismatch) co_return key_mismatch();
    cache::AcceptedWrite accepted;
    accepted.entry = std::move(acceptance.entry);
    co_return co_await forward(cx, rq, kind, std::move(accepted));
}

Task<Response> write(const Context& cx, const Request& rq, EditKind kind)
{
    const bool is_shared = cx.cluster && cx.cluster->state().shares_writes;
    if (!is_shared && follows(cx)) co_return leader_needed(cx, ErrorFormat::webapi);
    WriteCheck check = check_write(rq, kind);
    if (check.refusal) co_return std::move(*check.refusal);
    // What upstream would do with it is unknown: it might reach beyond the principal's view.
    if (check.doubt && is_narrowed(rq)) co_return doubtful_refusal(*check.doubt);
    if (check.doubt) co_return co_await ask_for_judgement(cx, rq, *check.doubt);
    cache::NewEntry entry = entry_of(cx, rq, kind);
    if (is_shared) co_return co_await write_shared(cx, rq, kind, std::move(entry));
    cache::Acceptance acceptance;
    const auto job = [&](cache::Writer& db) { acceptance = cache::accept(db, entry); };
    co_await cx.store.write_outbox(job);
    if (acceptance.kind == cache::Acceptance::Kind::repeated)
        co_return co_await repeat(cx, load_entry(cx, acceptance.id));
    if (acceptance.kind == cache::Acceptance::Kind::mismatch) co_return key_mismatch();
    cache::AcceptedWrite accepted = cache::accepted_write(std::move(entry), acceptance);
    co_return co_await forward(cx, rq, kind, std::move(accepted));
}

} // namespace

Task<Response> update_conversation(const Context& cx, const Request& rq)
{
    return write(cx, rq, kind_at_shared_path(cx, rq).value_or(EditKind::update));
}

Task<Response> set_title(const Context& cx, const Request& rq)
{
    return write(cx, rq, kind_at_shared_path(cx, rq).value_or(EditKind::title));
}

Task<Response> rate_chat(const Context& cx, const Request& rq)
{
    return write(cx, rq, EditKind::feedback);
}

Task<Response> bulk_update(const Context& cx, const Request& rq)
{
    return write(cx, rq, EditKind::bulk_update);
}

Task<Response> delete_conversation(const Context& cx, const Request& rq)
{
    return write(cx, rq, EditKind::remove);
}

Task<Response> stop_conversation(const Context& cx, const Request& rq)
{
    return write(cx, rq, EditKind::stop);
}

} // namespace alli::proxy
