// SPDX-License-Identifier: Apache-2.0
// What no type says of a setting: each as a person would write it, in a file, and what is said of it.
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/settings_check.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sys/stat.h>

namespace alli::daemon {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Checked : public testing::Test {
  protected:
    /// All that is said of a file with this in it.
    std::vector<std::string> faults_of(const std::string& text)
    {
        std::ofstream(file) << text;
        EXPECT_EQ(::chmod(file.c_str(), 0600), 0);
        const Environment environment = [this](const std::string& name) {
            return name == "HOME" ? std::optional(directory.path()) : std::nullopt;
        };
        std::vector<std::string> all;
        for (const Error& fault : find_faults(load_settings(file, environment), environment)) {
            EXPECT_EQ(fault.fault(), Fault::settings);
            EXPECT_FALSE(fault.hint().empty()) << fault.what();
            all.push_back(std::string(fault.what()) + "\nhint: " + fault.hint());
        }
        return all;
    }

    /// The one thing that is.
    std::string fault_of(const std::string& text)
    {
        const std::vector<std::string> all = faults_of(text);
        EXPECT_LE(all.size(), 1U) << testing::PrintToString(all);
        return all.empty() ? "no fault" : all.front();
    }

    std::string listen(const std::string& address) { return fault_of("[proxy]\nlisten = [\"" + address + "\"]\n"); }

