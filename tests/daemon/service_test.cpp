// SPDX-License-Identifier: Apache-2.0
// Which mirror a command is about, without anything in the environment: one's own, or the service's.
#include "daemon/settings/projects.hpp"

#include "alli/error.hpp"
#include "daemon/service/reload.hpp"
#include "daemon/settings/paths.hpp"
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <sstream>
#include <stdexcept>

namespace alli::daemon {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class ServiceChoiceTest : public testing::Test {
  protected:
    ServiceChoiceTest() { variables["HOME"] = home.path("me"); }

    Context context() const
    {
        Context context;
        context.environment = Environment([this](const std::string& name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            return found == variables.end() ? std::nullopt : std::optional(found->second);
        });
        return context;
    }
    void put(const std::string& file) const
    {
        fs::create_directories(fs::path(home.path(file)).parent_path());
        std::ofstream(home.path(file)) << "";
    }
    std::string choose(bool is_root) const { return choose_service(context(), is_root, paths).service; }

    Home home;
    std::map<std::string, std::string> variables;
    ServicePaths paths{home.path("lib"), home.path("run"), home.path("etc")};
};

TEST_F(ServiceChoiceTest, IsOnesOwnWhereNoServiceIs)
{
    EXPECT_THAT(find_services(paths), testing::IsEmpty());
    EXPECT_EQ(choose(true), "");
    EXPECT_EQ(choose(false), "");
}

TEST_F(ServiceChoiceTest, OfRootIsTheServiceAndOfAMemberTheOneWhoseSocketItMayUse)
{
    put("lib/alli-mirror/mirror.db");
    EXPECT_EQ(choose(true), "alli-mirror");
    EXPECT_EQ(choose(false), "") << "there is no socket that it may use";
    put("run/alli-mirror.sock");
    EXPECT_EQ(choose(false), "alli-mirror");
}

TEST_F(ServiceChoiceTest, OfRootIsASandboxesUntilTheServiceWasStarted)
{
    fs::create_directories(home.path("etc"));
    std::ofstream(home.path("etc/config.toml")) << ""; // the package is installed
    EXPECT_EQ(choose(true), "alli-mirror");
    put("me/.local/state/alli-mirror/sandbox/mirror.db");
    EXPECT_EQ(choose(true), "") << "it is being tried";
    put("lib/alli-mirror/mirror.db");
    EXPECT_EQ(choose(true), "alli-mirror");
}

TEST_F(ServiceChoiceTest, SaysWhichItIsWhereThereAreTwo)
{
    put("lib/alli-mirror/mirror.db"), put("run/alli-mirror/proxy.sock");
    put("me/.local/state/alli-mirror/mirror.db");
    const ServiceChoice root = choose_service(context(), true, paths), person = choose_service(context(), false, paths);
    EXPECT_EQ(root.service, "alli-mirror");
    EXPECT_THAT(root.note, HasSubstr("--user"));
    EXPECT_EQ(person.service, "");
    EXPECT_THAT(person.note, HasSubstr("--service"));
    Context own = context();
    own.own = true;
    EXPECT_EQ(choose_service(own, true, paths).service, "");
    Context service = context();
    service.service = "alli-mirror";
    EXPECT_EQ(choose_service(service, false, paths).service, "alli-mirror");
    service.own = true;
    EXPECT_THROW(choose_service(service, false, paths), Error);
}

TEST_F(ServiceChoiceTest, IsLeftAloneByWhoSaysWhereTheMirrorIs)
{
    put("lib/alli-mirror/mirror.db");
    for (const char* name : {"ALLI_MIRROR_CONFIG", "ALLI_MIRROR_MIRROR_PATH", "STATE_DIRECTORY"}) {
        variables[name] = "/somewhere";
        EXPECT_EQ(choose(true), "") << name;
        variables.erase(name);
    }
    Context named = context();
    named.settings_file = "mine.toml";
    EXPECT_EQ(choose_service(named, true, paths).service, "");
    named = context();
    named.flags["mirror.path"] = "/somewhere/mirror.db";
    EXPECT_EQ(choose_service(named, true, paths).service, "");
}

TEST_F(ServiceChoiceTest, OfSeveralMustBeNamedUnlessOneIsTheMainOne)
{
    put("lib/alli-mirror@support/mirror.db"), put("etc/sales/config.toml");
    EXPECT_THAT(find_services(paths), ElementsAre("alli-mirror@sales", "alli-mirror@support"));
    EXPECT_THROW(choose(true), Error);
    EXPECT_EQ(find_service("support", paths), "alli-mirror@support");
    EXPECT_EQ(find_service("alli-mirror@support", paths), "alli-mirror@support");
    EXPECT_EQ(find_service("suport", paths), "");
    Context named = context();
    named.service = "suport";
    try {
        choose_service(named, true, paths);
        ADD_FAILURE() << "there is none of that name";
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::usage);
        EXPECT_THAT(error.hint(), HasSubstr("alli-mirror@support"));
    }
    put("lib/alli-mirror/mirror.db");
    EXPECT_EQ(choose(true), "alli-mirror");
}

