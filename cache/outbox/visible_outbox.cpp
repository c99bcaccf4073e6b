// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/visible_outbox.hpp"

#include "cache/outbox/overlay_ingest.hpp"
#include "cache/outbox/overlay_rows.hpp"

#include <algorithm>
#include <unordered_map>

namespace alli::cache {
namespace {

constexpr int at_once = 1000;

bool matches(const Conversation& conversation, const Visibility& seen)
{
    return (seen.app.empty() || conversation.app_id == seen.app) &&
           (seen.user.empty() || conversation.user_id == seen.user);
}

// Upstream's copy of a row that a waiting deletion took out.
bool was_visible(Reader& db, const ConversationId& id, const Visibility& seen)
{
    auto raw = find_upstream_raw(db, id, "");
    return raw && matches(reread_conversation(db, id, std::move(*raw)), seen);
}

/// Each conversation is looked up once.
class View {
  public:
    View(Reader& mirror, const Visibility& seen) : mirror_(mirror), seen_(seen) {}

    bool holds(const std::string& id)
    {
        const auto [known, fresh] = known_.try_emplace(id, false);
        if (fresh) known->second = is_visible_or_hidden(mirror_, ConversationId{id}, seen_);
        return known->second;
    }

  private:
    Reader& mirror_;
    const Visibility& seen_;
    std::unordered_map<std::string, bool> known_;
};

void count(OutboxCounts& counts, EntryState state, std::int64_t entries, const std::optional<Instant>& oldest)
{
    const bool waits = state == EntryState::pending || state == EntryState::sending;
    if (waits) counts.pending += entries;
    if (state == EntryState::conflict) counts.conflicts += entries;
    if (state == EntryState::failed) counts.failed += entries;
    if (state == EntryState::delivered) counts.delivered += entries;
    if (waits && oldest) counts.oldest = std::min(counts.oldest.value_or(*oldest), *oldest);
}

} // namespace

bool is_visible_or_hidden(Reader& db, const ConversationId& id, const Visibility& seen)
{
    return is_visible(db, id, seen) || (is_hidden(db, id) && was_visible(db, id, seen));
}

bool is_visible(Reader& mirror, const Entry& entry, const Visibility& seen)
{
    return entry.conversation && is_visible_or_hidden(mirror, *entry.conversation, seen);
}

std::vector<Entry> list_visible_entries(Reader& outbox, Reader& mirror, const Visibility& seen, EntryQuery query)
{
    View view(mirror, seen);
    const auto limit = static_cast<std::size_t>(query.limit);
    query.limit = at_once;
    std::vector<Entry> entries;
    for (;;) {
        std::vector<Entry> some = list_entries(outbox, query);
        for (Entry& entry : some) {
            query.before = entry.id;
            if (!entry.conversation || !view.holds(entry.conversation->value)) continue;
            entries.push_back(std::move(entry));
            if (entries.size() == limit) return entries;
        }
        if (some.size() < static_cast<std::size_t>(at_once)) return entries;
    }
}

OutboxCounts count_visible_entries(Reader& outbox, Reader& mirror, const Visibility& seen)
{
    View view(mirror, seen);
    OutboxCounts counts;
    for (const Row row : outbox.query("SELECT conversation, state, count(*), min(created_at) FROM entry"
                                      " WHERE conversation IS NOT NULL GROUP BY conversation, state")) {
        const auto state = find_entry_state(row.text(1));
        if (state && view.holds(std::string(row.text(0))))
            count(counts, *state, row.integer(2), row.optional_instant(3));
    }
    return counts;
}

} // namespace alli::cache
