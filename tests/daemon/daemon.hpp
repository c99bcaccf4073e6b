// SPDX-License-Identifier: Apache-2.0
// The real daemon as tests run it, in a home of its own.
#pragma once

#include "tests/daemon/home.hpp"
#include "tests/support/http_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <thread>

namespace alli::daemon {

/// A daemon under test; SIGTERM at the end, and that must go well.
class Daemon {
  public:
    Daemon(const Home& home, std::vector<std::string> arguments)
        : process(Home::words(std::move(arguments)), home.environment), hello(process.wait_for_line("listens on"))
    {
        const auto at = hello.find("127.0.0.1:") + 10;
        port = static_cast<std::uint16_t>(std::stoi(hello.substr(at)));
    }

    int stop()
    {
        process.send(SIGTERM);
        return process.wait(std::chrono::seconds(10));
    }

    support::HttpReply get(const std::string& target) const
    {
        return support::http(port, "GET", target, {{"API-KEY", key}});
    }

    nlohmann::json status() const
    {
        const auto reply = get("/mirror/v1/status");
        EXPECT_EQ(reply.status, 200) << reply.body << reply.error;
        return nlohmann::json::parse(reply.body, nullptr, false);
    }

    /// Asks again until the status fits: the engine has its own time.
    template <class Fits>
    nlohmann::json wait_for(Fits fits, std::chrono::seconds patience = std::chrono::seconds(30)) const
    {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        for (nlohmann::json now = status();; now = status()) {
            if (fits(now)) return now;
            if (std::chrono::steady_clock::now() > deadline) {
                ADD_FAILURE() << "the status never fitted: " << now.dump();
                return now;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5)); // and leaves ports and processor to others
        }
    }

    /// Until lists are answered from the mirror: everything is there, and known to be.
    void wait_until_complete() const
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
        for (;;) {
            const auto said = get("/mirror/v1/status");
            if (said.status == 200 && nlohmann::json::parse(said.body)["mirror"]["complete"] == true) return;
            if (std::chrono::steady_clock::now() > deadline || (said.status != 200 && said.status < 500)) {
                ADD_FAILURE() << "the mirror was never complete: " << said.body;
                return;
            }
            std::this_thread::yield();
        }
    }

    support::Process process;
    std::string hello;
    std::uint16_t port = 0;
    std::string key = "sandbox";
};

} // namespace alli::daemon
