// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/entry.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

constexpr std::array<std::string_view, 5> state_names{"pending", "sending", "conflict", "failed", "delivered"};

} // namespace

std::string_view name_of(EntryState state) noexcept
{
    return state_names[static_cast<std::size_t>(state)];
}

std::optional<EntryState> find_entry_state(std::string_view name) noexcept
{
    const auto* found = std::find(state_names.begin(), state_names.end(), name);
    if (found == state_names.end()) return std::nullopt;
    return static_cast<EntryState>(found - state_names.begin());
}

Entry read_entry(const Row& row)
{
    Entry entry;
    entry.id = row.integer(0);
    entry.place = row.integer(1);
    entry.kind = find_edit_kind(row.text(2)).value_or(EditKind::update);
    entry.state = find_entry_state(row.text(3)).value_or(EntryState::failed);
    if (!row.is_null(4)) entry.conversation = ConversationId{std::string(row.text(4))};
    if (!row.is_null(5)) entry.chat = ChatId{std::string(row.text(5))};
    entry.method = row.text(6);
    entry.path = row.text(7);
    entry.headers = row.text(8);
    entry.upstream_key = row.text(9);
    entry.base = row.optional_text(10);
    entry.conflict = row.optional_text(11);
    entry.last_error = row.optional_text(12);
    if (!row.is_null(13)) entry.last_status = static_cast<int>(row.integer(13));
    entry.attempts = static_cast<int>(row.integer(14));
    entry.created_at = row.optional_instant(15).value_or(Instant{});
    entry.next_attempt_at = row.optional_instant(16);
    entry.in_doubt = row.integer(17) != 0;
    entry.forced = row.integer(18) != 0;
    entry.response_type = row.optional_text(19);
    return entry;
}

Entry read_whole_entry(const Row& row)
{
    Entry entry = read_entry(row);
    entry.body = row.text(20);
    entry.response = row.optional_text(21);
    return entry;
}

} // namespace alli::cache
