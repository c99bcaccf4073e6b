// SPDX-License-Identifier: Apache-2.0
#include "daemon/webhook/sender.hpp"

#include "alli/log.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

using Life = cache::WebhookState::Life;

constexpr int page_size = 64;
constexpr std::chrono::milliseconds look_again{100};     // at the count of commits, while there is nothing new
constexpr std::chrono::milliseconds after_fault{10'000}; // of our own files
constexpr std::chrono::seconds between_saves{1};
constexpr std::size_t most_holds = 5; // that begin without a success between them: then it is the receiver as a whole

std::string make_nonce(Random& random)
{
    std::string text;
    for (const unsigned char byte : random.bytes(6)) text += fmt::format("{:02x}", byte);
    return text;
}

} // namespace

WebhookSender::WebhookSender(WebhookEndpoint endpoint, WebhookTools tools)
    : endpoint_(std::move(endpoint)), tools_(tools),
      transport_(std::make_unique<upstream::CurlTransport>(tools.loop, endpoint_.connection)), wakeup_(tools.loop)
{}

Task<> WebhookSender::run()
{
    while (transport_) {
        std::chrono::nanoseconds pause = after_fault;
        try {
            pause = co_await step();
        } catch (...) {
            if (transport_) log_event<Event::webhook_paused>(endpoint_.address, reason_of(std::current_exception()));
        }
        if (transport_ && pause.count() > 0) co_await wakeup_.wait(tools_.clock, pause);
    }
    if (opened_ && dirty_) co_await save();
}

void WebhookSender::stop()
{
    transport_.reset(); // ends the request that is under way
    wakeup_.notify();
}

void WebhookSender::wake()
{
    state_.life = Life::alive;
    state_.tries = 0;
    state_.failing_since = state_.retry_at = std::nullopt;
    due_ = tools_.clock.steady();
    for (Held& held : holds_) held.due = due_;
    dirty_ = opened_;
    wakeup_.notify();
}

Task<std::chrono::nanoseconds> WebhookSender::step()
{
    if (!opened_) co_await open();
    if (state_.life != Life::alive) co_return std::chrono::hours(1);
    const auto left = due_ - tools_.clock.steady();
    if (left.count() > 0) co_return left;
    co_return co_await send_next();
}

Task<std::chrono::nanoseconds> WebhookSender::send_next()
{
    follow_feed();
    const auto next = find_next();
    if (next) {
        const WebhookVerdict verdict = co_await send(*next);
        if (!transport_) co_return std::chrono::nanoseconds(0); // nobody knows whether it was taken: it goes out again
        settle(*next, verdict);
    }
    const bool is_quiet = !next || state_.tries > 0;
    if (dirty_ && (is_quiet || tools_.clock.steady() >= saved_ + between_saves)) co_await save();
    if (next) co_return std::chrono::nanoseconds(0);
    co_return more_ ? std::chrono::milliseconds(1) : look_again;
}

// A new webhook begins with what comes from now on.
Task<> WebhookSender::open()
{
    auto known = tools_.store.read_outbox([&](cache::Reader& db) { return cache::find_webhook(db, endpoint_.id); });
    const auto now = tools_.clock.now();
    const auto steady = tools_.clock.steady();
    if (known) {
        state_ = std::move(*known);
        const auto rows =
            tools_.store.read_outbox([&](cache::Reader& db) { return cache::load_webhook_holds(db, endpoint_.id); });
        const auto due_at = [&](Instant at) { // whatever the clock did meanwhile
            return steady +
                   std::clamp<std::chrono::nanoseconds>(at - now, std::chrono::seconds(0), webhook_back_off.longest);
        };
        for (const cache::WebhookHold& row : rows) holds_.push_back({row, due_at(row.retry_at)});
        due_ = due_at(state_.retry_at.value_or(now));
    } else {
        state_.id = endpoint_.id;
        state_.nonce = make_nonce(tools_.random);
        state_.position = tools_.store.read([](cache::Reader& db) { return cache::load_feed_bounds(db).last; });
    }
    state_.address = endpoint_.address;
    state_.kinds = endpoint_.kinds;
    is_loud_ = state_.tries > 0;
    co_await save();
    opened_ = true;
}

Task<> WebhookSender::save()
{
    std::vector<cache::WebhookHold> rows;
    for (const Held& held : holds_) rows.push_back(held.row);
    const cache::WebhookState state = state_;
    const auto put = [&](cache::Writer& db) {
        cache::put_webhook(db, state);
        cache::put_webhook_holds(db, state.id, rows);
    };
    dirty_ = false;
    saved_ = tools_.clock.steady();
    try {
        co_await tools_.store.write_outbox(put);
    } catch (...) {
        dirty_ = true;
        throw;
    }
}

