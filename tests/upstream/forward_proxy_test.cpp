// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/forward_proxy.hpp"

#include "alli/error.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/upstream/fetch.hpp"
#include "tests/upstream/proxy_server.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <map>

namespace alli::upstream {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using upstream_test::answer;
using upstream_test::Heard;
using upstream_test::ProxyServer;
using upstream_test::ScriptedServer;
using Kind = ProxyServer::Kind;

std::string complaint(const std::string& text)
try {
    read_forward_proxy(text, "upstream.proxy");
    return "no complaint";
} catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::settings);
    return std::string(error.what()) + "\n" + error.hint();
}

TEST(ForwardProxy, IsReadFromItsAddress)
{
    EXPECT_FALSE(read_forward_proxy("", "upstream.proxy"));
    const auto plain = read_forward_proxy("http://proxy.example:3128", "upstream.proxy");
    EXPECT_EQ(plain.url, "http://proxy.example:3128");
    EXPECT_EQ(plain.name, "proxy.example:3128");
    EXPECT_EQ(plain.user, "");
    const auto named = read_forward_proxy("socks5h://jane%40corp@[::1]:1080/", "upstream.proxy");
    EXPECT_EQ(named.url, "socks5h://[::1]:1080");
    EXPECT_EQ(named.user, "jane@corp");
}

TEST(ForwardProxy, RefusesWhatItCannotUseAndRepeatsNoneOfIt)
{
    struct Case {
        const char* text;
        const char* expected;
    };
    for (const Case& one :
         {Case{"http://jane:s3cret@proxy.example:3128", "holds a password"},
          Case{"jane:s3cret@proxy.example:3128", "holds a password"},
          Case{"https://s3cret.example:3128", "must begin with http:// or socks5h://"},
          Case{"ftp://s3cret.example:3128", "must begin with"}, Case{"http://s3cret.example", "names no port"},
          Case{"http://s3cret.example:3128/path", "more than a host and a port"},
          Case{"http://s3cret.example:3128?x=1", "more than a host and a port"},
          Case{"http://s3cret.example:99999", "not the address of a proxy"},
          Case{"http://s3cret example:1", "not the address of a proxy"}, Case{"://", "not the address of a proxy"},
          Case{"s3cret", "names no port"}})
        EXPECT_THAT(complaint(one.text), AllOf(HasSubstr(one.expected), Not(HasSubstr("s3cret")))) << one.text;
    EXPECT_THAT(complaint("http://jane:s3cret@proxy.example:3128"), HasSubstr("upstream.proxy_password_file"));
}

EnvironmentProxy in(const std::map<std::string, std::string>& variables, const std::string& url)
{
    const Variables find = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return find_environment_proxy(find, read_origin(url));
}

TEST(ForwardProxy, IsTakenFromTheEnvironmentAsOtherProgramsDo)
{
    const std::string api = "https://backend.alli.ai";
    EXPECT_FALSE(in({}, api).proxy);
    EXPECT_EQ(in({{"HTTPS_PROXY", "http://corp:3128"}}, api).proxy.name, "corp:3128");
    EXPECT_EQ(in({{"HTTPS_PROXY", "corp:3128"}}, api).proxy.url, "http://corp:3128");
    EXPECT_EQ(in({{"HTTPS_PROXY", "http://a:1"}, {"https_proxy", "http://b:2"}}, api).proxy.name, "b:2");
    EXPECT_EQ(in({{"ALL_PROXY", "socks5h://corp:1080"}}, api).proxy.url, "socks5h://corp:1080");
    const auto with_password = in({{"HTTPS_PROXY", "http://jane:p%3Aw@corp:3128"}}, api);
    EXPECT_EQ(with_password.proxy.user, "jane");
    EXPECT_EQ(with_password.proxy.password, "p:w");
    EXPECT_EQ(with_password.proxy.url, "http://corp:3128");
    EXPECT_FALSE(in({{"HTTPS_PROXY", ""}}, api).proxy);
    EXPECT_FALSE(in({{"HTTP_PROXY", "http://corp:3128"}}, api).proxy) << "of plain http alone";
    EXPECT_EQ(in({{"HTTPS_PROXY", "http://corp:3128"}}, api).variable, "HTTPS_PROXY");
    EXPECT_THROW(in({{"HTTPS_PROXY", "https://corp:3128"}}, api), Error);
}

