// SPDX-License-Identifier: Apache-2.0
// The tokens file on a real disk: written whole, by many at a time, and never where that cannot last.
#include "alli/clock.hpp"
#include "daemon/service/token_registry.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class TokenFileTest : public testing::Test {
  protected:
    TokenRegistry registry()
    {
        const auto use = [this](std::vector<proxy::Token> tokens) { in_force_ = std::move(tokens); };
        return {{path_, false}, environment_, clock_, use};
    }
    std::string text() const
    {
        std::ostringstream whole;
        whole << std::ifstream(path_).rdbuf();
        return whole.str();
    }
    void write(const std::string& bytes) const
    {
        std::ofstream(path_) << bytes;
        ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
    }
    std::string complaint(const std::string& request)
    {
        try {
            registry().add(request);
            return "no complaint";
        } catch (const Error& error) {
            return error.what() + (" (" + error.hint() + ")");
        }
    }
    std::vector<std::string> names()
    {
        std::vector<std::string> all;
        const json list = json::parse(registry().list());
        for (const json& token : list.at("tokens")) all.push_back(token.at("name"));
        return all;
    }

    support::TempDir directory_;
    std::string path_ = directory_ / "tokens";
    Environment environment_ = [](const std::string&) { return std::nullopt; };
    SystemClock clock_;
    std::vector<proxy::Token> in_force_;
};

