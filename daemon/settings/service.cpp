// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/service.hpp"

#include "alli/error.hpp"
#include "daemon/settings/paths.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;

const std::string main_service = "alli-mirror", instances = "alli-mirror@";

bool is_there(const fs::path& path)
{
    std::error_code hidden;
    return fs::exists(path, hidden);
}

/// The directories' names; none where it cannot be read.
std::vector<std::string> directories_in(const std::string& path)
{
    std::vector<std::string> names;
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(path, unreadable)) {
        std::error_code hidden;
        if (entry.is_directory(hidden)) names.push_back(entry.path().filename());
    }
    return names;
}

std::string settings_file_of(const std::string& service, const ServicePaths& paths)
{
    const bool is_instance = service.starts_with(instances);
    return paths.settings + (is_instance ? "/" + service.substr(instances.size()) : "") + "/config.toml";
}

bool has_state(const std::string& service, const ServicePaths& paths)
{
    return is_there(fs::path(paths.state) / service);
}

/// What says already which mirror is meant.
bool is_named(const Context& context)
{
    if (!context.settings_file.empty() || context.flags.contains("mirror.path")) return true;
    for (const char* name : {"ALLI_MIRROR_CONFIG", "ALLI_MIRROR_MIRROR_PATH", "STATE_DIRECTORY"})
        if (!context.environment(name).value_or("").empty()) return true;
    return false;
}

std::string own_mirror(const Context& context)
{
    std::string path;
    try {
        path = mirror_path(Settings{}, context.environment);
    } catch (const Error&) {
        return ""; // there is no home to have one in
    }
    return is_there(path) ? path : "";
}

/// Somebody tries the program before the service was ever started.
bool has_sandbox(const Context& context)
{
    try {
        return is_there(sandbox_mirror_path(context.environment));
    } catch (const Error&) {
        return false; // there is no home to have one in
    }
}

ServiceChoice choose_named(const std::string& name, const ServicePaths& paths)
{
    const std::string service = find_service(name, paths);
    if (!service.empty()) return {service, ""};
    const auto there = find_services(paths);
    throw Error(Fault::usage,
                there.empty() ? "no service is installed here" : fmt::format("there are: {}", fmt::join(there, ", ")),
                "there is no service {}", name);
}

std::string only_one(const std::vector<std::string>& services)
{
    if (services.empty()) return "";
    if (services.front() == main_service || services.size() == 1) return services.front();
    throw Error(Fault::usage, "say which: --service NAME", "there are several services: {}", fmt::join(services, ", "));
}

ServiceChoice choose_between(const std::string& service, const std::string& own, bool prefers_service)
{
    if (service.empty() || own.empty()) return {service, ""};
    if (prefers_service)
        return {service, fmt::format("this is the service {}; your own mirror ({}) is meant by --user", service, own)};
    return {"", fmt::format("this is your own mirror ({}); the service {} is meant by --service", own, service)};
}

} // namespace

std::vector<std::string> find_services(const ServicePaths& paths)
{
    std::set<std::string> found;
    if (has_state(main_service, paths) || is_there(settings_file_of(main_service, paths))) found.insert(main_service);
    for (const std::string& name : directories_in(paths.state))
        if (name.starts_with(instances)) found.insert(name);
    for (const std::string& name : directories_in(paths.settings))
        if (is_there(settings_file_of(instances + name, paths))) found.insert(instances + name);
    return {found.begin(), found.end()};
}

std::string find_service(const std::string& name, const ServicePaths& paths)
{
    for (const std::string& service : find_services(paths))
        if (service == name || service == instances + name) return service;
    return "";
}

bool has_service_socket(const std::string& service, const ServicePaths& paths)
{
    for (const char* ending : {"/proxy.sock", ".sock"})
        if (::access((paths.run + '/' + service + ending).c_str(), W_OK) == 0) return true;
    return false;
}

Environment service_environment(const Environment& from, const std::string& service, const ServicePaths& paths)
{
    std::map<std::string, std::string> given{
        {"STATE_DIRECTORY", paths.state + '/' + service},
        {"RUNTIME_DIRECTORY", paths.run + '/' + service},
        {"XDG_RUNTIME_DIR", ""}, // a person's own socket is another mirror's
    };
    const std::string settings = settings_file_of(service, paths);
    given["ALLI_MIRROR_CONFIG"] = is_there(settings) ? settings : "";
    if (!is_there(settings)) given["XDG_CONFIG_HOME"] = paths.settings + "/none"; // nor a person's own settings
    const auto read = [given, from](const std::string& name) -> std::optional<std::string> {
        const auto found = given.find(name);
        return found == given.end() ? from(name) : found->second;
    };
    return {read, from.names()};
}

ServiceChoice choose_service(const Context& context, bool is_root, const ServicePaths& paths)
{
    if (context.own && context.service)
        throw Error(Fault::usage, "one of them", "--user and --service are two different mirrors");
    if (context.service) return choose_named(*context.service, paths);
    if (context.own || is_named(context)) return {};

    const std::string own = own_mirror(context);
    std::vector<std::string> services = find_services(paths);
    const bool has_another = !own.empty() || has_sandbox(context);
    std::erase_if(services, [&](const std::string& service) {
        return is_root ? !has_state(service, paths) && has_another : !has_service_socket(service, paths);
    });
    if (!is_root && !own.empty()) services.resize(std::min<std::size_t>(services.size(), 1)); // for the note
    return choose_between(only_one(services), own, is_root);
}

} // namespace alli::daemon
