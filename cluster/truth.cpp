// SPDX-License-Identifier: Apache-2.0
#include "cluster/truth.hpp"

#include <unordered_set>

namespace alli::cluster {

NotLeader::NotLeader() : Error(Fault::busy, "", "another node leads the cluster") {}

Task<Position> Truth::publish_after(Position mine, std::int64_t epoch, cache::PublishedRows rows)
{
    const Beat beat = co_await this->beat(epoch, std::move(mine));
    if (!beat.ours || beat.continuity != Continuity::same) throw NotLeader();
    co_return co_await publish(epoch, std::move(rows));
}

Task<cache::PublishedRows> Truth::find(std::vector<ConversationId> ids)
{
    constexpr std::size_t at_once = 10'000;
    std::unordered_set<std::string> wanted;
    for (ConversationId& id : ids) wanted.insert(std::move(id.value));
    cache::PublishedRows found;
    std::string after;
    for (bool at_end = wanted.empty(); !at_end;) {
        Chunk chunk = co_await read_all(after, at_once);
        at_end = chunk.at_end || chunk.rows.conversations.empty();
        if (!at_end) after = chunk.rows.conversations.back().id;
        for (cache::PublishedConversation& one : chunk.rows.conversations)
            if (wanted.contains(one.id)) found.conversations.push_back(std::move(one));
        for (cache::PublishedChat& one : chunk.rows.chats)
            if (wanted.contains(one.conversation)) found.chats.push_back(std::move(one));
    }
    co_return found;
}

} // namespace alli::cluster
