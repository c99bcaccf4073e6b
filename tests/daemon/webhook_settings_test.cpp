// SPDX-License-Identifier: Apache-2.0
// The [[webhook]] tables: what is said of each that cannot be; and what goes out is signed as Standard Webhooks says.
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/settings_check.hpp"
#include "daemon/settings/webhook_settings.hpp"
#include "daemon/webhook/message.hpp"
#include "daemon/webhook/signature.hpp"
#include "daemon/webhook/verdict.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sys/stat.h>

namespace alli::daemon {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* known_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class WebhookTables : public testing::Test {
  protected:
    WebhookTables() { write("secret", known_secret); }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const
    {
        const std::string path = directory / name;
        std::ofstream(path) << text;
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }
    Settings load(const std::string& text, std::vector<Error>* faults = nullptr) const
    {
        return load_settings(write("config.toml", text), environment, {}, faults);
    }
    std::vector<std::string> faults_of(const std::string& text) const
    {
        std::vector<Error> faults;
        const Settings settings = load(text, &faults);
        for (Error& fault : find_faults(settings, environment)) faults.push_back(std::move(fault));
        std::vector<std::string> all;
        for (const Error& fault : faults) {
            EXPECT_EQ(fault.fault(), Fault::settings);
            EXPECT_FALSE(fault.hint().empty()) << fault.what();
            all.emplace_back(fault.what());
        }
        return all;
    }
    std::string table(const std::string& url, const std::string& more = "") const
    {
        return fmt::format("[[webhook]]\nurl = \"{}\"\nsecret_file = \"{}\"\n{}", url, directory / "secret", more);
    }
    std::string fault_of_url(const std::string& url) const { return one(faults_of(table(url))); }
    std::string fault_of_secret(const std::string& text, mode_t mode = 0600) const
    {
        write("secret", text, mode);
        return one(faults_of(table("https://example.com/hook")));
    }
    static std::string one(const std::vector<std::string>& all)
    {
        EXPECT_LE(all.size(), 1U) << testing::PrintToString(all);
        return all.empty() ? "no fault" : all.front();
    }

