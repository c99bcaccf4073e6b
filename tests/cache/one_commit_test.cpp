// SPDX-License-Identifier: Apache-2.0
// Several jobs in one commit: what each changed in the index of words is written at its end, for those that went well.
#include "cache/search/index.hpp"
#include "cache/writer_thread.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

class OneCommit : public CacheTest {
  protected:
    void SetUp() override
    {
        store_.reset(); // it made the file
        committing_ = std::make_unique<Committer>(std::make_unique<Writer>(dir_ / "mirror.db"));
    }

    // Which of the jobs failed.
    std::vector<bool> run(std::vector<Job> jobs)
    {
        std::vector<bool> failed(jobs.size());
        std::deque<Committer::Pending> batch;
        for (std::size_t i = 0; i < jobs.size(); ++i)
            batch.push_back({&jobs[i], [&failed, i](const std::exception_ptr& why) { failed[i] = why != nullptr; }});
        committing_->run(batch);
        return failed;
    }

    static Job say(const std::string& text)
    {
        return [text](Connection& connection) {
            Writer& db = static_cast<Writer&>(connection);
            put_conversation(db, support::make_conversation("c", 100));
            put_chats(db, {"c"}, 0, std::vector{support::make_chat("c", 0, 100, text)});
        };
    }

    static Job fail_after(Job job)
    {
        return [job](Connection& db) {
            job(db);
            throw std::runtime_error("in the middle");
        };
    }

    static Job of(bool (*step)(Writer&))
    {
        return [step](Connection& db) { step(static_cast<Writer&>(db)); };
    }

    std::int64_t found(const std::string& word) const
    {
        Connection db(dir_ / "mirror.db", Access::read);
        Rows rows = db.query("SELECT count(*) FROM chat_words WHERE chat_words MATCH ?1", word);
        return rows.step() ? rows.row().integer(0) : -1;
    }

    // Of all terms.
    std::int64_t places() const
    {
        Connection db(dir_ / "mirror.db", Access::read);
        db.script("CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', 'chat_words', 'row')");
        Rows rows = db.query("SELECT sum(cnt) FROM temp.terms");
        return rows.step() ? rows.row().integer(0) : -1;
    }

    std::unique_ptr<Committer> committing_;
};

TEST_F(OneCommit, IndexesTheLatestOfSeveralChanges)
{
    EXPECT_THAT(run({say("first"), say("second"), say("third")}), testing::Each(false));
    EXPECT_EQ(found("first") + found("second"), 0);
    EXPECT_EQ(found("third"), 1);
    EXPECT_EQ(places(), 1);
}

TEST_F(OneCommit, ForgetsTheWordsOfAJobThatFailed)
{
    EXPECT_THAT(run({say("first"), fail_after(say("second")), say("third")}), testing::ElementsAre(false, true, false));
    EXPECT_EQ(found("first") + found("second"), 0);
    EXPECT_EQ(found("third"), 1);
    EXPECT_EQ(places(), 1);
}

TEST_F(OneCommit, MakesTheIndexAnewAmongChanges)
{
    run({say("first")});
    const Job rebuild = [](Connection& db) { rebuild_index(static_cast<Writer&>(db)); };
    EXPECT_THAT(run({say("second"), rebuild, say("third"), of(&extend_index), say("fourth"), of(&extend_index),
                     of(&extend_index), of(&extend_index)}),
                testing::Each(false));
    EXPECT_EQ(found("first") + found("second") + found("third"), 0);
    EXPECT_EQ(found("fourth"), 1);
    EXPECT_EQ(places(), 1);
}

TEST_F(OneCommit, ExtendsTheIndexAfterAChange)
{
    run({say("first")});
    run({[](Connection& db) { rebuild_index(static_cast<Writer&>(db)); }});
    EXPECT_THAT(run({say("second"), of(&extend_index), of(&extend_index)}), testing::Each(false));
    EXPECT_EQ(found("first"), 0);
    EXPECT_EQ(found("second"), 1);
    EXPECT_EQ(places(), 1);
}

// Its savepoint holds the words of the job before too.
TEST_F(OneCommit, IsUndoneWithAJobThatWroteTheWordsOfOthers)
{
    EXPECT_THAT(run({say("first"), fail_after(of(&extend_index))}), testing::Each(true));
    EXPECT_THAT(run({say("second")}), testing::Each(false));
    EXPECT_EQ(found("first"), 0);
    EXPECT_EQ(found("second"), 1);
    EXPECT_EQ(places(), 1);
}

TEST_F(OneCommit, ScoursTheTermsOfWhatWasJustRemoved)
{
    run({say("first")});
    bool more = false;
    const Job erase = [](Connection& db) { erase_conversation(static_cast<Writer&>(db), {"c"}); };
    const Job scour = [&](Connection& db) { more = merge_deleted_terms(static_cast<Writer&>(db)); };
    EXPECT_THAT(run({erase, scour}), testing::Each(false));
    EXPECT_TRUE(more);
    while (more) run({scour});
    EXPECT_EQ(places(), 0);
}

} // namespace
} // namespace alli::cache
