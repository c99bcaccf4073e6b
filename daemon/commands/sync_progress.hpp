// SPDX-License-Identifier: Apache-2.0
// Progress of `sync`: a bar on a terminal, a line every few seconds elsewhere (both on stderr), or JSON events on
// stdout. One thread.
#pragma once

#include "alli/clock.hpp"
#include "sync/engine.hpp"

namespace alli::daemon {

class SyncProgress {
  public:
    /// `chats_before`: the number of chats at the start, because State counts the whole mirror.
    explicit SyncProgress(bool json, std::int64_t chats_before = 0);

    void show(const sync::State& state); // as often as there is something to show
    void finish(const sync::State& state);

  private:
    enum class Form { json, bar, lines };

    double rate(const sync::State& state) const; // chats a second
    std::string words(const sync::State& state) const;
    void print(const char* event, const sync::State& state) const;
    void print_event(const char* event, const sync::State& state) const;
    void draw_bar(const sync::State& state) const;

    Form form_;
    std::int64_t chats_before_;
    SystemClock clock_;
    Clock::Steady started_, shown_at_;
};

/// "[#####.....]": a bar of `width` characters. None: the progress is unknown.
std::string bar(std::optional<double> fraction, int width);

} // namespace alli::daemon
