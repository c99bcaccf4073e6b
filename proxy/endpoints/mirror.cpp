// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/mirror.hpp"

#include "cache/rows/progress.hpp"
#include "proxy/request/cluster.hpp"
#include "proxy/request/list_query.hpp"
#include "proxy/request/own_parameters.hpp"
#include "proxy/request/projects.hpp"
#include "proxy/request/scopes.hpp"
#include "proxy/request/view.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {

Task<Response> mirror_status(const Context& cx, const Request& rq)
{
    if (is_narrowed(rq)) {
        const auto job = [&](cache::Reader&) { return cx.reports.status_in_view(view_of(rq)); };
        std::string text = co_await cx.store.read_long(job);
        co_return text_response("application/json", std::move(text));
    }
    co_return text_response("application/json", cx.reports.status());
}

// Counting rows of a large mirror is slow: not on a proxy loop.
Task<Response> mirror_metrics(const Context& cx, const Request&)
{
    const auto job = [&cx](cache::Reader&) { return cx.reports.metrics(cx.request_metrics); };
    std::string text = co_await cx.store.read_long(job);
    co_return text_response("text/plain; version=0.0.4; charset=utf-8", std::move(text));
}

Task<Response> list_projects(const Context& cx, const Request&)
{
    const auto job = [&cx](cache::Reader&) {
        auto* known = dynamic_cast<ProjectList*>(&cx.reports);
        return known != nullptr ? known->projects() : std::string(R"({"projects":[]})");
    };
    std::string text = co_await cx.store.read_long(job);
    co_return text_response("application/json", std::move(text));
}

// A flag that comes as a parameter or in the JSON body.
static bool is_said(const Request& rq, const nlohmann::json& body, const char* word)
{
    const std::string asked = find_parameter(read_query(rq.query()), word).value_or("false");
    const auto member = body.find(word);
    if ((asked != "true" && asked != "false") || (member != body.end() && !member->is_boolean()))
        throw Error(Fault::usage, "", "{} must be true or false", word);
    return asked == "true" || (member != body.end() && member->get<bool>());
}

// Polls now; acceptDeletions confirms that what upstream lacks is deleted, acceptKey that the key may open another
// project.
Task<Response> mirror_sync(const Context& cx, const Request& rq)
{
    auto body = nlohmann::json::object();
    if (!rq.body.empty()) body = nlohmann::json::parse(rq.body, nullptr, false);
    if (!body.is_object()) throw Error(Fault::usage, "", "the body must be a JSON object, or empty");
    Parameters members;
    for (const auto& [name, value] : body.items()) members.push_back({name, ""});
    require_own_parameters(OperationId::sync, members);
    if (follows(cx)) co_return leader_needed(cx, ErrorFormat::ours);
    const bool deletions = is_said(rq, body, "acceptDeletions"), key = is_said(rq, body, "acceptKey");
    if (deletions || key) require_scope(rq, Scope::admin, deletions ? "accepting deletions" : "accepting another key");
    if (deletions) cx.sync.accept_deletions();
    if (key) cx.sync.accept_key();
    cx.sync.try_upstream_now();
    cx.sync.poll_soon();
    Response response = text_response("application/json", std::string(R"({"started":true})"));
    response.status = 202;
    co_return response;
}

// What neither erases nor replaces: for whoever may look after the files.
static bool is_harmless(const std::string& body)
{
    const auto request = nlohmann::json::parse(body, nullptr, false);
    if (!request.is_object() || !request.contains("task")) return false;
    const bool repairs = request.contains("repair") && request["repair"] != false;
    const bool drops_older = request.contains("keep");
    return (request["task"] == "backup" && !drops_older) || (request["task"] == "verify" && !repairs);
}

// The leader's alone: what is erased elsewhere comes back with the next round.
static bool is_purge(const std::string& body)
{
    const auto request = nlohmann::json::parse(body, nullptr, false);
    return request.is_object() && request.value("task", nlohmann::json()) == "purge";
}

Task<Response> begin_maintenance(const Context& cx, const Request& rq)
{
    if (!is_harmless(rq.body)) require_scope(rq, Scope::admin, "this task");
    if (follows(cx) && is_purge(rq.body)) co_return leader_needed(cx, ErrorFormat::ours);
    std::optional<Error> busy;
    std::string state;
    try {
        state = cx.maintenance.start(rq.body);
    } catch (const Error& error) {
        if (error.fault() != Fault::busy) throw;
        busy = error;
    }
    if (busy) co_return problem(ErrorFormat::ours, 409, busy->what(), busy->hint());
    Response response = text_response("application/json", std::move(state));
    response.status = 202;
    co_return response;
}

Task<Response> maintenance_state(const Context& cx, const Request& rq)
{
    const std::string id = find_parameter(read_query(rq.query()), "id").value_or("");
    std::optional<std::string> state = cx.maintenance.state(id);
    if (!state) co_return problem(ErrorFormat::ours, 404, "there is no such task, or it ended long ago");
    co_return text_response("application/json", std::move(*state));
}

Task<Response> is_alive(const Context&, const Request&)
{
    co_return text_response("text/plain; charset=utf-8", std::string("ok\n"));
}

// Whether the mirror can be read; with role=leader also whether this node takes writes.
Task<Response> is_ready(const Context& cx, const Request& rq)
{
    const auto role = find_parameter(read_query(rq.query()), "role");
    if (role && *role != "leader") throw Error(Fault::usage, "", "role can be leader alone");
    if (role && follows(cx)) co_return leader_needed(cx, ErrorFormat::ours);
    cx.store.read([](cache::Reader& db) { return cache::load_progress(db).backfill_done; });
    co_return text_response("text/plain; charset=utf-8", std::string("ready\n"));
}

} // namespace alli::proxy
