// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/claims.hpp"

#include "cache/conversations.hpp"
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

} // namespace simulation
