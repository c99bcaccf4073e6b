// SPDX-License-Identifier: Apache-2.0
// What a leader's mirror notes as unpublished.
#include "cache/outbox/overlay.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/cache/replica/follower.hpp"

#include <algorithm>
#include <set>

namespace alli::cache {
namespace {

using nlohmann::json;

class Notes : public CacheTest {
  protected:
    void SetUp() override
    {
        store_.reset();
        store_ = std::make_unique<Store>(noting(options()));
        publish();
    }

    Unpublished publish(std::size_t limit = 1000)
    {
        Unpublished found = store_->read([&](Reader& db) { return read_unpublished(db, limit); });
        write([&](Writer& db) { drop_notes(db, found.notes); });
        return found;
    }

    std::vector<std::string> plan(const char* sql)
    {
        std::vector<std::string> steps;
        store_->read([&](Reader& db) {
            for (const Row row : db.query(std::string("EXPLAIN QUERY PLAN ") + sql)) steps.emplace_back(row.text(3));
            return 0;
        });
        return steps;
    }

    std::int64_t noted()
    {
        return store_->read([](Reader& db) { return count_notes(db); });
    }

    static std::vector<std::string> names_of(const std::vector<PublishedState>& state)
    {
        std::vector<std::string> names;
        for (const PublishedState& one : state) names.push_back(one.name);
        return names;
    }
};

// Of each column of mirror.db: (p)ublished, (d)erived from what is, or a node's (o)wn. A new column has to be here, and
// where it is published, its table has to be noted.
constexpr std::string_view fates =
    "category: d name, d conversation, d last_chat_at, d id, d created_at\n"
    "category_list: p one, p raw, p verified_at\n"
    "change: o seq, o conversation, o kind_code\n"
    "chat_detail: d chat, p of, p raw\n"
    "chat_row: d place, o pk, d sender_code, d sent_after, d completed, d facts\n"
    "chat_segment: d place, p body\n"
    "chat_text: d place, p raw\n"
    "chat_text_id: d place, p id\n"
    "conversation: o pk, p id, p raw, p chats_at, d title, d user_id, d user_name, d app_id, d memo, p created_at,"
    " d first_chat_at, p last_chat_at, d is_end, d chat_count, p held\n"
    "conversation_fact: d conversation, d state, d assignee, d channel\n"
    "coverage: p from_at, p through_at, p verified_at\n"
    "drift: p name, p count\n"
    "edit: o entry, o conversation, o place, o chat, o patch, o confirmed_at, o lags_until, o confirmed_utc, o before,"
    " o covered\n"
    "fact: p name, p value\n"
    "fact_bound: o kind, o bound\n"
    "hidden_chat: p conversation, p ordinal, p id, p raw\n"
    "insight_day: d day, d body\n"
    "insight_key: o number, d of_group, d key\n"
    "insight_stale: d day\n"
    "known_category: p id, p name\n"
    "problem: p key, p what, p hint, p since, p tries, p retry_at, p conversation, p from_at, p through_at\n"
    "progress: p name, p value\n"
    "purged: p hash\n"
    "purged_day: p day\n"
    "suspect: p id, p noticed_at\n"
    "tombstone: p id, p deleted_at\n"
    "totals: d one, d conversations, d chats\n"
    "unpublished: o kind, o key, o from_ordinal, o times\n"
    "upstream_raw: p conversation, p chat, p raw\n"
    "variable: p conversation, p name, p value, p verified_at\n"
    "word_index: o kind, o version, o bound, o removed\n";

TEST_F(Notes, KnowOfEachColumnOfTheMirrorWhatBecomesOfIt)
{
    std::string found;
    store_->read([&](Reader& db) {
        for (const Row table : db.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE"
                                        " 'sqlite_%' AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE '%\\_words\\_%'"
                                        " ESCAPE '\\' AND name NOT LIKE '%\\_letters\\_%' ESCAPE '\\' ORDER BY name")) {
            const std::string name(table.text(0));
            found += name + ":";
            std::string_view comma = " ";
            for (const auto& column : db.all<std::string>("SELECT name FROM pragma_table_info(?1)", name)) {
                found += fmt::format("{}{}", comma, column);
                comma = ", ";
            }
            found += "\n";
        }
    });
    std::string known;
    for (std::size_t at = 0; at < fates.size(); ++at) {
        const bool fate = at + 2 < fates.size() && fates[at] == ' ' && fates[at + 2] == ' ' &&
                          std::string_view("pdo").find(fates[at + 1]) != std::string_view::npos;
        if (fate)
            known += " ", at += 2;
        else
            known += fates[at];
    }
    EXPECT_EQ(found, known);
}

TEST_F(Notes, WatchEachTableWithSomethingPublished)
{
    std::set<std::string> published;
    for (std::size_t begin = 0; begin < fates.size();) {
        const std::size_t end = fates.find('\n', begin);
        const std::string_view line = fates.substr(begin, end - begin);
        if (line.find(" p ") != line.npos) published.emplace(line.substr(0, line.find(':')));
        begin = end + 1;
    }
    // A text never changes without its row.
    for (const char* const text : {"chat_segment", "chat_text", "chat_text_id"}) published.erase(text);
    published.insert("chat_row");
    const auto noted = noted_tables();
    EXPECT_EQ(published, std::set<std::string>(noted.begin(), noted.end()));
}

TEST_F(Notes, AreMadeOnlyWhereTheFileWasOpenedForACluster)
{
    reopen(); // as a single machine
    put("a", 100, 3);
    EXPECT_EQ(noted(), 0);
}

TEST_F(Notes, NameAConversationWithItsChatsFromTheFirstThatChanged)
{
    put("a", 100, 30);
    put("b", 200, 2);
    Unpublished found = publish();
    EXPECT_TRUE(found.whole);
    ASSERT_EQ(found.rows.conversations.size(), 2U);
    EXPECT_EQ(found.rows.chats.size(), 32U);
    EXPECT_EQ(found.rows.conversations[0].held, 30);

    const std::vector<Chat> more{::support::make_chat("a", 30, 101, "one more")};
    write([&](Writer& db) { put_chats(db, {"a"}, 30, more); });
    found = publish();
    ASSERT_EQ(found.rows.chats.size(), 1U);
    EXPECT_EQ(found.rows.chats[0].ordinal, 30);
    EXPECT_EQ(found.rows.chats[0].chat, more[0].raw);
    EXPECT_EQ(found.rows.chats[0].sender, "USER");
    EXPECT_EQ(found.rows.chats[0].message, "one more");
    EXPECT_EQ(found.rows.chats[0].sent_at, ::support::at_second(101));
    EXPECT_EQ(found.rows.conversations.at(0).held, 31);
    EXPECT_EQ(noted(), 0);
}

TEST_F(Notes, ACutConversationIsPublishedByTheNumberOfItsChats)
{
    put("a", 100, 30);
    publish();
    write([](Writer& db) { cut_chats(db, {"a"}, 12); });
    const Unpublished found = publish();
    EXPECT_EQ(found.rows.conversations.at(0).held, 12);
    EXPECT_TRUE(found.rows.chats.empty());
}

TEST_F(Notes, AnEndIsPublishedAndAnotherBeginningInstead)
{
    put("a", 100, 3);
    put("b", 100, 3);
    publish();
    write([](Writer& db) { erase_conversation(db, {"a"}); });
    write([](Writer& db) { erase_conversation(db, {"b"}); });
    put("b", 300, 2);
    const Unpublished found = publish();
    ASSERT_EQ(found.rows.conversations.size(), 2U);
    EXPECT_EQ(found.rows.conversations[0].id, "b");
    EXPECT_FALSE(found.rows.conversations[0].deleted);
    EXPECT_EQ(found.rows.chats.size(), 2U);
    EXPECT_EQ(found.rows.conversations[1].id, "a");
    EXPECT_TRUE(found.rows.conversations[1].deleted);
}

TEST_F(Notes, StayWhereTheRowChangedAgainWhileItWasPublished)
{
    put("a", 100, 3);
    const Unpublished read = store_->read([&](Reader& db) { return read_unpublished(db, 1000); });
    write([](Writer& db) { cut_chats(db, {"a"}, 1); });
    write([&](Writer& db) { drop_notes(db, read.notes); });
    const Unpublished found = publish();
    ASSERT_EQ(found.rows.conversations.size(), 1U);
    EXPECT_EQ(found.rows.conversations[0].held, 1);
}

TEST_F(Notes, GoWithARollback)
{
    EXPECT_THROW(write([](Writer& db) {
                     put_conversation(db, ::support::make_conversation("a", 100));
                     throw std::runtime_error("no");
                 }),
                 std::runtime_error);
    EXPECT_EQ(noted(), 0);
}

TEST_F(Notes, AnApplicationThatFailsLeavesNotesOn)
{
    EXPECT_THROW(write([](Writer& db) { without_notes(db, [] { throw std::runtime_error("no"); }); }),
                 std::runtime_error);
    put("a", 100, 1);
    EXPECT_EQ(noted(), 1);
}

TEST_F(Notes, StateComesWithTheLastRowsAlone)
{
    for (int n = 0; n < 40; ++n) put("c" + std::to_string(n), 100 + n, 3);
    write([](Writer& db) {
        cover(db, {::support::at_second(0), ::support::at_second(200), ::support::at_second(1000)});
        Progress progress;
        progress.unit = TimeUnit::seconds;
        progress.boundary = ::support::at_second(200);
        save_progress(db, progress);
    });
    std::size_t batches = 0, conversations = 0;
    for (;; ++batches) {
        const Unpublished found = publish(20);
        conversations += found.rows.conversations.size();
        EXPECT_EQ(found.rows.chats.size(), 3 * found.rows.conversations.size());
        if (found.whole) {
            EXPECT_THAT(names_of(found.rows.state), testing::UnorderedElementsAre("coverage", "progress", "unit"));
            break;
        }
        EXPECT_THAT(names_of(found.rows.state), testing::ElementsAre("unit"));
    }
    EXPECT_EQ(conversations, 40U);
    EXPECT_EQ(batches, 8U);
    EXPECT_TRUE(publish().rows.state.empty());
}

// A conversation that ended is noted by its row's number as well, and that note has no row to send.
TEST_F(Notes, OfStateStayUntilItIsSentHoweverManyNotesHaveNoRow)
{
    for (std::size_t limit = 1; limit <= 30; ++limit) {
        SCOPED_TRACE(limit);
        for (int n = 0; n < 12; ++n) put("c" + std::to_string(n), 100 + n, 1);
        publish();
        write([](Writer& db) {
            for (int n = 0; n < 12; ++n) erase_conversation(db, {"c" + std::to_string(n)});
            db.run("DELETE FROM coverage");
            cover(db, {::support::at_second(0), ::support::at_second(200), ::support::at_second(1000)});
            db.run("INSERT OR REPLACE INTO fact (name, value) VALUES ('envelope x', 1)");
        });
        std::vector<std::string> said;
        for (bool whole = false; !whole;) {
            const Unpublished found = publish(limit);
            ASSERT_TRUE(found.whole || !found.notes.empty()) << "it never ends";
            for (const std::string& name : names_of(found.rows.state))
                if (name != unit_name) said.push_back(name);
            whole = found.whole;
        }
        EXPECT_THAT(said, testing::UnorderedElementsAre("coverage", "fact"));
    }
}

// The statements behind them replace and ignore: a trigger's own way with conflicts is not theirs.
TEST_F(Notes, AreMadeByStatementsThatReplaceAsWell)
{
    for (int n = 0; n < 3; ++n) {
        write([&](Writer& db) {
            Problem problem;
            problem.what = "n";
            problem.conversation = "c";
            problem.tries = n;
            put_problem(db, "one", problem);
            db.run("INSERT OR REPLACE INTO fact (name, value) VALUES ('envelope x', ?1)", n);
            db.run("INSERT OR IGNORE INTO suspect (id, noticed_at) VALUES (?1, 1)", "s" + std::to_string(n));
        });
        EXPECT_EQ(noted(), 3);
    }
    EXPECT_THAT(names_of(publish().rows.state), testing::UnorderedElementsAre("problem", "fact", "suspect"));
    write([](Writer& db) { clear_problem(db, "one"); });
    EXPECT_THAT(names_of(publish().rows.state), testing::ElementsAre("problem"));
}

// The first publication has as many batches as the mirror has thousands of rows: each reads its own alone.
TEST_F(Notes, AreReadInTheOrderOfTheirKeyWithoutLookingAtTheRest)
{
    using testing::ElementsAre;
    using testing::StartsWith;
    EXPECT_THAT(plan(load_notes_sql), ElementsAre(StartsWith("SEARCH unpublished USING PRIMARY KEY (kind=?)")));
}

TEST_F(Notes, ABatchEndsWhereItHasEnoughBytes)
{
    const std::string words(10'000, 'x');
    for (int n = 0; n < 10; ++n) put("c" + std::to_string(n), 1000, 1, {{"title", words}});
    const Unpublished found = store_->read([](Reader& db) { return read_unpublished(db, 1000, 25'000); });
    EXPECT_EQ(found.rows.conversations.size(), 3U);
    EXPECT_FALSE(found.whole);
}

TEST_F(Notes, WhatIsAsideIsPassedOverUntilItIsNotedAgainOrHoweverOftenItIs)
{
    put("c1", 1000, 1);
    put("c2", 1000, 1);
    const Unpublished first = store_->read([](Reader& db) { return read_unpublished(db, 1); });
    ASSERT_EQ(first.rows.conversations.size(), 1U);
    std::vector<Note> aside = first.notes;
    const auto rest = [&] {
        return store_->read([&](Reader& db) { return read_unpublished(db, 1000, 1'000'000, aside); });
    };
    EXPECT_EQ(rest().rows.conversations.size(), 1U);
    EXPECT_TRUE(rest().whole);
    put("c1", 1001, 1);
    EXPECT_EQ(rest().rows.conversations.size(), 2U) << "it is another now";
    for (Note& note : aside) note.times = any_times;
    EXPECT_EQ(rest().rows.conversations.size(), 1U);
}

} // namespace
} // namespace alli::cache
