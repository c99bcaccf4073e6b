// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/conversation_sniffer.hpp"

#include "alli/page_sizes.hpp"
#include "cache/conversations.hpp"
#include "proxy/relay/runs.hpp"
#include "proxy/request/cluster.hpp"
#include "upstream/target.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace alli::proxy {
namespace {

constexpr std::string_view under_conversations = "/webapi/v2/conversations/";

bool is_good(int status)
{
    return status >= 200 && status < 300;
}

// The object that has this member: the body as the contract has it, or the content of an envelope.
nlohmann::json read_object_with(const std::string& body, const char* member)
{
    auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_object() && !json.contains(member) && json.contains("result")) json = json["result"];
    return json.is_object() && json.contains(member) ? std::move(json) : nlohmann::json();
}

std::optional<bool> read_is_running(const std::string& body)
{
    const auto json = read_object_with(body, "isRunning");
    if (json.is_null() || !json["isRunning"].is_boolean()) return std::nullopt;
    return json["isRunning"].get<bool>();
}

// A chat of the app that is complete; a person's chat is no answer.
bool is_whole_answer(const nlohmann::json& chat)
{
    if (!chat.is_object()) return false;
    const auto completed = chat.find("completed");
    return completed != chat.end() && *completed == true && chat.value("sender", nlohmann::json()) != "USER";
}

// The number of chats, if the reply ends with a complete answer of the app.
std::optional<std::int64_t> count_to_a_whole_answer(const FillTarget& read, const std::string& body)
{
    const auto json = read_object_with(body, "chats");
    if (json.is_null() || !json["chats"].is_array() || json["chats"].empty()) return std::nullopt;
    const auto& chats = json["chats"];
    if (!is_whole_answer(chats.back())) return std::nullopt;
    if (read.what == FillTarget::What::chats) {
        const auto count = static_cast<std::int64_t>(chats.size());
        if (count >= chats_a_page) return std::nullopt; // there may be more behind it
        return (std::int64_t{read.page_no} - 1) * chats_a_page + count;
    }
    const auto count = json.find("chatCount");
    if (read.what != FillTarget::What::conversation || count == json.end() || !count->is_number_integer())
        return std::nullopt;
    return count->get<std::int64_t>();
}

// The number of complete chats that are held.
std::int64_t count_complete(const Backend& backend, const ConversationId& id)
{
    const auto held = backend.store.read([&](cache::Reader& db) { return cache::find_held(db, id); });
    if (!held) return 0;
    const bool may_grow = !held->last_completed || held->maybe_since;
    return std::max<std::int64_t>(held->chats - (may_grow ? 1 : 0), 0);
}

// A new conversation, which lists do not show yet. One that is held is fetched when its run ends.
void fetch_new(const Backend& backend, const ConversationId& id)
{
    const auto held = [&](cache::Reader& db) { return cache::find_pk(db, id).has_value(); };
    if (!backend.store.read(held)) backend.sync.refresh(id);
}

void run_in(const Backend& backend, Runs& runs, const ConversationId& id)
{
    runs.running(id, backend.clock.steady(), count_complete(backend, id));
}

std::uint64_t begin_in(const Backend& backend, Runs& runs, const ConversationId& id)
{
    const std::uint64_t fence =
        runs.begun(id, backend.clock.steady(), backend.clock.now(), count_complete(backend, id));
    backend.sync.settle(id, fence, std::nullopt);
    return fence;
}

std::uint64_t end_in(const Backend& backend, Runs& runs, const ConversationId& id, bool brings_news)
{
    const Runs::End end = runs.ended(id, backend.clock.steady(), backend.clock.now());
    backend.sync.settle(id, end.fence, brings_news ? end.chats_before : std::nullopt);
    return end.fence;
}

// The other nodes, where there are any.
std::optional<std::uint64_t> tell_others(const Backend& backend, const ConversationId& id, bool ended,
                                         std::uint64_t fence = 0)
{
    if (!backend.cluster) return std::nullopt;
    return backend.cluster->note_run(id, ended, fence);
}

} // namespace

bool runs_an_app(const Request& rq)
{
    const std::string_view path = rq.path();
    return rq.method == "POST" && (path.ends_with("/run") || path.ends_with("/run_conversation"));
}

// Named by the path under conversations, by a parameter, or by any other segment that is the id of one that is held.
static std::optional<std::string> find_named(const Context& cx, const Request& rq)
{
    if (rq.conversation) return rq.conversation->value;
    for (Parameter& parameter : read_query(rq.query()))
        if (parameter.name == "conversationId" && !parameter.value.empty()) return std::move(parameter.value);
    std::vector<std::string> segments;
    for (const std::string_view segment : split_path(rq.path())) segments.push_back(decode_segment(segment));
    return cx.store.read([&](cache::Reader& db) -> std::optional<std::string> {
        for (const std::string& segment : segments)
            if (cache::find_pk(db, ConversationId{segment})) return segment;
        return std::nullopt;
    });
}

