// SPDX-License-Identifier: Apache-2.0
// What status says of a log that a reader keeps from being emptied.
#include "alli/sync_wait.hpp"
#include "cache/store.hpp"
#include "daemon/service/disk_state.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::daemon {
namespace {

TEST(LongLog, IsAProblemThatNamesWhoHoldsItUntilItIsEmptied)
{
    const ::support::TempDir dir;
    cache::StoreOptions options;
    options.mirror_path = dir / "mirror.db";
    options.url = "http://127.0.0.1:1";
    options.threads = false;
    options.log = {2 * 1024 * 1024, std::chrono::hours(1), {}, {}};
    cache::Store store(options);

    sync_wait(store.take_turns()); // what the layout of a new file took
    Json problems = Json::array();
    add_long_logs(problems);
    EXPECT_TRUE(problems.empty());
    const auto hold = [&](cache::Reader& db) {
        db.require<std::int64_t>("SELECT count(*) FROM fact");
        const std::string much(100'000, 'x');
        const auto put = [&](cache::Writer& mirror) {
            mirror.run("INSERT OR REPLACE INTO fact (name, value) VALUES ('much', ?1)", much);
        };
        for (int n = 0; n < 30; ++n) sync_wait(store.write(put));
        add_long_logs(problems);
    };
    sync_wait(store.read_long(hold, "a look at everything"));
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_THAT(problems[0]["what"].get<std::string>(),
                testing::MatchesRegex("the log of mirror.db has grown to [23] MiB and cannot be emptied, for a look at"
                                      " everything keeps reading it"));
    EXPECT_TRUE(problems[0]["since"].is_string());
    EXPECT_THAT(problems[0]["hint"].get<std::string>(), testing::HasSubstr("emptied by itself"));

    sync_wait(store.take_turns());
    problems = Json::array();
    add_long_logs(problems);
    EXPECT_TRUE(problems.empty());
}

} // namespace
} // namespace alli::daemon
