// SPDX-License-Identifier: Apache-2.0
// `verify` through the real program, beside a daemon and without one.
#include "cache/store.hpp"
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;

class VerifyCommand : public testing::Test {
  protected:
    VerifyCommand()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
    }

    void change(const std::string& sql) const
    {
        cache::Writer db(home.mirror());
        sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_DEFENSIVE, 0, nullptr); // FTS5's own tables too
        db.script(sql);
        db.checkpoint(cache::Writer::Checkpoint::truncate);
    }

    sandbox::Sandbox upstream{small_sandbox(60)};
    Home home;
};

TEST_F(VerifyCommand, SaysThatNothingIsWrongBesideADaemonAndWithoutOne)
{
    EXPECT_EQ(home.run({"verify"}).code, 1) << "there is no mirror yet";
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto alone = home.run({"verify"});
    EXPECT_EQ(alone.code, 0) << alone.errors;
    EXPECT_THAT(alone.output, HasSubstr("agree"));
    Daemon daemon(home, {"serve"});
    const auto beside = home.run({"verify", "--json"});
    EXPECT_EQ(beside.code, 0) << beside.errors;
    EXPECT_EQ(json::parse(beside.output),
              json::parse(R"({"damaged":false,"repaired":false,"restart":false,"findings":[]})"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(VerifyCommand, SaysWhatIsWrongAndThenFetchesTheMirrorAgain)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto whole = home.run({"export"});
    ASSERT_EQ(whole.code, 0);
    change("DELETE FROM chat_segment WHERE place = (SELECT min(place) FROM chat_segment)");
    const auto found = home.run({"verify"});
    EXPECT_EQ(found.code, 5) << found.output;
    EXPECT_THAT(found.output, HasSubstr("rows: 1 conversations lack messages"));
    EXPECT_THAT(found.errors, HasSubstr("verify --repair"));
    const auto repaired = home.run({"verify", "--repair", "--json"});
    EXPECT_EQ(repaired.code, 5) << repaired.errors;
    EXPECT_EQ(json::parse(repaired.output)["restart"], true);
    EXPECT_THAT(repaired.errors, HasSubstr("restart the program"));
    ASSERT_EQ(home.run({"sync"}).code, 0);
    EXPECT_THAT(home.run({"status"}).output, HasSubstr("mirror.db was damaged"));
    EXPECT_EQ(home.run({"export"}).output, whole.output);
    EXPECT_EQ(home.run({"verify"}).code, 0);
}

TEST_F(VerifyCommand, RepairsInTheDaemonWhichGoesOn)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    change("UPDATE chat_words_data SET block = zeroblob(length(block)) WHERE id > 10");
    Daemon daemon(home, {"serve"});
    const auto found = home.run({"verify", "--json"});
    EXPECT_EQ(found.code, 5) << found.errors;
    EXPECT_EQ(json::parse(found.output)["findings"][0]["where"], "words");
    EXPECT_EQ(home.run({"verify", "--repair"}).code, 0);
    EXPECT_EQ(home.run({"verify"}).code, 0);
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon
