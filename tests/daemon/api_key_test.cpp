// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "daemon/settings/api_key.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

using testing::HasSubstr;
using testing::Not;

class KeyFile {
  public:
    explicit KeyFile(const std::string& text, ::mode_t mode = 0600)
    {
        std::ofstream(directory / "alli-api-key") << text;
        ::chmod((directory / "alli-api-key").c_str(), mode);
        settings.config.api_key_file = directory / "alli-api-key";
        settings.origins["upstream.api_key_file"] = "test";
    }

    const support::TempDir directory;
    Settings settings;
};

static const Environment nothing = [](const std::string&) { return std::nullopt; };

static std::string complaint(const Settings& settings, const Environment& environment = nothing)
{
    try {
        load_api_key(settings, environment);
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::settings);
        EXPECT_FALSE(error.hint().empty());
        return error.what();
    }
    return "no complaint";
}

TEST(ApiKey, IsReadFromItsFileWithoutWhiteSpace)
{
    EXPECT_EQ(load_api_key(KeyFile("  secret-1 \r\n").settings, nothing), "secret-1");
}

TEST(ApiKey, IsTakenFromTheCredentialFirstThenFromTheEnvironment)
{
    const KeyFile file("from-file");
    const KeyFile credential("from-credential\n", 0440); // the service manager's own mode
    std::map<std::string, std::string> variables{{"ALLI_API_KEY", "from-environment"}};
    const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
        return variables.contains(name) ? std::optional(variables[name]) : std::nullopt;
    };
    EXPECT_EQ(load_api_key(file.settings, environment), "from-environment");
    variables["CREDENTIALS_DIRECTORY"] = credential.directory.path();
    EXPECT_EQ(load_api_key(file.settings, environment), "from-credential");
}

TEST(ApiKey, IsWipedFromTheEnvironment)
{
    ASSERT_EQ(::setenv("ALLI_API_KEY", "wiped-soon", 1), 0);
    const char* const place = std::getenv("ALLI_API_KEY");
    EXPECT_EQ(load_api_key(Settings{}, process_environment), "wiped-soon");
    EXPECT_EQ(std::getenv("ALLI_API_KEY"), nullptr);
    EXPECT_EQ(*place, '\0');
}

TEST(ApiKey, IsRefusedWhereOthersCanReadIt)
{
    EXPECT_THAT(complaint(KeyFile("secret-1", 0640).settings), HasSubstr("can be read by others"));
    EXPECT_THAT(complaint(KeyFile("secret-1", 0604).settings), HasSubstr("can be read by others"));
}

TEST(ApiKey, IsMissedWithAHint)
{
    Settings settings;
    settings.config.api_key_file = "/nowhere/key";
    EXPECT_THAT(complaint(settings), HasSubstr("there is no API key"));
    settings.origins["upstream.api_key_file"] = "test";
    EXPECT_THAT(complaint(settings), HasSubstr("/nowhere/key"));
    EXPECT_THAT(complaint(KeyFile(" \n").settings), HasSubstr("is empty"));
}

TEST(ApiKey, IsNeverSaidInAComplaint)
{
    EXPECT_THAT(complaint(KeyFile("secret-1\nsecret-2").settings), Not(HasSubstr("secret")));
}

TEST(ApiKey, IsReadTheSameWayFromEverywhere)
{
    const std::string quoted = "\xef\xbb\xbf\"secret-1\"\r\n", plain = "\xef\xbb\xbfsecret-1\r\n";
    const auto with = [](const std::string& variable, const std::string& value) -> Environment {
        return [=](const std::string& name) { return name == variable ? std::optional(value) : std::nullopt; };
    };
    const KeyFile good(plain), bad(quoted);
    EXPECT_EQ(load_api_key(good.settings, nothing), "secret-1");
    EXPECT_EQ(load_api_key(Settings{}, with("ALLI_API_KEY", plain)), "secret-1");
    EXPECT_EQ(load_api_key(Settings{}, with("CREDENTIALS_DIRECTORY", good.directory.path())), "secret-1");
    EXPECT_THAT(complaint(bad.settings), HasSubstr("/alli-api-key stands in quotes"));
    EXPECT_THAT(complaint(Settings{}, with("ALLI_API_KEY", quoted)), HasSubstr("in ALLI_API_KEY stands in quotes"));
    EXPECT_THAT(complaint(Settings{}, with("CREDENTIALS_DIRECTORY", bad.directory.path())),
                HasSubstr("the credential alli-api-key stands in quotes"));
}

