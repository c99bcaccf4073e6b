// SPDX-License-Identifier: Apache-2.0
// The service manager's sockets, as systemctl shows them, held against the settings: by doctor and by a start. And the
// units themselves, as they are installed.
#include "daemon/service/socket_unit.hpp"
#include "daemon/settings/load_settings.hpp"
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

TEST(SocketUnit, IsReadAsSystemctlShowsIt)
{
    const auto units = read_units("Listen=127.0.0.1:8787 (Stream)\nListen=/run/alli-mirror.sock (Stream)\n"
                                  "Listen=[::1]:8787 (Stream)\nId=alli-mirror.socket\nActiveState=active\n"
                                  "UnitFileState=enabled\n\nId=alli-mirror.service\nActiveState=inactive\n"
                                  "UnitFileState=\n");
    ASSERT_EQ(units.size(), 2U);
    EXPECT_EQ(units[0].name, "alli-mirror.socket");
    EXPECT_TRUE(units[0].active && units[0].enabled);
    EXPECT_THAT(units[0].addresses, ElementsAre("127.0.0.1:8787", "unix:/run/alli-mirror.sock", "[::1]:8787"));
    EXPECT_FALSE(units[1].active || units[1].enabled);
    EXPECT_THAT(read_units(""), testing::IsEmpty());
    EXPECT_EQ(read_units("=\nx\nListen=\n").size(), 1U) << "whatever another version says";
}

TEST(SocketUnit, DiffersWhereAppsOrCommandsLookElsewhere)
{
    Settings none;
    const std::vector<std::string> shipped{"127.0.0.1:8787", "unix:/run/alli-mirror.sock"};
    EXPECT_EQ(find_difference(none, shipped), "");
    EXPECT_EQ(find_difference(none, {"127.0.0.1:8787", "unix:/run/user/1000/alli-mirror/proxy.sock"}), "");
    EXPECT_EQ(find_difference(none, {"127.0.0.1:9000"}),
              "nobody listens on 127.0.0.1:8787, and commands do not look on 127.0.0.1:9000");
    const auto set = [](std::vector<std::string> listen) {
        const std::string joined = fmt::format("{}", fmt::join(listen, ","));
        const auto variables = [&](const std::string& name) {
            return name == "ALLI_MIRROR_PROXY_LISTEN" ? std::optional(joined) : std::nullopt;
        };
        return load_settings("", Environment(variables));
    };
    EXPECT_EQ(find_difference(set({"127.0.0.1:8787"}), shipped), "") << "its own file is known";
    EXPECT_EQ(find_difference(set({"localhost:8787"}), shipped), "");
    EXPECT_EQ(find_difference(set({"127.0.0.1:8787"}), {"127.0.0.1:8787", "unix:/run/alli-mirror@one.sock"}), "");
    EXPECT_EQ(find_difference(set({"127.0.0.1:8787", "unix:/x/p.sock"}), shipped), "nobody listens on unix:/x/p.sock");
    EXPECT_EQ(find_difference(set({"127.0.0.1:8787"}), {"127.0.0.1:8787", "unix:/x/p.sock"}),
              "commands do not look on unix:/x/p.sock");
    EXPECT_EQ(find_difference(set({"[::1]:9000"}), {"[::1]:8787"}),
              "nobody listens on [::1]:9000, and commands do not look on [::1]:8787");
    EXPECT_THAT(find_difference(set({"127.0.0.1:8787"}), {"127.0.0.1:8787", "@abstract", "8787", "[vsock]:1"}),
                StartsWith("commands do not look on @abstract"));
}

class SocketDoctor : public testing::Test {
  protected:
    SocketDoctor()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:18787";
        fs::create_directory(home.path("bin"));
        home.environment["PATH"] = home.path("bin") + ":/usr/bin:/bin";
    }

    void put_systemctl(const std::string& script) const
    {
        home.write("bin/systemctl", "#!/bin/sh\n" + script, fs::perms(0755));
    }

    void show(const std::string& of_socket, const std::string& of_service) const
    {
        put_systemctl("printf '%s\\n' \"$*\" >" + home.path("asked") + "\nprintf '" + of_socket + "\\n\\n" +
                      of_service + "\\n'\n");
    }

    /// What the check of sockets warns of, with its hint.
    std::string warning() const
    {
        const auto finished = home.run({"doctor", "--json", "--offline"});
        std::string said;
        for (const json& one : json::parse(finished.output, nullptr, false).value("checks", json::array()))
            if (one["check"] == "socket" && one["state"] != "ok" && one["what"] != no_unix_socket)
                said += one["what"].get<std::string>() + " | " + one["hint"].get<std::string>() + "\n";
        return said;
    }

    static constexpr const char* no_unix_socket = "no Unix socket: commands reach the daemon only with the key";
    static constexpr const char* enabled = "\\nActiveState=active\\nUnitFileState=enabled";
    static constexpr const char* disabled = "\\nActiveState=inactive\\nUnitFileState=disabled";
    const std::string socket = "Listen=127.0.0.1:8787 (Stream)\\nId=alli-mirror.socket";
    const std::string service = "Id=alli-mirror.service";
    const sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(SocketDoctor, SaysHowItsAddressesDiffer)
{
    show(socket + enabled, service + enabled);
    EXPECT_THAT(warning(), HasSubstr("alli-mirror.socket has other addresses than proxy.listen: nobody listens on "
                                     "127.0.0.1:18787, and commands do not look on 127.0.0.1:8787 | systemctl"));
    EXPECT_THAT(warning(), HasSubstr("edit alli-mirror.socket"));
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:8787";
    EXPECT_EQ(warning(), "");
}

