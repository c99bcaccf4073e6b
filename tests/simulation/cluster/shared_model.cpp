// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/cluster/shared_model.hpp"

#include "alli/error.hpp"

namespace simulation {

using namespace alli;
using namespace alli::cluster;
using std::chrono::milliseconds;

namespace {

[[noreturn]] void throw_away()
{
    throw Error(Fault::unreachable, "", "the database cannot be reached");
}

bool is_same(const cache::PublishedChat& a, const cache::PublishedChat& b)
{
    return a.id == b.id && a.chat == b.chat;
}

bool is_same(const cache::PublishedConversation& a, const cache::PublishedConversation& b)
{
    return a.deleted == b.deleted && a.deleted_at == b.deleted_at && a.item == b.item && a.chats_at == b.chats_at &&
           a.held == b.held && a.last_chat_at == b.last_chat_at && a.created_at == b.created_at;
}

} // namespace

Task<> ModelTruth::arrive()
{
    co_await clock_.sleep(milliseconds(1 + random_.below(static_cast<std::uint64_t>(latency))));
    if (!away) co_return;
    co_await clock_.sleep(milliseconds(random_.below(3'000)));
    throw_away();
}

Task<> ModelTruth::answer()
{
    co_await clock_.sleep(milliseconds(1 + random_.below(static_cast<std::uint64_t>(latency))));
    if (away || random_.unit() < unknown) throw_away();
}

Position ModelTruth::position() const
{
    const auto found = shared_.trail.find(shared_.last);
    return {shared_.last, found == shared_.trail.end() ? "" : found->second};
}

Head ModelTruth::read_head() const
{
    Head head;
    head.store = shared_.store;
    head.epoch = shared_.epoch, head.beat = shared_.beat;
    head.holder = shared_.holder, head.leader = shared_.leader;
    head.last = position();
    return head;
}

Continuity ModelTruth::continuity_of(const Position& position) const
{
    if (position.number == 0 || position.number == 1'000) return Continuity::same; // the beginning
    const auto found = shared_.trail.find(position.number);
    return found != shared_.trail.end() && found->second == position.nonce ? Continuity::same : Continuity::other;
}

Task<Head> ModelTruth::head()
{
    co_await arrive();
    Head found = read_head();
    co_await answer();
    co_return found;
}

Task<std::optional<std::int64_t>> ModelTruth::campaign(std::int64_t epoch, std::int64_t beat)
{
    co_await arrive();
    std::optional<std::int64_t> won;
    if (shared_.epoch == epoch && shared_.beat == beat) {
        won = ++shared_.epoch;
        ++shared_.beat;
        shared_.holder = me_.holder;
        shared_.leader = me_.node;
    }
    co_await answer();
    co_return won;
}

Task<Beat> ModelTruth::beat(std::int64_t epoch, Position mine)
{
    co_await arrive();
    Beat beat;
    beat.ours = is_mine(epoch);
    beat.continuity = continuity_of(mine);
    if (beat.ours) ++shared_.beat;
    co_await answer();
    co_return beat;
}

Task<> ModelTruth::resign(std::int64_t epoch)
{
    co_await arrive();
    if (is_mine(epoch)) shared_.holder.clear(), shared_.leader.clear();
    co_await answer();
}

// A row that is the same keeps its number.
void ModelTruth::put(cache::PublishedConversation conversation)
{
    SharedModel::Row& row = shared_.rows[conversation.id];
    if (row.seq != 0 && is_same(row.conversation, conversation)) return;
    row.seq = shared_.last;
    const std::int64_t held = conversation.deleted ? 0 : conversation.held;
    row.chats.erase(row.chats.lower_bound(held), row.chats.end());
    row.conversation = std::move(conversation);
}

void ModelTruth::put(cache::PublishedChat chat)
{
    auto& [held, seq] = shared_.rows.at(chat.conversation).chats[chat.ordinal];
    if (seq != 0 && is_same(held, chat)) return;
    seq = shared_.last;
    held = std::move(chat);
}

Position ModelTruth::put(cache::PublishedRows rows)
{
    ++shared_.last;
    shared_.trail[shared_.last] = std::to_string(random_.next());
    for (auto& one : rows.conversations) put(std::move(one));
    for (auto& one : rows.chats) put(std::move(one));
    for (auto& one : rows.state) {
        auto& [value, seq] = shared_.state[one.name];
        if (seq != 0 && value == one.value) continue;
        value = std::move(one.value);
        seq = shared_.last;
    }
    return position();
}

Task<Position> ModelTruth::publish(std::int64_t epoch, cache::PublishedRows rows)
{
    co_await arrive();
    if (!is_mine(epoch)) throw NotLeader();
    Position reached = put(std::move(rows));
    co_await answer();
    co_return reached;
}

Task<Position> ModelTruth::publish_after(Position mine, std::int64_t epoch, cache::PublishedRows rows)
{
    co_await arrive();
    if (!is_mine(epoch) || continuity_of(mine) != Continuity::same) throw NotLeader();
    Position reached = put(std::move(rows));
    co_await answer();
    co_return reached;
}

Task<Round> ModelTruth::read(Position after, std::size_t limit)
{
    co_await arrive();
    Round round;
    round.head = read_head();
    round.now = clock_.now();
    round.continuity = continuity_of(after);
    if (round.continuity == Continuity::same) {
        for (const auto& [id, row] : shared_.rows) {
            if (row.seq > after.number) round.rows.conversations.push_back(row.conversation);
            for (const auto& [ordinal, chat] : row.chats)
                if (chat.second > after.number) round.rows.chats.push_back(chat.first);
        }
        for (const auto& [name, value] : shared_.state)
            if (value.second > after.number) round.rows.state.push_back({name, value.first});
    }
    if (round.rows.size() > limit) {
        round.too_many = true;
        round.rows = {};
    }
    co_await answer();
    co_return round;
}

Task<Chunk> ModelTruth::read_all(std::string after, std::size_t limit)
{
    co_await arrive();
    Chunk chunk;
    auto row = shared_.rows.upper_bound(after);
    for (; row != shared_.rows.end() && chunk.rows.size() < limit; ++row) {
        chunk.rows.conversations.push_back(row->second.conversation);
        for (const auto& [ordinal, chat] : row->second.chats) chunk.rows.chats.push_back(chat.first);
    }
    chunk.at_end = row == shared_.rows.end();
    co_await answer();
    co_return chunk;
}

// By its key, or as an implementation does that has no better way.
Task<cache::PublishedRows> ModelTruth::find(std::vector<ConversationId> ids)
{
    if (random_.below(4) == 0) co_return co_await Truth::find(std::move(ids));
    co_await arrive();
    cache::PublishedRows found;
    for (const ConversationId& id : ids) {
        const auto row = shared_.rows.find(id.value);
        if (row == shared_.rows.end()) continue;
        found.conversations.push_back(row->second.conversation);
        for (const auto& [ordinal, chat] : row->second.chats) found.chats.push_back(chat.first);
    }
    co_await answer();
    co_return found;
}

Task<std::vector<cache::PublishedState>> ModelTruth::state(std::vector<std::string> names)
{
    co_await arrive();
    std::vector<cache::PublishedState> found;
    for (const auto& [name, value] : shared_.state)
        if (names.empty() || std::find(names.begin(), names.end(), name) != names.end())
            found.push_back({name, value.first});
    co_await answer();
    co_return found;
}

Task<std::vector<Suppressed>> ModelTruth::suppressions()
{
    co_await arrive();
    co_return std::vector<Suppressed>();
}

Task<> ModelTruth::suppress(std::vector<Suppressed>)
{
    co_await arrive();
}

Task<> ModelTruth::announce(NodeRow row)
{
    co_await arrive();
    row.name = me_.node;
    shared_.nodes[me_.node] = std::move(row);
    co_await answer();
}

Task<std::vector<NodeRow>> ModelTruth::nodes()
{
    co_await arrive();
    std::vector<NodeRow> found;
    for (const auto& [name, row] : shared_.nodes) found.push_back(row);
    co_return found;
}

Task<bool> ModelTruth::wait_news(milliseconds longest)
{
    co_await clock_.sleep(longest);
    if (away) throw_away();
    co_return false;
}

} // namespace simulation
