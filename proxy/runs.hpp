// SPDX-License-Identifier: Apache-2.0
// Which conversations an app is answering in right now, or has just answered in, as far as requests through here told:
// a copy from before the end of a run must not pass for the whole answer (api/NOTES.md, "Running an app"). Any thread,
// without a lock: a change swaps the whole small table; a mirror at rest costs a read one look at an atomic.
#pragma once

#include "alli/clock.hpp"
#include "alli/ids.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace alli::proxy {

/// What reads of a conversation have to do.
enum class RunPhase {
    at_rest,  // nothing
    running,  // ask upstream: its last message grows
    settling, // wait until the engine has fetched it: a run, or another call that changed it, has ended
    unsettled // ask upstream: what the engine fetched need not be all of it
};

/// What lists, which show more than one conversation, know of all that has ended.
enum class Ends {
    shown,   // they show it
    awaited, // each of those that they may not show is being fetched
    unknown  // only a comparison with upstream can bring it
};

class Runs {
  public:
    static constexpr std::size_t most = 1000;               // beyond it the one without a word for longest goes
    static constexpr std::chrono::minutes forget_after{10}; // after that nobody follows it any more

    Runs();

    // Events; `now` by the steady clock.
    /// `chats`: how many are held that are complete; of several words about one run the first counts.
    void running(const ConversationId& id, Clock::Steady now, std::int64_t chats = 0);
    /// The same, of one that a call has just begun, which has changed the conversation: lists have to show that.
    /// Returns a fence, as ended() does.
    std::uint64_t begun(const ConversationId& id, Clock::Steady now, Instant wall_now, std::int64_t chats);
    /// Something that may have changed it has ended.
    struct End {
        std::uint64_t fence; // only a fetch that begins after this was given settles it
        /// Those that were held before the run that has ended: its answer is one more. None: no run was seen.
        std::optional<std::int64_t> chats_before = {};
    };
    End ended(const ConversationId& id, Clock::Steady now, Instant wall_now);
    /// Likewise, in nobody knows which.
    void ended_somewhere(Instant wall_now) noexcept;
    /// The engine has fetched it since `fence`; `whole`: its last message too. What runs goes on running.
    void fetched(const ConversationId& id, std::uint64_t fence, bool whole, Clock::Steady now);

    RunPhase find(const ConversationId& id, Clock::Steady now) const;
    /// Of one that is running: how many complete chats were held before. None: it is not.
    std::optional<std::int64_t> find_running(const ConversationId& id, Clock::Steady now) const;
    /// Whether none is followed.
    bool at_rest() const noexcept { return active_.load() == 0; }
    /// How many events there were: who comes after one must not share what was asked before it.
    std::uint64_t events() const noexcept { return fences_.load(); }
    /// False where it is known since less than `within` that no run is under way in it.
    bool may_have_changed(const ConversationId& id, Clock::Steady now, std::chrono::nanoseconds within) const;

    /// Whether anything has ended at all.
    bool has_ends() const noexcept { return last_end_.load() != 0; }
    /// Of a mirror that was compared with upstream then: what ended before is shown, and what was fetched by itself.
    /// What ended after `asked_at` does not count: lists would wait for ever where something always ends.
    Ends find_ends(std::optional<Instant> verified_at, Instant asked_at) const;

    /// Likewise, of the project's categories: what was read before does not show it.
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

    std::atomic<std::shared_ptr<const Table>> table_;
    std::atomic<std::int64_t> active_{0}; // not at rest
    std::atomic<std::uint64_t> fences_{0};
    std::atomic<std::int64_t> last_end_{0}, last_unknown_end_{0}; // microseconds; 0: none
    std::atomic<std::int64_t> last_category_{0};                  // likewise
};

} // namespace alli::proxy