    support::TempDir directory;
    Environment environment{[this](const std::string& name) {
        return name == "HOME"             ? std::optional(directory.path())
               : variables.contains(name) ? std::optional(variables.at(name))
                                          : std::nullopt;
    }};
    std::map<std::string, std::string> variables;
};

TEST_F(WebhookTables, SeveralAreReadInTheirOrder)
{
    const Settings settings =
        load(table("https://a.example/hook?key=1", "events = [\"conversation.chats\", \"mirror.reset\"]\n") +
             table("http://127.0.0.1:9000/"));
    EXPECT_THAT(find_faults(settings, environment), testing::IsEmpty());
    const auto endpoints = read_webhooks(settings, environment);
    ASSERT_EQ(endpoints.size(), 2U);
    EXPECT_EQ(endpoints[0].connection.base_url, "https://a.example");
    EXPECT_EQ(endpoints[0].target, "/hook?key=1");
    EXPECT_EQ(endpoints[0].address, "https://a.example/hook?...");
    EXPECT_EQ(endpoints[0].kinds, ",chats,");
    EXPECT_EQ(endpoints[1].target, "/");
    EXPECT_EQ(endpoints[1].kinds, ",conversation,chats,deleted,outbox,");
}

TEST_F(WebhookTables, EveryBadAddressIsSaidWithFileAndLine)
{
    EXPECT_THAT(fault_of_url(""), AllOf(StartsWith(directory / "config.toml:1: webhook: "), HasSubstr("no url")));
    EXPECT_THAT(fault_of_url("http://example.com/x"), HasSubstr("send the events unencrypted to example.com"));
    EXPECT_THAT(fault_of_url("ftp://example.com/"), HasSubstr("https://"));
    EXPECT_THAT(fault_of_url("example.com/hook"), HasSubstr("not a URL"));
    EXPECT_THAT(fault_of_url("https:///hook"), HasSubstr("names no host"));
    EXPECT_THAT(fault_of_url("https://user:canary@example.com/"),
                AllOf(HasSubstr("credentials"), Not(HasSubstr("canary"))));
    EXPECT_THAT(fault_of_url("https://example.com/#part"), HasSubstr("fragment"));
    EXPECT_THAT(fault_of_url("https://example.com/a b"), HasSubstr("path"));
    EXPECT_THAT(fault_of_url("https://example.com:99999/"), HasSubstr("port"));
    for (const char* good : {"https://example.com", "https://example.com:8443/a/b?c=d", "http://127.0.0.1:1/",
                             "http://[::1]:1", "http://localhost/x", "https://example.com?x=1"})
        EXPECT_EQ(fault_of_url(good), "no fault") << good;
}

TEST_F(WebhookTables, EveryBadSecretIsSaidAndNeverShown)
{
    EXPECT_THAT(fault_of_secret(""), HasSubstr("holds no secret"));
    EXPECT_THAT(fault_of_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                AllOf(HasSubstr("whsec_"), Not(HasSubstr("MfKQ"))));
    EXPECT_THAT(fault_of_secret("whsec_!!canary!!"), AllOf(HasSubstr("not base64"), Not(HasSubstr("canary"))));
    EXPECT_THAT(fault_of_secret("whsec_c2hvcnQ="), HasSubstr("5 bytes"));
    EXPECT_THAT(fault_of_secret(known_secret, 0644), HasSubstr("can be read by others"));
    EXPECT_EQ(fault_of_secret(std::string(known_secret) + "\r\n\n" + known_secret + "\n"), "no fault");
    EXPECT_THAT(one(faults_of("[[webhook]]\nurl = \"https://a.example/\"\nsecret_file = \"/no/such/file\"\n")),
                HasSubstr("cannot read"));
    EXPECT_THAT(one(faults_of("[[webhook]]\nurl = \"https://a.example/\"\n")), HasSubstr("no secret_file"));
    EXPECT_THAT(one(faults_of("[[webhook]]\nurl = \"https://a.example/\"\nsecret_file = \"secret\"\n")),
                HasSubstr("secret_file"));
}

TEST_F(WebhookTables, EveryOtherMistakeIsSaidToo)
{
    EXPECT_THAT(one(faults_of(table("https://a.example/", "events = [\"conversation.chat\"]\n"))),
                HasSubstr("no event \"conversation.chat\""));
    EXPECT_THAT(faults_of(table("https://a.example/", "events = \"conversation.chats\"\n")),
                ElementsAre(HasSubstr("list of texts")));
    EXPECT_THAT(faults_of(table("https://a.example/", "token = \"x\"\n")), ElementsAre(HasSubstr("webhook.token")));
    EXPECT_THAT(faults_of("[webhook]\nurl = \"https://a.example/\"\n"), ElementsAre(HasSubstr("no table of its own")));
    EXPECT_THAT(one(faults_of(table("https://a.example/x") + table("https://a.example/x"))),
                AllOf(StartsWith(directory / "config.toml:4"), HasSubstr("its url stands in")));
    EXPECT_THAT(faults_of("[[webhook]]\nurl = 5\n"), testing::SizeIs(2));
    EXPECT_THAT(faults_of("[[proxy]]\nauth = \"none\"\n"), ElementsAre(HasSubstr("no setting proxy")));
    EXPECT_THAT(one(faults_of("[[webhook]]\n")), HasSubstr("no url"));
}

TEST_F(WebhookTables, GoTheWayOfUpstreamButToThisMachineAndWhatNoProxyNames)
{
    const std::string proxied = "[upstream]\nproxy = \"http://proxy.example:3128\"\n";
    const auto way_to = [&](const std::string& url, const std::string& settings) {
        return read_webhooks(load(settings + table(url)), environment).at(0).connection.proxy.url;
    };
    EXPECT_EQ(way_to("https://a.example/", ""), "");
    EXPECT_EQ(way_to("https://a.example/", proxied), "http://proxy.example:3128");
    EXPECT_EQ(way_to("http://127.0.0.1:1/", proxied), "");
    EXPECT_EQ(way_to("https://localhost/", proxied), "");
    variables["NO_PROXY"] = ".corp.example";
    EXPECT_EQ(way_to("https://qa.corp.example/", proxied), "");
    EXPECT_EQ(way_to("https://a.example/", proxied), "http://proxy.example:3128");
    variables["HTTPS_PROXY"] = "http://other.example:1";
    EXPECT_EQ(way_to("https://a.example/", "[upstream]\nproxy = \"environment\"\n"), "http://other.example:1");
    EXPECT_EQ(way_to("https://qa.corp.example/", "[upstream]\nproxy = \"environment\"\n"), "");
}

// The example of the specification's own libraries.
TEST_F(WebhookTables, SignaturesAreThoseOfTheStandard)
{
    const auto endpoint = read_webhooks(load(table("https://a.example/")), environment).at(0);
    const std::chrono::sys_seconds at{std::chrono::seconds(1614265330)};
    const std::string signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    EXPECT_EQ(sign_message(endpoint.secrets, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, R"({"test": 2432232314})"), signature);
    const std::vector<std::string> two{endpoint.secrets[0], endpoint.secrets[0]};
    EXPECT_EQ(sign_message(two, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, R"({"test": 2432232314})"),
              signature + " " + signature);
}

TEST_F(WebhookTables, MessagesHoldNoContentAndHaveTheSameIdAgain)
{
    cache::WebhookState webhook;
    webhook.nonce = "abc";
    const cache::Change change{17, {"Q29u\"\xff"}, "chats"};
    const Instant at{std::chrono::seconds(1'700'000'000)};
    const WebhookMessage message = make_message(webhook, change, at);
    const auto body = nlohmann::json::parse(message.body);
    EXPECT_EQ(body["type"], "conversation.chats");
    EXPECT_EQ(body["timestamp"], "2023-11-14T22:13:20Z");
    EXPECT_EQ(body["data"]["seq"], 17);
    EXPECT_EQ(body["data"]["kind"], "chats");
    EXPECT_EQ(body.size() + body["data"].size(), 6U);
    EXPECT_EQ(message.id, make_message(webhook, change, at + std::chrono::hours(1)).id);
    EXPECT_NE(message.id, make_message(webhook, {18, change.conversation, "chats"}, at).id);
    EXPECT_TRUE(
        nlohmann::json::parse(make_message(webhook, {19, {}, "outbox"}, at).body)["data"]["conversationId"].is_null());
}

TEST_F(WebhookTables, AnAnswerIsAboutTheEventOrAboutTheReceiver)
{
    using Kind = WebhookVerdict::Kind;
    const Instant now{std::chrono::seconds(1'700'000'000)};
    const auto kind = [&](int status) {
        upstream::Reply reply;
        reply.status = status;
        return verdict_of(reply, now).kind;
    };
    for (const int status : {200, 201, 202, 204}) EXPECT_EQ(kind(status), Kind::taken) << status;
    for (const int status : {400, 409, 413, 415, 422, 500, 501}) EXPECT_EQ(kind(status), Kind::refused) << status;
    for (const int status : {301, 302, 304, 307, 401, 403, 404, 408, 429, 502, 503, 504})
        EXPECT_EQ(kind(status), Kind::unavailable) << status;
    EXPECT_EQ(kind(410), Kind::gone);
    upstream::Reply busy;
    busy.status = 429;
    busy.headers.add("Retry-After", "17");
    EXPECT_EQ(verdict_of(busy, now).retry_after, std::chrono::seconds(17));
    busy.headers = {{"Content-Type", "text/html"}, {"Retry-After", "1800"}};
    for (const char* body : {"", "slow down", "<html>", R"({"message":"Too Many Requests"})"}) {
        busy.body = body;
        EXPECT_EQ(verdict_of(busy, now).retry_after, std::chrono::minutes(30)) << body;
    }
    busy.headers = {{"Retry-After", "7200"}};
    EXPECT_EQ(verdict_of(busy, now).retry_after, std::chrono::hours(1));
    EXPECT_EQ(verdict_of(Error(Fault::unreachable, "", "no connection")).status, std::nullopt);
}

} // namespace
} // namespace alli::daemon
