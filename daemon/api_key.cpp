// SPDX-License-Identifier: Apache-2.0
#include "daemon/api_key.hpp"

#include "alli/error.hpp"

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
static constexpr std::string_view ways =
    "put the key into the environment variable ALLI_API_KEY, or into the file that "
    "upstream.api_key_file names (mode 0600); without an account: serve --sandbox";

static std::string trimmed(const std::string& text)
{
    static constexpr const char* blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

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

/// The service manager hands a credential to a user that it made by an access list, which looks like a group's
/// permission to read (0440). Its directory lets in nobody else.
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

/// Mode and content come from one descriptor, so that the file cannot be exchanged in between.
static std::string read_secret(const std::string& path, const std::string& what, Guard guard,
                               std::string_view hint = ways)
{
    const Descriptor file(path);
    struct stat status = {};
    if (file.value < 0 || ::fstat(file.value, &status) != 0)
        throw Error(Fault::settings, std::string(hint), "cannot read the {} {}: {}", what, path, std::strerror(errno));
    if ((status.st_mode & too_open(guard)) != 0)
        throw Error(Fault::settings, fmt::format("chmod 600 {}", path), "the {} {} can be read by others", what, path);

    std::string text(longest_secret_file, '\0');
    const ssize_t count = ::read(file.value, text.data(), text.size());
    if (count < 0)
        throw Error(Fault::settings, "name the file itself", "cannot read the {} {}: {}", what, path,
                    std::strerror(errno));
    text.resize(static_cast<std::size_t>(count));
    return text;
}

static std::string checked(const std::string& key, const std::string& origin)
{
    const std::string text = trimmed(key);
    if (text.empty()) throw Error(Fault::settings, std::string(ways), "the API key in {} is empty", origin);
    for (const char letter : text)
        if (letter < '!' || letter > '~')
            throw Error(Fault::settings, "copy the key again: it is one line of letters, digits and signs",
                        "the API key in {} holds a character that no key has", origin);
    return text;
}

/// Overwritten in place: the first bytes of an environment can be read in /proc for as long as the process lives.
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

std::string load_api_key(const Settings& settings, const Environment& environment)
{
    const auto variable = environment("ALLI_API_KEY");
    forget_api_key();

    const auto credentials = environment("CREDENTIALS_DIRECTORY");
    if (credentials && ::access((*credentials + "/alli-api-key").c_str(), F_OK) == 0)
        return checked(read_secret(*credentials + "/alli-api-key", "credential", Guard::manager),
                       "the credential alli-api-key");
    if (variable) return checked(*variable, "ALLI_API_KEY");

    const std::string& file = settings.config.api_key_file;
    if (!settings.is_set("upstream.api_key_file") && ::access(file.c_str(), F_OK) != 0)
        throw Error(Fault::settings, std::string(ways), "there is no API key");
    return checked(read_secret(file, "API key file", Guard::ours), file);
}

std::string load_proxy_password(const Settings& settings, const Environment& environment)
{
    const auto first_line = [](const std::string& text, const std::string& origin) {
        std::string line = text.substr(0, text.find_first_of("\r\n"));
        if (line.empty() || line.find('\0') != line.npos)
            throw Error(Fault::settings, "it is one line of text", "there is no password in {}", origin);
        return line;
    };
    const auto credentials = environment("CREDENTIALS_DIRECTORY");
    if (credentials && ::access((*credentials + "/alli-proxy-password").c_str(), F_OK) == 0)
        return first_line(read_secret(*credentials + "/alli-proxy-password", "credential", Guard::manager),
                          "the credential alli-proxy-password");
    const std::string& file = settings.config.proxy_password_file;
    if (file.empty()) return {};
    constexpr auto hint = "name a file of mode 0600 that the user of this program may read";
    return first_line(read_secret(file, "upstream.proxy_password_file", guard_of(file, environment), hint), file);
}

std::vector<std::string> load_tokens(const std::string& path, const Environment& environment)
{
    std::vector<std::string> tokens;
    if (path.empty()) return tokens;
    const std::string text = read_secret(path, "tokens file", guard_of(path, environment));
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string line = trimmed(text.substr(at, end - at));
        if (!line.empty()) tokens.push_back(line);
        at = end + 1;
    }
    return tokens;
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
