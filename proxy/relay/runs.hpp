// SPDX-License-Identifier: Apache-2.0
// The runs of apps: which conversations have one now, or had one lately, as seen in requests through the proxy. A copy
// from before the end of a run must not pass for the whole answer (api/NOTES.md, "Running an app"). Any thread:
// a change swaps the whole small table; at rest a read costs one atomic.
#pragma once

#include "alli/clock.hpp"
#include "alli/ids.hpp"
#include "alli/published.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace alli::proxy {

/// What a read of the conversation has to do.
enum class RunPhase {
    at_rest,  // nothing
    running,  // ask upstream: its last message grows
    settling, // wait until the engine has fetched it: a run, or another call that changed it, has ended
    unsettled // ask upstream: what the engine fetched need not be all of it
};

/// Whether reads of several conversations show every run that has ended.
enum class Ends {
    shown,   // they do
    awaited, // each conversation that they may not show is being fetched
    unknown  // only a poll can bring it
};

class Runs {
  public:
    static constexpr std::size_t most = 1000;               // beyond it the one not heard of for longest goes
    static constexpr std::chrono::minutes forget_after{10}; // a run not heard of for so long is forgotten

    // Events; `now` by the steady clock.
    /// `chats`: how many complete chats are held; of several events of one run the first counts.
    void running(const ConversationId& id, Clock::Steady now, std::int64_t chats = 0);
    /// Likewise of a run that a call has just begun, which changed the conversation: lists have to show that.
    /// Returns a fence, as ended() does.
    std::uint64_t begun(const ConversationId& id, Clock::Steady now, Instant wall_now, std::int64_t chats);
    /// Something that may have changed it has ended.
    struct End {
        std::uint64_t fence; // only a fetch that begins after this was given settles it
        /// Those that were held before the run that has ended: its answer is one more. None: no run was seen.
        std::optional<std::int64_t> chats_before = {};
    };
    End ended(const ConversationId& id, Clock::Steady now, Instant wall_now);
    /// Likewise, in an unknown conversation.
    void ended_somewhere(Instant wall_now) noexcept;
    /// The engine has fetched it since `fence`; `whole`: with its last message. A run under way stays.
    void fetched(const ConversationId& id, std::uint64_t fence, bool whole, Clock::Steady now);

    RunPhase find(const ConversationId& id, Clock::Steady now) const;
    /// Whether what ended with that fence was fetched whole. None: nobody knows here any more.
    std::optional<bool> is_fetched(const ConversationId& id, std::uint64_t fence, Clock::Steady now) const;
    /// Of one that is running: how many complete chats were held before. None: it is not.
    std::optional<std::int64_t> find_running(const ConversationId& id, Clock::Steady now) const;
    /// Whether none is followed.
    bool at_rest() const noexcept { return active_.load() == 0; }
    /// How many events there were: a request after one must not share a reply from before it.
    std::uint64_t events() const noexcept { return fences_.load(); }
    /// False if it is known since less than `within` that it has no run.
    bool may_have_changed(const ConversationId& id, Clock::Steady now, std::chrono::nanoseconds within) const;

    /// Whether anything has ended at all.
    bool has_ends() const noexcept { return last_end_.load() != 0; }
    /// Of a mirror that was verified then: it shows the runs that ended before, and those that were fetched since. Ends
    /// after `asked_at` do not count: else lists would wait for ever while runs keep ending.
    Ends find_ends(std::optional<Instant> verified_at, Instant asked_at) const;

    /// The project's categories changed: what was read before does not show it.
    void categories_changed(Instant wall_now) noexcept;
    std::optional<Instant> categories_changed_at() const noexcept; // none: never

  private:
    struct Run {
        ConversationId id;
        RunPhase phase = RunPhase::running;
        std::uint64_t fence = 0;
        Clock::Steady last_word{};
        std::int64_t chats_before = 0;
        // Of those that were not fetched since: the first and the last.
        std::optional<Instant> first_end = {}, end = {};

        bool is_running() const { return phase == RunPhase::running && fence != 0; }
    };
    using Table = std::vector<Run>;

    template <class Change>
    void change(Change function);
    Run& row_of(Table& table, const ConversationId& id);
    void forget(const Run& run) noexcept;
    static std::int64_t count_active(const Table& table);
    static bool is_forgotten(const Run& run, Clock::Steady now) noexcept;

    Published<Table> table_;
    std::atomic<std::int64_t> active_{0}; // not at rest
    std::atomic<std::uint64_t> fences_{0};
    std::atomic<std::int64_t> last_end_{0}, last_unknown_end_{0}; // microseconds; 0: none
    std::atomic<std::int64_t> last_category_{0};                  // likewise
};

} // namespace alli::proxy
