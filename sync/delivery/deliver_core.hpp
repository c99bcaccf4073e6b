// SPDX-License-Identifier: Apache-2.0
// The inside of the Deliverer: the FIFOs, the delivery policy, and those who wait for an answer. Belongs to the
// engine's loop.
#pragma once

#include "cache/lists/neighbours.hpp"
#include "sync/delivery/attempt.hpp"
#include "sync/delivery/conversation_fifos.hpp"
#include "sync/delivery/deliverer.hpp"
#include "sync/delivery/delivery_policy.hpp"
#include "sync/delivery/recent_items.hpp"
#include "sync/delivery/verdict.hpp"
#include "sync/loop/wakeup.hpp"

#include <boost/asio/this_coro.hpp>

#include <deque>
#include <list>
#include <map>
#include <set>
#include <unordered_map>

namespace alli::sync {

using cache::EditKind;
using cache::Entry;
using cache::EntryState;
using cache::Outcome;

struct Deliverer::Core {
    using Id = ConversationFifos::Id;

    Core(upstream::Client& its_client, cache::Store& its_store, Clock& its_clock, Random& its_random,
         DeliveryOptions its_options, DeliveryHooks its_hooks)
        : client(its_client), store(its_store), clock(its_clock), random(its_random), options(its_options),
          hooks(std::move(its_hooks)), policy(its_random)
    {}

    /// The wakeup belongs to the loop, which may go before the deliverer does.
    struct Running {
        Running(Core& its_core, const asio::any_io_executor& loop) : core(its_core)
        {
            core.wakeup = std::make_shared<Wakeup>(loop);
            core.failed = false;
        }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        ~Running()
        {
            core.loaded = false;
            // What was under way was cut short: the next run reads the FIFOs anew, and has all turns to give.
            core.fifos = ConversationFifos();
            core.in_flight = 0;
            core.asking_for_key = false;
            core.ahead = Ahead();
            for (const auto& [id, waiter] : core.waiters) waiter->has_turn = false;
            core.wakeup.reset();
        }
        Core& core;
    };

    /// A page of the list instead of many reads: those that it showed go next, while that is recent.
    struct Page {
        explicit Page(const asio::any_io_executor& loop) : wakeup(loop) {}
        std::set<std::string> wanted;
        bool over = false;
        Wakeup wakeup;
    };
    struct Ahead {
        std::deque<ConversationId> next;
        std::list<std::shared_ptr<Page>> pages; // being read
        std::size_t most = 8;                   // in both; as many as are sent before what a page showed is too old
        Clock::Steady not_before{};             // after a page that failed
    };

