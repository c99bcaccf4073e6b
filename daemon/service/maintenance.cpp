// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/maintenance.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "daemon/service/status.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

constexpr std::size_t remembered_tasks = 16; // for whoever waits for one while others follow it

} // namespace

void Maintenance::note(std::string_view state, const Json& name, const Json& more)
{
    Json now{{"state", state}};
    now.update(name);
    now.update(more);
    const auto latest = std::make_shared<const Json>(std::move(now));
    auto before = std::atomic_load(&states_);
    std::shared_ptr<const States> after;
    do { // a note may be taken beside a task that runs
        States states = *before;
        std::erase_if(states, [&](const auto& one) { return one->at("id") == latest->at("id"); });
        states.push_front(latest);
        if (states.size() > remembered_tasks) states.pop_back();
        after = std::make_shared<const States>(std::move(states));
    } while (!std::atomic_compare_exchange_weak(&states_, &before, after));
}

std::optional<std::string> Maintenance::state(std::string_view id) const
{
    const auto states = std::atomic_load(&states_);
    if (id.empty()) return states->empty() ? R"({"state":"idle"})" : dump(*states->front());
    for (const auto& state : *states)
        if (state->at("id") == id) return dump(*state);
    return std::nullopt;
}

void Maintenance::note_failure(const Json& name, const std::exception_ptr& failure)
{
    std::string hint = "try it again; if it fails again, look at the log and at doctor";
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        hint = error.hint();
    } catch (...) {
        // An exception of a library; its text is reported below.
    }
    const std::string why = reason_of(failure);
    note("failed", name, {{"error", why}, {"hint", hint}});
    log_event<Event::maintenance_failed>(name["task"].get_ref<const std::string&>(), why, hint);
}

std::string Maintenance::start(const std::string& text)
{
    Json request = Json::parse(text, nullptr, false);
    check_task(request);
    const bool alone = waits_for_turn(request);
    if (alone && busy_.exchange(true)) throw Error(Fault::busy, "wait until it is done", "another task is under way");
    const Json name{{"id", std::to_string(next_id_.fetch_add(1))}, {"task", request["task"]}};
    try {
        note("running", name, Json::object());
        std::string begun = *state(name["id"].get_ref<const std::string&>());
        spawn_(run(std::move(request), name, alone));
        return begun;
    } catch (...) {
        const Idle idle(alone ? &busy_ : nullptr);
        note_failure(name, std::current_exception());
        throw;
    }
}

// Idle is reset however the task ends, even if the failure cannot be recorded.
Task<> Maintenance::run(Json request, Json name, bool alone)
{
    const Idle idle(alone ? &busy_ : nullptr);
    MaintenanceTools tools = tools_;
    tools.hooks.report = [this, &name](std::string_view step, std::int64_t done, std::int64_t total) {
        note("running", name, {{"step", step}, {"done", done}, {"total", total}});
    };
    std::exception_ptr failure;
    try {
        Task<Json> work = run_task(std::move(tools), std::move(request));
        const Json result = co_await std::move(work);
        note("done", name, {{"result", result}});
        log_event<Event::maintenance_done>(name["task"].get_ref<const std::string&>());
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) note_failure(name, failure);
}

} // namespace alli::daemon