TEST_F(ServiceChoiceTest, GivesWhatTheServicesOwnProcessIsGiven)
{
    put("lib/alli-mirror@support/mirror.db"), put("etc/support/config.toml"), put("me/.config/alli-mirror/config.toml");
    const Environment given = service_environment(context().environment, "alli-mirror@support", paths);
    EXPECT_EQ(mirror_path(Settings{}, given), home.path("lib/alli-mirror@support/mirror.db"));
    EXPECT_EQ(find_settings_file("", given), home.path("etc/support/config.toml"));
    EXPECT_EQ(given("RUNTIME_DIRECTORY"), home.path("run/alli-mirror@support"));
    EXPECT_EQ(given("HOME"), home.path("me"));
    const Environment bare = service_environment(context().environment, "alli-mirror@sales", paths);
    EXPECT_NE(find_settings_file("", bare), home.path("me/.config/alli-mirror/config.toml")) << "a person's own";
}

class MirrorChoice : public testing::Test {
  protected:
    Home home;
};

TEST_F(MirrorChoice, ASandboxBesideARealMirrorIsSaidLoudly)
{
    sandbox::Sandbox upstream(small_sandbox(3));
    Home real;
    real.use(upstream);
    EXPECT_EQ(real.run({"sync"}).code, 0);
    EXPECT_EQ(real.run({"status"}).errors, "");
    fs::create_directories(real.path(".local/state/alli-mirror/sandbox"));
    fs::copy_file(real.mirror(), real.path(".local/state/alli-mirror/sandbox/mirror.db"));
    EXPECT_THAT(real.run({"status"}).errors, HasSubstr("a sandbox's mirror is at"));
    fs::remove(real.mirror());
    EXPECT_THAT(real.run({"list"}).errors, HasSubstr("this is a sandbox's mirror"));
}

TEST_F(MirrorChoice, ASearchOfAllProjectsSaysWhereItFoundWhatAndWhatItCouldNotRead)
{
    sandbox::Sandbox upstream(small_sandbox(3));
    home.use(upstream);
    EXPECT_EQ(home.run({"sync"}).code, 0);
    for (const std::string name : {"shop", "torn"}) {
        fs::create_directories(home.path(".config/alli-mirror/" + name));
        const std::string file = home.path(name + ".db"), settings = ".config/alli-mirror/" + name + "/config.toml";
        std::ofstream(home.path(settings)) << "[mirror]\npath = \"" << file << "\"\n";
        fs::permissions(home.path(settings), fs::perms(0644));
        fs::copy_file(home.mirror(), file);
    }
    std::ofstream(home.path("torn.db")) << "no database";
    const std::string word =
        nlohmann::json::parse(upstream.conversation_json(upstream.conversation_ids().front()))["title"];
    const auto words = home.run({"search", "--all-projects", '"' + word + '"'});
    EXPECT_EQ(words.code, 0) << words.errors;
    EXPECT_THAT(words.output, testing::AllOf(HasSubstr("== own ("), HasSubstr("== shop ("), HasSubstr(word)));
    EXPECT_THAT(words.errors, HasSubstr("torn is left out"));
    const auto json = home.run({"search", "--all-projects", "--json", '"' + word + '"'});
    std::istringstream lines(json.output);
    std::vector<std::string> projects;
    for (std::string line; std::getline(lines, line);) {
        const auto one = nlohmann::json::parse(line);
        projects.push_back(one["project"]);
        EXPECT_GE(one["total"], 1) << line;
    }
    EXPECT_THAT(projects, ElementsAre("own", "shop"));
    EXPECT_EQ(home.run({"search", "--all-projects", "--user", "x"}).code, 2) << "one or all";
}

