// SPDX-License-Identifier: Apache-2.0
// With few descriptors idle clients shut nobody out: the longest idle one makes room, and the files and upstream keep
// theirs.
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace alli::scenario {

using daemon::Home;
using nlohmann::json;
using testing::HasSubstr;

/// Connections that say nothing.
class Idlers {
  public:
    Idlers(std::uint16_t port, int count)
    {
        sockaddr_in to{};
        to.sin_family = AF_INET, to.sin_port = htons(port), to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        for (int n = 0; n < count; ++n) {
            const int one = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            if (one < 0) break;
            sockets_.push_back(one);
            EXPECT_EQ(::connect(one, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        }
    }
    ~Idlers()
    {
        for (const int one : sockets_) ::close(one);
    }
    Idlers(const Idlers&) = delete;
    Idlers& operator=(const Idlers&) = delete;

  private:
    std::vector<int> sockets_;
};

class Descriptors : public testing::TestWithParam<int> {};

TEST_P(Descriptors, IdleClientsShutNobodyOut)
{
    sandbox::Sandbox upstream(daemon::small_sandbox(5));
    Home home;
    home.use(upstream);
    const std::string limit = std::to_string(GetParam());
    support::Process process({"/bin/sh", "-c", "ulimit -n " + limit + "; exec " ALLI_MIRROR_BINARY " serve"},
                             home.environment);
    const std::string hello = process.wait_for_line("listens on");
    const auto port = static_cast<std::uint16_t>(std::stoi(hello.substr(hello.find("127.0.0.1:") + 10)));
    EXPECT_THAT(process.errors(), HasSubstr("limit of " + limit + " open files"));

    const std::string first = upstream::conversation_target(ConversationId{upstream.conversation_ids().front()});
    const Idlers crowd(port, 700);
    for (int n = 0; n < 10; ++n) {
        const auto before = std::chrono::steady_clock::now();
        EXPECT_EQ(support::http(port, "GET", "/mirror/v1/status").status, 200) << n;
        EXPECT_EQ(support::http(port, "GET", first).status, 200) << n;
        EXPECT_EQ(support::http(port, "PATCH", first, support::sandbox_key(), R"({"state":"s"})").status, 200) << n;
        EXPECT_EQ(support::http(port, "GET", "/webapi/v2/elsewhere").status, 404) << n << " relayed";
        EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
    }
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(std::chrono::seconds(20)), 0);
}

INSTANTIATE_TEST_SUITE_P(Limits, Descriptors, testing::Values(64, 128, 256, 1024),
                         [](const auto& row) { return "Of" + std::to_string(row.param); });

} // namespace alli::scenario
