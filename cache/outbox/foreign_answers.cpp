// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/foreign_answers.hpp"

namespace alli::cache {

ForeignAnswers note_foreign(Writer& db, std::int64_t id, const std::string& signature, const std::string& said,
                            bool counts, Instant now)
{
    db.run("UPDATE entry SET foreign_count = CASE WHEN foreign_answer IS ?2 THEN foreign_count + ?4 ELSE 1 END,"
           " foreign_since = CASE WHEN foreign_answer IS ?2 THEN min(foreign_since, ?5) ELSE ?5 END,"
           " foreign_answer = ?2, foreign_said = ?3 WHERE id = ?1",
           id, signature, said, counts, now);
    const auto read = [&](const Row& row) {
        return ForeignAnswers{row.integer(0), row.optional_instant(1).value_or(now)};
    };
    const auto answers = db.one(read, "SELECT foreign_count, foreign_since FROM entry WHERE id = ?1", id);
    return answers.value_or(ForeignAnswers{0, now}); // none: purged meanwhile
}

void forget_foreign(Writer& db, std::int64_t id)
{
    db.run("UPDATE entry SET foreign_answer = NULL, foreign_said = NULL, foreign_count = 0, foreign_since = NULL"
           " WHERE id = ?1 AND foreign_answer IS NOT NULL",
           id);
}

void put_unproven(Writer& db, std::int64_t id, std::optional<Instant> when)
{
    db.run("UPDATE entry SET unproven_at = ?2 WHERE id = ?1", id, when);
}

std::optional<Instant> find_unproven(Reader& db, std::int64_t id)
{
    return db.one<Instant>("SELECT unproven_at FROM entry WHERE id = ?1", id);
}

ForeignSummary summarize_foreign(Reader& db)
{
    ForeignSummary summary;
    for (const Row row : db.query("SELECT foreign_said, foreign_since FROM entry WHERE foreign_answer IS NOT NULL"
                                  " AND state IN ('pending', 'sending') ORDER BY id")) {
        if (++summary.entries > 1) continue;
        summary.said = row.text(0);
        summary.since = row.optional_instant(1).value_or(Instant{});
    }
    return summary;
}

} // namespace alli::cache
