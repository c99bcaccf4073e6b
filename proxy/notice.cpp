// SPDX-License-Identifier: Apache-2.0
#include "proxy/notice.hpp"

#include "proxy/relay.hpp"
#include "proxy/runs.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

bool is_good(int status)
{
    return status >= 200 && status < 300;
}

// As the contract shows it, or one step of an envelope around it.
std::optional<bool> read_is_running(const std::string& body)
{
    auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_object() && !json.contains("isRunning") && json.contains("result")) json = json["result"];
    const auto at = json.is_object() ? json.find("isRunning") : json.end();
    if (!json.is_object() || at == json.end() || !at->is_boolean()) return std::nullopt;
    return at->get<bool>();
}

void end_in(const Needs& needs, Runs& runs, const ConversationId& id)
{
    const Runs::End end = runs.ended(id, needs.clock.steady(), needs.clock.now());
    needs.settle(id, end.fence, end.was_running);
}

} // namespace

bool runs_an_app(std::string_view method, std::string_view path)
{
    return method == "POST" && (path.ends_with("/run") || path.ends_with("/run_conversation"));
}

Notice::Notice(const Context& cx, const Request& rq)
    : needs_(cx.needs), running_(cx.runs), runs_(runs_an_app(rq.method, rq.path())),
      may_change_(runs_ || is_about_conversations(rq.path()))
{
    if (const auto id = conversation_of(rq.path())) id_ = ConversationId{*id};
}

Notice::~Notice()
{
    if (over_ || !began_ || !id_) return;
    running_.running(*id_, needs_.clock.steady());
    needs_.wake_conversation(*id_);
}

void Notice::know(const std::optional<std::string>& id)
{
    if (id_ || !id) return;
    id_ = ConversationId{*id};
    if (began_) running_.running(*id_, needs_.clock.steady());
    if (good_) needs_.wake_conversation(*id_); // it may be new
}

void Notice::began()
{
    know(asked_.conversation());
    began_ = true;
    if (id_) running_.running(*id_, needs_.clock.steady());
}

void Notice::received(std::string_view piece)
{
    if (!good_) return; // an error tells of no conversation that changed
    told_.feed(piece);
    know(told_.conversation());
}

void Notice::answered(int status, bool whole)
{
    good_ = is_good(status);
    if (!whole || over_) return;
    over_ = true;
    end();
}

void Notice::end()
{
    const bool goes_on = runs_ && good_ && asked_.background();
    if (id_ && goes_on)
        running_.running(*id_, needs_.clock.steady());
    else if (id_)
        end_in(needs_, running_, *id_);
    if (!good_ || !may_change_ || (id_ && !goes_on)) return;
    running_.ended_somewhere(needs_.clock.now());
    needs_.wake();
}

Task<std::optional<std::string>> Noticed::next()
{
    std::optional<std::string> piece = co_await body_->next();
    if (piece && readable_) notice_->received(*piece);
    if (!piece) notice_->answered(status_, true);
    co_return piece;
}

void note_end(const Context& cx, const ConversationId& id)
{
    end_in(cx.needs, cx.runs, id);
}

// At rest nothing has to be fetched but once in a while: a run may have been started elsewhere, between two questions.
void note_running(const Context& cx, const ConversationId& id, const upstream::Reply& reply)
{
    const auto running = is_good(reply.status) ? read_is_running(reply.body) : std::nullopt;
    const auto now = cx.needs.clock.steady();
    if (!running) return;
    if (*running)
        cx.runs.running(id, now);
    else if (cx.runs.may_have_changed(id, now, cx.options.max_age))
        note_end(cx, id);
}

} // namespace alli::proxy
