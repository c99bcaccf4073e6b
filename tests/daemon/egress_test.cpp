// SPDX-License-Identifier: Apache-2.0
// The way out through the real program: which proxy, with which password, trusting whom; and what doctor says of it.
#include "daemon/settings/egress.hpp"

#include "tests/daemon/home.hpp"
#include "tests/upstream/proxy_server.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace alli::daemon {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using upstream_test::ProxyServer;
namespace fs = std::filesystem;

constexpr const char* password = "canary-proxy-password-7d1";

class Egress : public testing::Test {
  protected:
    Egress()
    {
        home_.environment["ALLI_MIRROR_UPSTREAM_URL"] = upstream_.url();
        home_.environment["ALLI_MIRROR_UPSTREAM_CA_FILE"] = home_.write("ca.pem", certificate_.certificate);
        home_.environment["ALLI_API_KEY"] = "the-key";
    }
    static upstream_test::Answer list(const upstream_test::Heard&)
    {
        return upstream_test::answer(200, R"({"conversations":[],"cursor":null})");
    }
    void go_by(const ProxyServer& proxy)
    {
        home_.environment["ALLI_MIRROR_UPSTREAM_PROXY"] = "http://jane@" + proxy.name();
        home_.environment["ALLI_MIRROR_UPSTREAM_PROXY_PASSWORD_FILE"] =
            home_.write("proxy-password", password + std::string("\n"));
    }
    /// All that doctor says, the lines of one check; nothing of it holds the password.
    std::string doctor(const std::string& check, int code) const
    {
        const auto finished = home_.run({"doctor"});
        EXPECT_EQ(finished.code, code) << finished.output << finished.errors;
        EXPECT_THAT(finished.output + finished.errors, Not(HasSubstr(password)));
        std::string lines;
        std::istringstream all(finished.output);
        for (std::string line; std::getline(all, line);)
            if (line.find(" " + check + " ") != line.npos) lines += line + "\n";
        return lines;
    }

    Home home_;
    const upstream_test::Certificate certificate_ = upstream_test::make_certificate();
    upstream_test::ScriptedServer upstream_{&list, &certificate_};
};

TEST_F(Egress, LeadsThroughTheProxyWithThePasswordOfTheFile)
{
    ProxyServer proxy({.user = "jane", .password = password});
    go_by(proxy);
    EXPECT_THAT(doctor("network", 0), AllOf(HasSubstr("through the proxy " + proxy.name()),
                                            HasSubstr("1 authority of " + home_.path("ca.pem"))));
    EXPECT_EQ(proxy.asked().size(), 1U);
    EXPECT_EQ(upstream_.heard().size(), 1U);
    home_.write("proxy-password", "wrong");
    EXPECT_THAT(doctor("upstream", 4), AllOf(HasSubstr("the proxy " + proxy.name() + " refused: 407"),
                                             HasSubstr("upstream.proxy_password_file")));
    EXPECT_EQ(upstream_.heard().size(), 1U);
}

TEST_F(Egress, TakesThePasswordFromTheServiceManagersCredential)
{
    ProxyServer proxy({.user = "jane", .password = password});
    go_by(proxy);
    home_.environment.erase("ALLI_MIRROR_UPSTREAM_PROXY_PASSWORD_FILE");
    home_.write("alli-proxy-password", password, fs::perms(0440));
    home_.environment["CREDENTIALS_DIRECTORY"] = home_.path("");
    EXPECT_THAT(doctor("upstream", 0), HasSubstr("takes the key"));
}

