// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/overlay_lag.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

using Edits = std::vector<EditRow>;

bool concerns(const EditRow& edit, const std::string& chat)
{
    return edit.confirmed_at && !edit.removes && edit.chat.value_or("") == chat;
}

Edits lagging_edits(const Edits& edits, const std::string& chat, const AskedAt& asked_at)
{
    Edits lagging;
    for (const EditRow& edit : edits)
        if (concerns(edit, chat) && may_lag(edit, asked_at)) lagging.push_back(edit);
    return lagging;
}

bool sets(const EditRow& edit, const std::string& name)
{
    return std::any_of(edit.patch.begin(), edit.patch.end(), [&](const auto& member) { return member.first == name; });
}

const EditRow& last_that_sets(const Edits& edits, const std::string& name)
{
    return *std::find_if(edits.rbegin(), edits.rend(), [&](const EditRow& edit) { return sets(edit, name); });
}

Patch members_of(const Edits& edits)
{
    Patch members;
    for (const EditRow& edit : edits)
        for (const auto& [name, value] : edit.patch)
            if (std::none_of(members.begin(), members.end(), [&](const auto& one) { return one.first == name; }))
                members.emplace_back(name, value);
    return members;
}

// Asked for before the write was answered, or nobody knows when: it tells nothing, whatever it shows.
bool is_older(const EditRow& write, const AskedAt& asked_at)
{
    return !asked_at || ticks(*asked_at) < *write.confirmed_at;
}

void replace(Delivered& write, const std::string& name, const std::string& value)
{
    for (auto& [member, written] : write.written) {
        if (member != name) continue;
        write.before[name].push_back(std::exchange(written, value));
    }
}

} // namespace

bool may_lag(const EditRow& edit, const AskedAt& asked_at)
{
    return edit.lags_until && (!asked_at || ticks(*asked_at) <= *edit.lags_until);
}

Delivered delivered_of(const EditRow& edit)
{
    Delivered write;
    write.written = edit.patch;
    read_before(edit.before, write);
    return write;
}

SeenThrough see_through_lag(std::string raw, const std::vector<EditRow>& edits, const std::string& chat,
                            const AskedAt& asked_at)
{
    SeenThrough seen;
    seen.raw = std::move(raw);
    const Edits lagging = lagging_edits(edits, chat, asked_at);
    if (lagging.empty()) return seen;
    std::vector<Delivered> writes;
    std::transform(lagging.begin(), lagging.end(), std::back_inserter(writes), &delivered_of);
    Patch held;
    for (const auto& [name, value] : values_of(seen.raw, members_of(lagging))) {
        const EditRow& last = last_that_sets(lagging, name);
        const Reading reading = judge_reading(writes, name, value);
        if (reading == Reading::lagging || (reading == Reading::changed && is_older(last, asked_at)))
            held.emplace_back(name, *find_written(writes, name));
        else if (reading == Reading::changed)
            seen.changes.push_back({last.entry, name, value});
    }
    seen.covered = !held.empty();
    if (seen.covered) seen.raw = with_patch(seen.raw, held);
    return seen;
}

void note_seen(Writer& db, const ConversationId& id, const std::string& chat, const SeenThrough& seen,
               const std::vector<EditRow>& edits)
{
    if (seen.covered) note_covered(db, id, chat);
    for (const EditRow& edit : edits) {
        Delivered write = delivered_of(edit);
        bool changed = false;
        for (const SeenThrough::Change& change : seen.changes) {
            if (change.entry != edit.entry) continue;
            replace(write, change.name, change.value);
            changed = true;
        }
        if (!changed) continue;
        db.run("UPDATE edit SET patch = ?3, before = ?4 WHERE entry = ?1 AND conversation = ?2", edit.entry, id.value,
               write_patch(write.written), write_before(write));
    }
}

void note_covered(Writer& db, const ConversationId& id, const std::string& chat)
{
    db.run("UPDATE edit SET covered = 1 WHERE conversation = ?1 AND coalesce(chat, '') = ?2 AND lags_until IS NOT NULL",
           id.value, chat);
}

bool has_covered(Reader& db, Clock::Steady now)
{
    return db.exists("SELECT 1 FROM edit WHERE covered = 1 AND lags_until < ?1 LIMIT 1", ticks(now));
}

std::vector<ConversationId> take_covered(Writer& db, Clock::Steady now, int limit)
{
    const auto ids = db.all<ConversationId>(
        "SELECT DISTINCT conversation FROM edit WHERE covered = 1 AND lags_until < ?1 LIMIT ?2", ticks(now), limit);
    for (const ConversationId& id : ids)
        db.run("UPDATE edit SET covered = 2 WHERE conversation = ?1 AND covered = 1 AND lags_until < ?2", id.value,
               ticks(now));
    return ids;
}

Lagging load_lagging(Reader& db, const ConversationId& id, const std::optional<ChatId>& chat, Clock::Steady asked_at)
{
    Lagging found;
    for (const EditRow& edit : lagging_edits(load_edits(db, id), chat ? chat->value : std::string(), asked_at)) {
        found.writes.push_back(delivered_of(edit));
        found.until = std::max(found.until, from_ticks(*edit.lags_until));
    }
    return found;
}

} // namespace alli::cache
