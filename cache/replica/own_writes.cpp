// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/own_writes.hpp"

#include "cache/db/meta.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/replica/notes.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <iterator>

namespace alli::cache {
namespace {

std::vector<std::int64_t> without(const std::vector<std::int64_t>& all, const std::vector<std::int64_t>& those)
{
    std::vector<std::int64_t> rest;
    std::set_difference(all.begin(), all.end(), those.begin(), those.end(), std::back_inserter(rest));
    return rest;
}

constexpr const char* led_name = "cluster_led";
constexpr const char* outrun =
    "it was accepted before another machine led, where something newer may have been written: retry it to send it all"
    " the same, or discard it";

std::string text_of(const Lead& lead)
{
    return fmt::format("{}\n{}", lead.store, lead.epoch);
}

// Epochs begin anew where a database was put back: then nobody knows.
bool others_led(const Lead& lead, const std::optional<std::string>& last)
{
    const std::string prefix = lead.store + '\n';
    if (!last || !last->starts_with(prefix)) return lead.led_from > 1;
    const std::int64_t own = std::stoll(last->substr(prefix.size()));
    return lead.led_from > own || lead.epoch <= own;
}

} // namespace

// An earlier process may have ended between the commit of the outbox and that of the mirror.
Task<> follow_own_writes(Store& store)
{
    const auto shown = store.read([](Reader& mirror) { return load_shown(mirror); });
    const auto waiting = store.read_outbox([](Reader& outbox) { return load_waiting(outbox); });
    std::vector<Entry> missing;
    for (const std::int64_t id : without(waiting, shown))
        if (auto entry = store.read_outbox([id](Reader& outbox) { return find_entry(outbox, id); }))
            missing.push_back(std::move(*entry));
    const auto follow = [&](Writer& mirror) {
        without_notes(mirror, [&] {
            forget_confirmed(mirror, Clock::Steady::max());
            for (const std::int64_t id : without(shown, waiting)) drop_edit(mirror, id);
            for (const Entry& entry : missing) show_edit(mirror, entry);
        });
    };
    const bool delivered = store.read([](Reader& mirror) { return has_confirmed(mirror); });
    if (delivered || shown != waiting) co_await store.write(follow);
}

Task<std::int64_t> begin_lead(Store& store, Lead lead)
{
    std::int64_t held = 0;
    const auto begin = [&](Writer& outbox) {
        if (others_led(lead, find_meta<std::string>(outbox, led_name))) held = hold_back(outbox, outrun);
        put_meta(outbox, led_name, text_of(lead));
    };
    co_await store.write_outbox(begin);
    co_return held;
}

} // namespace alli::cache
