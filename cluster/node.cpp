// SPDX-License-Identifier: Apache-2.0
#include "cluster/node.hpp"

#include "alli/back_off.hpp"
#include "cache/replica/notes.hpp"
#include "cache/replica/own_writes.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::cluster {

using namespace asio::experimental::awaitable_operators;

namespace {

// A server bars those who try a wrong password again and again.
constexpr std::chrono::seconds longest_pause{30};

// What a cancellation throws is Asio's.
bool is_ours(const std::exception_ptr& failure)
{
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error&) {
        return false;
    } catch (const asio::multiple_exceptions&) {
        return false;
    } catch (...) {
        return true;
    }
}

} // namespace

static Task<> as_far_as_possible(Task<> work)
{
    try {
        co_await std::move(work);
    } catch (const Error& error) {
        if (is_final(error)) throw;
    }
}

Node::Node(asio::any_io_executor loop, Truth& truth, cache::Store& store, Clock& clock, NodeOptions options,
           NodeHooks hooks)
    : truth_(truth), store_(store), clock_(clock), options_(std::move(options)), hooks_(std::move(hooks)),
      follower_(truth, store, clock, options_, hooks_), writes_(truth.outbox(), store, clock, options_, hooks_),
      unseen_writes_(truth, store, options_), ends_(loop, 1), hears_(loop, 1)
{
    writes_.hear_soon = [this] { hear_soon(); };
    publish_status();
}

void Node::stop()
{
    stopping_ = true;
    ends_.close();
}

void Node::step_down()
{
    if (!leader_) return;
    steps_down_ = true;
    stop_leading();
}

void Node::stop_leading()
{
    ends_.try_send(boost::system::error_code());
}

Task<> Node::wait_for_end()
{
    if (stopping_) co_return;
    co_await ends_.async_receive(asio::as_tuple(asio::use_awaitable));
}

// Awaited beside others: what it throws must not be taken for its going on.
Task<> Node::keep_failure(Task<> work)
{
    std::exception_ptr failed;
    try {
        co_await std::move(work);
        co_return;
    } catch (...) {
        failed = std::current_exception();
    }
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    const bool canceled = state.cancelled() != asio::cancellation_type::none; // another of them has ended
    if (canceled && !is_ours(failed)) std::rethrow_exception(failed);
    failure_ = failed;
}

void Node::throw_failure() const
{
    if (failure_ && !stopping_) std::rethrow_exception(failure_);
}

Task<> Node::run()
{
    while (!stopping_) {
        co_await follow_until_elected();
        if (elected_) co_await lead(*std::exchange(elected_, std::nullopt));
    }
}

Task<> Node::follow_until_elected()
{
    while (!stopping_ && !elected_) {
        co_await (keep_failure(follow_once()) || wait_for_end());
        throw_failure();
        if (!stopping_ && !elected_) co_await (keep_failure(wait_for_news()) || wait_for_end());
        throw_failure();
    }
}

Task<> Node::follow_once()
{
    std::optional<Error> failure;
    try {
        if (follower_.is_joining()) current_.role = Role::joining, publish_status();
        const Head head = co_await follower_.follow();
        if (options_.shares_writes) co_await writes_.follow(head);
        current_.role = Role::follower;
        tell(head);
        if (options_.shares_writes) co_await as_far_as_possible(writes_.purge());
        co_await announce();
        co_await as_far_as_possible(unseen_writes_.ask());
        if (may_campaign(head)) co_await campaign(head);
    } catch (const Error& error) {
        failure = error;
    }
    if (failure && is_final(*failure)) throw Error(*failure);
    if (failure) tell_trouble(*failure);
    const bool needs_person = failure && failure->fault() != Fault::unreachable;
    refusals_ = needs_person ? refusals_ + 1 : 0;
}

// A lease that nobody renewed for its whole length by this node's own clock, or that was given up.
bool Node::may_campaign(const Head& seen)
{
    const Clock::Steady now = clock_.steady();
    if (seen.epoch != epoch_seen_ || seen.beat != beat_seen_) {
        epoch_seen_ = seen.epoch, beat_seen_ = seen.beat;
        seen_since_ = now;
    }
    if (!options_.may_lead || now < stays_down_until_) return false;
    return seen.holder.empty() || now - seen_since_ >= std::max(options_.lease, seen.lease);
}