TEST(ForwardProxy, OfTheEnvironmentIsNeverUsedTowardsLoopbackNorWhereNoProxySaysSo)
{
    const std::map<std::string, std::string> set{{"HTTPS_PROXY", "http://corp:3128"}};
    for (const char* own : {"http://localhost:1", "http://127.0.0.1:8080", "https://127.8.9.1", "http://[::1]:7"}) {
        EXPECT_FALSE(in(set, own).proxy) << own;
        EXPECT_EQ(in(set, own).variable, "HTTPS_PROXY");
    }
    for (const char* list :
         {"backend.alli.ai", "alli.ai", ".alli.ai", "*.alli.ai", "*", "x.y ,ALLI.AI", "alli.ai:443"}) {
        auto both = set;
        both["NO_PROXY"] = list;
        EXPECT_FALSE(in(both, "https://backend.alli.ai").proxy) << list;
    }
    for (const char* list :
         {"", "lli.ai", "backend", "alli.ai.example", "alli.ai:8443", "10.0.0.0/8", ",", "x.backend.alli.ai"}) {
        auto both = set;
        both["no_proxy"] = list;
        EXPECT_TRUE(in(both, "https://backend.alli.ai").proxy) << list;
    }
    EXPECT_TRUE(is_exempt("10.1.2.3", "10.0.0.0/8"));
    EXPECT_TRUE(is_exempt("10.1.2.3:443", "192.168.0.0/16,10.0.0.0/8"));
    EXPECT_FALSE(is_exempt("11.1.2.3", "10.0.0.0/8"));
    EXPECT_FALSE(is_exempt("10.1.2.3", "10.0.0.0/99"));
    EXPECT_TRUE(is_exempt("[fd00::7]:443", "fd00::/8"));
    EXPECT_TRUE(is_exempt("[::1]:443", "[::1]"));
}

// Upstream over TLS, and a way there.
struct World {
    explicit World(ProxyServer::Rules rules)
        : upstream([](const Heard& heard) { return answer(200, "upstream's " + heard.header("API-KEY")); },
                   &certificate)
    {
        rules.lead_to = upstream.url().substr(8);
        proxy.emplace(std::move(rules));
        std::ofstream(directory / "ca.pem") << certificate.certificate;
        options.base_url = upstream.url();
        options.ca_file = directory / "ca.pem";
    }
    void go_by(const std::string& scheme, const std::string& user = {}, const std::string& password = {})
    {
        options.proxy = read_forward_proxy(scheme + "://" + proxy->name(), "upstream.proxy");
        options.proxy.user = user;
        options.proxy.password = password;
    }
    Task<Reply> send(CurlTransport& by) const
    {
        Request request;
        request.target = "/x";
        request.headers.add("API-KEY", "the-key");
        return by.send(std::move(request));
    }
    std::string ask()
    {
        CurlTransport transport(loop.get_executor(), options);
        return upstream_test::run(loop, send(transport)).body;
    }
    Error failure()
    {
        CurlTransport transport(loop.get_executor(), options);
        return upstream_test::error_of(loop, send(transport)).value();
    }

    support::TempDir directory;
    upstream_test::Certificate certificate = upstream_test::make_certificate();
    ScriptedServer upstream;
    std::optional<ProxyServer> proxy;
    asio::io_context loop;
    CurlOptions options;
};

TEST(ForwardProxy, LeadsToUpstreamAndSeesNothingOfIt)
{
    World world({});
    world.go_by("http");
    EXPECT_EQ(world.ask(), "upstream's the-key");
    ASSERT_EQ(world.proxy->asked().size(), 1U);
    EXPECT_THAT(world.proxy->asked()[0], AllOf(HasSubstr("CONNECT 127.0.0.1:"), Not(HasSubstr("the-key"))));
}

TEST(ForwardProxy, IsATunnelForPlainHttpToo)
{
    ScriptedServer plain([](const Heard& heard) { return answer(200, "asked for " + heard.target); });
    World world({});
    world.go_by("http");
    world.options.base_url = plain.url();
    world.proxy.emplace(ProxyServer::Rules{});
    world.go_by("http");
    EXPECT_EQ(world.ask(), "asked for /x");
    EXPECT_THAT(world.proxy->asked().at(0), HasSubstr("CONNECT "));
}

