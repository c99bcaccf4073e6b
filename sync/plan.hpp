// SPDX-License-Identifier: Apache-2.0
// What the engine does and in which order: a poll, the long work (gaps of the coverage, what could not be read before,
// comparisons), refreshes. Each is a call that ends; the engine says when. Several may run in parallel, on its loop.
#pragma once

#include "sync/jobs.hpp"
#include "sync/options.hpp"
#include "sync/refresh_queue.hpp"
#include "sync/settling.hpp"
#include "sync/sync_status.hpp"
#include "sync/tasks/categories.hpp"
#include "sync/tasks/envelopes.hpp"
#include "sync/tasks/estimate.hpp"
#include "sync/tasks/reconcile.hpp"

namespace alli::sync {

class Plan {
  public:
    /// Throws Error{settings} when the mirror was made with another unit of time.
    Plan(upstream::Client& client, cache::Store& store, Clock& clock, Random& random, Options options);

    /// What is new. What can be read of it, is; what concerns all is thrown: likewise from the others.
    Task<> poll();
    Task<> work_down(); // the backfill, then what failed before, then comparisons; long
    Task<> run_refresh_queue() { return refresh_queue_.run(); }
    void ask_for(ConversationId id)
    {
        refetch_.forget(id);
        refresh_queue_.ask_for(std::move(id));
    }
    /// Now, and as refresh_one(): returns when it is committed.
    Task<> fetch(ConversationId id)
    {
        refetch_.forget(id);
        return refresh_one(context_, std::move(id));
    }
    Settling& ended_runs() { return ended_runs_; }

    /// All of it one after the other; every failure is thrown. What is new comes last where a backfill took its time.
    Task<> pass_once(std::function<void(const State&)> report);

    bool ask_for_categories(); // whether they are read with the next poll
    void accept_deletions() { deletions_.accepted = true; }
    void insist();                                 // a person asks: nothing waits any longer for its next try
    void come_back();                              // polls go well again: nor what failed meanwhile
    void hasten_poll() { Jobs::hasten(polling_); } // somebody reads
    Clock::Steady next_poll() const;
    SyncStatus& sync_status() { return sync_status_; }
    upstream::Client& client() { return context_.client; }

    std::function<void()> wants_poll; // at once; may be none
    std::function<void()> wants_work; // the long work, at once; may be none
    bool polls_fail = true;           // or none was made yet: then nothing else says that all is well

  private:
    Instant since() const;
    cache::Progress load_progress() const;
    /// Adds what commits brought to the status.
    class Counting : public Follower {
      public:
        explicit Counting(Plan& plan) : plan_(plan) {}
        void committed(const Ingested& done) override;

      protected:
        Plan& plan_;
    };
    /// Of the backfill: how far it is and how long it will take.
    class Forecasting final : public Counting {
      public:
        using Counting::Counting;
        void committed(const Ingested& done) override;
        bool wants_pause() const override;
        Task<> pause() override;
    };
    /// Keeps reconcile to its share: after each page it rests for what that cost.
    class Throttling final : public Counting {
      public:
        using Counting::Counting;
        void committed(const Ingested& done) override;
        bool wants_pause() const override;
        Task<> pause() override;

      private:
        std::int64_t requests_ = 0; // since the last rest
    };

    const std::optional<Error>& unreadable() const;
    void tell_how_it_is();

    void try_all_now();
    void set_pause(bool news);
    Task<> increase();
    Task<> name_categories();
    Task<> note_envelopes();

    Task<> close_gaps();
    Task<> read_backfill();
    Task<> compare();
    bool range_waits() const;
    Task<> retry_problems();
    Task<std::optional<Error>> retry_what_is_due();

    Options options_;
    Counting counting_{*this};
    Forecasting forecasting_{*this};
    Throttling throttling_{*this};
    RequestFences fences_;
    Clocks clocks_;
    Refetch refetch_;
    RecentPuts recent_puts_;
    SyncContext context_;
    Jobs jobs_;
    Reconcile reconcile_;
    Categories categories_;
    Envelopes envelopes_;
    RefreshQueue refresh_queue_;
    Settling ended_runs_;
    SyncStatus sync_status_;
    Deletions deletions_;
    std::function<void(const State&)> report_;
    bool once_ = false;
    bool windows_due_ = false; // what could not be listed is tried again, whatever its pauses
    Clock::Steady last_poll_{};
    std::chrono::milliseconds pause_; // until the next one
    Job polling_{"a poll failed"}, backfilling_{"the backfill failed"},
        scanning_chatless_{"the scan for conversations without a chat failed"}, reconciling_{"a comparison failed"},
        confirming_deletions_{"deletions could not be confirmed"}, counting_days_{"daily counts could not be compared"},
        naming_{"the categories could not be read"}, unwrapping_{"the form of answers could not be learned"},
        retrying_{"trying again failed"};
    std::optional<Forecast> forecast_;
};

} // namespace alli::sync