TEST_F(TokenFileTest, HoldsHashesAloneAndIsForItsOwnerAlone)
{
    const json made = json::parse(registry().add(R"({"name":"qa","scope":"read","app":"A","expires":"30d"})"));
    const auto secret = made.at("token").get<std::string>();
    EXPECT_EQ(secret.size(), 43u) << "256 bits";
    EXPECT_EQ(text().find(secret), std::string::npos);
    ASSERT_EQ(in_force_.size(), 1u);
    EXPECT_EQ(in_force_.front().hash, sha256(secret));
    EXPECT_EQ(in_force_.front().principal.part.app, "A");
    struct stat status = {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
    EXPECT_THAT(registry().list(), testing::Not(HasSubstr(secret)));
}

TEST_F(TokenFileTest, KeepsWhatAPersonWroteInIt)
{
    write("# of the team\r\nold-token\n\n# last one");
    registry().add(R"({"name":"a","scope":"read"})");
    registry().add(R"({"name":"b","scope":"write"})");
    EXPECT_THAT(text(), testing::StartsWith("# of the team\r\nold-token\n\n# last one\na read "));
    EXPECT_THAT(names(), ElementsAre("line 2", "a", "b"));
    EXPECT_TRUE(registry().revoke("a"));
    EXPECT_TRUE(registry().revoke("line 2"));
    EXPECT_FALSE(registry().revoke("a"));
    EXPECT_THAT(names(), ElementsAre("b"));
    EXPECT_THAT(text(), testing::StartsWith("# of the team\r\n\n# last one\nb write "));
    EXPECT_EQ(in_force_.size(), 1u);
}

TEST_F(TokenFileTest, LosesNoLineOfManyWritersAtATime)
{
    std::vector<std::thread> many;
    for (int i = 0; i < 4; ++i)
        many.emplace_back([this, i] {
            TokenRegistry own({path_, false}, environment_, clock_, [](const std::vector<proxy::Token>&) {});
            for (int k = 0; k < 5; ++k) own.add(R"({"name":"t)" + std::to_string(10 * i + k) + R"(","scope":"read"})");
        });
    for (std::thread& one : many) one.join();
    EXPECT_EQ(names().size(), 20u);
}

TEST_F(TokenFileTest, RefusesARequestThatMeansSomethingElseThanItSays)
{
    EXPECT_THAT(complaint(R"({"name":"a","scope":"read","expire":"30d"})"), HasSubstr("did you mean expires?"));
    EXPECT_THAT(complaint(R"({"name":"a","scope":"read","aap":"x"})"), HasSubstr("did you mean app?"));
    EXPECT_THAT(complaint(R"({"name":"a","scope":"root"})"), HasSubstr("scope must be one of"));
    EXPECT_THAT(complaint(R"({"name":"a"})"), HasSubstr("scope must be one of"));
    EXPECT_THAT(complaint(R"({"scope":"read"})"), HasSubstr("the name is empty"));
    EXPECT_THAT(complaint(R"({"name":"a/b","scope":"read"})"), HasSubstr("slash"));
    EXPECT_THAT(complaint(R"({"name":"a","scope":"admin","app":"x"})"), HasSubstr("whole mirror"));
    EXPECT_THAT(complaint(R"({"name":"a","scope":"read","app":7})"), HasSubstr("app must be a text"));
    EXPECT_THAT(complaint(R"({"name":"a","scope":"read","expires":"soon"})"), HasSubstr("expires must be"));
    EXPECT_THAT(complaint(R"({"name":"a","scope":"read","expires":"2020-01-01"})"), HasSubstr("in the past"));
    EXPECT_THAT(complaint(R"({"name":"a","scope":"read","sha256":"abc"})"), HasSubstr("64 digits"));
    for (const char* odd : {"", "[]", "{", "7", "\"x\""}) EXPECT_THAT(complaint(odd), HasSubstr("JSON object")) << odd;
    EXPECT_FALSE(std::filesystem::exists(path_));
    registry().add(R"({"name":"a","scope":"read"})");
    EXPECT_THAT(complaint(R"({"name":"a","scope":"read"})"), HasSubstr("there is a token of that name"));
}

TEST_F(TokenFileTest, IsNotWrittenWhereThatWouldNotLast)
{
    const std::string request = R"({"name":"a","scope":"read"})";
    write("");
    environment_ = [this](const std::string& name) {
        return name == "CREDENTIALS_DIRECTORY" ? std::optional(directory_.path()) : std::nullopt;
    };
    EXPECT_THAT(complaint(request),
                testing::AllOf(HasSubstr(path_), HasSubstr("service manager"), HasSubstr("LoadCredential")));
    environment_ = [](const std::string&) { return std::nullopt; };
    write("\xff\xfe");
    EXPECT_THAT(complaint(request), HasSubstr("UTF-16"));
    write("not a line\n");
    EXPECT_THAT(complaint(request), HasSubstr(path_ + ":1"));
    EXPECT_EQ(text(), "not a line\n") << "what is wrong is a person's to mend";
    path_ = directory_ / "missing/tokens";
    EXPECT_THAT(complaint(request),
                testing::AllOf(HasSubstr("cannot write the tokens file " + path_), HasSubstr("proxy.tokens_file")));
    path_ = "/proc/self/tokens"; // where even root cannot
    EXPECT_THAT(complaint(request), HasSubstr("cannot write the tokens file " + path_));
}

TEST_F(TokenFileTest, IsWrittenBehindALink)
{
    const std::string real = directory_ / "real";
    std::ofstream(real) << "# here\n";
    ::chmod(real.c_str(), 0600);
    std::filesystem::create_symlink(real, path_);
    registry().add(R"({"name":"a","scope":"read"})");
    EXPECT_TRUE(std::filesystem::is_symlink(path_));
    EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(TokenFileTest, LeavesNothingHalfWrittenWhereADraftWasLeftBehind)
{
    std::ofstream(path_ + ".new") << "half of a li";
    registry().add(R"({"name":"a","scope":"read"})");
    EXPECT_THAT(names(), ElementsAre("a"));
    EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(TokenFileTest, LiesBesideTheMirrorUnlessASettingSaysSo)
{
    Config config;
    EXPECT_EQ(find_tokens_file(config, {"/var/lib/alli-mirror/mirror.db"}).path, "/var/lib/alli-mirror/tokens");
    EXPECT_FALSE(find_tokens_file(config, {"mirror.db"}).required);
    config.tokens_file = "/etc/alli-mirror/tokens";
    EXPECT_EQ(find_tokens_file(config, {"/x/mirror.db"}).path, "/etc/alli-mirror/tokens");
    EXPECT_TRUE(find_tokens_file(config, {"/x/mirror.db"}).required);
    EXPECT_EQ(find_tokens_file(config, {"/x/mirror.db", true}).path, "/x/tokens") << "a sandbox's are its own";
}

} // namespace
} // namespace alli::daemon
