// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/verify_rows.hpp"

#include "alli/error.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/rows/totals.hpp"

#include <array>
#include <limits>

namespace alli::cache {
namespace {

constexpr int step_conversations = 500;

// Texts whose conversation is not there, by where they lie: [from, to).
constexpr std::string_view count_stray =
    "SELECT count(*) FROM (SELECT place FROM chat_text WHERE place >= ?1 AND place < ?2 UNION ALL"
    " SELECT place FROM chat_segment WHERE place >= ?1 AND place < ?2) t"
    " WHERE NOT EXISTS (SELECT 1 FROM conversation c WHERE c.pk = t.place >> 24)";

// Rows whose parent must be there: in the order of its key, which each table has an index of.
struct Children {
    const char* what;    // after a number
    const char* parents; // those after ?1, at most ?2, and whether each is there
    const char* count;   // the rows of one
};
constexpr auto children = std::to_array<Children>({
    {"messages belong to no conversation",
     "WITH RECURSIVE parent (key, n) AS ("
     "SELECT min(place) >> 24, 1 FROM chat_row WHERE place >= (max(?1, -1) + 1) << 24 UNION ALL"
     " SELECT (SELECT min(place) FROM chat_row WHERE place >= (key + 1) << 24) >> 24, n + 1 FROM parent"
     " WHERE key IS NOT NULL AND n < ?2)"
     " SELECT key, EXISTS (SELECT 1 FROM conversation WHERE pk = key) FROM parent WHERE key IS NOT NULL",
     "SELECT count(*) FROM chat_row WHERE place >= ?1 << 24 AND place < (?1 + 1) << 24"},
    {"details belong to no message",
     "SELECT chat, EXISTS (SELECT 1 FROM chat_row WHERE pk = chat) FROM chat_detail WHERE chat > ?1"
     " ORDER BY chat LIMIT ?2",
     "SELECT count(*) FROM chat_detail WHERE chat = ?1"},
    {"categories belong to no conversation",
     "WITH RECURSIVE parent (key, n) AS (SELECT min(conversation), 1 FROM category WHERE conversation > ?1 UNION ALL"
     " SELECT (SELECT min(conversation) FROM category WHERE conversation > key), n + 1 FROM parent"
     " WHERE key IS NOT NULL AND n < ?2)"
     " SELECT key, EXISTS (SELECT 1 FROM conversation WHERE pk = key) FROM parent WHERE key IS NOT NULL",
     "SELECT count(*) FROM category WHERE conversation = ?1"},
    {"variables belong to no conversation",
     "WITH RECURSIVE parent (key, n) AS (SELECT min(conversation), 1 FROM variable WHERE conversation > ?1 UNION ALL"
     " SELECT (SELECT min(conversation) FROM variable WHERE conversation > key), n + 1 FROM parent"
     " WHERE key IS NOT NULL AND n < ?2)"
     " SELECT key, EXISTS (SELECT 1 FROM conversation WHERE pk = key) FROM parent WHERE key IS NOT NULL",
     "SELECT count(*) FROM variable WHERE conversation = ?1"},
});
constexpr std::int64_t step_parents = 20'000; // some tens of milliseconds

// Intervals that run backwards or over each other.
constexpr std::string_view count_coverage =
    "SELECT count(*) FROM coverage a WHERE from_at >= through_at OR EXISTS"
    " (SELECT 1 FROM coverage b WHERE b.from_at > a.from_at AND b.from_at < a.through_at)";
constexpr std::string_view wrong_tallies =
    "SELECT count(*) FROM tally t WHERE entries <> (SELECT count(*) FROM entry e WHERE e.state = t.state) OR bytes <>"
    " (SELECT coalesce(sum(length(body) + coalesce(length(response), 0)), 0) FROM entry e WHERE e.state = t.state)";

// Whether these are the ordinals of a conversation's texts: 0 to chats - 1. None: they cannot be read.
std::optional<bool> has_texts(Reader& db, std::int64_t conversation, std::int64_t chats)
{
    std::int64_t next = 0;
    bool gapless = true;
    try {
        visit_texts(db, conversation, [&](const ChatTextView& text) { gapless = gapless && text.ordinal == next++; });
    } catch (const Error& error) {
        if (error.fault() != Fault::damaged) throw;
        return std::nullopt;
    }
    return gapless && next == chats;
}

} // namespace

bool ChatCheck::step(Reader& db)
{
    const std::int64_t from = after_ == 0 ? std::numeric_limits<std::int64_t>::min() : chat_text_key(after_ + 1, 0);
    int rows = 0;
    for (const Row row : db.query("SELECT pk, held, (SELECT count(*) FROM chat_row r"
                                  " WHERE r.place >= c.pk << 24 AND r.place < (c.pk + 1) << 24),"
                                  " (SELECT coalesce((max(place) & 0xffffff) + 1, 0) FROM chat_row r"
                                  " WHERE r.place >= c.pk << 24 AND r.place < (c.pk + 1) << 24)"
                                  " FROM conversation c WHERE pk > ?1 ORDER BY pk LIMIT ?2",
                                  after_, step_conversations)) {
        ++rows, ++seen_, after_ = row.integer(0);
        const std::int64_t chats = row.integer(2);
        const auto whole = has_texts(db, after_, chats);
        if (!whole)
            ++unreadable_;
        else if (!*whole || row.integer(3) != chats)
            ++torn_;
        else if (row.integer(1) != chats)
            miscounts_.push_back(after_);
    }
    const bool more = rows == step_conversations;
    const std::int64_t to = more ? chat_text_key(after_ + 1, 0) : std::numeric_limits<std::int64_t>::max();
    stray_texts_ += db.require<std::int64_t>(count_stray, from, to);
    return more;
}

std::vector<Finding> ChatCheck::findings() const
{
    std::vector<Finding> findings;
    const auto add = [&](std::int64_t count, std::string_view what, Repair repair) {
        if (count > 0) findings.push_back({"rows", fmt::format("{} {}", count, what), repair});
    };
    add(std::ssize(miscounts_), "conversations count their messages wrongly", Repair::recount);
    add(torn_, "conversations lack messages or texts of them", Repair::refetch);
    add(unreadable_, "conversations have messages that cannot be unpacked", Repair::refetch);
    add(stray_texts_, "texts belong to no conversation", Repair::refetch);
    return findings;
}

void ChatCheck::repair_counts(Writer& db)
{
    for (const std::int64_t conversation : miscounts_)
        db.run("UPDATE conversation SET held = (SELECT count(*) FROM chat_row"
               " WHERE place >= ?1 << 24 AND place < (?1 + 1) << 24) WHERE pk = ?1",
               conversation);
    repair_totals(db);
    db.change_set().lists();
}

bool TablesCheck::step(Reader& db)
{
    if (table_ == children.size()) {
        if (const std::int64_t wrong = db.require<std::int64_t>(count_coverage); wrong > 0)
            findings_.push_back(
                {"coverage", fmt::format("{} intervals run backwards or over each other", wrong), Repair::refetch});
        if (auto wrong = find_wrong_totals(db)) findings_.push_back({"rows", std::move(*wrong), Repair::recount});
        return false;
    }
    const Children& table = children[table_];
    const std::int64_t after = after_.value_or(std::numeric_limits<std::int64_t>::min());
    std::int64_t parents = 0;
    for (const Row row : db.query(table.parents, after, step_parents)) {
        ++parents, after_ = row.integer(0);
        if (row.integer(1) != 0) continue;
        orphans_ += db.require<std::int64_t>(table.count, *after_);
    }
    if (parents == step_parents) return true;
    if (orphans_ > 0) findings_.push_back({"rows", fmt::format("{} {}", orphans_, table.what), Repair::refetch});
    ++table_, after_.reset(), orphans_ = 0;
    return true;
}

std::vector<Finding> check_tally(Reader& outbox)
{
    std::vector<Finding> findings;
    if (const std::int64_t wrong = outbox.require<std::int64_t>(wrong_tallies); wrong > 0)
        findings.push_back({"outbox", fmt::format("{} states are counted wrongly", wrong), Repair::recount_outbox});
    return findings;
}

void repair_tally(Writer& outbox)
{
    outbox.run("UPDATE tally SET entries = (SELECT count(*) FROM entry e WHERE e.state = tally.state),"
               " bytes = (SELECT coalesce(sum(length(body) + coalesce(length(response), 0)), 0) FROM entry e"
               " WHERE e.state = tally.state)");
}

} // namespace alli::cache