TEST(ForwardProxy, LeavesUpstreamsOwnFaultsToUpstream)
{
    ScriptedServer broken(
        [](const Heard&) { return upstream_test::raw("garbage\r\n\r\n", upstream_test::Answer::Then::close); });
    World world({});
    world.proxy.emplace(ProxyServer::Rules{});
    world.go_by("http");
    world.options.base_url = broken.url();
    const Error error = world.failure();
    EXPECT_EQ(error.fault(), Fault::bad_reply) << error.what();
    EXPECT_THAT(error.what(), Not(HasSubstr("proxy")));
}

TEST(ForwardProxy, OfSocksResolvesNamesItself)
{
    World world({.kind = Kind::socks5});
    world.go_by("socks5h");
    world.options.base_url.replace(world.options.base_url.find("127.0.0.1"), 9, "nowhere.invalid");
    EXPECT_THAT(world.failure().what(), HasSubstr("certificate is not trusted")) << "upstream's is of another name";
    EXPECT_THAT(world.proxy->asked().at(0), HasSubstr("nowhere.invalid:"));
    world.options.base_url = world.upstream.url();
    EXPECT_EQ(world.ask(), "upstream's the-key");
}

TEST(ForwardProxy, GetsTheUserAndThePassword)
{
    for (const Kind kind : {Kind::http, Kind::socks5}) {
        World world({.kind = kind, .user = "jane", .password = "s3:cret"});
        const std::string scheme = kind == Kind::http ? "http" : "socks5h";
        world.go_by(scheme, "jane", "s3:cret");
        EXPECT_EQ(world.ask(), "upstream's the-key");
        for (const std::string password : {"", "s3:cre", "S3:CRET"}) {
            world.go_by(scheme, "jane", password);
            const Error error = world.failure();
            EXPECT_EQ(error.fault(), Fault::unreachable);
            EXPECT_THAT(error.what(),
                        AllOf(HasSubstr("the proxy " + world.proxy->name() + " refused: "), Not(HasSubstr("s3"))));
            EXPECT_THAT(error.hint(), HasSubstr("upstream.proxy_password_file"));
        }
        world.go_by(scheme);
        EXPECT_THAT(world.failure().hint(), HasSubstr("upstream.proxy_password_file"));
        EXPECT_EQ(world.upstream.heard().size(), 1U);
    }
}

struct Word {
    const char* bytes;
    const char* expected;
};

// Never upstream's, whatever it is: neither a status, nor a body, nor an unreadable answer.
TEST(ForwardProxy, SaysOfItsOwnAreTheProxys)
{
    for (const Word& word :
         {Word{"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "refused: 407"},
          Word{"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
               "refused: 403"},
          Word{"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "refused: 502"},
          Word{"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n", "refused: 302"},
          Word{"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "refused: 401"},
          Word{"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>welcome</html>", "through the proxy"},
          Word{"garbage\r\n\r\n", "the proxy"}, Word{"HTTP/1.1 2", "the proxy"}, Word{"\r\n\r\n", "the proxy"}}) {
        World world({.instead = word.bytes});
        world.options.connect_timeout = std::chrono::milliseconds(500);
        world.go_by("http");
        const Error error = world.failure();
        EXPECT_EQ(error.fault(), Fault::unreachable) << word.bytes << ": " << error.what();
        EXPECT_THAT(error.what(), AllOf(HasSubstr(word.expected), HasSubstr(world.proxy->name()))) << word.bytes;
        EXPECT_TRUE(world.upstream.heard().empty());
    }
}

TEST(ForwardProxy, IsNamedWhenItIsAway)
{
    World world({});
    world.go_by("http");
    world.options.proxy.url = "http://127.0.0.1:1"; // nobody listens there
    world.options.proxy.name = "127.0.0.1:1";
    EXPECT_THAT(world.failure().what(), HasSubstr("the proxy 127.0.0.1:1: connection refused"));
    world.options.proxy = read_forward_proxy("http://nowhere.invalid:3128", "upstream.proxy");
    EXPECT_THAT(world.failure().what(), HasSubstr("there is no such host as the proxy nowhere.invalid:3128"));
}

TEST(ForwardProxy, OfSocksSaysWhyItRefuses)
{
    for (const auto& [reply, expected] : std::map<int, const char*>{
             {1, "it failed"}, {2, "its rules do not allow it"}, {4, "no such host"}, {5, "upstream refused"}}) {
        World world({.kind = Kind::socks5, .socks_reply = reply});
        world.go_by("socks5h");
        EXPECT_THAT(world.failure().what(), AllOf(HasSubstr(expected), HasSubstr(world.proxy->name())));
    }
}

} // namespace
} // namespace alli::upstream