Task<> Node::campaign(const Head& seen)
{
    campaign_sent_ = clock_.steady();
    elected_ = co_await truth_.campaign(seen.epoch, seen.beat);
}

Task<> Node::wait_for_news()
{
    if (refusals_ > 0) {
        const BackOff pauses{options_.poll, longest_pause};
        co_await clock_.sleep(pauses.after(refusals_ - 1));
        co_return;
    }
    bool failed = false;
    try {
        co_await truth_.wait_news(options_.poll);
    } catch (const Error& error) {
        if (is_final(error)) throw;
        failed = true;
    }
    if (failed || !current_.database_reachable) co_await clock_.sleep(options_.poll);
}

// Each lease once: others show it, nothing depends on it.
Task<> Node::announce()
{
    const Clock::Steady now = clock_.steady();
    if (announced_at_ != Clock::Steady{} && now - announced_at_ < options_.lease) co_return;
    announced_at_ = now;
    NodeRow row;
    row.version = options_.version;
    row.address = options_.address;
    row.role = options_.may_lead ? "full" : "reader";
    row.doing = name_of(current_.role);
    row.position = follower_.position().number;
    co_await truth_.announce(std::move(row));
}

// Beside leading, and no reason to end it.
Task<> Node::announce_forever()
{
    for (;;) {
        try {
            co_await announce();
        } catch (const Error&) {
            // the heartbeat says what is wrong
        }
        co_await clock_.sleep(options_.lease);
    }
}

Task<> Node::lead(std::int64_t epoch)
{
    leader_ = std::make_unique<Leader>(
        truth_, store_, clock_, options_, follower_, hooks_, epoch, campaign_sent_,
        [this](bool answered) { tell_heard(answered); }, [this](const Error* failure) { tell_published(failure); });
    steps_down_ = false;
    unpublished_.clear();
    co_await (then_stand_down(leader_->watch()) || then_stand_down(keep_failure(leader_->hold(hooks_.deadline))) ||
              then_stand_down(keep_failure(take_over(epoch))) || then_stand_down(keep_failure(announce_forever())) ||
              then_stand_down(wait_for_end()));
    co_await end_leading(epoch);
    throw_failure();
}

// The first of them that ends ends leading. The others may take long to end: a write to the mirror, or a request,
// cannot be canceled at once.
Task<> Node::then_stand_down(Task<> work)
{
    co_await std::move(work);
    stand_down();
}

void Node::stand_down()
{
    if (!leader_->stand_down()) return;
    if (begun_) hooks_.cancel();
    hooks_.deadline(std::nullopt);
    current_.role = Role::follower;
    publish_status();
}

// The lease may be lost on the way: then whoever awaits this has ended it.
Task<Head> Node::catch_up()
{
    for (bool lifted = false;;) {
        std::optional<Error> failure;
        Head head;
        try {
            if (!lifted) co_await truth_.lift(follower_.position().number);
            lifted = true;
            head = co_await follower_.follow();
            co_await follower_.share_settings(head.epoch);
            shared_state_ = co_await follower_.shared_state();
            if (options_.shares_writes) co_await take_over_writes(head);
            tell(head);
        } catch (const Error& error) {
            failure = error;
        }
        if (!failure) co_return head;
        if (is_final(*failure)) throw Error(*failure);
        tell_trouble(*failure);
        co_await clock_.sleep(options_.beat() / 4);
    }
}

Task<> Node::take_over_writes(const Head& head)
{
    co_await writes_.follow(head);
    co_await writes_.recover();
}

Task<> Node::take_over(std::int64_t epoch)
{
    if (options_.shares_writes) writes_.begin_leading(epoch);
    const Head head = co_await catch_up();
    cache::Lead lead{head.store, head.epoch, head.led_from};
    if (options_.shares_writes) unseen_writes_.collect(); // of whoever led before
    if (!options_.shares_writes) co_await cache::begin_lead(store_, std::move(lead));
    const auto note = [all = !follower_.shared_is_whole(), &shared = shared_state_](cache::Writer& db) {
        cache::publish_purged(db);
        if (all)
            cache::note_all(db);
        else
            cache::note_state_besides(db, shared);
    };
    co_await store_.write(note);
    if (!leader_->holds()) co_return; // the store took its time
    current_.role = Role::leader;
    publish_status();
    begun_ = true;
    hooks_.begin();
    co_await (keep_failure(leader_->publish_forever()) || keep_failure(leader_->serve_runs_forever()) ||
              keep_failure(leader_->serve_refreshes_forever()) || keep_failure(leader_->serve_kept_forever()) ||
              keep_failure(hear_forever()));
}

