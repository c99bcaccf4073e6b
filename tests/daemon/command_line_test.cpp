// SPDX-License-Identifier: Apache-2.0
// What people type, where the output goes, and how a command reaches the daemon, through the real program.
#include "tests/daemon/daemon.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>

#include <gmock/gmock.h>

#include <unistd.h>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;
namespace asio = boost::asio;

class CommandLine : public testing::Test {
  protected:
    CommandLine() { home.use(upstream); }

    sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(CommandLine, WordsOfASearchMayBeginWithAHyphen)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto query = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"search", "--json"});
        const auto finished = home.run(words);
        EXPECT_EQ(finished.code, 0) << finished.errors;
        return json::parse(finished.output, nullptr, false).value("query", "");
    };
    EXPECT_EQ(query({"hello", "-hockey"}), "hello -hockey");
    EXPECT_EQ(query({"-hockey", "hello"}), "-hockey hello");
    EXPECT_EQ(query({"hello", "-x", "OR", "-여행"}), "hello -x OR -여행");
    EXPECT_EQ(query({"hello", "-user:x", "--limit", "5", "-5"}), "hello -user:x -5");
    EXPECT_EQ(query({"--", "hello", "-hockey"}), "hello -hockey");
    EXPECT_EQ(query({"hello", "--", "-hockey", "--limit", "x", "--"}), "hello -hockey --limit x --");
    EXPECT_EQ(home.run({"--mirror-path", home.mirror(), "search", "--sort", "relevance", "a", "-b"}).code, 0);
    EXPECT_THAT(home.run({"search", "-h"}).output, HasSubstr("--limit")) << "help";
    EXPECT_THAT(home.run({"export", "-h"}).output, HasSubstr("--format")) << "help";
    const auto wrong = home.run({"search", "x", "--limit", "-5"});
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.errors, HasSubstr("--limit"));
    EXPECT_EQ(home.run({"export", "hello", "-hockey", "--format", "csv"}).code, 0);
    EXPECT_EQ(home.run({"list", "-x"}).code, 2) << "no search";
}

TEST_F(CommandLine, AHyphenIsStdout)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto all = home.run({"export", "--format", "jsonl"});
    const auto hyphen = home.run({"export", "--format", "jsonl", "--output", "-"});
    EXPECT_EQ(hyphen.code, 0) << hyphen.errors;
    EXPECT_EQ(hyphen.output, all.output);
    EXPECT_FALSE(fs::exists("-"));
}

TEST_F(CommandLine, OutputThatCannotBeWrittenIsAFailure)
{
    const auto into_full_disk = [&](const std::string& command) {
        return support::run_process({"/bin/sh", "-c", std::string(ALLI_MIRROR_BINARY) + " " + command + " >/dev/full"},
                                    home.environment);
    };
    for (const char* command : {"--version", "--help", "search --help", "config show", "completions bash"}) {
        const auto finished = into_full_disk(command);
        EXPECT_EQ(finished.code, 1) << command;
        EXPECT_THAT(finished.errors, HasSubstr("the output could not be written")) << command;
    }
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
    const Daemon daemon(home, {"serve"});
    EXPECT_EQ(into_full_disk("open --print").code, 1);
    EXPECT_EQ(into_full_disk("status").code, 1);
}

TEST_F(CommandLine, StatusAsksOverTcpWhereThereIsNoSocket)
{
    const Daemon daemon(home, {"serve"});
    const std::string listen = "127.0.0.1:" + std::to_string(daemon.port);
    const auto told = home.run({"status", "--proxy-listen", listen});
    EXPECT_THAT(told.output, HasSubstr("runs (process " + std::to_string(daemon.process.pid()) + ")\n")) << told.errors;
    EXPECT_TRUE(json::parse(home.run({"status", "--json", "--proxy-listen", listen}).output)["daemon"]["answered"]);
    EXPECT_THAT(home.run({"doctor", "--proxy-listen", listen}).output, HasSubstr(" answers, version"));

    home.environment["ALLI_API_KEY"] = "another";
    EXPECT_THAT(home.run({"status", "--proxy-listen", listen}).output,
                HasSubstr(listen + " answered 401: the key that is here is not the daemon's"));
    home.environment.erase("ALLI_API_KEY");
    EXPECT_THAT(home.run({"status", "--proxy-listen", listen}).output,
                HasSubstr(listen + " answered 401: there is no key here to show it"));
    EXPECT_THAT(home.run({"status"}).output, HasSubstr("there is no Unix socket")) << "port 0 is no port to ask";
    const auto opened = home.run({"open", "--print", "--proxy-listen", listen});
    EXPECT_EQ(opened.code, 2) << "the daemon wants a key";
    EXPECT_THAT(opened.errors, HasSubstr("api_key_file"));
}

