// SPDX-License-Identifier: Apache-2.0
// The daemon with sockets that the service manager opened, and what it makes of its limits.
#include "tests/daemon/daemon.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <gmock/gmock.h>

#include <sys/stat.h>

namespace alli::daemon {
namespace {

using testing::HasSubstr;
constexpr const char* activator = "/usr/bin/systemd-socket-activate";

void knock(const std::string& path)
{
    boost::asio::io_context io;
    boost::asio::local::stream_protocol::socket socket(io);
    socket.connect(boost::asio::local::stream_protocol::endpoint(path));
}

std::vector<std::string> activated(const Home& home, const std::string& socket)
{
    std::vector<std::string> words{activator, "--listen=" + socket};
    for (const auto& [name, value] : home.environment) words.push_back("--setenv=" + name + "=" + value);
    for (const std::string& word : Home::words({"serve"})) words.push_back(word);
    return words;
}

// systemd's own program listens, and starts the daemon with the first connection.
TEST(Activation, TakesTheServiceManagersSocket)
{
    if (!std::filesystem::exists(activator)) GTEST_SKIP() << activator << " is missing";
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const std::string socket = home.path("passed.sock");
    support::Process process(activated(home, socket), {{"PATH", "/usr/bin:/bin"}});
    process.wait_for_line("Listening on");

    Home asking; // the command finds the daemon at its own setting
    asking.environment = home.environment;
    asking.environment["ALLI_MIRROR_PROXY_LISTEN"] = "unix:" + socket;
    knock(socket);
    EXPECT_THAT(process.wait_for_line("ready: "), HasSubstr("listens on unix:" + socket));
    EXPECT_EQ(nlohmann::json::parse(asking.run({"status", "--json"}).output)["daemon"]["answered"], true);
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(std::chrono::seconds(10)), 0);
    EXPECT_TRUE(std::filesystem::exists(socket)) << "its file belongs to who opened it";
}

TEST(Activation, SaysSoWhereTheServiceManagersSocketsAreNotThoseOfTheSettings)
{
    if (!std::filesystem::exists(activator)) GTEST_SKIP() << activator << " is missing";
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const std::string socket = home.path("passed.sock");
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:18787";
    support::Process process(activated(home, socket), {{"PATH", "/usr/bin:/bin"}});
    process.wait_for_line("Listening on");
    knock(socket);
    EXPECT_THAT(process.wait_for_line("listens_elsewhere"),
                HasSubstr("are not those of proxy.listen: nobody listens on 127.0.0.1:18787, and commands do not look "
                          "on unix:" +
                          socket));
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(std::chrono::seconds(10)), 0);
    EXPECT_THAT(process.errors(), HasSubstr("ready: ")) << "it answers all the same";
}

TEST(Activation, RefusesADescriptorThatTakesNoConnections)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    std::vector<std::string> words{"/bin/sh", "-c", "exec 3</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" serve"};
    words.push_back(ALLI_MIRROR_BINARY);
    const support::Finished finished = support::run_process(words, home.environment);
    EXPECT_EQ(finished.code, 2);
    EXPECT_THAT(finished.errors, HasSubstr("the passed descriptor 3 is no socket that takes connections"));
}

TEST(Activation, RaisesTheLimitOfDescriptorsToWhatIsAllowed)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    std::vector<std::string> words{"/bin/sh", "-c", "ulimit -Sn 256; ulimit -Hn 3000; exec \"$0\" serve"};
    words.push_back(ALLI_MIRROR_BINARY);
    support::Process process(words, home.environment);
    const std::string line = process.wait_for_line("listens on");
    const auto port = static_cast<std::uint16_t>(std::stoi(line.substr(line.find("127.0.0.1:") + 10)));
    const auto metrics = support::http(port, "GET", "/metrics", {{"API-KEY", "sandbox"}});
    EXPECT_THAT(metrics.body, HasSubstr("process_max_fds 3000"));
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(std::chrono::seconds(10)), 0);
}

} // namespace
} // namespace alli::daemon
