// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands/sync_progress.hpp"

#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/duration.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace alli::daemon {

static std::optional<double> fraction_of(const sync::State& state)
{
    return state.backfill_done ? std::optional(1.0) : state.fraction;
}

std::string bar(std::optional<double> fraction, int width)
{
    const auto filled = static_cast<std::size_t>(std::clamp(fraction.value_or(0), 0.0, 1.0) * width);
    return '[' + std::string(filled, '#') + std::string(static_cast<std::size_t>(width) - filled, '.') + ']';
}

SyncProgress::SyncProgress(bool json, std::int64_t chats_before)
    : form_(json                           ? Form::json
            : takes_escapes(STDERR_FILENO) ? Form::bar
                                           : Form::lines),
      chats_before_(chats_before), started_(clock_.steady()), shown_at_(started_)
{}

void SyncProgress::show(const sync::State& state)
{
    using std::chrono::milliseconds;
    const milliseconds pause = form_ == Form::bar ? milliseconds(200) : milliseconds(3'000);
    if (clock_.steady() - shown_at_ < pause) return;
    shown_at_ = clock_.steady();
    print("progress", state);
}

void SyncProgress::finish(const sync::State& state)
{
    print("done", state);
    if (form_ == Form::bar) fmt::print(stderr, "\n");
}

double SyncProgress::rate(const sync::State& state) const
{
    const double seconds = std::chrono::duration<double>(clock_.steady() - started_).count();
    return seconds > 0 ? static_cast<double>(state.chats - chats_before_) / seconds : 0;
}

std::string SyncProgress::words(const sync::State& state) const
{
    std::string text = fmt::format("{} conversations, {} chats", state.conversations, state.chats);
    if (const double chats = rate(state); chats >= 0.5) text += fmt::format(", {:.0f} chats/s", chats);
    if (state.backfill_done) return text + ", complete";
    if (state.fraction) text += fmt::format(", {:.0f}%", *state.fraction * 100);
    if (state.eta_seconds)
        text += fmt::format(", about {} left", say_duration(std::chrono::seconds(std::lround(*state.eta_seconds))));
    return text;
}

void SyncProgress::print(const char* event, const sync::State& state) const
{
    switch (form_) {
    case Form::json:
        return print_event(event, state);
    case Form::bar:
        return draw_bar(state);
    case Form::lines:
        return fmt::print(stderr, "{}: {}\n", event, words(state));
    }
}

// Overwrites the previous line and erases its rest.
void SyncProgress::draw_bar(const sync::State& state) const
{
    fmt::print(stderr, "\r{} {}\x1b[K", bar(fraction_of(state), 24), words(state));
    std::fflush(stderr);
}

void SyncProgress::print_event(const char* event, const sync::State& state) const
{
    Json line;
    line["event"] = event;
    line["conversations"] = state.conversations;
    line["chats"] = state.chats;
    line["chatsPerSecond"] = std::round(rate(state));
    line["fraction"] = fraction_of(state) ? Json(*fraction_of(state)) : Json(nullptr);
    line["etaSeconds"] = state.eta_seconds ? Json(*state.eta_seconds) : Json(nullptr);
    fmt::print("{}\n", dump(line));
    std::fflush(stdout);
}

} // namespace alli::daemon
