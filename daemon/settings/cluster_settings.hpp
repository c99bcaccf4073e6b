// SPDX-License-Identifier: Apache-2.0
// The section [cluster]: what is wrong with it, what this node is called, and what cluster::Node and
// cluster::PostgresTruth are told. Connects to nothing.
#pragma once

#include "cluster/node_options.hpp"
#include "cluster/postgres/postgres_options.hpp"
#include "daemon/settings/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::daemon {

/// Throws Error{settings} if the value of that setting ("cluster.lease") cannot be right. The address appears in no
/// message: a password may stand in it.
void check_cluster_setting(const Config& config, std::string_view key);
/// True if the address may be shown: it is one, and holds no password.
bool is_showable_cluster_url(const std::string& url);

/// cluster.node; by default the host's name and a random suffix from the file `node` beside the mirror, which is made
/// where it is missing. Throws Error{io}.
std::string load_node_name(const ClusterSettings& settings, const std::string& mirror_path);
/// The same, of a node that has a name already: nothing is written.
std::optional<std::string> find_node_name(const ClusterSettings& settings, const std::string& mirror_path);

/// `self` gets a new random holder: call it once a process. The password is load_cluster_password's (api_key.hpp).
cluster::PostgresOptions postgres_options(const ClusterSettings& settings, std::string password, std::string node);

/// `listen`: the addresses of this node's own proxy; the first that others can reach is the node's address.
cluster::NodeOptions node_options(const ClusterSettings& settings, std::string node,
                                  const std::vector<std::string>& listen);

} // namespace alli::daemon
