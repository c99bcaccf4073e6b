// SPDX-License-Identifier: Apache-2.0
// Which mirror a command is about: one's own, or a service of this machine's, whose settings, files and sockets are
// where the package's units put them. Root, and a member of the service's group, need not say so.
#pragma once

#include "daemon/settings/load_settings.hpp"

#include <string>
#include <vector>

namespace alli::daemon {

/// Where the units put things.
struct ServicePaths {
    std::string state = "/var/lib", run = "/run", settings = "/etc/alli-mirror";
};

/// "alli-mirror" and "alli-mirror@NAME" for each whose state or settings are there; in order.
std::vector<std::string> find_services(const ServicePaths& paths = {});
/// The service of that name or short name; empty: there is none.
std::string find_service(const std::string& name, const ServicePaths& paths = {});

/// A Unix socket of that service's that this process may use.
bool has_service_socket(const std::string& service, const ServicePaths& paths = {});

/// What the service's process is given: its directories and its settings file.
Environment service_environment(const Environment& from, const std::string& service, const ServicePaths& paths = {});

struct ServiceChoice {
    std::string service; // empty: one's own mirror, or what settings and environment name
    std::string note;    // for a person; empty: there is nothing to choose between
};

/// What is said counts; else what --config, --mirror-path or the environment name; else, for root, the service, where
/// its directory is; for others their own mirror, where there is one, else the service whose socket they may use.
/// Throws Error{usage}: there is no such service, or there are several and none is named.
ServiceChoice choose_service(const Context& context, bool is_root, const ServicePaths& paths = {});

} // namespace alli::daemon