StreamTap::StreamTap(const Context& cx, const Request& rq)
    : backend_(cx), running_(cx.runs), runs_(runs_an_app(rq)),
      may_change_(runs_ || rq.path().starts_with(under_conversations)),
      categories_(rq.path().starts_with(upstream::categories_path))
{
    if (const auto id = find_named(cx, rq)) id_ = ConversationId{*id};
}

StreamTap::~StreamTap()
{
    if (!over_ && began_) note_categories();
    if (over_ || !began_) return;
    for (const std::string& id : asked_.conversations()) end_each(ConversationId{id}, false);
    if (!id_) return;
    run_in(backend_, running_, *id_);
    tell(false, 0);
    fetch_new(backend_, *id_);
}

void StreamTap::tell(bool ended, std::uint64_t fence)
{
    note_ = tell_others(backend_, *id_, ended, fence);
}

void StreamTap::end_each(const ConversationId& id, bool brings_news)
{
    const std::uint64_t fence = end_in(backend_, running_, id, brings_news);
    note_ = tell_others(backend_, id, true, fence);
}

// What is not a run has ended soon: the others need not know that it is under way.
void StreamTap::run()
{
    run_in(backend_, running_, *id_);
    if (runs_) tell(false, 0);
}

Task<> StreamTap::told() const
{
    co_await wait_until_told(backend_, note_);
}

void StreamTap::note_categories()
{
    if (!categories_) return;
    running_.categories_changed(backend_.clock.now());
    backend_.sync.refresh_categories();
}

void StreamTap::know(const std::optional<std::string>& id)
{
    if (id_ || !id) return;
    id_ = ConversationId{*id};
    if (began_) run();
}

void StreamTap::began()
{
    know(asked_.conversation());
    began_ = true;
    if (id_) run();
}

void StreamTap::received(std::string_view piece)
{
    if (!good_) return; // an error names no conversation that changed
    // A second piece means that it streams; a reply of one piece is handled at its end.
    if (std::exchange(streams_, true) && id_ && !std::exchange(woke_, true)) fetch_new(backend_, *id_);
    told_.feed(piece);
    know(told_.conversation());
}

void StreamTap::answered(int status, bool whole)
{
    good_ = is_good(status);
    if (!whole || over_) return;
    over_ = true;
    end(status);
}

// A gateway's timeout does not mean that the run has ended.
void StreamTap::end(int status)
{
    note_categories();
    for (const std::string& id : asked_.conversations()) end_each(ConversationId{id}, good_);
    const bool goes_on = runs_ && (good_ ? asked_.background() : status >= 500);
    if (id_ && goes_on) return tell(false, begin_in(backend_, running_, *id_));
    if (id_) return end_each(*id_, good_);
    if (!good_ || !may_change_) return;
    running_.ended_somewhere(backend_.clock.now());
    backend_.sync.poll_soon();
    leave_to_leader(backend_, std::nullopt);
}

Task<std::optional<std::string>> TappedStream::next()
{
    std::optional<std::string> piece = co_await body_->next();
    if (piece && reply_.readable) tap_->received(*piece);
    if (piece) received_ += piece->size();
    if (piece && received_ != reply_.length) co_return piece;
    tap_->answered(reply_.status, true);
    co_await tap_->told();
    co_return piece;
}

void note_end(const Context& cx, const ConversationId& id)
{
    end_in(cx, cx.runs, id, false);
}

void note_growing(const Context& cx, const ConversationId& id)
{
    run_in(cx, cx.runs, id);
}

void note_answer(const Context& cx, const FillTarget& read, const upstream::Reply& reply)
{
    const auto before = cx.runs.find_running(read.id, cx.clock.steady());
    if (!before || !is_good(reply.status)) return;
    const auto chats = count_to_a_whole_answer(read, reply.body);
    if (chats && *chats > *before) tell_others(cx, read.id, true, end_in(cx, cx.runs, read.id, true));
}

// Not running: fetched at most once in max_age, since a run elsewhere may have begun and ended between two requests.
std::optional<std::uint64_t> note_running(const Context& cx, const ConversationId& id, const upstream::Reply& reply)
{
    const auto running = is_good(reply.status) ? read_is_running(reply.body) : std::nullopt;
    const auto now = cx.clock.steady();
    if (!running) return std::nullopt;
    if (*running) {
        const bool known = cx.runs.find(id, now) == RunPhase::running; // polls are many: the first one tells
        run_in(cx, cx.runs, id);
        return known ? std::nullopt : tell_others(cx, id, false);
    }
    if (!cx.runs.may_have_changed(id, now, cx.options.max_age)) return std::nullopt;
    return tell_others(cx, id, true, end_in(cx, cx.runs, id, true));
}

void note_run_elsewhere(const Backend& backend, Runs& runs, const ConversationId& id)
{
    run_in(backend, runs, id);
}

std::uint64_t note_end_elsewhere(const Backend& backend, Runs& runs, const ConversationId& id)
{
    return end_in(backend, runs, id, true);
}

} // namespace alli::proxy