TEST_F(CommandLine, ADaemonThatListensEverywhereIsAskedOverLoopback)
{
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "0.0.0.0:0";
    home.environment["ALLI_MIRROR_PROXY_ALLOW_REMOTE"] = "true";
    support::Process process(Home::words({"serve"}), home.environment);
    const std::string line = process.wait_for_line("listens on 0.0.0.0:");
    const std::string port = line.substr(line.find("0.0.0.0:") + 8, line.find_first_of(" \n", line.find("0.0.0.0:")));
    const std::string listen = "0.0.0.0:" + std::to_string(std::stoi(port));
    EXPECT_TRUE(json::parse(home.run({"status", "--json", "--proxy-listen", listen}).output)["daemon"]["answered"]);
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(), 0);
}

TEST_F(CommandLine, NothingIsSentOverAUnixSocketOfAnotherUsers)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can open a socket as another user";
    asio::io_context io;
    fs::create_directory(home.path("open"));
    fs::permissions(home.path(""), fs::perms(0755));
    fs::permissions(home.path("open"), fs::perms(0777));
    const std::string listen = "unix:" + home.path("open/proxy.sock");
    ASSERT_EQ(::seteuid(54'321), 0);
    asio::local::stream_protocol::acceptor foreign(io, asio::local::stream_protocol::endpoint(listen.substr(5)));
    ASSERT_EQ(::seteuid(0), 0);
    const Daemon daemon(home, {"serve"});
    const auto told = home.run({"status", "--proxy-listen", listen});
    EXPECT_THAT(told.output, HasSubstr(listen + " is another user's"));
    auto caller = foreign.accept();
    char byte = 0;
    boost::system::error_code ended;
    EXPECT_EQ(caller.read_some(asio::buffer(&byte, 1), ended), 0U);
    EXPECT_EQ(ended, asio::error::eof) << "connected, and looked who listens";
}

TEST_F(CommandLine, AWriteThatMayHaveArrivedIsNotSentToTheNextAddress)
{
    const std::string path = home.path("silent.sock");
    asio::io_context io;
    asio::local::stream_protocol::acceptor silent(io, asio::local::stream_protocol::endpoint(path));
    const Daemon daemon(home, {"serve"});
    const std::string listen = "unix:" + path + ",127.0.0.1:" + std::to_string(daemon.port);
    std::thread server([&] {
        for (int calls = 0; calls < 2; ++calls) {
            char byte = 0;
            auto caller = silent.accept();
            asio::read(caller, asio::buffer(&byte, 1));
        }
    });
    const auto opened = home.run({"open", "--print", "--proxy-listen", listen});
    EXPECT_EQ(opened.code, 1);
    EXPECT_THAT(opened.errors,
                testing::AllOf(HasSubstr(path + " gave no answer"), testing::Not(HasSubstr("127.0.0.1"))));
    const json read = json::parse(home.run({"status", "--json", "--proxy-listen", listen}).output);
    EXPECT_EQ(read["daemon"]["answered"], true) << "reading twice does no harm";
    server.join();
}

TEST_F(CommandLine, AMirrorThatIsAnotherUsersIsSaidToBe)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const std::string mirror = home.write("mirror.db", "");
    fs::permissions(mirror, fs::perms(0600));
    home.environment["ALLI_MIRROR_MIRROR_PATH"] = mirror;
    for (const int mode : {0755, 0700}) { // the file cannot be opened; it cannot even be seen
        fs::permissions(home.path(""), fs::perms(mode));
        for (const std::vector<std::string>& words :
             {std::vector<std::string>{"search", "x"}, {"list"}, {"show", "c"}}) {
            std::vector<std::string> command{"/usr/bin/setpriv", "--reuid", "54321", "--clear-groups"};
            const auto program = Home::words(words);
            command.insert(command.end(), program.begin(), program.end());
            const auto said = support::run_process(command, home.environment);
            EXPECT_EQ(said.code, 1);
            EXPECT_THAT(said.errors, HasSubstr(mirror + " may not be read by this user"));
            EXPECT_THAT(said.errors, HasSubstr("or as root"));
        }
    }
}

TEST_F(CommandLine, TheKeyIsNotShownToAPortOfAnotherUsers)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can open a socket as another user";
    asio::io_context io;
    ASSERT_EQ(::seteuid(54'321), 0);
    asio::ip::tcp::acceptor foreign(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    ASSERT_EQ(::seteuid(0), 0);
    const std::string listen = "127.0.0.1:" + std::to_string(foreign.local_endpoint().port());
    const Daemon daemon(home, {"serve"});
    const std::string said =
        listen + " is another user's (number 54321): process " + std::to_string(::getpid()) + " (daemon_test)";
    EXPECT_THAT(home.run({"status", "--proxy-listen", listen}).output, HasSubstr(said));
    const auto opened = home.run({"open", "--print", "--proxy-listen", listen});
    EXPECT_EQ(opened.code, 1);
    EXPECT_THAT(opened.errors,
                testing::AllOf(HasSubstr(said), HasSubstr(" listens there"), HasSubstr("Unix socket (proxy.listen)")));
    EXPECT_EQ(home.run({"sync", "--proxy-listen", listen}).code, 1);
    foreign.non_blocking(true);
    boost::system::error_code nobody;
    foreign.accept(nobody);
    EXPECT_EQ(nobody, asio::error::would_block) << "nobody called";
}

} // namespace
} // namespace alli::daemon