Task<WebhookVerdict> WebhookSender::send(const Pending& pending)
{
    const WebhookMessage message = pending.source == Pending::Source::reset
                                       ? make_reset(state_, first_tried(-state_.position))
                                       : make_message(state_, pending.change, first_tried(pending.change.seq));
    upstream::Request request = make_request(endpoint_, message, tools_.clock.now());
    std::optional<WebhookVerdict> verdict;
    try {
        const upstream::Reply reply = co_await transport_->send(std::move(request));
        verdict = verdict_of(reply, tools_.clock.now());
    } catch (const Error& error) {
        verdict = verdict_of(error);
    }
    co_return std::move(*verdict);
}

Instant WebhookSender::first_tried(std::int64_t seq)
{
    if (std::exchange(tried_, seq) != seq) tried_at_ = tools_.clock.now();
    return tried_at_;
}

// What was read of the feed holds until the next commit. Where the feed does not go on from the position, the receiver
// has to start again, from what it will read itself.
void WebhookSender::follow_feed()
{
    if (commits_ == tools_.store.commits()) return;
    const std::uint64_t commits = tools_.store.commits();
    const cache::FeedBounds bounds = tools_.store.read([](cache::Reader& db) { return cache::load_feed_bounds(db); });
    if (!bounds.hold(state_.position)) {
        state_.position = bounds.last;
        state_.reset = true;
        holds_.clear();
        dirty_ = true;
    }
    load_page();
    commits_ = commits;
}

void WebhookSender::load_page()
{
    page_ = tools_.store.read([&](cache::Reader& db) { return cache::load_changes(db, state_.position, page_size); });
    at_ = 0;
}

// While the receiver is away the feed goes first: a held event may be what it cannot take. Each that is refused then is
// held as well, so that the next try is another's.
std::optional<WebhookSender::Pending> WebhookSender::find_next()
{
    more_ = false;
    if (state_.reset) return Pending{Pending::Source::reset, {}};
    if (state_.tries == 0)
        if (auto held = find_held()) return held;
    if (auto fresh = find_fresh()) return fresh;
    return find_held();
}

std::optional<WebhookSender::Pending> WebhookSender::find_fresh()
{
    if (at_ == page_.size() && at_ == page_size) load_page();
    for (; at_ < page_.size(); ++at_) {
        const cache::Change& change = page_[at_];
        if (is_wanted(change) && !is_held(change.conversation)) return Pending{Pending::Source::feed, change};
        state_.position = change.seq;
        dirty_ = true;
    }
    more_ = page_.size() == page_size; // which is read in the next step: the loop has other work
    return std::nullopt;
}

// The one that is due for longest, so that each has its turn.
std::optional<WebhookSender::Pending> WebhookSender::find_held()
{
    const auto now = tools_.clock.steady();
    const auto is_earlier = [](const Held& a, const Held& b) { return a.due < b.due; };
    for (;;) {
        const auto first = std::min_element(holds_.begin(), holds_.end(), is_earlier);
        if (first == holds_.end() || first->due > now) return std::nullopt;
        cache::WebhookHold& row = first->row;
        auto change = tools_.store.read([&](cache::Reader& db) {
            return cache::find_change_of(db, {row.conversation}, row.since, state_.position);
        });
        if (change && is_wanted(*change)) return Pending{Pending::Source::hold, std::move(*change)};
        dirty_ = true;
        if (change)
            row.since = change->seq;
        else
            holds_.erase(first);
    }
}

WebhookSender::Held* WebhookSender::find_hold(const ConversationId& id)
{
    const auto found =
        std::find_if(holds_.begin(), holds_.end(), [&](const Held& held) { return held.row.conversation == id.value; });
    return found == holds_.end() ? nullptr : &*found;
}

bool WebhookSender::is_held(const ConversationId& id) const
{
    return std::any_of(holds_.begin(), holds_.end(),
                       [&](const Held& held) { return held.row.conversation == id.value; });
}

bool WebhookSender::is_wanted(const cache::Change& change) const
{
    return endpoint_.kinds.find(',' + change.kind + ',') != endpoint_.kinds.npos;
}

void WebhookSender::settle(const Pending& pending, const WebhookVerdict& verdict)
{
    using Kind = WebhookVerdict::Kind;
    dirty_ = true;
    state_.answered_at = tools_.clock.now();
    state_.last_status = verdict.status;
    state_.last_error = std::nullopt;
    if (verdict.kind == Kind::taken) return note_success(pending);
    state_.last_error = verdict.error;
    ++state_.failures;
    if (verdict.kind == Kind::gone) return end(Life::gone, verdict);
    if (verdict.kind == Kind::refused && pending.source != Pending::Source::reset)
        return note_refusal(pending, verdict);
    note_unavailable(verdict);
}

