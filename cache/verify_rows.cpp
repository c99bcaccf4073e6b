// SPDX-License-Identifier: Apache-2.0
#include "cache/verify_rows.hpp"

#include "alli/clock.hpp"
#include "cache/changes.hpp"
#include "cache/number.hpp"
#include "cache/problems.hpp"
#include "cache/text_place.hpp"
#include "cache/totals.hpp"

#include <array>
#include <limits>

namespace alli::cache {
namespace {

constexpr int step_conversations = 500;
constexpr std::size_t step_mended = 50;

// Chats with their texts, from the oldest on without a hole.
std::int64_t whole_chats(Connection& db, std::int64_t conversation)
{
    std::int64_t whole = 0;
    for (const Row row : db.query("SELECT ordinal FROM chat WHERE conversation = ?1 ORDER BY ordinal", conversation)) {
        if (row.integer(0) != whole) break;
        ++whole;
    }
    return whole;
}

// Not certified as complete until the engine has fetched it.
void fetch_again(Writer& db, std::int64_t conversation)
{
    SystemClock clock;
    for (const Row row : db.query("SELECT id, last_chat_at FROM conversation WHERE pk = ?1", conversation)) {
        const ConversationId id{std::string(row.text(0))};
        Problem problem;
        problem.what = fmt::format("conversation {} lost messages on this disk and is fetched again", id.value);
        problem.hint = "see the system's log for errors of the disk";
        problem.since = clock.now();
        problem.retry_at = problem.since;
        problem.conversation = id.value;
        if (const auto at = row.optional_instant(1)) problem.unreadable = Span{*at, *at + std::chrono::microseconds(1)};
        put_problem(db, problem_key(id), problem);
        note_change(db, id, ChangeKind::chats);
    }
}

void put_right(Writer& db, std::int64_t conversation)
{
    const std::int64_t whole = whole_chats(db, conversation);
    const std::int64_t cut =
        db.run("DELETE FROM chat_row WHERE conversation = ?1 AND ordinal >= ?2", conversation, whole) +
        db.run("DELETE FROM chat_text WHERE place >= ?1 AND place < ?2", text_place(conversation, whole),
               text_place(conversation + 1, 0));
    db.run("UPDATE conversation SET held = ?2 WHERE pk = ?1", conversation, whole);
    if (cut > 0) fetch_again(db, conversation);
}

// Texts whose conversation is not there, by where they lie: [from, to).
constexpr std::string_view count_stray = "SELECT count(*) FROM chat_text t WHERE place >= ?1 AND place < ?2 AND NOT"
                                         " EXISTS (SELECT 1 FROM conversation c WHERE c.pk = t.place >> 24)";
constexpr std::string_view drop_stray = "DELETE FROM chat_text WHERE NOT EXISTS"
                                        " (SELECT 1 FROM conversation c WHERE c.pk = place >> 24)";

// Rows whose parent must be there: in the order of its key, which each table has an index of.
struct Children {
    const char* what;    // after a number
    const char* parents; // those after ?1, at most ?2, and whether each is there
    const char* count;   // the rows of one
    const char* mend;
};
constexpr auto children = std::to_array<Children>({
    {"messages belong to no conversation",
     "WITH RECURSIVE parent (key, n) AS (SELECT min(conversation), 1 FROM chat_row WHERE conversation > ?1 UNION ALL"
     " SELECT (SELECT min(conversation) FROM chat_row WHERE conversation > key), n + 1 FROM parent"
     " WHERE key IS NOT NULL AND n < ?2)"
     " SELECT key, EXISTS (SELECT 1 FROM conversation WHERE pk = key) FROM parent WHERE key IS NOT NULL",
     "SELECT count(*) FROM chat_row WHERE conversation = ?1",
     "DELETE FROM chat_row WHERE conversation NOT IN (SELECT pk FROM conversation)"},
    {"details belong to no message",
     "SELECT chat, EXISTS (SELECT 1 FROM chat_row WHERE pk = chat) FROM chat_detail WHERE chat > ?1"
     " ORDER BY chat LIMIT ?2",
     "SELECT count(*) FROM chat_detail WHERE chat = ?1",
     "DELETE FROM chat_detail WHERE chat NOT IN (SELECT pk FROM chat_row)"},
    {"categories belong to no conversation",
     "WITH RECURSIVE parent (key, n) AS (SELECT min(conversation), 1 FROM category WHERE conversation > ?1 UNION ALL"
     " SELECT (SELECT min(conversation) FROM category WHERE conversation > key), n + 1 FROM parent"
     " WHERE key IS NOT NULL AND n < ?2)"
     " SELECT key, EXISTS (SELECT 1 FROM conversation WHERE pk = key) FROM parent WHERE key IS NOT NULL",
     "SELECT count(*) FROM category WHERE conversation = ?1",
     "DELETE FROM category WHERE conversation NOT IN (SELECT pk FROM conversation)"},
    {"variables belong to no conversation",
     "WITH RECURSIVE parent (key, n) AS (SELECT min(conversation), 1 FROM variable WHERE conversation > ?1 UNION ALL"
     " SELECT (SELECT min(conversation) FROM variable WHERE conversation > key), n + 1 FROM parent"
     " WHERE key IS NOT NULL AND n < ?2)"
     " SELECT key, EXISTS (SELECT 1 FROM conversation WHERE pk = key) FROM parent WHERE key IS NOT NULL",
     "SELECT count(*) FROM variable WHERE conversation = ?1",
     "DELETE FROM variable WHERE conversation NOT IN (SELECT pk FROM conversation)"},
});
constexpr std::int64_t step_parents = 20'000; // some tens of milliseconds

// Intervals that run backwards or over each other; their times are walked again.
constexpr std::string_view count_coverage =
    "SELECT count(*) FROM coverage a WHERE from_at >= through_at OR EXISTS"
    " (SELECT 1 FROM coverage b WHERE b.from_at > a.from_at AND b.from_at < a.through_at)";
constexpr std::string_view mend_coverage =
    "DELETE FROM coverage WHERE from_at >= through_at OR EXISTS"
    " (SELECT 1 FROM coverage b WHERE b.from_at > coverage.from_at AND b.from_at < coverage.through_at)";

constexpr std::string_view wrong_tallies =
    "SELECT count(*) FROM tally t WHERE entries <> (SELECT count(*) FROM entry e WHERE e.state = t.state) OR bytes <>"
    " (SELECT coalesce(sum(length(body) + coalesce(length(response), 0)), 0) FROM entry e WHERE e.state = t.state)";

} // namespace

bool ChatCheck::step(Reader& db)
{
    const std::int64_t from = after_ == 0 ? std::numeric_limits<std::int64_t>::min() : text_place(after_ + 1, 0);
    int rows = 0;
    for (const Row row : db.query("SELECT pk, held, (SELECT count(*) FROM chat_row r WHERE r.conversation = c.pk),"
                                  " (SELECT coalesce(max(ordinal) + 1, 0) FROM chat_row r WHERE r.conversation = c.pk),"
                                  " (SELECT count(*) FROM chat r WHERE r.conversation = c.pk), (SELECT count(*) FROM"
                                  " chat_text t WHERE t.place >= c.pk << 24 AND t.place < (c.pk + 1) << 24)"
                                  " FROM conversation c WHERE pk > ?1 ORDER BY pk LIMIT ?2",
                                  after_, step_conversations)) {
        ++rows, ++seen_, after_ = row.integer(0);
        const std::int64_t chats = row.integer(2);
        const bool torn = row.integer(3) != chats || row.integer(4) != chats || row.integer(5) != chats;
        if (!torn && row.integer(1) == chats) continue;
        ++(torn ? torn_ : miscounted_);
        wrong_.push_back(after_);
    }
    const bool more = rows == step_conversations;
    const std::int64_t to = more ? text_place(after_ + 1, 0) : std::numeric_limits<std::int64_t>::max();
    for (const Row row : db.query(count_stray, from, to)) stray_texts_ += row.integer(0);
    return more;
}

std::vector<Finding> ChatCheck::findings() const
{
    std::vector<Finding> findings;
    const auto add = [&](std::int64_t count, std::string_view what) {
        if (count > 0) findings.push_back({"rows", fmt::format("{} {}", count, what), Mend::rows});
    };
    add(miscounted_, "conversations count their messages wrongly");
    add(torn_, "conversations lack messages or texts of them");
    add(stray_texts_, "texts belong to no conversation");
    return findings;
}

bool ChatCheck::mend(Writer& db)
{
    if (stray_texts_ > 0) db.run(drop_stray);
    for (std::size_t n = 0; n < step_mended && !wrong_.empty(); ++n) {
        put_right(db, wrong_.back());
        wrong_.pop_back();
    }
    return !wrong_.empty();
}

bool TablesCheck::step(Reader& db)
{
    if (table_ == children.size()) {
        if (const std::int64_t wrong = number_of(db, count_coverage); wrong > 0)
            findings_.push_back(
                {"coverage", fmt::format("{} intervals run backwards or over each other", wrong), Mend::rows});
        if (auto wrong = find_wrong_totals(db)) findings_.push_back({"rows", std::move(*wrong), Mend::rows});
        return false;
    }
    const Children& table = children[table_];
    const std::int64_t after = after_.value_or(std::numeric_limits<std::int64_t>::min());
    std::int64_t parents = 0;
    for (const Row row : db.query(table.parents, after, step_parents)) {
        ++parents, after_ = row.integer(0);
        if (row.integer(1) != 0) continue;
        for (const Row count : db.query(table.count, *after_)) orphans_ += count.integer(0);
    }
    if (parents == step_parents) return true;
    if (orphans_ > 0) findings_.push_back({"rows", fmt::format("{} {}", orphans_, table.what), Mend::rows});
    ++table_, after_.reset(), orphans_ = 0;
    return true;
}

void mend_tables(Writer& db)
{
    for (const Children& table : children) db.run(table.mend);
    db.run(mend_coverage);
    mend_totals(db); // what is removed from here on is counted
    db.touched().lists();
}

std::vector<Finding> check_tally(Reader& outbox)
{
    std::vector<Finding> findings;
    if (const std::int64_t wrong = number_of(outbox, wrong_tallies); wrong > 0)
        findings.push_back({"outbox", fmt::format("{} states are counted wrongly", wrong), Mend::tally});
    return findings;
}

void mend_tally(Writer& outbox)
{
    outbox.run("UPDATE tally SET entries = (SELECT count(*) FROM entry e WHERE e.state = tally.state),"
               " bytes = (SELECT coalesce(sum(length(body) + coalesce(length(response), 0)), 0) FROM entry e"
               " WHERE e.state = tally.state)");
}

} // namespace alli::cache
