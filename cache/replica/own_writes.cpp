// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/own_writes.hpp"

#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/replica/notes.hpp"

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

} // namespace alli::cache
