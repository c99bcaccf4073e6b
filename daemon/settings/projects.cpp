// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/projects.hpp"

#include "alli/error.hpp"
#include "daemon/settings/paths.hpp"

#include <algorithm>
#include <filesystem>

namespace alli::daemon {

static void add(std::vector<Project>& projects, const std::string& name, const std::string& path)
{
    std::error_code hidden;
    const auto same = [&](const Project& one) { return std::filesystem::equivalent(one.mirror_path, path, hidden); };
    if (!std::filesystem::exists(path, hidden) || std::any_of(projects.begin(), projects.end(), same)) return;
    projects.push_back({name, path});
}

std::vector<Project> find_projects(const Context& context, const ServicePaths& paths)
{
    std::vector<Project> projects;
    const MirrorLocation own = find_mirror_location(context.settings(), context.environment);
    if (!own.sandbox) add(projects, "own", own.mirror_path);
    for (const std::string& service : find_services(paths)) {
        const Environment environment = service_environment(context.environment, service, paths);
        try {
            add(projects, service, mirror_path(load_settings("", environment, context.flags), environment));
        } catch (const Error& error) {
            // A service with wrong settings has no mirror that could be found: doctor says what is wrong with them.
            if (error.fault() != Fault::settings) throw;
        }
    }
    return projects;
}

} // namespace alli::daemon
