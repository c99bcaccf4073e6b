// SPDX-License-Identifier: Apache-2.0
// A home whose settings name a cluster: a PostgreSQL for all tests of the program, a schema of each test's own.
#pragma once

#include "alli/clock.hpp"
#include "alli/sync_wait.hpp"
#include "tests/daemon/home.hpp"
#include "tests/support/postgres_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace alli::daemon {

/// Started by the first that asks.
inline support::PostgresServer& postgres()
{
    static support::PostgresServer server;
    return server;
}

class ClusterHome : public testing::Test {
  protected:
    ClusterHome()
    {
        static int made = 0;
        schema = "alli_" + std::to_string(++made);
        set("URL", postgres().url());
        set("SCHEMA", schema);
    }

    void set(const std::string& name, const std::string& value)
    {
        home.environment["ALLI_MIRROR_CLUSTER_" + name] = value;
    }

    /// What it prints; it must end so.
    std::string run(int code, std::vector<std::string> words)
    {
        const auto finished = home.run(words);
        EXPECT_EQ(finished.code, code) << testing::PrintToString(words) << finished.output << finished.errors;
        return finished.output + finished.errors;
    }
    nlohmann::json json_of(std::vector<std::string> words)
    {
        words.emplace_back("--json");
        const auto finished = home.run(words);
        EXPECT_EQ(finished.code, 0) << testing::PrintToString(words) << finished.output << finished.errors;
        return nlohmann::json::parse(finished.output, nullptr, false);
    }
    std::string init(std::vector<std::string> more = {})
    {
        more.insert(more.begin(), {"cluster", "init"});
        return run(0, more);
    }
    /// In the schema of the test.
    std::string sql(const std::string& text) const
    {
        return postgres().run_sql("SET search_path TO " + schema + ";" + text);
    }
    /// A user with a password, which is asked for; everybody else comes in without.
    std::string make_guarded(const std::string& password)
    {
        const std::string user = schema + "_guarded";
        postgres().run_sql("SET password_encryption TO 'scram-sha-256'; CREATE ROLE " + user +
                           " LOGIN SUPERUSER PASSWORD '" + password + "'");
        postgres().set_rules("local all " + user + " scram-sha-256\nlocal all all trust\n");
        set("URL", postgres().url(user));
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (home.run({"cluster", "status"}).code != 3 && std::chrono::steady_clock::now() < deadline) {
        } // the rules are read a moment later
        return user;
    }

    Home home;
    std::string schema;
};

} // namespace alli::daemon
