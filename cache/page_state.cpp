// SPDX-License-Identifier: Apache-2.0
#include "cache/page_state.hpp"

#include "alli/page_sizes.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/outbox/overlay.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::size_t page_size = conversations_a_page; // longer spans are read in pieces

// Two statements alone, so that both stay prepared: for one row, and for a page, whose unused rows find nothing.
std::size_t rows_for(std::size_t count)
{
    return count == 1 ? 1 : page_size;
}

// "(0, ?1, ?2), (1, ?3, ?4), ...": each row's number, then its parameters.
std::string numbered_rows(std::size_t rows, std::size_t parameters)
{
    std::string text;
    for (std::size_t row = 0, parameter = 0; row < rows; ++row) {
        text += fmt::format("{}({}", row ? ", " : "", row);
        for (std::size_t i = 0; i < parameters; ++i) text += fmt::format(", ?{}", ++parameter);
        text += ')';
    }
    return text;
}

std::string states_query(std::size_t rows)
{
    return "WITH listed (n, id) AS (VALUES " + numbered_rows(rows, 1) +
           ") SELECT l.n, c.pk, c.held, c.last_chat_at, r.completed, r.sent_at,"
           " EXISTS (SELECT 1 FROM problem WHERE key = 'conversation ' || l.id),"
           " EXISTS (SELECT 1 FROM edit WHERE conversation = l.id AND patch IS NULL),"
           " EXISTS (SELECT 1 FROM edit WHERE conversation = l.id AND lags_until IS NOT NULL),"
           " (SELECT (max(place) & 0xffffff) + 1 FROM chat_row"
           " WHERE place >= c.pk << 24 AND place < (c.pk + 1) << 24)"
           " FROM listed l LEFT JOIN conversation c ON c.id = l.id"
           " LEFT JOIN chat_row r ON r.place = (c.pk << 24 | c.held - 1)";
}

ConversationState read_state(Reader& db, const Row& row, const ConversationId& id)
{
    ConversationState state;
    state.pk = row.optional_integer(1);
    if (state.pk) {
        Held& held = state.held.emplace();
        held.chats = row.integer(2);
        held.last_chat_at = row.optional_instant(3);
        if (const auto completed = row.optional_integer(4)) held.last_completed = *completed != 0;
        if (row.optional_integer(4) == 2) held.maybe_since = row.optional_instant(5);
    }
    if (row.integer(6) != 0) state.problem = find_problem(db, problem_key(id));
    state.hidden = row.integer(7) != 0;
    if (state.hidden && !state.pk) state.held = find_held(db, id);
    state.lags = row.integer(8) != 0;
    state.end = state.pk || !state.held ? row.optional_integer(9).value_or(0) : state.held->chats;
    return state;
}

void load_piece(Reader& db, std::span<const ConversationId> ids, std::span<ConversationState> states)
{
    std::vector<Value> values;
    for (const ConversationId& id : ids) values.emplace_back(id.value);
    values.resize(rows_for(ids.size()));
    for (const Row row : db.query_values(states_query(values.size()), values))
        if (const auto n = static_cast<std::size_t>(row.integer(0)); n < ids.size())
            states[n] = read_state(db, row, ids[n]);
}

} // namespace

std::vector<ConversationState> load_states(Reader& db, std::span<const ConversationId> ids)
{
    std::vector<ConversationState> states(ids.size());
    for (std::size_t at = 0; at < ids.size(); at += page_size) {
        const std::size_t count = std::min(page_size, ids.size() - at);
        load_piece(db, ids.subspan(at, count), std::span(states).subspan(at, count));
    }
    return states;
}

void load_tail_ids(Reader& db, std::span<const ConversationId> ids, std::span<const std::int64_t> first,
                   std::span<ConversationState> states)
{
    std::vector<std::size_t> wanted;
    std::vector<OrdinalRange> ranges;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        ConversationState& state = states[i];
        if (!state.held || state.held->chats <= first[i]) continue;
        if (state.hidden) {
            state.tail = hidden_chat_ids(db, ids[i], first[i]);
            continue;
        }
        wanted.push_back(i);
        ranges.push_back({*state.pk, first[i], chats_a_conversation});
    }
    auto tails = load_text_ids(db, ranges);
    for (std::size_t n = 0; n < wanted.size(); ++n) states[wanted[n]].tail = std::move(tails[n]);
}

} // namespace alli::cache
