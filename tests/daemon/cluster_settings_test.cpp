// SPDX-License-Identifier: Apache-2.0
// The section [cluster]: what is wrong with it, and what is made of it.
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/cluster_settings.hpp"
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/settings_check.hpp"
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

namespace alli::daemon {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
namespace fs = std::filesystem;

class ClusterSettingsTest : public testing::Test {
  protected:
    std::string fault_of(const std::string& line)
    {
        const std::string file = home.write("config.toml", "[cluster]\n" + line + "\n");
        const Environment environment = [this](const std::string& name) {
            return name == "HOME" ? std::optional(home.path("")) : std::nullopt;
        };
        std::vector<Error> faults;
        const Settings settings = load_settings(file, environment, {}, &faults);
        for (Error& fault : find_faults(settings, environment)) faults.push_back(std::move(fault));
        if (faults.empty()) return "no fault";
        EXPECT_EQ(faults.size(), 1U) << faults.back().what();
        EXPECT_THAT(faults.front().what(), StartsWith(file + ":2: "));
        EXPECT_FALSE(faults.front().hint().empty()) << faults.front().what();
        return std::string(faults.front().what()) + "\n" + faults.front().hint();
    }

    Home home;
};

TEST_F(ClusterSettingsTest, EachFaultIsSaidWithWhatWouldBeRight)
{
    struct Case {
        const char* line;
        const char* said; // empty: it is well
    };
    const Case cases[] = {
        {"url = \"\"", ""},
        {"url = \"postgresql://alli@db.example.com/alli\"", ""},
        {"url = \"postgresql://alli@a.example.com,b.example.com:5433/alli?sslmode=verify-full\"", ""},
        {"url = \"postgresql:///alli\"", ""},
        {"url = \"postgresql:///alli?host=/run/postgresql&sslmode=disable\"", ""},
        {"url = \"postgresql://alli@localhost/alli?sslmode=disable\"", ""},
        {"url = \"mysql://db.example.com/alli\"", "cluster.url must begin with postgresql://"},
        {"url = \"postgresql://db.example.com\"", "cluster.url names no database"},
        {"url = \"postgresql://alli:hunter2@db.example.com/alli\"", "cluster.url must hold no password"},
        {"url = \"postgresql://alli@db.example.com/alli?password=hunter2\"", "cluster.url must hold no password"},
        {"url = \"postgresql://alli@db.example.com/alli?sslmode=require\"", "sslmode=verify-full"},
        {"url = \"postgresql://alli@db.example.com/alli?sslmode=disable\"", "sslmode=verify-full"},
        {"url = \"postgresql://alli@localhost,db.example.com/alli?sslmode=prefer\"", "sslmode=verify-full"},
        {"url = \"postgresql://alli@db.example.com/alli?nonsense=1\"", "cluster.url is not one that can be read"},
        {"url = 5", "cluster.url must be a text"},
        {"schema = \"alli_2\"", ""},
        {"schema = \"\"", "cluster.schema must be of small letters"},
        {"schema = \"Alli\"", "cluster.schema must be of small letters"},
        {"schema = \"2alli\"", "cluster.schema must be of small letters"},
        {"schema = \"al li\"", "cluster.schema must be of small letters"},
        {"schema = \"x\\\"; DROP\"", "cluster.schema must be of small letters"},
        {"schema = \"pg_alli\"", "a name of PostgreSQL's own"},
        {"schema = \"information_schema\"", "a name of PostgreSQL's own"},
        {"schema = \"a234567890123456789012345678901234567890123456789012345678\"", ""},
        {"schema = \"a2345678901234567890123456789012345678901234567890123456789\"", "at most 58"},
        {"node = \"db-1.example\"", ""},
        {"node = \"db 1\"", "cluster.node must be of ASCII"},
        {"node = \"caf\u00e9\"", "cluster.node must be of ASCII"},
        {"role = \"reader\"", ""},
        {"role = \"leader\"", "cluster.role must be one of full, reader"},
        {"lease = \"2s\"", ""},
        {"lease = \"60s\"", ""},
        {"lease = \"1999ms\"", "cluster.lease must be 2s to"},
        {"lease = \"61s\"", "cluster.lease must be 2s to"},
        {"lease = \"fast\"", "cluster.lease must be a duration"},
        {"on_database_away = \"refuse\"", ""},
        {"on_database_away = \"keep\"", "\"keep\" is not available in this version, \"refuse\" is"},
        {"on_database_away = \"drop\"", "cluster.on_database_away must be one of refuse, keep"},
        {"password_file = \"secret\"", "cluster.password_file is no absolute path"},
        {"password_file = \"/nowhere/secret\"", "cluster.password_file"},
        {"leas = \"4s\"", "did you mean cluster.lease?"},
    };
    for (const Case& one : cases) {
        const std::string said = fault_of(one.line);
        if (*one.said == '\0')
            EXPECT_EQ(said, "no fault") << one.line;
        else
            EXPECT_THAT(said, AllOf(HasSubstr(one.said), Not(HasSubstr("hunter2")))) << one.line;
    }
}

TEST_F(ClusterSettingsTest, AnAddressIsShownUnlessAPasswordMayStandInIt)
{
    const std::string good = "postgresql://alli@db.example.com/alli";
    home.environment["ALLI_MIRROR_CLUSTER_URL"] = good;
    EXPECT_THAT(home.run({"config", "show"}).output, HasSubstr("url = \"" + good + "\""));
    home.environment["ALLI_MIRROR_CLUSTER_URL"] = "postgresql://alli:hunter2@db.example.com/alli";
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"config", "show"}, {"config", "show", "--json"}, {"config", "check"}, {"serve"}}) {
        const auto finished = home.run(words);
        EXPECT_THAT(finished.output + finished.errors, Not(HasSubstr("hunter2"))) << words.back();
    }
    home.environment["ALLI_API_KEY"] = "key";
    EXPECT_EQ(home.run({"serve"}).code, 2);
    EXPECT_THAT(home.run({"serve"}).errors, HasSubstr("cluster.url must hold no password"));
}

