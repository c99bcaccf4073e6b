// SPDX-License-Identifier: Apache-2.0
#include "cache/read_state.hpp"

#include "cache/rows/problems.hpp"

namespace alli::cache {

ReadState load_read_state(Reader& db, const ConversationId& id, Instant since)
{
    const std::string problem = problem_key(id);
    const auto read = [](const Row& row) { return ReadState{row.integer(0), row.get<bool>(1), row.get<bool>(2)}; };
    // Of most the last chat is older: nothing is looked for then.
    auto found = db.one(read,
                        "SELECT c.pk, c.last_chat_at > ?2 AND EXISTS (SELECT 1 FROM chat_row INDEXED BY chat_growing"
                        " WHERE place >= c.pk << 24 AND place < (c.pk + 1) << 24 AND completed = 0),"
                        " EXISTS (SELECT 1 FROM problem WHERE key = ?3) FROM conversation c WHERE c.id = ?1",
                        id.value, since, problem);
    if (found) return *found;
    ReadState none;
    none.unreadable = find_problem(db, problem).has_value();
    return none;
}

} // namespace alli::cache
