// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/claims.hpp"

#include "cache/conversations.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/coverage.hpp"

namespace simulation {

using namespace alli;
using std::chrono::milliseconds;

std::string compare(const World& world, cache::Reader& db, const std::string& id, bool chats)
{
    const auto raw = cache::find_item(db, {id});
    if (!raw) return id + " is missing";
    json theirs = world.item(id, 0), ours = json::parse(*raw);
    ours["chats"] = json::array();
    if (ours != theirs) return id + " is " + ours.dump() + " instead of " + theirs.dump();
    const auto& wanted = world.talks.at(id).chats;
    const auto held = cache::find_held(db, {id});
    if (held->chats != std::ssize(wanted))
        return fmt::format("{} has {} chats instead of {}", id, held->chats, wanted.size());
    for (std::size_t n = 0; chats && n < wanted.size(); n += 100) {
        const auto page = *cache::find_chats(db, {id}, static_cast<int>(n / 100) + 1);
        for (std::size_t i = 0; i < page.size(); ++i)
            if (page[i] != wanted[n + i].dump())
                return fmt::format("{} (last chat {}): chat {} is {} instead of {}", id,
                                   to_rfc3339(Instant(milliseconds(*world.talks.at(id).last))), n + i, page[i],
                                   wanted[n + i].dump());
    }
    return "";
}

std::string find_wrong_coverage(const World& world, cache::Reader& db, const Exempt& exempt)
{
    for (const cache::Interval& it : cache::load_coverage(db))
        for (const auto& [id, talk] : world.talks) {
            if (!talk.last || exempt.whole.contains(id) || world.purged.contains(id)) continue;
            const Instant last{milliseconds(*talk.last)}, changed{milliseconds(talk.changed) + exempt.skew};
            if (last < it.from || last >= it.through || changed >= it.verified_at) continue;
            std::string wrong = compare(world, db, id, !talk.chats_edited && !exempt.chats.contains(id));
            if (!wrong.empty())
                return fmt::format("covered [{}, {}) as of {}, but {} (last chat {}, changed {}, visible {})",
                                   to_rfc3339(it.from), to_rfc3339(it.through), to_rfc3339(it.verified_at), wrong,
                                   to_rfc3339(last), to_rfc3339(changed),
                                   to_rfc3339(Instant(milliseconds(talk.visible_from))));
        }
    return "";
}

bool are_of_the_world(const std::vector<cache::Problem>& problems)
{
    return std::all_of(problems.begin(), problems.end(), [](const cache::Problem& it) {
        return it.key == "clock" || it.key == "daily counts" || it.key == "place of conversations without a chat" ||
               it.key.ends_with(" was damaged") || it.key.ends_with(" was displaced");
    });
}

std::string list_state(cache::Store& store)
{
    std::string list;
    for (const auto& problem : store.read([](cache::Reader& db) { return cache::load_problems(db); }))
        list += "\n  " + problem.key + ": " + problem.what;
    for (const auto& it : store.read([](cache::Reader& db) { return cache::load_coverage(db); }))
        list += fmt::format("\n  covered [{}, {}) as of {}", to_rfc3339(it.from), to_rfc3339(it.through),
                            to_rfc3339(it.verified_at));
    for (const cache::Entry& it : store.read_outbox([](cache::Reader& db) { return list_entries(db, {}); }))
        list += fmt::format("\n  write {} of {} at {}: {}, {} attempts, base {}", it.id,
                            it.conversation ? it.conversation->value : "several", to_rfc3339(it.created_at),
                            cache::name_of(it.state), it.attempts, it.base.value_or("none"));
    return list;
}

} // namespace simulation
