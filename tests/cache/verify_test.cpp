// SPDX-License-Identifier: Apache-2.0
#include "alli/sync_wait.hpp"
#include "cache/upkeep/verify.hpp"

#include "alli/error.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/problems.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"

#include <boost/asio/detached.hpp>

#include <sqlite3.h>

#include <fstream>

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

class VerifyTest : public CacheTest {
  protected:
    VerifyTest()
    {
        for (int n = 0; n < 50; ++n) put("c" + std::to_string(n), 1000 + n * 10, 10);
        const Instant end{std::chrono::seconds(10'000)};
        write([&](Writer& db) { cover(db, {beginning_of_time, end, end}); });
    }

    VerifyReport look(VerifyOptions options = {}) { return sync_wait(verify(*store_, std::move(options))); }

    VerifyReport repair()
    {
        VerifyOptions options;
        options.repair = true;
        return look(std::move(options));
    }

    std::vector<std::string> findings(bool alone = false)
    {
        VerifyOptions options;
        options.alone = alone;
        std::vector<std::string> lines;
        for (const Finding& one : look(std::move(options)).findings) lines.push_back(one.where + ": " + one.what);
        return lines;
    }

    std::int64_t hits()
    {
        SearchQuery query;
        query.text = "chat";
        return store_->read([&](Reader& db) { return search(db, query); }).total;
    }

    std::optional<Held> find_held(const std::string& id)
    {
        return store_->read([&](Reader& db) { return cache::find_held(db, ConversationId{id}); });
    }

    bool is_complete_at(int seconds)
    {
        const Instant at{std::chrono::seconds(seconds)};
        return store_->read([&](Reader& db) { return is_covered(db, at, at + std::chrono::microseconds(1)); });
    }

    // Nothing is touched until the next start, which sets the mirror aside and begins an empty one.
    void expect_refetch()
    {
        EXPECT_FALSE(look().restart) << "nobody asked for that";
        const VerifyReport found = repair();
        EXPECT_TRUE(found.restart);
        EXPECT_FALSE(found.repaired);
        EXPECT_TRUE(find_held("c1")) << "it serves until then";
        reopen();
        EXPECT_THAT(store_->damage(), ElementsAre(testing::HasSubstr("mirror.db was damaged")));
        EXPECT_THAT(findings(), IsEmpty());
        EXPECT_FALSE(find_held("c1"));
        EXPECT_FALSE(is_complete_at(1080)) << "it is to be fetched";
    }

    // FTS5's own tables, which SQLite keeps from everybody.
    void spoil_words(const std::string& sql)
    {
        write([&](Writer& db) {
            sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr);
            db.run(sql);
            sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
        });
        reopen(); // FTS5 remembers what it has read
    }

    // Past SQLite: bytes of a page that the file says belongs to the table or index.
    void spoil(const std::string& what, std::int64_t at, const std::string& bytes,
               const std::string& name = "mirror.db")
    {
        store_.reset();
        {
            const auto page = Connection(dir_ / name, Access::read)
                                  .require<std::int64_t>("SELECT rootpage FROM sqlite_schema WHERE name = ?1", what);
            std::fstream file(dir_ / name, std::ios::in | std::ios::out | std::ios::binary);
            file.seekp((page - 1) * 4096 + at);
            file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        }
        store_ = std::make_unique<Store>(options());
    }
};

TEST_F(VerifyTest, FindsNothingWhereNothingIsWrong)
{
    EXPECT_THAT(findings(), IsEmpty());
    EXPECT_THAT(findings(true), IsEmpty());
}

TEST_F(VerifyTest, FindsWhatTheIndexLacksAndMakesItAnew)
{
    write([](Writer& db) {
        for (const char* table : {"chat_words", "chat_letters"}) // as if the words of one chat had never been put
            db.run(fmt::format("INSERT INTO {0} ({0}, rowid, text, citations) VALUES ('delete', 1000,"
                               " 'chat 9 of c0', '')",
                               table));
    });
    EXPECT_THAT(findings(),
                ElementsAre("words: chat_words holds 499 rows of 500", "words: chat_letters holds 499 rows of 500"));
    EXPECT_TRUE(look().damaged());
    EXPECT_TRUE(repair().repaired);
    EXPECT_THAT(findings(), IsEmpty());
    EXPECT_EQ(hits(), 500);
}

TEST_F(VerifyTest, FindsAnIndexWhosePagesAreWrongBesideOthersAndAlone)
{
    spoil_words("UPDATE chat_words_data SET block = zeroblob(length(block)) WHERE id > 10 AND length(block) > 50");
    EXPECT_THAT(findings(), ElementsAre("words: chat_words is damaged"));
    EXPECT_THAT(findings(true), ElementsAre("words: chat_words is damaged"));
    EXPECT_TRUE(repair().repaired);
    EXPECT_EQ(hits(), 500);
}

TEST_F(VerifyTest, FindsAnIndexThatHasForgottenItsParts)
{
    spoil_words("UPDATE chat_words_data SET block = x'ffff' WHERE id = 10");
    EXPECT_THAT(findings(), ElementsAre("words: chat_words finds 0 places of 2000"));
    EXPECT_TRUE(repair().repaired);
    EXPECT_EQ(hits(), 500);
}

TEST_F(VerifyTest, WritesThatMeetADamagedIndexFailButNotForGood)
{
    spoil_words("UPDATE chat_words_data SET block = x'ffff' WHERE id = 10");
    EXPECT_THROW(put("new", 5000, 3), Error) << "it cannot be indexed";
    EXPECT_TRUE(repair().repaired);
    put("new", 5000, 3);
    EXPECT_EQ(hits(), 503);
}

TEST_F(VerifyTest, PutsCountsRight)
{
    write([](Writer& db) { db.run("UPDATE conversation SET held = 11 WHERE id = 'c7'"); });
    EXPECT_THAT(findings(), ElementsAre("rows: 1 conversations count their messages wrongly"));
    EXPECT_TRUE(repair().repaired);
    EXPECT_EQ(find_held("c7")->chats, 10);
    EXPECT_TRUE(is_complete_at(1070)) << "nothing was missing";
}

TEST_F(VerifyTest, HasTheMirrorFetchedAgainWhereMessagesAreMissing)
{
    const std::string place = "(SELECT pk << 24 FROM conversation WHERE id = 'c7')";
    write([&](Writer& db) { db.run("DELETE FROM chat_segment WHERE place = " + place); });
    EXPECT_THAT(findings(), ElementsAre("rows: 1 conversations lack messages or texts of them"));
    expect_refetch();
}

TEST_F(VerifyTest, HasTheMirrorFetchedAgainWhereRowsBelongToNothing)
{
    write([](Writer& db) {
        db.run("INSERT INTO chat_text (place, raw) VALUES ((7777 << 24) + 1, '{}')");
        db.run("INSERT INTO chat_segment (place, body) VALUES (-5, x'00')");
        db.run("INSERT INTO chat_detail (chat, of, raw) SELECT pk, 1, '{}' FROM chat_row LIMIT 1");
    });
    store_.reset();
    {
        Writer db(dir_ / "mirror.db");
        db.script("PRAGMA foreign_keys = OFF; DELETE FROM chat_row WHERE pk = (SELECT chat FROM chat_detail);"
                  "INSERT INTO category (name, conversation, id) VALUES ('hotel', 4444, 'x')");
    }
    store_ = std::make_unique<Store>(options());
    EXPECT_THAT(findings(),
                IsSupersetOf({"rows: 2 texts belong to no conversation", "rows: 1 details belong to no message",
                              "rows: 1 categories belong to no conversation"}));
    expect_refetch();
}

TEST_F(VerifyTest, HasTheMirrorFetchedAgainWhereCoverageContradictsItself)
{
    write([](Writer& db) { db.run("INSERT INTO coverage (from_at, through_at, verified_at) VALUES (1000, 900, 1)"); });
    EXPECT_THAT(findings(), ElementsAre("coverage: 2 intervals run backwards or over each other"));
    expect_refetch();
}

TEST_F(VerifyTest, PutsTheOutboxsCountsRight)
{
    asio::io_context loop;
    auto spoil =
        store_->write_outbox([](Writer& db) { db.run("UPDATE tally SET entries = 3 WHERE state = 'failed'"); });
    asio::co_spawn(loop, std::move(spoil), asio::detached);
    loop.run();
    EXPECT_THAT(findings(), ElementsAre("outbox: 1 states are counted wrongly"));
    EXPECT_TRUE(repair().repaired);
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(VerifyTest, MakesAnIndexOfSqlitesOwnAnew)
{
    write([](Writer& db) { db.run("UPDATE chat_row SET completed = 0 WHERE place & 0xffffff = 9"); });
    spoil("chat_growing", 4095, "\x77"); // the end of an entry: the row that it stands for
    const VerifyReport found = look();
    ASSERT_TRUE(found.damaged());
    EXPECT_EQ(found.findings.front().where, "mirror");
    for (const Finding& one : found.findings) EXPECT_EQ(one.repair, Repair::reindex) << one.what;
    EXPECT_TRUE(repair().repaired);
}

TEST_F(VerifyTest, MakesAnIndexOfTheOutboxAnew)
{
    const auto accept_one = [](Writer& db) {
        NewEntry entry;
        entry.conversation = ConversationId{"c"};
        entry.method = "PUT", entry.path = "/x", entry.headers = "{}", entry.body = "{}";
        entry.upstream_key = entry.request_hash = "h", entry.client_key = "the app's key";
        accept(db, entry);
    };
    sync_wait(store_->write_outbox(accept_one));
    spoil("entry_by_client_key", 4095, "\x77", "outbox.db"); // the end of an entry: the row that it stands for
    const VerifyReport found = look();
    ASSERT_TRUE(found.damaged());
    for (const Finding& one : found.findings) EXPECT_EQ(one.repair, Repair::reindex) << one.where << ": " << one.what;
    EXPECT_EQ(found.findings.front().where, "outbox");
    EXPECT_TRUE(repair().repaired);
}

TEST_F(VerifyTest, LeavesAFileWithADamagedPageToTheNextStart)
{
    spoil("chat_segment", 0, std::string(3, '\xff'));
    EXPECT_FALSE(look().restart) << "nobody asked for that";
    const VerifyReport found = repair();
    EXPECT_TRUE(found.damaged());
    EXPECT_EQ(found.findings.front().where, "mirror");
    EXPECT_EQ(found.findings.front().repair, Repair::replace);
    EXPECT_TRUE(found.restart);
    reopen();
    EXPECT_THAT(store_->damage(), ElementsAre(testing::HasSubstr("mirror.db was damaged")));
    EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(VerifyTest, EndsWhenItIsToldTo)
{
    VerifyOptions options;
    int asked = 0;
    options.stopping = [&] { return ++asked > 2; };
    EXPECT_THROW(look(std::move(options)), Error);
    EXPECT_THAT(findings(), IsEmpty());
}

} // namespace
} // namespace alli::cache