    /// Somebody waits for the answer to his write.
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& loop) : wakeup(loop) {}
        Wakeup wakeup;
        bool has_turn = false; // it is being tried
        bool settling = false; // its outcome is known and being written down
        bool settled = false;
        std::optional<upstream::Reply> reply; // none: it waits in the outbox
        std::optional<cache::Entry> entry;    // as it was accepted, until it is tried
    };

    class Waiting;

    // What the workers do.
    Task<> load();
    Task<> follow_operations();
    void note_differences();
    Task<> drain(std::size_t worker);
    Task<> run_janitor();
    Task<> deliver(Id fifo);
    Task<> attempt(Id fifo, cache::Entry entry, bool waited);
    Task<> ask_for_key();
    Task<std::optional<cache::Outcome>> settle_stop(const cache::Entry& entry, bool waited, Verdict* trouble);
    Task<bool> accepts_key();

    // What is read before an entry is sent: deliver_reads.cpp.
    Task<std::optional<cache::Outcome>> read_back_before(const cache::Entry& entry, bool waited, Verdict* trouble,
                                                         std::optional<Clock::Steady>* held_until);
    Known know_all(const cache::Entry& entry, Clock::Steady asked_at, Clock::Steady* lags_until);
    Task<bool> is_shown_lately(const cache::Entry& entry);
    Task<> read_ahead(ConversationId from);
    Task<> read_page(ConversationId from, std::vector<cache::Neighbour> near);
    std::shared_ptr<Page> find_page_with(const ConversationId& id) const;
    std::size_t count_ahead() const;
    std::size_t count_worth(const std::vector<cache::Neighbour>& near) const;
    bool is_wanted(const ConversationId& id) const;
    std::optional<Id> take_next(Clock::Steady now);
    void note_copy(const cache::Entry& entry, const std::optional<upstream::Reply>& reply, Clock::Steady sent_at);

    // While upstream's reads lag behind what was delivered (deliver_lag.cpp).
    struct Hold {
        std::optional<Clock::Steady> attempt_lags_until; // of one that may have been applied
        int read_backs = 0;
        int outdated = 0; // how often it waited so long for its permit that upstream was read again
    };
    Task<> resume_lag();
    Known know_before(const cache::Entry& entry, Clock::Steady asked_at, Clock::Steady* lags_until);
    void note_attempt(std::int64_t id, bool in_doubt);
    Clock::Steady attempt_lags_until(std::int64_t id, Clock::Steady now);
    void hold(const Id& fifo, std::int64_t id, Clock::Steady lags_until);
    Task<> read_covered_again();

    // Whose answer it was: deliver_foreign.cpp.
    Task<std::optional<cache::Outcome>> recall(const cache::Entry& entry, Verdict* hold);
    bool may_lag_behind_attempt(const cache::Entry& entry);
    Task<Verdict> weigh(const cache::Entry& entry, const upstream::Reply& reply);
    Task<> prepare_bulk(cache::Entry& entry);

    // Marks an entry as being sent, here alone or among several machines: deliver_begin.cpp.
    struct Sending {
        bool begun = false;     // false: nothing was sent
        bool late = false;      // nothing was sent, for what allows it is too old
        bool outdated = false;  // nothing was sent, for what was read before is too old
        bool beginning = false; // while it is marked; what fails then is the outbox's own trouble
    };
    Task<bool> begin_now(const cache::Entry& entry, const std::optional<std::string>& over, Clock::Steady asked_at,
                         Sending* sending);
    bool is_outdated(const cache::Entry& entry, Clock::Steady asked_at);
    Task<bool> begin_here(std::int64_t id, std::optional<std::string> over);
    Task<bool> begin_shared(std::int64_t id, std::optional<std::string> over, Sending* sending);
    Task<std::optional<upstream::Reply>> send(const cache::Entry& entry, const std::optional<std::string>& over,
                                              Sending* sending);
    void look_later(const Id& fifo, std::int64_t id);
    Task<bool> settle_shared(std::int64_t id, cache::Outcome outcome);
    Task<std::vector<Id>> expire_shared(Instant before, std::string why);
    Task<bool> is_confirmed(const cache::Entry& entry);
    Task<> count_foreign(const cache::Entry& entry, const upstream::Reply& reply, Verdict* verdict);
    Task<> forget_foreign(std::int64_t id);
    Task<> show_foreign();
    Task<> put_down(std::function<void(cache::Writer&)> change);
    bool is_heard_since(Clock::Steady when) const;

    // How an attempt ends.
    Task<> conclude(Id fifo, cache::Entry entry, Verdict verdict, std::optional<upstream::Reply> reply);
    /// How an attempt ended. Without `copy` upstream has to be asked what it has now.
    struct Ending {
        cache::Outcome outcome;
        std::optional<upstream::Reply> reply = std::nullopt;
        std::optional<std::string> copy = std::nullopt; // what upstream's answer shows of what was changed
        std::chrono::milliseconds pause{0};
    };
    Task<> write_down(Id fifo, cache::Entry entry, Ending ending);
    Task<> show_outcome(const cache::Entry& entry, const cache::Outcome& outcome,
                        const std::optional<std::string>& copy);
    Task<> write_mirror(std::function<void(cache::Writer&)> change, std::int64_t id);
    cache::Outcome outcome_of(const Verdict& verdict, const std::optional<upstream::Reply>& reply,
                              std::chrono::milliseconds pause) const;
    void answer(std::int64_t id, std::optional<upstream::Reply> reply, bool final);
    void let_go();
    void put_head(const std::optional<cache::LineHead>& head, const Id& fifo, Clock::Steady due);
    void refresh_fifo(const Id& fifo); // ends its turn
    void refresh_idle(const Id& fifo);
    void put_accepted(const cache::AcceptedWrite& write);
    std::optional<cache::Entry> take_head(const Id& fifo);

    // What others ask of it. Static: a coroutine must hold the core for as long as it runs.
    static Task<std::optional<upstream::Reply>> offer(std::shared_ptr<Core> core, cache::AcceptedWrite write,
                                                      std::chrono::milliseconds patience);
    static Task<bool> is_awaited(std::shared_ptr<Core> core, std::int64_t id) { co_return core->waiters.contains(id); }
    static Task<cache::RetryResult> retry(std::shared_ptr<Core> core, std::int64_t id);
    static Task<cache::OperatorResult> discard(std::shared_ptr<Core> core, std::int64_t id);
    Task<> show(std::int64_t id);
    Task<> show_again(std::int64_t id);

    bool may_go_now(const cache::Entry& entry) const;
    void notify()
    {
        if (wakeup) wakeup->notify();
    }

    upstream::Client& client;
    cache::Store& store;
    Clock& clock;
    Random& random;
    DeliveryOptions options;
    DeliveryHooks hooks;
    DeliveryPolicy policy;
    ConversationFifos fifos;
    RecentItems lately_read;
    Ahead ahead;
    std::shared_ptr<Wakeup> wakeup; // while it runs
    std::unordered_map<std::int64_t, std::shared_ptr<Waiter>> waiters;
    std::unordered_map<std::int64_t, Hold> holds;          // of entries that wait
    std::set<std::int64_t> unshown;                        // entries of which the mirror shows too much or too little
    std::optional<Clock::Steady> silent_at;                // somebody else answers, and nobody hears the service
    std::optional<Clock::Steady> write_answered_at;        // by the service
    std::map<std::int64_t, Clock::Steady> foreign_counted; // entries' last foreign answers that counted
    std::set<cache::EditKind> believed;                    // kinds of which nothing can be read back
    std::optional<std::string> foreign_shown;              // the problem that status has
    bool loaded = false, failed = false, asking_for_key = false;
    int in_flight = 0;
};

} // namespace alli::sync
