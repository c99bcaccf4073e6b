// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/projects.hpp"

#include "alli/error.hpp"
#include "daemon/settings/paths.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sys/stat.h>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;

bool is_same(const std::string& a, const std::string& b)
{
    std::error_code hidden;
    return a == b || fs::equivalent(a, b, hidden);
}

void add(std::vector<Project>& projects, Project project)
{
    const auto is_known = [&](const Project& one) { return is_same(one.mirror_path, project.mirror_path); };
    if (std::any_of(projects.begin(), projects.end(), is_known)) return;
    struct stat status = {};
    if (::stat(project.mirror_path.c_str(), &status) != 0 && !project.hidden) return;
    projects.push_back(std::move(project));
}

fs::path own_settings(const Environment& environment)
{
    const std::string named = environment("XDG_CONFIG_HOME").value_or(""), home = environment("HOME").value_or("");
    if (named.starts_with('/')) return fs::path(named) / "alli-mirror";
    return home.starts_with('/') ? fs::path(home) / ".config/alli-mirror" : fs::path();
}

/// Directories with settings of their own, in order.
std::vector<std::string> names_in(const fs::path& directory)
{
    std::vector<std::string> names;
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(directory, unreadable)) {
        std::error_code hidden;
        if (fs::exists(entry.path() / "config.toml", hidden)) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool is_closed(const std::string& path)
{
    struct stat status = {};
    return ::stat(path.c_str(), &status) != 0 && errno == EACCES;
}

/// One with wrong settings has no mirror that could be found: doctor says what is wrong with them.
template <class Find>
void add_if_sound(std::vector<Project>& projects, Find find)
{
    try {
        add(projects, find());
    } catch (const Error& error) {
        if (error.fault() != Fault::settings) throw;
    }
}

} // namespace

Environment without_mirror(const Environment& from)
{
    const auto tells = [](const std::string& name) {
        return name.starts_with("ALLI_") || name == "STATE_DIRECTORY" || name == "RUNTIME_DIRECTORY";
    };
    std::vector<std::string> names = from.names();
    std::erase_if(names, tells);
    const auto read = [from, tells](const std::string& name) -> std::optional<std::string> {
        return tells(name) ? std::nullopt : from(name);
    };
    return {read, std::move(names)};
}

std::vector<Project> find_projects(const Context& context, const ServicePaths& paths)
{
    std::vector<Project> projects;
    const MirrorLocation own = find_mirror_location(context.settings(), context.environment);
    if (!own.sandbox) add(projects, {"own", own.mirror_path, context});

    const fs::path settings = own_settings(context.environment);
    for (const std::string& name : names_in(settings))
        add_if_sound(projects, [&] {
            Context of;
            of.settings_file = settings / name / "config.toml";
            of.environment = without_mirror(context.environment);
            return Project{name, mirror_path(of.settings(), of.environment), of};
        });
    for (const std::string& service : find_services(paths))
        add_if_sound(projects, [&] {
            Context of = context;
            of.settings_file.clear();
            of.environment = service_environment(context.environment, service, paths);
            const std::string path = mirror_path(of.settings(), of.environment);
            return Project{service, path, of, is_closed(path) && has_service_socket(service, paths)};
        });
    return projects;
}

} // namespace alli::daemon
