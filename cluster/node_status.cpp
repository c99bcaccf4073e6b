// SPDX-License-Identifier: Apache-2.0
// What a node says of itself: cluster/node.cpp tells what happened.
#include "cluster/node.hpp"

#include <array>

namespace alli::cluster {
namespace {

NodeProblem other_lease(std::chrono::milliseconds ours, std::chrono::milliseconds theirs)
{
    return {fmt::format("cluster.lease is {} ms at this node and {} ms at the leader", ours.count(), theirs.count()),
            "set the same at all nodes; until then this one waits for the longer one before it leads"};
}

} // namespace

std::string_view name_of(Role role) noexcept
{
    constexpr std::array<std::string_view, 4> names{"follower", "leader", "joining", "apart"};
    return names[static_cast<std::size_t>(role)];
}

// Of two databases that take turns one may have a clock that is behind: ages never fall by that.
void Node::tell(const Head& head)
{
    const Follower::DatabaseTime time = follower_.database_time();
    const auto passed = std::chrono::floor<std::chrono::microseconds>(time.asked_at - current_.asked_at);
    current_.database_now = current_.database_now ? std::max(*current_.database_now + passed, time.now) : time.now;
    current_.asked_at = time.asked_at;
    current_.leader = head.leader;
    current_.last = head.last.number;
    current_.position = follower_.position().number;
    current_.epoch = head.epoch;
    current_.database_reachable = true;
    current_.trouble.clear();
    current_.hint.clear();
    current_.problems.clear();
    if (head.lease.count() > 0 && head.lease != options_.lease)
        current_.problems.push_back(other_lease(options_.lease, head.lease));
    publish_status();
}

// While it leads nobody else publishes: what is last is its own.
void Node::tell_heard(bool answered)
{
    const std::int64_t position = follower_.position().number;
    if (answered == current_.database_reachable && position == current_.position) return;
    current_.database_reachable = answered;
    current_.position = current_.last = position;
    tell_leading();
}

void Node::tell_published(const Error* failure)
{
    if (current_.problems != leader_->problems()) {
        current_.problems = leader_->problems();
        publish_status();
    }
    const std::string why = failure ? std::string("what changed here cannot be published: ") + failure->what() : "";
    if (why == unpublished_) return;
    unpublished_ = why;
    unpublished_hint_ = failure ? failure->hint() : "";
    tell_leading();
}

// What heartbeats say does not end what publishing says.
void Node::tell_leading()
{
    const bool away = !current_.database_reachable;
    current_.trouble = away ? "the database does not answer" : unpublished_;
    current_.hint = away                   ? "see to it; writes wait, and reads are answered from this node's files"
                    : unpublished_.empty() ? ""
                                           : unpublished_hint_;
    publish_status();
}

void Node::tell_trouble(const Error& error)
{
    current_.database_reachable = error.fault() != Fault::unreachable;
    if (current_.database_reachable && current_.role != Role::leader) current_.role = Role::apart;
    current_.trouble = error.what();
    current_.hint = error.hint();
    publish_status();
}

} // namespace alli::cluster