TEST_F(ClusterSettingsTest, ANodeIsCalledAfterItsHostAndASuffixThatStays)
{
    const ClusterSettings settings;
    const std::string mirror = home.path("mirror.db");
    EXPECT_EQ(find_node_name(settings, mirror), std::nullopt);
    const std::string name = load_node_name(settings, mirror);
    std::array<char, 65> host{};
    ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
    EXPECT_THAT(name, testing::MatchesRegex(std::string(host.data()) + "-[0-9a-f]{8}"));
    EXPECT_EQ(load_node_name(settings, mirror), name);
    EXPECT_EQ(find_node_name(settings, mirror), name);
    home.write("node", "", fs::perms(0600)); // as after a cut of power
    EXPECT_NE(load_node_name(settings, mirror), name);
    ClusterSettings named;
    named.node = "db-1";
    EXPECT_EQ(load_node_name(named, home.path("elsewhere/mirror.db")), "db-1");
    EXPECT_THROW(load_node_name(settings, home.path("elsewhere/mirror.db")), Error);
}

TEST_F(ClusterSettingsTest, ANodeIsToldWhatIsSet)
{
    ClusterSettings settings;
    settings.url = "postgresql://alli@db.example.com/alli";
    settings.schema = "other";
    settings.lease = milliseconds(8'000);
    const auto database = postgres_options(settings, "secret", "one");
    EXPECT_EQ(database.url, settings.url);
    EXPECT_EQ(database.password, "secret");
    EXPECT_EQ(database.schema, "other");
    EXPECT_EQ(database.self.node, "one");
    EXPECT_EQ(database.self.holder.size(), 32U);
    EXPECT_NE(postgres_options(settings, "", "one").self.holder, database.self.holder) << "another process";

    const auto node = node_options(settings, "one", {"unix:/run/x", "127.0.0.1:1", "10.0.0.5:8787", "10.0.0.6:8787"});
    EXPECT_EQ(node.name, "one");
    EXPECT_EQ(node.version, ALLI_VERSION);
    EXPECT_EQ(node.address, "10.0.0.5:8787");
    EXPECT_EQ(node.lease, milliseconds(8'000));
    EXPECT_TRUE(node.may_lead);
    EXPECT_EQ(node_options(settings, "one", {"localhost:1", "[::1]:2", "unix:/run/x"}).address, "");
    EXPECT_THAT(node_options(settings, "one", {"0.0.0.0:8787"}).address, testing::EndsWith(":8787"));
    EXPECT_THAT(node_options(settings, "one", {"[::]:8787"}).address, Not(HasSubstr("[::]")));
    settings.role = "reader";
    EXPECT_FALSE(node_options(settings, "one", {}).may_lead);
}

TEST_F(ClusterSettingsTest, ThePasswordIsOneLineOfAFileThatIsClosedToOthers)
{
    Settings settings;
    settings.config.cluster.password_file = home.write("password", "first\r\nsecond\n");
    const Environment none = [](const std::string&) { return std::optional<std::string>(); };
    EXPECT_EQ(load_cluster_password(settings, none), "first");
    const auto fault = [&] {
        try {
            load_cluster_password(settings, none);
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings);
            return std::string(error.what());
        }
        return std::string();
    };
    home.write("password", "\n");
    EXPECT_THAT(fault(), HasSubstr("there is no password in"));
    home.write("password", "first\n", fs::perms(0640));
    EXPECT_THAT(fault(), HasSubstr("can be read by others"));
    settings.config.cluster.password_file.clear();
    EXPECT_EQ(load_cluster_password(settings, none), "");
}

} // namespace
} // namespace alli::daemon