// What other nodes add. Of all of it: its predecessor may not have got to it.
Task<> Node::hear_forever()
{
    follower_.forget_heard();
    for (;;) {
        std::optional<Error> failure;
        try {
            hears_soon_ = false;
            co_await hear_once();
            co_await (clock_.sleep(5 * options_.publish_pause) || wait_to_hear()); // its own news are heard as well
            co_await (wait_for_news() || wait_to_hear());
        } catch (const Error& error) {
            failure = error; // the heartbeat says what is wrong with the database
        }
        if (failure && is_final(*failure)) throw Error(*failure);
        if (follower_.settings_differ()) co_return; // it does not lead any more
        if (failure) co_await clock_.sleep(options_.poll);
    }
}

Task<> Node::hear_once()
{
    const Round heard = co_await follower_.hear();
    leader_->ask(heard); // it is not told again
    co_await follower_.after_hearing(heard.head);
    if (options_.shares_writes && !co_await writes_.follow(heard.head)) stop_leading();
    co_await hand_over_purges();
    co_await unseen_writes_.ask(); // of the process before this one
    if (options_.shares_writes) co_await writes_.forget();
}

Task<> Node::hand_over_purges()
{
    co_await follower_.hand_over_purges();
    if (options_.shares_writes) co_await writes_.purge();
}

Task<bool> Node::hand_over_purges(std::chrono::milliseconds patience)
{
    const Clock::Steady until = clock_.steady() + patience;
    for (;;) {
        bool failed = false;
        try {
            co_await hand_over_purges();
        } catch (const Error& error) {
            if (is_final(error)) throw;
            failed = true;
        }
        if (!failed) co_return true;
        if (stopping_ || clock_.steady() >= until) co_return false;
        co_await clock_.sleep(options_.poll / 2);
    }
}

void Node::hear_soon()
{
    hears_soon_ = true;
    hears_.try_send(boost::system::error_code());
}

// A message of before is as good.
Task<> Node::wait_to_hear()
{
    if (hears_soon_) co_return;
    co_await hears_.async_receive(asio::as_tuple(asio::use_awaitable));
}

// Nothing of a leader is sent any more. Now to what took longer.
Task<> Node::end_leading(std::int64_t epoch)
{
    stand_down();
    if (std::exchange(begun_, false)) {
        co_await hooks_.ended();
        unseen_writes_.collect();
    }
    writes_.end_leading();
    if (steps_down_) stays_down_until_ = clock_.steady() + 2 * options_.lease;
    epoch_seen_ = beat_seen_ = -1;
    // Where the lease is lost, or the database away, nothing is published. What is not, is the next leader's to fetch.
    if (!follower_.settings_differ())
        co_await (keep_failure(as_far_as_possible(leader_->publish_all())) || clock_.sleep(options_.beat() / 2));
    co_await (keep_failure(as_far_as_possible(unseen_writes_.ask())) || clock_.sleep(options_.beat() / 4));
    co_await (keep_failure(resign(epoch)) || clock_.sleep(options_.beat() / 2));
    leader_.reset();
}

// Whatever became of the rest: another one is to take over at once. Nothing is being sent: what was is nobody's loss.
// It may resign because the database was put back: what this takes is no number that was given before.
Task<> Node::release_writes(std::int64_t epoch)
{
    co_await truth_.lift(follower_.position().number);
    co_await truth_.outbox().release(epoch);
}

Task<> Node::resign(std::int64_t epoch)
{
    try {
        if (options_.shares_writes) co_await as_far_as_possible(release_writes(epoch));
        co_await truth_.resign(epoch);
    } catch (const Error&) {
        // its lease runs out
    }
}

} // namespace alli::cluster
