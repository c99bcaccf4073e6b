// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/cluster_node.hpp"

#include "alli/log.hpp"
#include "cache/upkeep/purge.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::daemon {

ClusterNode::ClusterNode(LeaderWorkTools tools, ClusterOptions options, LeaderWork& work, RunBarrier barrier,
                         std::function<void(std::exception_ptr)> failed)
    : loop_(tools.loop), clock_(tools.clock), store_(tools.store), work_(work), failed_(std::move(failed)),
      name_(options.node.name), truth_(std::move(options.database)),
      run_notes_(tools.loop, truth_, tools.clock, name_, std::move(barrier)),
      refresh_requests_(tools.loop, truth_, tools.clock), shares_writes_(options.node.shares_writes),
      node_(tools.loop.get_executor(), truth_, tools.store, tools.clock, std::move(options.node), hooks()),
      writes_(tools.loop, truth_.outbox(), node_.writes(), tools.store, tools.clock,
              [this] { return work_.deliverer(); })
{
    if (!shares_writes_) return;
    work_.share([this](sync::Beginning beginning) { return writes_.begin(std::move(beginning)); },
                [this](std::int64_t id, cache::Outcome outcome) { return writes_.settle(id, std::move(outcome)); },
                [this](std::int64_t id) { return writes_.is_awaited(id); });
}

cluster::NodeHooks ClusterNode::hooks()
{
    cluster::NodeHooks hooks;
    hooks.begin = [this] { begin(); };
    hooks.cancel = [this] { cancel(); };
    hooks.ended = [this] { return work_.ended(); };
    hooks.run = [this](const cluster::Run& run) { run_notes_.hear(run); };
    hooks.has_fetched = [this](const cluster::Run& run) { return run_notes_.has_fetched(run); };
    hooks.refresh = [this](std::vector<std::string> conversations) { return refresh(std::move(conversations)); };
    hooks.lines_changed = [this](const auto& lines) { work_.deliverer()->look_again(lines); };
    hooks.writes = [this](const auto& applied) { writes_.changed(applied); };
    hooks.erased = [this] { clean_files(); };
    hooks.deadline = [this](std::optional<Clock::Steady> when) { deadline_.set(when); };
    return hooks;
}

void ClusterNode::begin()
{
    work_.renew();
    run_notes_.begin_leading();
    work_.begin(failed_, [] {});
    log_event<Event::cluster_leads>(name_, node_.status()->epoch);
}

void ClusterNode::cancel()
{
    work_.cancel_sync();
    work_.cancel_delivery();
    log_event<Event::cluster_resigned>(name_);
}

void ClusterNode::clean_files()
{
    unclean_ = true;
    if (std::exchange(cleaning_, true)) return;
    asio::co_spawn(loop_, clean_files_until_done(), asio::detached);
}

// Once more for what came meanwhile. What fails is done by the next purge, here or elsewhere.
Task<> ClusterNode::clean_files_until_done()
{
    cache::PurgeHooks hooks;
    hooks.stopping = [this] { return stopping_; };
    while (std::exchange(unclean_, false) && !stopping_) {
        try {
            co_await cache::erase_remains(store_, hooks);
        } catch (const Error& error) {
            if (error.fault() != Fault::canceled) log_event<Event::index_paused>(std::string_view(error.what()));
        }
    }
    cleaning_ = false;
}

// `*`: a list, and what it lacked a poll brings.
Task<> ClusterNode::refresh(std::vector<std::string> conversations)
{
    const auto engine = work_.engine();
    const bool news = std::erase(conversations, "*") > 0;
    std::vector<ConversationId> ids;
    for (std::string& id : conversations) ids.push_back(ConversationId{std::move(id)});
    co_await engine->fetch(std::move(ids));
    if (news) co_await engine->fetch_news();
}

void ClusterNode::start(std::function<void()> ended)
{
    auto handle = [this, ended = std::move(ended)](std::exception_ptr error) {
        deadline_.set(std::nullopt);
        cancel_notes_.emit(asio::cancellation_type::terminal);
        cancel_requests_.emit(asio::cancellation_type::terminal);
        if (error && !stopping_) failed_(error);
        ended();
    };
    asio::co_spawn(loop_, node_.run(), std::move(handle));
    asio::co_spawn(loop_, run_notes_.run(), asio::bind_cancellation_slot(cancel_notes_.slot(), asio::detached));
    asio::co_spawn(loop_, refresh_requests_.run(),
                   asio::bind_cancellation_slot(cancel_requests_.slot(), asio::detached));
}

void ClusterNode::stop()
{
    stopping_ = true;
    node_.stop();
    writes_.stop();
}

proxy::NodeState ClusterNode::state() const
{
    const auto status = node_.status();
    proxy::NodeState state{.leads = status->role == cluster::Role::leader,
                           .hears = status->hears(),
                           .shares_writes = shares_writes_,
                           .position = status->position};
    if (status->database_now)
        state.now =
            *status->database_now + std::chrono::floor<std::chrono::microseconds>(clock_.steady() - status->asked_at);
    return state;
}

Task<proxy::SharedAcceptance> ClusterNode::accept(cache::NewEntry entry, std::chrono::milliseconds patience)
{
    auto work = writes_.accept(cache::new_write(std::move(entry)), patience);
    SharedAcceptance accepted = co_await asio::co_spawn(loop_, std::move(work), asio::use_awaitable);
    proxy::SharedAcceptance acceptance;
    acceptance.kind = accepted.kind;
    acceptance.entry = std::move(accepted.entry);
    co_return acceptance;
}

// Of writes as well: with the first note a node has told all of them.
std::optional<std::int64_t> ClusterNode::find_told(std::uint64_t note) const
{
    const auto told = run_notes_.find_told(note);
    return note == 0 ? std::max(told.value_or(0), writes_.newest()) : told;
}

std::uint64_t ClusterNode::note_run(const ConversationId& id, bool ended, std::uint64_t fence)
{
    return run_notes_.note(id, ended ? cluster::RunState::ended : cluster::RunState::running, fence);
}

// Its own name: of a lease that it has lost since.
std::string ClusterNode::leader() const
{
    const auto status = node_.status();
    return status->leader == name_ && status->role != cluster::Role::leader ? "" : status->leader;
}

bool ClusterNode::step_down()
{
    if (!state().leads) return false;
    asio::post(loop_, [this] { node_.step_down(); });
    return true;
}

void ClusterNode::tell_changes()
{
    const auto now = node_.status();
    tell_database(*now);
    const bool follows = now->role == cluster::Role::follower && !now->leader.empty() && now->leader != name_;
    const std::string leader = follows ? now->leader : "";
    if (leader == std::exchange(told_leader_, leader) || !follows) return;
    log_event<Event::cluster_follows>(leader, name_, now->position);
}

void ClusterNode::tell_database(const cluster::NodeStatus& now)
{
    const bool away = !now.trouble.empty() && !now.database_reachable;
    if (away && !told_away_) log_event<Event::database_away>(now.trouble, now.hint);
    if (told_away_ && now.database_reachable) log_event<Event::database_back>();
    told_away_ = away || (told_away_ && !now.database_reachable);
    const std::string trouble = now.database_reachable ? now.trouble : "";
    if (trouble != std::exchange(told_trouble_, trouble) && !trouble.empty())
        log_event<Event::database_refuses>(trouble, now.hint);
}

} // namespace alli::daemon
