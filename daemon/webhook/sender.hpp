// SPDX-License-Identifier: Apache-2.0
// One webhook: sends the change feed to its receiver, one event after the other, on the engine's loop. What was taken
// is noted in outbox.db at least once a second, so that a crash repeats little and skips nothing. An event that is
// refused holds its conversation alone, whatever that is; a receiver that is away holds all. Every event is read from
// the feed right before it is sent: nothing goes out that a purge has removed.
#pragma once

#include "alli/random.hpp"
#include "cache/store.hpp"
#include "cache/webhook_state.hpp"
#include "daemon/webhook/message.hpp"
#include "daemon/webhook/verdict.hpp"
#include "sync/loop/wakeup.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace alli::daemon {

/// All outlive the senders.
struct WebhookTools {
    asio::any_io_executor loop;
    cache::Store& store;
    Clock& clock;
    Random& random;
    /// Conversations that are held at once; of more the oldest is left out. A receiver that refuses everything is given
    /// up (longest_failure) before there are so many.
    std::size_t most_held = 500;
};

class WebhookSender {
  public:
    WebhookSender(WebhookEndpoint endpoint, WebhookTools tools);

    /// Until stop(). What fails on the way is logged and tried again.
    Task<> run();
    /// On the loop: gives up what is under way, notes the position, ends.
    void stop();
    /// On the loop: a person says that the receiver is well again.
    void wake();
    const std::string& id() const noexcept { return endpoint_.id; }

  private:
    using Steady = Clock::Steady;

    struct Held {
        cache::WebhookHold row;
        Steady due;
    };
    struct Pending {
        enum class Source { feed, hold, reset };
        Source source = Source::feed;
        cache::Change change;
    };

    Task<std::chrono::nanoseconds> step(); // how long to wait before the next one
    Task<std::chrono::nanoseconds> send_next();
    Task<> open();
    Task<> save();
    Task<WebhookVerdict> send(const Pending& pending); // awaited at once

    void follow_feed();
    void load_page();
    std::optional<Pending> find_next();
    std::optional<Pending> find_fresh();
    std::optional<Pending> find_held();
    bool is_held(const ConversationId& id) const;
    bool is_wanted(const cache::Change& change) const;
    Instant first_tried(std::int64_t seq);

    void settle(const Pending& pending, const WebhookVerdict& verdict);
    void note_success(const Pending& pending);
    void note_refusal(const Pending& pending, const WebhookVerdict& verdict);
    void note_unavailable(const WebhookVerdict& verdict);
    std::size_t began_since_success() const;
    void hold(const cache::Change& change, const WebhookVerdict& verdict);
    void leave_out_oldest(const WebhookVerdict& verdict);
    void hold_longer(Held& held, std::int64_t seq, const WebhookVerdict& verdict);
    void end(cache::WebhookState::Life life, const WebhookVerdict& verdict);
    Held* find_hold(const ConversationId& id);
    std::chrono::milliseconds pause_after(int failures, const WebhookVerdict& verdict);

    WebhookEndpoint endpoint_;
    WebhookTools tools_;
    std::unique_ptr<upstream::CurlTransport> transport_; // none: it is about to end
    sync::Wakeup wakeup_;
    bool opened_ = false, dirty_ = false, more_ = false;
    cache::WebhookState state_;
    std::vector<Held> holds_;
    Steady due_{}, saved_{};
    std::vector<cache::Change> page_; // of the feed, after the position
    std::size_t at_ = 0;
    std::optional<std::uint64_t> commits_; // as of which it was read
    std::int64_t tried_ = 0;               // the event that was tried last, and when first
    Instant tried_at_;
    bool is_loud_ = false; // a failure was logged, and no success since
};

} // namespace alli::daemon
