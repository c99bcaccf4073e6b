// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/neighbours.hpp"

#include "alli/error.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "proxy/listen_address.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;
namespace ip = boost::asio::ip;

constexpr std::string_view scheme = "http://";

fs::path note_beside(const std::string& mirror_path)
{
    return fs::path(mirror_path).parent_path() / "alli-mirror.page";
}

/// Of a TCP address on this machine; empty: no browser gets there.
std::string origin_of(const std::string& listen)
{
    if (listen.starts_with(proxy::unix_prefix)) return "";
    const ip::tcp::endpoint endpoint = proxy::read_tcp_address(listen);
    const bool everywhere = endpoint.address().is_unspecified();
    if (!everywhere && !endpoint.address().is_loopback()) return "";
    const bool v6 = endpoint.address().is_v6() && !everywhere;
    return fmt::format("{}{}:{}", scheme, v6 ? "[::1]" : "127.0.0.1", endpoint.port());
}

bool is_own_file(const fs::path& path)
{
    struct stat status = {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
           (status.st_mode & 022) == 0;
}

/// What it noted, if it is what a daemon notes; a link of the page is made of it.
std::string noted_origin(const std::string& mirror_path)
{
    const fs::path path = note_beside(mirror_path);
    std::string line;
    if (!is_own_file(path) || !std::getline(std::ifstream(path), line)) return "";
    try {
        return line.starts_with(scheme) && origin_of(line.substr(scheme.size())) == line ? line : "";
    } catch (const Error&) {
        return ""; // no address
    }
}

bool is_own_mirror(const std::string& path)
{
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

bool is_same(const std::string& a, const std::string& b)
{
    std::error_code hidden;
    return a == b || fs::equivalent(a, b, hidden);
}

/// This process was told which mirror is its own: the others are found without.
std::vector<Project> find_all(const Environment& environment, const ServicePaths& paths)
{
    Context context;
    const Environment others = without_mirror(environment);
    const auto read = [others](const std::string& name) {
        auto value = others(name);
        return value || name != "HOME" ? value
                                       : std::optional<std::string>("/nonexistent"); // a service's user has none
    };
    context.environment = Environment(read, others.names());
    try {
        return find_projects(context, paths);
    } catch (const Error& error) {
        if (error.fault() != Fault::settings) throw;
        return {}; // of those that are wrong doctor tells
    }
}

} // namespace

void note_page_address(const std::string& mirror_path, const std::vector<std::string>& addresses)
{
    const fs::path path = note_beside(mirror_path);
    std::error_code none;
    fs::remove(path, none);
    for (const std::string& address : addresses) {
        const std::string origin = origin_of(address);
        if (origin.empty()) continue;
        std::ofstream(path) << origin << '\n';
        fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, none);
        return;
    }
}

std::string projects_json(const std::string& mirror_path, bool is_sandbox, const Environment& environment,
                          const ServicePaths& paths)
{
    std::vector<Project> projects;
    if (!is_sandbox) projects = find_all(environment, paths);
    std::erase_if(projects, [](const Project& one) { return one.hidden || !is_own_mirror(one.mirror_path); });
    const auto is_current = [&](const Project& one) { return is_same(one.mirror_path, mirror_path); };
    if (std::none_of(projects.begin(), projects.end(), is_current))
        projects.insert(projects.begin(), Project{is_sandbox ? "sandbox" : "own", mirror_path, {}});

    nlohmann::ordered_json body;
    body["projects"] = nlohmann::ordered_json::array();
    for (const Project& one : projects) {
        const std::string origin = find_owner(one.mirror_path) ? noted_origin(one.mirror_path) : "";
        nlohmann::ordered_json item;
        item["name"] = one.name;
        item["origin"] = origin.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(origin);
        item["reachable"] = !origin.empty();
        item["current"] = is_current(one);
        body["projects"].push_back(std::move(item));
    }
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

} // namespace alli::daemon
