// SPDX-License-Identifier: Apache-2.0
// Killed while writes are on their way upstream, or while a daemon that was told to stop lets them out: each that was
// acknowledged is applied once, those of a conversation in order.
#include "sandbox/sandbox.hpp"
#include "tests/powercut/crash_phases.hpp"
#include "tests/support/http_client.hpp"
#include "upstream/target.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <csignal>
#include <map>
#include <thread>

namespace alli::powercut {
namespace {

using nlohmann::json;
using Kind = sandbox::FaultRule::Kind;
using namespace std::chrono_literals;

constexpr int conversations = 3, writes = 12;

sandbox::Options small()
{
    sandbox::Options options;
    options.conversations = conversations;
    return options;
}

class WritesCrash : public Crash {
  public:
    WritesCrash() : upstream_(small()), run_("", upstream_.url()), ids_(upstream_.conversation_ids()) {}

    int run(const std::optional<CrashPoint>& point) override
    {
        upstream_.set_faults({{Kind::too_many, "setConversationTitle", 0, -1, 0}});
        support::Process daemon(program({"serve"}), with_pauses(run_.waiting_environment(point)));
        const std::uint16_t port = port_of(daemon);
        for (int n = 0; n < writes; ++n) accept(port, n);
        run_.arm();
        go(daemon, port);
        return daemon.wait(20s);
    }

    std::optional<std::string> refute() override
    {
        upstream_.set_faults({});
        support::Process daemon(program({"serve"}), with_pauses(run_.plain_environment()));
        const std::uint16_t port = port_of(daemon);
        const auto left = wait_until_delivered(port);
        daemon.send(SIGTERM);
        if (const int code = daemon.wait(20s)) return fmt::format("the next daemon ends with {}", code);
        if (left != 0) return fmt::format("{} writes wait or failed", left);
        return refute_applied();
    }

    std::vector<std::string> calls() const override { return run_.calls(); }

  protected:
    virtual void go(support::Process& daemon, std::uint16_t port) = 0; // what the points are in

    static std::uint16_t port_of(support::Process& daemon)
    {
        const std::string hello = daemon.wait_for_line("listens on");
        return static_cast<std::uint16_t>(std::stoi(hello.substr(hello.find("127.0.0.1:") + 10)));
    }

    // So many wait or failed in the end; -1: the daemon is gone.
    int wait_until_delivered(std::uint16_t port) const
    {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        for (int left = -1;; std::this_thread::sleep_for(5ms)) {
            const auto said = support::http(port, "GET", "/mirror/v1/status", {{"API-KEY", "sandbox"}});
            if (said.status != 200) return -1;
            const json outbox = json::parse(said.body)["outbox"];
            left = outbox["pending"].get<int>() + outbox["conflicts"].get<int>() + outbox["failed"].get<int>();
            if (left == 0 || std::chrono::steady_clock::now() > deadline) return left;
        }
    }

    sandbox::Sandbox upstream_;

  private:
    static support::Process::Environment with_pauses(support::Process::Environment environment)
    {
        environment["ALLI_MIRROR_OUTBOX_RETRY_INITIAL"] = "10ms";
        environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "50ms";
        return environment;
    }

    void accept(std::uint16_t port, int number)
    {
        const std::string& id = ids_[static_cast<std::size_t>(number % conversations)];
        const std::string target = upstream::conversation_target(ConversationId{id}, "/title");
        const auto reply =
            support::http(port, "PUT", target,
                          {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}, {"Prefer", "respond-async"}},
                          json{{"title", std::to_string(number)}}.dump());
        if (reply.status == 202) accepted_[id].push_back(number);
    }

    std::optional<std::string> refute_applied() const
    {
        std::map<std::string, std::vector<int>> applied;
        for (const auto& write : upstream_.writes())
            applied[write.conversation_id].push_back(std::stoi(json::parse(write.body)["title"].get<std::string>()));
        for (const auto& [id, numbers] : accepted_)
            if (applied[id] != numbers)
                return fmt::format("of {} were accepted {}, and applied {}", id, json(numbers).dump(),
                                   json(applied[id]).dump());
        return accepted_.size() == conversations ? std::nullopt : std::optional<std::string>("nothing was accepted");
    }

    CrashRun run_;
    std::vector<std::string> ids_;
    std::map<std::string, std::vector<int>> accepted_;
};

class Delivery final : public WritesCrash {
    void go(support::Process& daemon, std::uint16_t port) override
    {
        upstream_.set_faults({});
        wait_until_delivered(port);
        daemon.send(SIGTERM);
    }
};

class Drain final : public WritesCrash {
    void go(support::Process& daemon, std::uint16_t) override
    {
        upstream_.set_faults({{Kind::latency, "setConversationTitle", 0, -1, 5}});
        daemon.send(SIGTERM);
    }
};

} // namespace

std::unique_ptr<Crash> make_delivery()
{
    return std::make_unique<Delivery>();
}

std::unique_ptr<Crash> make_drain()
{
    return std::make_unique<Drain>();
}

} // namespace alli::powercut