void WebhookSender::note_success(const Pending& pending)
{
    if (std::exchange(is_loud_, false)) log_event<Event::webhook_delivers>(endpoint_.address);
    ++state_.delivered;
    state_.delivered_at = state_.answered_at;
    state_.tries = 0;
    state_.failing_since = state_.retry_at = std::nullopt;
    if (pending.source == Pending::Source::reset) {
        state_.reset = false;
    } else if (pending.source == Pending::Source::feed) {
        state_.position = pending.change.seq;
        ++at_;
    } else if (Held* held = find_hold(pending.change.conversation)) {
        held->row.since = pending.change.seq;
        held->row.tries = 0;
    }
}

// An event that is refused is held, whatever else: what stands behind it is tried next. Where that is the receiver's as
// a whole, all wait before.
void WebhookSender::note_refusal(const Pending& pending, const WebhookVerdict& verdict)
{
    const bool is_fresh = pending.source == Pending::Source::feed;
    const bool is_whole = state_.tries > 0 || (is_fresh && began_since_success() >= most_holds);
    if (is_fresh)
        hold(pending.change, verdict);
    else if (Held* held = find_hold(pending.change.conversation))
        hold_longer(*held, pending.change.seq, verdict);
    if (is_whole) note_unavailable(verdict);
}

std::size_t WebhookSender::began_since_success() const
{
    const auto since_success = [&](const Held& held) {
        return !state_.delivered_at || held.row.failing_since > *state_.delivered_at;
    };
    return static_cast<std::size_t>(std::count_if(holds_.begin(), holds_.end(), since_success));
}

void WebhookSender::hold(const cache::Change& change, const WebhookVerdict& verdict)
{
    if (holds_.size() >= tools_.most_held) leave_out_oldest(verdict);
    const Instant now = *state_.answered_at;
    const auto pause = pause_after(0, verdict);
    holds_.push_back({{change.conversation.value, change.seq - 1, 1, now, now + pause}, tools_.clock.steady() + pause});
    state_.position = change.seq;
    ++at_;
    log_event<Event::webhook_refused>(endpoint_.address, verdict.error, change.conversation.value);
}

void WebhookSender::leave_out_oldest(const WebhookVerdict& verdict)
{
    const auto is_older = [](const Held& a, const Held& b) { return a.row.failing_since < b.row.failing_since; };
    const auto oldest = std::min_element(holds_.begin(), holds_.end(), is_older);
    if (oldest == holds_.end()) return;
    ++state_.given_up;
    log_event<Event::webhook_gave_up>(endpoint_.address, verdict.error, oldest->row.conversation);
    holds_.erase(oldest);
}

void WebhookSender::hold_longer(Held& held, std::int64_t seq, const WebhookVerdict& verdict)
{
    const Instant now = *state_.answered_at;
    if (now - held.row.failing_since >= longest_failure && held.row.tries >= fewest_tries) {
        ++state_.given_up;
        log_event<Event::webhook_gave_up>(endpoint_.address, verdict.error, held.row.conversation);
        held.row.since = seq;
        held.row.failing_since = now;
        held.row.tries = 0;
        return;
    }
    const auto pause = pause_after(held.row.tries++, verdict);
    held.row.retry_at = now + pause;
    held.due = tools_.clock.steady() + pause;
}

void WebhookSender::note_unavailable(const WebhookVerdict& verdict)
{
    const Instant now = *state_.answered_at;
    if (!state_.failing_since || *state_.failing_since > now) state_.failing_since = now;
    const auto pause = pause_after(state_.tries++, verdict);
    state_.retry_at = now + pause;
    due_ = tools_.clock.steady() + pause;
    if (now - *state_.failing_since >= longest_failure && state_.tries >= fewest_tries) return end(Life::dead, verdict);
    if (state_.tries > 1 && !std::exchange(is_loud_, true)) // once may be a connection that was closed meanwhile
        log_event<Event::webhook_failing>(endpoint_.address, verdict.error);
}

void WebhookSender::end(Life life, const WebhookVerdict& verdict)
{
    state_.life = life;
    if (!state_.failing_since) state_.failing_since = state_.answered_at;
    state_.retry_at = std::nullopt;
    ++state_.tries; // so that it is noted at once
    is_loud_ = true;
    log_event<Event::webhook_ended>(endpoint_.address, verdict.error);
}

std::chrono::milliseconds WebhookSender::pause_after(int failures, const WebhookVerdict& verdict)
{
    const auto drawn = webhook_back_off.draw(tools_.random, failures);
    return std::max(drawn, verdict.retry_after.value_or(drawn));
}

} // namespace alli::daemon