TEST_F(SocketDoctor, AsksAboutTheUnitOfThisMirror)
{
    show(socket + enabled, service + enabled);
    const auto asked = [&] {
        warning();
        return (std::stringstream() << std::ifstream(home.path("asked")).rdbuf()).str();
    };
    const std::string show_it = "show --property=Id,ActiveState,UnitFileState,Listen ";
    const std::string plain = "alli-mirror.socket alli-mirror.service\n";
    const std::string instance = "alli-mirror@one.socket alli-mirror@one.service\n";
    EXPECT_EQ(asked(), "--user " + show_it + plain);
    home.environment["STATE_DIRECTORY"] = home.path("alli-mirror");
    EXPECT_EQ(asked(), show_it + plain);
    home.environment["STATE_DIRECTORY"] = home.path("alli-mirror@one");
    EXPECT_EQ(asked(), show_it + instance);
    home.environment["STATE_DIRECTORY"] = "";
    home.environment["ALLI_MIRROR_MIRROR_PATH"] = "/var/lib/alli-mirror@one/mirror.db";
    EXPECT_EQ(asked(), show_it + instance);
}

TEST_F(SocketDoctor, SaysThatThePortIsAnybodysWhereTheServiceListensByItself)
{
    show(socket + disabled, service + enabled);
    EXPECT_THAT(warning(), StartsWith("alli-mirror.socket does not hold the port: while alli-mirror.service does not "
                                      "run, any user can listen there and be sent a key | systemctl"));
    EXPECT_THAT(warning(), HasSubstr("stop alli-mirror.service; "));
    show(socket + disabled, service + disabled);
    EXPECT_EQ(warning(), "") << "it is not run by the service manager";
    show(socket + "\\nActiveState=inactive\\nUnitFileState=enabled", service + disabled);
    EXPECT_THAT(warning(), AllOf(HasSubstr("does not hold the port"), HasSubstr("has other addresses")))
        << "from the next boot on it does, with these";
}

TEST_F(SocketDoctor, GetsOnWithoutAServiceManagerThatAnswers)
{
    for (const char* script : {"exit 1", "echo Id=alli-mirror.socket; exit 1", "echo nonsense", "exec sleep 60"}) {
        put_systemctl(script);
        const auto asked = std::chrono::steady_clock::now();
        EXPECT_EQ(warning(), "") << script;
        EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(30)) << script;
    }
}

std::string text_of(const std::string& unit)
{
    std::ifstream file(std::string(ALLI_UNITS) + "/" + unit);
    EXPECT_TRUE(file) << unit;
    return (std::stringstream() << file.rdbuf()).str();
}

TEST(Units, NeverGiveThePortUp)
{
    for (const char* unit : {"alli-mirror.service.in", "alli-mirror-user.service.in", "alli-mirror.socket.in"}) {
        EXPECT_THAT(text_of(unit), HasSubstr("\nStartLimitIntervalSec=0\n")) << unit;
        EXPECT_THAT(text_of(unit), Not(HasSubstr("StartLimitBurst"))) << unit;
    }
    EXPECT_THAT(text_of("alli-mirror.socket.in"), HasSubstr("\nTriggerLimitIntervalSec=0\n"));
}

// Otherwise one waiting connection starts it some hundred times a second.
TEST(Units, PauseAfterEveryKindOfFailure)
{
    for (const char* unit : {"alli-mirror.service.in", "alli-mirror-user.service.in"}) {
        const std::string text = text_of(unit);
        EXPECT_THAT(text, HasSubstr("\nRestart=on-failure\n")) << unit;
        EXPECT_THAT(text, HasSubstr("\nRestartSec=5s\n")) << unit;
        const auto at =
            text.find("\nRestartPreventExitStatus=") + std::string_view("\nRestartPreventExitStatus=").size();
        std::string codes = text.substr(at, text.find('\n', at) - at);
        std::replace(codes.begin(), codes.end(), ' ', '|');
        EXPECT_THAT(text, HasSubstr("\nExecStopPost=/bin/sh -c 'case \"$EXIT_STATUS\" in " + codes +
                                    ") exec sleep 5;; esac'\n"))
            << unit;
        EXPECT_THAT(codes, StartsWith("2")) << unit;
    }
}

} // namespace
} // namespace alli::daemon