TEST(ApiKey, IsReadFromFilesAlone)
{
    const support::TempDir directory;
    Settings settings;
    settings.origins["upstream.api_key_file"] = "test";
    settings.config.api_key_file = directory.path();
    EXPECT_THAT(complaint(settings), HasSubstr("is a directory"));
    settings.config.api_key_file = "/dev/null";
    EXPECT_THAT(complaint(settings), HasSubstr("is a device or a socket, not a file"));
    settings.config.api_key_file = directory / "nowhere";
    ::symlink((directory / "missing").c_str(), (directory / "nowhere").c_str());
    EXPECT_THAT(complaint(settings), HasSubstr("No such file"));
    EXPECT_THAT(complaint(KeyFile(std::string(100'000, 'k')).settings), HasSubstr("more than 64 KiB"));
}

TEST(ApiKey, IsNeverSaidWhereItsFilesNameBelongs)
{
    Settings settings;
    settings.origins["upstream.api_key_file"] = "test";
    settings.config.api_key_file = "canary-key-1";
    EXPECT_THAT(complaint(settings), Not(HasSubstr("canary")));
    try {
        read_tokens_file("canary-token-1", nothing, true);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_THAT(error.what() + error.hint(), Not(HasSubstr("canary")));
    }
}

TEST(ApiKey, IsNoFaultWhereThereIsNone)
{
    Settings settings;
    settings.config.api_key_file = "/nowhere/key";
    EXPECT_EQ(find_key_fault(settings, nothing), std::nullopt);
    EXPECT_EQ(find_key_source(settings, nothing).kind, KeySource::Kind::none);
    EXPECT_EQ(find_key_fault(KeyFile("secret-1").settings, nothing), std::nullopt);
    settings.origins["upstream.api_key_file"] = "test";
    EXPECT_TRUE(find_key_fault(settings, nothing)) << "somebody said that it is there";
    EXPECT_TRUE(find_key_fault(KeyFile("Bearer secret-1").settings, nothing));
}

TEST(Tokens, NeedNoFileUnlessOneIsNamed)
{
    const support::TempDir directory;
    const std::string none = directory / "tokens";
    EXPECT_EQ(read_tokens_file(none, nothing, false), std::nullopt);
    EXPECT_EQ(read_tokens_file(none + "/below", nothing, false), std::nullopt);
    EXPECT_THROW(read_tokens_file(none, nothing, true), Error);
    EXPECT_THROW(read_tokens_file(directory.path(), nothing, false), Error) << "what is there must be a file";
}

static bool takes_tokens(::mode_t mode, bool credential)
{
    const KeyFile file("one\n", mode);
    const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
        if (name != "CREDENTIALS_DIRECTORY") return std::nullopt;
        return credential ? file.directory.path() : file.directory / "other";
    };
    try {
        return read_tokens_file(file.settings.config.api_key_file, environment, true) == "one\n";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("can be read by others"));
        return false;
    }
}

TEST(Tokens, MayBeACredentialOfTheServiceManager)
{
    EXPECT_TRUE(takes_tokens(0400, true));
    EXPECT_TRUE(takes_tokens(0440, true)) << "as an access list for the service's user looks";
    EXPECT_FALSE(takes_tokens(0444, true));
    EXPECT_FALSE(takes_tokens(0460, true));
    EXPECT_FALSE(takes_tokens(0440, false)) << "a file elsewhere";
    EXPECT_TRUE(takes_tokens(0400, false));
}

} // namespace alli::daemon
