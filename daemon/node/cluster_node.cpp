// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/cluster_node.hpp"

#include "alli/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

namespace alli::daemon {

ClusterNode::ClusterNode(LeaderWorkTools tools, ClusterOptions options, LeaderWork& work,
                         std::function<void(std::exception_ptr)> failed)
    : loop_(tools.loop), work_(work), failed_(std::move(failed)), name_(options.node.name),
      truth_(std::move(options.database)),
      node_(tools.loop.get_executor(), truth_, tools.store, tools.clock, std::move(options.node), hooks())
{}

cluster::NodeHooks ClusterNode::hooks()
{
    cluster::NodeHooks hooks;
    hooks.begin = [this] { begin(); };
    hooks.cancel = [this] { cancel(); };
    hooks.ended = [this] { return work_.ended(); };
    hooks.deadline = [this](std::optional<Clock::Steady> when) { deadline_.set(when); };
    return hooks;
}

void ClusterNode::begin()
{
    work_.renew();
    work_.begin(failed_, [] {});
    log_event<Event::cluster_leads>(name_, node_.status()->epoch);
}

void ClusterNode::cancel()
{
    work_.cancel_sync();
    work_.cancel_delivery();
    log_event<Event::cluster_resigned>(name_);
}

void ClusterNode::start(std::function<void()> ended)
{
    auto handle = [this, ended = std::move(ended)](std::exception_ptr error) {
        deadline_.set(std::nullopt);
        if (error && !stopping_) failed_(error);
        ended();
    };
    asio::co_spawn(loop_, node_.run(), std::move(handle));
}

void ClusterNode::stop()
{
    stopping_ = true;
    node_.stop();
}

proxy::NodeState ClusterNode::state() const
{
    const auto status = node_.status();
    return {.leads = status->role == cluster::Role::leader,
            .database_reachable = status->database_reachable,
            .position = status->position};
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
