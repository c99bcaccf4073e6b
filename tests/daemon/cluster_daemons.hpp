// SPDX-License-Identifier: Apache-2.0
// Real daemons as nodes of one cluster: a PostgreSQL of the program's own, a schema for each test, a sandbox upstream.
#pragma once

#include "tests/cluster/truths.hpp"
#include "tests/daemon/daemon.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace alli::daemon {

using Json = nlohmann::json;

class ClusterDaemons {
  public:
    explicit ClusterDaemons(const std::string& schema, const sandbox::Sandbox& upstream, std::string lease = "2s")
        : schema_(schema), upstream_(upstream), lease_(std::move(lease))
    {}

    /// Starts the node of that name, over the files that it had.
    Daemon& start(const std::string& name)
    {
        auto& home = homes_[name];
        if (!home) {
            home = std::make_unique<Home>();
            admins_[name] = home->run({"token", "new", "admin", "--scope", "admin"}).output;
            admins_[name].erase(admins_[name].find_last_not_of('\n') + 1);
        }
        home->use(upstream_);
        home->environment["ALLI_MIRROR_SYNC_INTERVAL"] = "1s";
        home->environment["ALLI_MIRROR_CLUSTER_URL"] = url.value_or(cluster_tests::postgres().url());
        home->environment["ALLI_MIRROR_CLUSTER_SCHEMA"] = schema_;
        home->environment["ALLI_MIRROR_CLUSTER_NODE"] = name;
        home->environment["ALLI_MIRROR_CLUSTER_LEASE"] = lease_;
        for (const auto& [setting, value] : settings) home->environment[setting] = value;
        nodes_[name] = std::make_unique<Daemon>(*home, std::vector<std::string>{"serve"});
        return *nodes_[name];
    }
    Daemon& operator[](const std::string& name) { return *nodes_.at(name); }
    const std::string& admin(const std::string& name) const { return admins_.at(name); } // its token
    Home& home(const std::string& name) { return *homes_.at(name); }

    static Json wait_for_role(const Daemon& node, const std::string& role)
    {
        return node.wait_for([&](const Json& status) { return status["cluster"]["role"] == role; });
    }
    /// Complete, and as far as what is shared.
    static Json wait_until_level(const Daemon& node, const Daemon& leader)
    {
        leader.wait_until_complete();
        const Json there = leader.wait_for([](const Json& status) { return status["safeToStop"] == true; });
        return node.wait_for([&](const Json& status) {
            return status["mirror"]["complete"] == true &&
                   status["cluster"]["position"] >= there["cluster"]["position"];
        });
    }

    std::optional<std::string> url;              // none: the server's socket, as its superuser
    std::map<std::string, std::string> settings; // more of them, by their names in the environment

  private:
    std::string schema_;
    const sandbox::Sandbox& upstream_;
    std::string lease_;
    std::map<std::string, std::unique_ptr<Home>> homes_;
    std::map<std::string, std::string> admins_;
    std::map<std::string, std::unique_ptr<Daemon>> nodes_;
};

} // namespace alli::daemon
