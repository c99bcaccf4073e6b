// SPDX-License-Identifier: Apache-2.0
// Which projects the page may lead to: those of this user's daemons, at the addresses that they noted themselves.
#include "daemon/service/neighbours.hpp"

#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include <sys/file.h>
#include <unistd.h>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class NeighboursTest : public testing::Test {
  protected:
    /// A mirror whose daemon runs, in a way that find_owner() knows: its lock is held.
    class Running {
      public:
        explicit Running(const std::string& mirror)
            : lock_(::open((fs::path(mirror).parent_path() / "alli-mirror.lock").c_str(), O_RDWR | O_CREAT, 0600))
        {
            const std::string pid = std::to_string(::getpid()) + "\n";
            EXPECT_EQ(::write(lock_, pid.data(), pid.size()), static_cast<::ssize_t>(pid.size()));
            EXPECT_EQ(::flock(lock_, LOCK_EX | LOCK_NB), 0);
        }
        ~Running() { ::close(lock_); }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;

      private:
        int lock_;
    };

    std::string put_mirror(const std::string& file) const
    {
        fs::create_directories(fs::path(home.path(file)).parent_path());
        std::ofstream(home.path(file)) << "";
        return home.path(file);
    }
    json list(const std::string& mirror, bool sandbox = false) const
    {
        const std::string directory = home.path("me");
        const auto read = [directory](const std::string& name) {
            return name == "HOME" ? std::optional(directory) : std::nullopt;
        };
        return json::parse(projects_json(mirror, sandbox, Environment(read), paths))["projects"];
    }

    Home home;
    ServicePaths paths{home.path("lib"), home.path("run"), home.path("etc")};
    std::string hotel = put_mirror("lib/alli-mirror@hotel/mirror.db"),
                shop = put_mirror("lib/alli-mirror@shop/mirror.db");
};

TEST_F(NeighboursTest, AreFoundWhereTheyListenWhileTheyRun)
{
    const Running one(hotel);
    note_page_address(hotel, {"unix:/run/x.sock", "127.0.0.1:8787"});
    note_page_address(shop, {"[::]:8788", "0.0.0.0:8788"});
    EXPECT_EQ(list(hotel), json::parse(R"([
        {"name":"alli-mirror@hotel","origin":"http://127.0.0.1:8787","reachable":true,"current":true},
        {"name":"alli-mirror@shop","origin":null,"reachable":false,"current":false}])"));
    const Running other(shop);
    EXPECT_EQ(list(hotel)[1]["origin"], "http://127.0.0.1:8788");
    note_page_address(shop, {"unix:/run/x.sock"});
    EXPECT_EQ(list(hotel)[1]["reachable"], false) << "no browser gets to a socket";
}

TEST_F(NeighboursTest, AreNoLinksToWhatSomebodyElseWrote)
{
    const Running one(hotel), other(shop);
    const std::string note = home.path("lib/alli-mirror@shop/alli-mirror.page");
    for (const char* text : {"javascript:alert(1)", "http://evil.test:80", "http://192.0.2.1:80", "https://127.0.0.1:1",
                             "http://127.0.0.1:8788/path", "http://127.0.0.1:8788@evil.test", ""}) {
        std::ofstream(note) << text << '\n';
        fs::permissions(note, fs::perms(0600));
        EXPECT_EQ(list(hotel)[1]["reachable"], false) << text;
    }
    note_page_address(shop, {"127.0.0.1:8788"});
    ASSERT_EQ(list(hotel)[1]["reachable"], true);
    fs::permissions(note, fs::perms(0622));
    EXPECT_EQ(list(hotel)[1]["reachable"], false) << "others could have written it";
}

TEST_F(NeighboursTest, AreNotAnotherUsers)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make files of another user";
    ASSERT_EQ(::chown(shop.c_str(), 64'001, 64'001), 0);
    EXPECT_EQ(list(hotel).size(), 1U);
}

TEST_F(NeighboursTest, HasASandboxNone)
{
    const json own = list(home.path("sandbox/mirror.db"), true);
    ASSERT_EQ(own.size(), 1U);
    EXPECT_EQ(own[0]["name"], "sandbox");
    EXPECT_EQ(own[0]["current"], true);
}

} // namespace
} // namespace alli::daemon