TEST_F(MirrorChoice, ASandboxThatDidNotStartLeavesNothingBehind)
{
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "192.0.2.1:1"; // an address of nobody's
    EXPECT_NE(home.run({"serve", "--sandbox", "--conversations", "3"}).code, 0);
    EXPECT_FALSE(fs::exists(home.path(".local"))) << "no command finds a mirror that never was";
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0";
    fs::create_directories(home.path(".local/state/alli-mirror"));
    home.environment["ALLI_MIRROR_PROXY_ALLOWED_HOSTS"] = "//";
    EXPECT_NE(home.run({"serve", "--sandbox", "--conversations", "3"}).code, 0);
    EXPECT_TRUE(fs::exists(home.path(".local/state/alli-mirror"))) << "it was there before";
    EXPECT_FALSE(fs::exists(home.path(".local/state/alli-mirror/sandbox")));
}

TEST_F(MirrorChoice, AServiceThatIsNotThereIsSaid)
{
    const auto named = home.run({"status", "--service", "--json"});
    EXPECT_EQ(named.code, 2) << named.output;
    EXPECT_THAT(named.errors, HasSubstr("there is no service"));
    EXPECT_EQ(home.run({"serve", "--service"}).code, 2);
    EXPECT_EQ(home.run({"--user", "outbox", "list"}).code, 1) << "there is none of one's own";
    EXPECT_THAT(home.run({"search", "--service"}).errors, testing::Not(HasSubstr("there is no option")));
}

TEST_F(ServiceChoiceTest, FindsTheMirrorsOfAllProjects)
{
    const auto found = [&] {
        std::vector<std::string> names;
        for (const Project& project : find_projects(context(), paths)) names.push_back(project.name);
        return names;
    };
    EXPECT_THAT(found(), testing::IsEmpty());
    put("lib/alli-mirror@hotel/mirror.db"), put("lib/alli-mirror@shop/mirror.db");
    fs::create_directories(home.path("lib/alli-mirror@empty"));
    EXPECT_THAT(found(), ElementsAre("alli-mirror@hotel", "alli-mirror@shop"));
    put("me/.local/state/alli-mirror/mirror.db");
    put("elsewhere.db");
    fs::create_directories(home.path("etc/far"));
    std::ofstream(home.path("etc/far/config.toml")) << "[mirror]\npath = \"" << home.path("elsewhere.db") << "\"\n";
    fs::permissions(home.path("etc/far/config.toml"), fs::perms(0644));
    fs::create_directories(home.path("etc/broken"));
    std::ofstream(home.path("etc/broken/config.toml")) << "mirror = 7\n";
    EXPECT_THAT(found(), ElementsAre("own", "alli-mirror@far", "alli-mirror@hotel", "alli-mirror@shop"));
    EXPECT_EQ(find_projects(context(), paths)[1].mirror_path, home.path("elsewhere.db"));
    fs::create_directories(home.path("me/.config/alli-mirror/trial"));
    put("me/trial.db");
    std::ofstream(home.path("me/.config/alli-mirror/trial/config.toml"))
        << "[mirror]\npath = \"" << home.path("me/trial.db") << "\"\n";
    fs::permissions(home.path("me/.config/alli-mirror/trial/config.toml"), fs::perms(0644));
    EXPECT_THAT(found(), ElementsAre("own", "trial", "alli-mirror@far", "alli-mirror@hotel", "alli-mirror@shop"));
    fs::remove_all(home.path("me/.config"));
    variables["ALLI_MIRROR_MIRROR_PATH"] = home.path("elsewhere.db");
    EXPECT_THAT(found(), ElementsAre("own")) << "one file is one project, whoever names it";
}

// Whatever goes wrong at a SIGHUP is logged: who waits for the next one goes on.
TEST_F(ServiceChoiceTest, AReloadThatFailsInAnyWayIsNotTheEndOfReloading)
{
    put("me/.local/state/alli-mirror/mirror.db");
    Config current;
    int called = 0;
    const Adjust fails = [&](const Config&, std::vector<proxy::Token>, TokensFile) {
        ++called;
        throw std::runtime_error("no memory, say");
    };
    for (int n = 0; n < 2; ++n)
        EXPECT_NO_THROW(
            reload_settings(context(), {home.path("me/.local/state/alli-mirror/mirror.db")}, current, fails));
    EXPECT_EQ(called, 2);
}

} // namespace alli::daemon
