// SPDX-License-Identifier: Apache-2.0
// The reads of the conversations API, one function an operation of the contract, and the ways for what others wrote.
// Adds the key, paces, and turns what is not 2xx into an Error that says what upstream said. Runs on the engine's loop.
#pragma once

#include "alli/category.hpp"
#include "alli/clock.hpp"
#include "alli/conversation.hpp"
#include "alli/envelope.hpp"
#include "alli/page_sizes.hpp"
#include "alli/wire.hpp"
#include "upstream/authenticity.hpp"
#include "upstream/daily_count.hpp"
#include "upstream/http.hpp"
#include "upstream/meters.hpp"
#include "upstream/rate_limiter.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace alli::upstream {

/// By last chat time the newest or the oldest first (the contract infers the latter), or by creation the newest first
/// (likewise inferred).
enum class ListOrder { newest, oldest, newest_created };

struct ListQuery {
    std::optional<Instant> started_at;                               // last chat time after this
    std::optional<Instant> end_at;                                   // last chat time before this
    std::optional<Instant> first_chat_started_at, first_chat_end_at; // the same of the first chat
    std::optional<std::string> cursor;
    int page_size = conversations_a_page; // from 1
    ListOrder order = ListOrder::newest;
    bool mend = false; // what is left of a page of one whose structure is broken: wire.hpp
};

/// What both clocks said when an answer was made.
struct ClockReadings {
    Instant ours;
    std::optional<Instant> theirs = {}; // the answer's Date; none: it sends none
    bool ours_is_heeded = true;         // false: ours lies before the program was built
};

struct Listed {
    ConversationPage page;
    // When it was asked, by the earlier of two clocks: upstream's (its Date less the time the request took) and ours.
    // A gateway's clock may run ahead of the data, and so may ours.
    Instant asked_at;
    ClockReadings clocks;
};

/// The categories of the project, and the answer as it came.
struct ListedCategories {
    std::string raw;
    std::vector<Category> categories;
};

class Client {
  public:
    struct Options {
        std::string api_key;
        TimeUnit time_unit = TimeUnit::unknown;
        std::string daily_count_path = "/webapi/v2/conversations/daily_count";
        std::vector<std::string> variables = {}; // asked for with every list
        Instant built_at = {};                   // a clock of ours that says less is not heeded
    };

    Client(Transport& transport, RateLimiter& pace, Clock& clock, Options options);

    // Reads. The service's own 404 or 410 of one thing is an absent value; every other answer of its that is not 2xx
    // throws (key_rejected, unavailable, refused), and what is not its answer does (bad_reply): authenticity.hpp.
    Task<Listed> list_conversations(ListQuery query, Priority priority);
    Task<std::optional<Conversation>> find_conversation(ConversationId id, Priority priority);
    Task<std::optional<std::vector<Chat>>> list_chats(ConversationId id, int page_no, Priority priority);
    /// A page whose structure is broken, mended; `expected`: how many chats there must be.
    Task<std::optional<std::vector<Chat>>> salvage_chats(ConversationId id, int page_no, std::size_t expected,
                                                         Priority priority);
    Task<std::optional<Chat>> find_chat(ConversationId id, ChatId chat, Priority priority);
    Task<bool> is_running(ConversationId id, Priority priority);
    Task<std::optional<ListedCategories>> list_categories(Priority priority); // none: upstream has no such list
    /// Of a range of days, both included; none: upstream has no such operation.
    Task<std::optional<std::vector<DailyCount>>> daily_counts(std::string start_date, std::string end_date,
                                                              Priority priority);

    /// A write of the outbox as it came, with our key and in delivery's turn. Any answer is the Reply, a web page too:
    /// the verdict is the caller's.
    Task<Reply> deliver(Request request);
    /// The same where it has to be begun elsewhere: `begin` is called when it may go, as late as can be. None: that
    /// said no, and nothing was sent.
    Task<std::optional<Reply>> deliver(Request request, std::function<Task<bool>()> begin);

