// SPDX-License-Identifier: Apache-2.0
// Writes to accept, outcomes to settle them with, and as one text what came of them.
#pragma once

#include "cluster/shared_outbox.hpp"
#include "tests/cluster/rows.hpp"

namespace cluster_tests {

using alli::ChatId;
using alli::ConversationId;
using alli::cache::EntryState;
using alli::cache::NewWrite;
using alli::cache::SharedWrite;
using alli::cache::WriteOutcome;

inline NewWrite title_of(const std::string& conversation, const std::string& key, const std::string& title = "Trip")
{
    NewWrite write;
    write.principal = "app1";
    write.entry.kind = alli::cache::EditKind::title;
    write.entry.conversation = ConversationId{conversation};
    write.entry.method = "PUT";
    write.entry.path = "/webapi/v2/conversations/" + conversation + "/title";
    write.entry.headers = "{}";
    write.entry.body = R"({"title":")" + title + R"("})";
    write.entry.upstream_key = key;
    write.entry.request_hash = "hash of " + title;
    write.entry.base = R"({"title":"Before"})";
    write.entry.created_at = Instant(std::chrono::microseconds(1'769'851'800'123'456));
    return write;
}

inline alli::cluster::KnownWrite known(const SharedWrite& write)
{
    return {write.entry.id, write.number, write.entry.upstream_key};
}

inline WriteOutcome outcome(EntryState state, std::optional<int> status = std::nullopt)
{
    WriteOutcome settled;
    settled.outcome.state = state;
    settled.outcome.status = status;
    return settled;
}

inline std::string say(const std::optional<alli::cache::ForeignNote>& note)
{
    return note ? fmt::format("{}:{}:{}:{}", note->answer, note->said, note->count, say(note->since)) : "-";
}

/// Every field but the time at which it was settled. Numbers as distances from `from`, for two stores to be compared.
inline std::string say(const SharedWrite& write, std::int64_t from = 0)
{
    const alli::cache::Entry& entry = write.entry;
    const std::string names = fmt::format(
        "{}|{}|{}|{}|{}", name_of(entry.kind), name_of(entry.state),
        entry.conversation ? entry.conversation->value : "-", entry.chat ? entry.chat->value : "-",
        fmt::format("{}|{}|{}|{}|{}", entry.method, entry.path, entry.headers, entry.body, entry.upstream_key));
    const std::string answer =
        fmt::format("{}|{}|{}|{}|{}|{}", say(entry.base), say(entry.conflict), say(entry.response),
                    say(entry.response_type), say(entry.last_error), say(entry.last_status));
    const std::string life =
        fmt::format("{}|{}|{}|{}|{}|{}", entry.attempts, say(std::optional(entry.created_at)),
                    say(entry.next_attempt_at), entry.in_doubt, entry.forced, write.settled_at.has_value());
    const std::string shared =
        fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", write.number - from, write.node, write.principal, write.epoch,
                    say(write.client_key), write.request_hash, write.crashes, write.told, write.discarded,
                    say(write.before), fmt::format("{}|{}", say(write.foreign), say(write.unproven_at)));
    return fmt::format("{}|{}|{}|{}|{}|{}", entry.id - from, entry.place - from, names, answer, life, shared);
}

inline std::string say(const std::vector<SharedWrite>& writes, std::int64_t from = 0)
{
    std::string text;
    for (const SharedWrite& write : writes) text += say(write, from) + "\n";
    return text;
}

} // namespace cluster_tests