    support::TempDir directory;
    const std::string file = directory / "config.toml";
};

TEST_F(Checked, DefaultsAreWell)
{
    EXPECT_THAT(faults_of(""), testing::IsEmpty());
}

TEST_F(Checked, EachFaultNamesFileLineAndKey)
{
    const std::string at = file + ":2: ";
    EXPECT_THAT(fault_of("[upstream]\nurl = \"https:///x\"\n"), StartsWith(at + "upstream.url names no host"));
    EXPECT_THAT(fault_of("[mirror]\npath = \"" + directory.path() + "\"\n"),
                StartsWith(at + "mirror.path is a directory"));
    EXPECT_THAT(fault_of("[mirror]\npath = \"mirror.db\"\n"), StartsWith(at + "mirror.path is no absolute path"));
    EXPECT_THAT(fault_of("[upstream]\napi_key_file = \"~/key\"\n"),
                StartsWith(at + "upstream.api_key_file begins with ~"));
    EXPECT_THAT(fault_of("[proxy]\ntokens_file = \"tokens\"\n"),
                StartsWith(at + "proxy.tokens_file is no absolute path"));
    EXPECT_THAT(listen("unix:proxy.sock"), StartsWith(at + "proxy.listen is no absolute path"));
    EXPECT_THAT(listen("unix:" + directory.path()), StartsWith(at + "proxy.listen: "));
    EXPECT_EQ(fault_of("[outbox]\nretry_max = \"100ms\"\n"), "no fault");
    EXPECT_THAT(listen("8787"), StartsWith(at + "proxy.listen: 8787: there is no host"));
    EXPECT_THAT(fault_of("[outbox]\nretry_initial = \"10m\"\n"), StartsWith(at + "outbox.retry_initial is longer"));
}

TEST_F(Checked, UpstreamsAddressIsNotTheMirrorsOwn)
{
    for (const char* url : {"http://127.0.0.1:8787", "http://localhost:8787", "http://127.0.0.1:8787/"})
        EXPECT_THAT(fault_of("[upstream]\nurl = \"" + std::string(url) + "\"\n"),
                    HasSubstr("upstream.url is the mirror's own address, 127.0.0.1:8787"));
    EXPECT_THAT(fault_of("upstream.url = \"http://[::1]:99\"\nproxy.listen = [\"[::1]:99\"]\n"),
                HasSubstr("the mirror's own address"));
    for (const char* url :
         {"http://127.0.0.1:8788", "http://127.0.0.2:8787", "http://[::1]:8787", "https://127.0.0.1:8787"})
        EXPECT_EQ(fault_of("[upstream]\nurl = \"" + std::string(url) + "\"\n"), "no fault") << url;
}

TEST_F(Checked, AnOperationIsAMethodAndAPathUnderWebapi)
{
    struct Case {
        const char* setting;
        const char* said; // empty: it is well
    };
    const Case cases[] = {
        {"daily_count = \"GET /webapi/daily_count\"", ""},
        {"daily_count = \"POST /webapi/daily_count\"", "upstream.daily_count must begin with a method (GET)"},
        {"daily_count = \"GET /webapi/{id}/count\"", "upstream.daily_count is about no single conversation"},
        {"daily_count = \"GET /webapi/v2/conversations\"", "another operation, listConversations"},
        {"update = \"PATCH /webapi/v2/conversations/{id}\"", ""},
        {"update = \"DELETE /webapi/v2/conversations/{id}\"", "must begin with a method (PUT, PATCH, POST)"},
        {"update = \"/webapi/v2/conversations/{id}\"", "upstream.update must begin with a method"},
        {"update = \"put /webapi/v2/conversations/{id}\"", "upstream.update must begin with a method"},
        {"update = \"\"", "upstream.update must begin with a method"},
        {"update = \"PUT\"", "upstream.update must begin with a method"},
        {"update = \"PUT https://backend.alli.ai/webapi/{id}\"", "must have a path under /webapi/"},
        {"update = \"PUT /api/{id}\"", "must have a path under /webapi/"},
        {"update = \"PUT /webapi/\"", "must have a path under /webapi/"},
        {"update = \"POST /webapi/v2/conversations/{id}/stop\"", "another operation, stopConversation"},
        {"update = \"POST /webapi/v2/conversations/{id}/chats/{id}/feedback\"", "has {id} more than once"},
        {"title = \"POST /webapi/v2/conversations/{id}/name\"", ""},
        {"title = \"PUT /webapi/v2/conversations/{id}\"", ""},
        {"title = \"PUT /webapi/v2/conversations/title\"", "upstream.title must say by {id}"},
        {"title = \"PUT /webapi/v2/conversations/{conversationId}/title\"", "{id} alone in braces"},
        {"title = \"PUT /webapi/v2/conversations/{id}:title\"", "{id} alone in braces"},
        {"title = \"PUT /webapi/{id}/title?x=1\"", "without a query"},
        {"title = \"PUT /webapi/{id}/title#x\"", "without a query"},
        {"title = \"PUT /webapi//{id}\"", "an empty part"},
        {"title = \"PUT /webapi/{id}/\"", "an empty part"},
        {"title = \"PUT /webapi/../{id}\"", "must not have . or .."},
        {"title = \"PUT /webapi/%74itle/{id}\"", "a character in its path"},
        {"title = \"PUT /webapi/a b/{id}\"", "a character in its path"},
        {"title = \"PUT /webapi/\u00e9/{id}\"", "a character in its path"},
        {"title = \"PUT /webapi/a\\n/{id}\"", "a character in its path"},
        {"delete = \"POST /webapi/v2/conversations/{id}/delete\"", ""},
        {"delete = \"POST /webapi/v2/conversations/{id}\"", ""},
        {"delete = \"PUT /webapi/v2/conversations/{id}\"", "upstream.delete is the same as upstream.update"},
        {"delete = \"GET /webapi/v2/conversations/{id}\"", "upstream.delete must begin with a method"},
    };
    for (const Case& one : cases) {
        const std::string said = fault_of("[upstream]\n" + std::string(one.setting) + "\n");
        if (*one.said == '\0') {
            EXPECT_EQ(said, "no fault") << one.setting;
            continue;
        }
        EXPECT_THAT(said, StartsWith(file + ":2: upstream.")) << one.setting;
        EXPECT_THAT(said, HasSubstr(one.said)) << one.setting;
    }
}

TEST_F(Checked, AnOperationThatCannotBeReadIsShownOneThatCan)
{
    EXPECT_THAT(fault_of("[upstream]\ntitle = \"title\"\n"),
                HasSubstr("hint: write it as \"PUT /webapi/v2/conversations/{id}/title\""));
}

TEST_F(Checked, TheFormerNameOfTheDailyCountsStillWorksAndIsNoted)
{
    EXPECT_EQ(fault_of("[upstream]\ndaily_count_path = \"/webapi/v2/counts\"\n"), "no fault");
    const Environment environment = [this](const std::string& name) {
        return name == "HOME" ? std::optional(directory.path()) : std::nullopt;
    };
    const Settings settings = load_settings(file, environment);
    EXPECT_EQ(settings.config.daily_count, "GET /webapi/v2/counts");
    EXPECT_THAT(settings.notes,
                testing::ElementsAre(file + ":2: upstream.daily_count_path is called upstream.daily_count now: "
                                            "\"GET /webapi/v2/counts\""));
    for (const char* path : {"", "webapi/counts", "https://backend.alli.ai/webapi/counts", "/webapi/counts?x=1"})
        EXPECT_THAT(fault_of("[upstream]\ndaily_count_path = \"" + std::string(path) + "\"\n"),
                    StartsWith(file + ":2: upstream.daily_count must"))
            << path;
    EXPECT_THROW(fault_of("[upstream]\ndaily_count_path = 7\n"), Error);
    EXPECT_THROW(fault_of("[upstream]\ndaily_count = \"GET /webapi/a\"\ndaily_count_path = \"/webapi/b\"\n"), Error);

    const Environment named = [this](const std::string& name) -> std::optional<std::string> {
        if (name == "HOME") return directory.path();
        if (name == "ALLI_MIRROR_UPSTREAM_DAILY_COUNT_PATH") return "/webapi/v2/by-variable";
        return std::nullopt;
    };
    faults_of("[upstream]\ndaily_count = \"GET /webapi/v2/in-the-file\"\n");
    EXPECT_EQ(load_settings(file, named).config.daily_count, "GET /webapi/v2/by-variable");
    const Flags flags{{"upstream.daily_count_path", "/webapi/v2/by-flag"}};
    EXPECT_EQ(load_settings(file, named, flags).config.daily_count, "GET /webapi/v2/by-flag");
}

TEST_F(Checked, AnAddressStandsOnce)
{
    EXPECT_THAT(fault_of("[proxy]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:1\"]\n"),
                HasSubstr("127.0.0.1:1 stands twice"));
    EXPECT_EQ(fault_of("[proxy]\nlisten = [\"127.0.0.1:0\", \"127.0.0.1:0\", \"[::1]:1\"]\n"), "no fault");
    EXPECT_THAT(fault_of("[proxy]\nlisten = []\n"), HasSubstr("there is no address to listen on"));
}

TEST_F(Checked, ATokenIsNamedByItsLine)
{
    const std::string tokens = directory / "tokens";
    std::ofstream(tokens) << "one\n\"canary\"\n";
    ASSERT_EQ(::chmod(tokens.c_str(), 0600), 0);
    const std::string said = fault_of("[proxy]\ntokens_file = \"" + tokens + "\"\n");
    EXPECT_THAT(said, HasSubstr("the token in " + tokens + ":2 stands in quotes"));
    EXPECT_THAT(said, testing::Not(HasSubstr("canary")));
}

TEST_F(Checked, OnlyTheSectionsThatAreUsedMustBeSound)
{
    std::ofstream(file) << "[upstream]\nurl = \"https:///x\"\n";
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    const Environment environment = [this](const std::string& name) {
        return name == "HOME" ? std::optional(directory.path()) : std::nullopt;
    };
    const Settings settings = load_settings(file, environment);
    EXPECT_NO_THROW(require_sound(settings, environment, {"mirror", "proxy"}));
    EXPECT_THROW(require_sound(settings, environment, {"upstream"}), Error);
}

} // namespace
} // namespace alli::daemon