    /// Whether a 404 or 410 is the service's word that something does not exist: it looks like the answer for an id
    /// that nobody has, while the service answers a list. Asks once, and again when one does not look like that. Throws
    /// what asking throws.
    Task<bool> is_absence(Reply reply, Priority priority);
    /// When the service itself last answered a read; none yet since the start.
    std::optional<Clock::Steady> answered_at() const noexcept { return answered_at_; }

    /// Any other request, with our key in the permit of any it had and nothing else changed. For the proxy's relay.
    Task<Reply> relay(Request request);

    /// What every call waits for; what it throws, the call throws, and nothing is sent. Before the first call.
    void admit_by(std::function<Task<>()> admit) { admit_ = std::move(admit); }

    /// Hears in what envelope answers come, whenever that is another than before. On the engine's loop.
    void tell_envelope(std::function<void(Content, const Envelope&)> listener)
    {
        envelope_listener_ = std::move(listener);
    }

    /// Hears how each request ended, on the engine's loop. Before the first call.
    void tell(std::function<void(const Outcome&)> listener) { listener_ = std::move(listener); }

    /// A person asked to try now, whatever failed before. On the engine's loop.
    void wake() { pace_.wake(); }
    /// It may go better now: an open breaker tries soon, but not more often than once a second. On the engine's loop.
    void hasten() { pace_.hasten(); }
    /// What the budget allows now, for status and metrics. Any thread.
    RateLimiter::State pace() const { return pace_.state(); }
    const Meters& meters() const noexcept { return meters_; } // any thread

    const std::vector<std::string>& variables() const noexcept { return options_.variables; }

    /// By how much upstream's clock was ahead of ours at its last answer, a second at most too little; none: it sends
    /// no Date.
    std::optional<std::chrono::microseconds> clock_ahead() const noexcept { return clock_ahead_; }

    /// Works out of the values seen; unknown until the first page with a time came.
    TimeUnit time_unit() const noexcept { return unit_; }
    void set_time_unit(TimeUnit unit) noexcept { unit_ = unit; }

  private:
    struct Sent {
        CallKind kind;
        Clock::Steady at;
        std::string request_id; // of the local request that it is made for; empty: none
        Sent(CallKind wanted, Clock::Steady now, const Request& request);
    };
    struct Answer {
        Reply reply;
        Instant asked_at; // our clock, just before the request went out
        Clock::Steady started;
        std::chrono::nanoseconds elapsed{0};
    };

    Task<Answer> call(Request request, CallKind kind);
    Task<Answer> send(Request request, CallKind kind, RateLimiter::Permit permit);
    Task<RateLimiter::Permit> admit(Priority priority);
    void settle(RateLimiter::Permit& permit, Outcome outcome, const Sent& sent);
    ConversationPage read_page(const ListQuery& query, std::string body);
    Task<std::optional<Reply>> find_chats(ConversationId id, int page_no, Expected expected, Priority priority);
    Task<std::optional<Reply>> find(std::string target, Expected expected, std::string what, CallKind kind,
                                    Priority priority, std::int64_t behind = 0);
    Task<bool> counts_no_more(ConversationId id, std::int64_t chats, Priority priority);
    Task<std::optional<std::string>> learn_absence(Priority priority);
    std::string list_target(const ListQuery& query) const;
    void read_clocks(Listed& listed, const Answer& answer) const;
    void add_windows(std::string& target, const ListQuery& query) const;
    void learn_envelope(const std::string& body, Content content);
    void require_read(const Reply& reply, const Expected& expected, std::string_view what);

    Transport& transport_;
    RateLimiter& pace_;
    Clock& clock_;
    Options options_;
    TimeUnit unit_;
    Meters meters_;
    std::function<Task<>()> admit_;
    std::optional<Clock::Steady> answered_at_, absence_asked_at_;
    std::optional<std::string> absence_; // shape_of_absence of the service's own
    std::optional<std::chrono::microseconds> clock_ahead_;
    std::function<void(const Outcome&)> listener_;
    std::function<void(Content, const Envelope&)> envelope_listener_;
    std::array<std::optional<bool>, content_names.size()> wrapped_; // by Content; none: not seen yet
};

} // namespace alli::upstream
