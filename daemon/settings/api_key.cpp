// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/api_key.hpp"

#include "alli/error.hpp"
#include "daemon/settings/key_text.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

static constexpr std::size_t longest_secret_file = 64 * 1024;
static constexpr const char* ways = "put the key into the environment variable ALLI_API_KEY, or into the file that "
                                    "upstream.api_key_file names (mode 0600); without an account: serve --sandbox";

class Descriptor {
  public:
    explicit Descriptor(const std::string& path) : value(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~Descriptor()
    {
        if (value >= 0) ::close(value);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    const int value;
};

/// The service manager grants a credential to its dynamic user by an access list, which shows as group read permission
/// (0440). Only that user can enter the directory.
enum class Guard { ours, manager };

static mode_t too_open(Guard guard)
{
    return guard == Guard::ours ? 077 : 037;
}

static Guard guard_of(const std::string& path, const Environment& environment)
{
    const std::string directory = environment("CREDENTIALS_DIRECTORY").value_or("");
    const auto folder_of = [](const std::filesystem::path& file) { return file.lexically_normal().parent_path(); };
    const bool credential =
        directory.starts_with('/') && folder_of(path) == folder_of(std::filesystem::path(directory) / "any");
    return credential ? Guard::manager : Guard::ours;
}

bool is_credential(const std::string& path, const Environment& environment)
{
    return guard_of(path, environment) == Guard::manager;
}

std::string shown_path(const std::string& path)
{
    return path.starts_with('/') ? path : "that the settings name";
}

static void require_file(const struct stat& status, const std::string& path, const std::string& what, Guard guard)
{
    if (S_ISDIR(status.st_mode))
        throw Error(Fault::settings, "name the file in it", "the {} {} is a directory", what, shown_path(path));
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        throw Error(Fault::settings, "name a file", "the {} {} is a device or a socket, not a file", what,
                    shown_path(path));
    if ((status.st_mode & too_open(guard)) != 0)
        throw Error(Fault::settings, fmt::format("chmod 600 {}", path), "the {} {} can be read by others", what, path);
}

static std::string read_whole(int descriptor, const std::string& subject)
{
    std::string text;
    std::array<char, 4096> part{};
    while (text.size() <= longest_secret_file) {
        const ssize_t count = ::read(descriptor, part.data(), part.size());
        if (count == 0) return text;
        if (count > 0)
            text.append(part.data(), static_cast<std::size_t>(count));
        else if (errno != EINTR)
            throw Error(Fault::settings, "see the system's log", "cannot read {}: {}", subject, std::strerror(errno));
    }
    throw Error(Fault::settings, "is it the right file?", "{} has more than 64 KiB", subject);
}

/// Mode and content are read from one descriptor, so that the file cannot be exchanged in between. `missing`: the hint
/// if it cannot be opened.
static std::string read_secret(const std::string& path, const std::string& what, Guard guard, const char* missing)
{
    const Descriptor file(path);
    struct stat status = {};
    if (file.value < 0 || ::fstat(file.value, &status) != 0) {
        const int why = errno;
        const std::string owner =
            fmt::format("chown it to the user that runs this (number {}), mode 0600", ::geteuid());
        throw Error(Fault::settings, why == EACCES ? owner : missing, "cannot read the {} {}: {}", what,
                    shown_path(path), std::strerror(why));
    }
    require_file(status, path, what, guard);
    return read_whole(file.value, fmt::format("the {} {}", what, shown_path(path)));
}

static std::string shown_key_file(const std::string& path)
{
    return path.starts_with('/') ? path : "the file that upstream.api_key_file names";
}

static std::string checked(const std::string& bytes, const std::string& origin)
{
    const std::string what = "the API key in " + origin;
    std::string key = read_key(bytes, what);
    if (key.empty()) throw Error(Fault::settings, ways, "{} is empty", what);
    return key;
}

/// Overwritten in place, because /proc shows the initial environment for the lifetime of the process.
static void wipe_variable(const char* name)
{
    char* value = std::getenv(name);
    if (value == nullptr) return;
    ::explicit_bzero(value, std::strlen(value));
    ::unsetenv(name);
}

void forget_api_key()
{
    wipe_variable("ALLI_API_KEY");
}

static std::string credential_path(const Environment& environment)
{
    const auto directory = environment("CREDENTIALS_DIRECTORY");
    return directory ? *directory + "/alli-api-key" : "";
}

KeySource find_key_source(const Settings& settings, const Environment& environment)
{
    const std::string credential = credential_path(environment);
    if (!credential.empty() && ::access(credential.c_str(), F_OK) == 0)
        return {KeySource::Kind::credential, credential};
    if (environment("ALLI_API_KEY")) return {KeySource::Kind::variable, "ALLI_API_KEY"};
    const std::string& file = settings.config.api_key_file;
    if (!settings.is_set("upstream.api_key_file") && ::access(file.c_str(), F_OK) != 0) return {};
    return {KeySource::Kind::file, file};
}

std::string load_api_key(const Settings& settings, const Environment& environment)
{
    const KeySource source = find_key_source(settings, environment);
    const auto variable = environment("ALLI_API_KEY");
    forget_api_key();
    if (source.kind == KeySource::Kind::credential)
        return checked(read_secret(source.name, "credential", Guard::manager, ways), "the credential alli-api-key");
    if (source.kind == KeySource::Kind::variable) return checked(*variable, "ALLI_API_KEY");
    if (source.kind == KeySource::Kind::file)
        return checked(read_secret(source.name, "API key file", Guard::ours, ways), shown_key_file(source.name));
    throw Error(Fault::settings, ways, "there is no API key");
}

std::optional<Error> find_key_fault(const Settings& settings, const Environment& environment)
{
    const KeySource source = find_key_source(settings, environment);
    const bool is_hidden =
        source.kind == KeySource::Kind::file && ::access(source.name.c_str(), R_OK) != 0 && errno == EACCES;
    if (source.kind == KeySource::Kind::none || is_hidden) return std::nullopt;
    try {
        load_api_key(settings, environment);
        return std::nullopt;
    } catch (const Error& error) {
        return error;
    }
}

static std::string first_line(const std::string& text, const std::string& origin)
{
    std::string line = text.substr(0, text.find_first_of("\r\n"));
    if (line.empty() || line.find('\0') != line.npos)
        throw Error(Fault::settings, "it is one line of text", "there is no password in {}", origin);
    return line;
}

/// From the credential if there is one, else from the file that the setting names; empty without either.
static std::string load_password(const std::string& credential, const std::string& setting, const std::string& file,
                                 const Environment& environment)
{
    const auto credentials = environment("CREDENTIALS_DIRECTORY");
    if (credentials && ::access((*credentials + '/' + credential).c_str(), F_OK) == 0)
        return first_line(read_secret(*credentials + '/' + credential, "credential", Guard::manager, ways),
                          "the credential " + credential);
    if (file.empty()) return {};
    static constexpr const char* hint = "name a file of mode 0600 that the user of this program may read";
    return first_line(read_secret(file, setting, guard_of(file, environment), hint), file);
}

std::string load_proxy_password(const Settings& settings, const Environment& environment)
{
    return load_password("alli-proxy-password", "upstream.proxy_password_file", settings.config.proxy_password_file,
                         environment);
}

std::string load_cluster_password(const Settings& settings, const Environment& environment)
{
    return load_password("alli-database-password", "cluster.password_file", settings.config.cluster.password_file,
                         environment);
}

std::string load_webhook_secret(const std::string& path, const Environment& environment)
{
    static constexpr const char* missing = "name a file of mode 0600 that the user of this program may read";
    return read_secret(path, "secret_file", guard_of(path, environment), missing);
}

std::optional<std::string> read_tokens_file(const std::string& path, const Environment& environment, bool required)
{
    static constexpr const char* missing = "alli-mirror token new makes it; or leave proxy.tokens_file out";
    struct stat status = {};
    if (!required && ::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    return read_secret(path, "tokens file", guard_of(path, environment), missing);
}

void harden_process()
{
    ::umask(0077);
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0) != 0)
        throw Error(Fault::io, "whatever starts it must allow setrlimit and prctl", "cannot switch core dumps off: {}",
                    std::strerror(errno));
}

} // namespace alli::daemon
