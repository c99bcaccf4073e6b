// SPDX-License-Identifier: Apache-2.0
// The end of a daemon whose files are held by somebody else: what waits for them is cut short after a deadline, in an
// order in which nothing that still runs refers to what is gone. The address sanitizer says whether that is so.
#include "tests/daemon/daemon.hpp"

#include <sqlite3.h>

#include <future>

namespace alli::daemon {
namespace {

/// Another program's connection in the middle of a write: everybody else's waits.
class Holder {
  public:
    explicit Holder(const std::string& path)
    {
        EXPECT_EQ(sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
        sqlite3_busy_timeout(db_, 5000);
        EXPECT_EQ(sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db_);
    }
    void let_go() { EXPECT_EQ(sqlite3_close(std::exchange(db_, nullptr)), SQLITE_OK); }

  private:
    sqlite3* db_ = nullptr;
};

std::string any_id(const Daemon& daemon)
{
    const auto list = daemon.get("/webapi/v2/conversations?pageSize=1");
    return nlohmann::json::parse(list.body)["conversations"][0]["id"];
}

// Upstream has the write already; what came of it is still to be committed.
TEST(ForcedStop, EndsInOrderWhileACommitWaitsForTheFile)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const std::string target = "/webapi/v2/conversations/" + any_id(daemon);
    Holder holder(home.mirror());
    auto write = std::async(std::launch::async, [&] {
        return support::http(daemon.port, "PUT", target + "/title", {{"API-KEY", daemon.key}}, R"({"title":"held"})");
    });
    for (std::string seen; seen.find("\"held\"") == seen.npos;)
        seen = support::http(upstream.port(), "GET", target, {{"API-KEY", daemon.key}}).body;
    daemon.process.send(SIGTERM);
    write.wait(); // as long as sessions may take: the engine is cut short, or has given up the commit by itself
    holder.let_go();
    EXPECT_EQ(daemon.process.wait(std::chrono::seconds(30)), 0) << daemon.process.errors();
}

} // namespace
} // namespace alli::daemon