TEST_F(Egress, HeedsTheEnvironmentWhereItIsToldTo)
{
    home_.environment["HTTPS_PROXY"] = "http://jane:" + std::string(password) + "@proxy.invalid:3128";
    EXPECT_THAT(doctor("network", 0), HasSubstr("asked directly")) << "a loopback upstream has no proxy";
    home_.environment["ALLI_MIRROR_UPSTREAM_URL"] = "https://nowhere.invalid";
    EXPECT_THAT(doctor("network", 4), AllOf(HasSubstr("directly"), HasSubstr("though HTTPS_PROXY is set"),
                                            HasSubstr("upstream.proxy = \"environment\"")));
    home_.environment["ALLI_MIRROR_UPSTREAM_PROXY"] = "environment";
    EXPECT_THAT(doctor("network", 4), HasSubstr("through the proxy proxy.invalid:3128"));
    EXPECT_THAT(doctor("upstream", 4), HasSubstr("no such host as the proxy proxy.invalid:3128"));
    home_.environment["NO_PROXY"] = ".invalid";
    EXPECT_THAT(doctor("network", 4), HasSubstr("asked directly"));
    home_.environment.erase("NO_PROXY");
    home_.environment["ALLI_MIRROR_UPSTREAM_URL"] = upstream_.url();
    EXPECT_THAT(doctor("upstream", 0), HasSubstr("takes the key"));
}

TEST_F(Egress, SaysWhatMayReplaceACertificate)
{
    home_.environment.erase("ALLI_MIRROR_UPSTREAM_CA_FILE");
    EXPECT_THAT(doctor("upstream", 4), AllOf(HasSubstr("certificate is not trusted"), HasSubstr("upstream.ca_file")));
}

struct Bad {
    const char* key;
    std::string value, expected;
};

TEST_F(Egress, RefusesSettingsThatCannotBeUsed)
{
    home_.environment.erase("ALLI_MIRROR_UPSTREAM_CA_FILE");
    const std::string open = home_.write("open", password, fs::perms(0644)), empty = home_.write("empty", "\n");
    for (const Bad& bad :
         {Bad{"PROXY", "http://jane:" + std::string(password) + "@corp:3128", "upstream.proxy holds a password"},
          Bad{"PROXY", "corp:" + std::string(password), "upstream.proxy is not the address of a proxy"},
          Bad{"PROXY", "ftp://corp:1", "upstream.proxy must begin with http:// or socks5h://"},
          Bad{"PROXY_PASSWORD_FILE", empty, "upstream.proxy names no user"},
          Bad{"CA_FILE", "/nowhere/ca.pem", "upstream.ca_file: cannot read /nowhere/ca.pem"},
          Bad{"CA_FILE", empty, "holds no certificate"}}) {
        Home& home = home_;
        const std::string variable = std::string("ALLI_MIRROR_UPSTREAM_") + bad.key;
        home.environment[variable] = bad.value;
        for (const std::vector<std::string>& command :
             {std::vector<std::string>{"config", "check"}, {"serve"}, {"sync"}, {"doctor"}}) {
            const auto finished = home.run(command);
            const std::string said = finished.output + finished.errors;
            EXPECT_EQ(finished.code, 2) << command[0] << ": " << said;
            EXPECT_THAT(said, AllOf(HasSubstr(bad.expected), Not(HasSubstr(password)))) << command[0];
        }
        EXPECT_THAT(home.run({"config", "check"}).errors, HasSubstr(variable));
        EXPECT_THAT(home.run({"config", "show"}).output, Not(HasSubstr(password)));
        home.environment.erase(variable);
    }
    home_.environment["ALLI_MIRROR_UPSTREAM_PROXY"] = "http://jane@corp:3128";
    EXPECT_THAT(home_.run({"config", "show"}).output, HasSubstr("proxy = \"http://jane@corp:3128\""));
    for (const auto& [file, expected] : {std::pair{open, "can be read by others"},
                                         {empty, "there is no password in"},
                                         {std::string("/nowhere"), "cannot read"}}) {
        home_.environment["ALLI_MIRROR_UPSTREAM_PROXY_PASSWORD_FILE"] = file;
        const auto finished = home_.run({"config", "check"});
        EXPECT_EQ(finished.code, 2);
        EXPECT_THAT(finished.errors, AllOf(HasSubstr(expected), HasSubstr("upstream.proxy"), Not(HasSubstr(password))));
    }
}

} // namespace
} // namespace alli::daemon
