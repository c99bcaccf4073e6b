// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/token_file.hpp"

#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "daemon/settings/api_key.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds patience{5};
constexpr std::chrono::milliseconds pause{10};
constexpr std::size_t most_bytes = 60 * 1024; // less than what is read

std::string directory_of(const std::string& path)
{
    const fs::path parent = fs::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

[[noreturn]] void fail(const std::string& path, int why)
{
    const bool full = why == ENOSPC || why == EDQUOT;
    throw Error(full ? Fault::disk_full : Fault::io,
                full
                    ? "free some space"
                    : "the user that runs this must be able to write there: see who owns it; or name another file with "
                      "proxy.tokens_file",
                "cannot write the tokens file {}: {}", path, std::strerror(why));
}

/// A temporary file: closed, and removed unless it was renamed into place.
class Draft {
  public:
    explicit Draft(const std::string& target) : path_(target + ".new"), target_(target)
    {
        ::unlink(path_.c_str()); // of somebody who died in between
        descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (descriptor_ < 0) fail(target, errno);
    }
    ~Draft()
    {
        ::close(descriptor_);
        if (!placed_) ::unlink(path_.c_str());
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    // If root writes for a daemon of another user, that user must still be able to read the file.
    void hand_over(const struct stat& owner) const
    {
        if (::geteuid() == 0 && ::fchown(descriptor_, owner.st_uid, owner.st_gid) != 0) fail(target_, errno);
    }
    void write(std::string_view text) const
    {
        while (!text.empty()) {
            const ssize_t count = ::write(descriptor_, text.data(), text.size());
            if (count < 0 && errno != EINTR) fail(target_, errno);
            text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        }
    }
    void put_in_place()
    {
        if (::fchmod(descriptor_, 0600) != 0 || ::fsync(descriptor_) != 0) fail(target_, errno);
        if (::rename(path_.c_str(), target_.c_str()) != 0) fail(target_, errno);
        placed_ = true;
    }

  private:
    std::string path_, target_;
    int descriptor_ = -1;
    bool placed_ = false;
};

void write_whole(const std::string& path, const std::string& text)
{
    struct stat owner = {};
    if (::stat(path.c_str(), &owner) != 0 && ::stat(directory_of(path).c_str(), &owner) != 0) fail(path, errno);
    Draft draft(path);
    draft.hand_over(owner);
    draft.write(text);
    draft.put_in_place();
    sync_to_disk(directory_of(path)); // a rename lasts when its directory is there
}

// A symbolic link is followed, and its target replaced.
std::string real_path(const std::string& path)
{
    std::error_code absent;
    const fs::path real = fs::canonical(path, absent);
    return absent ? path : real.string();
}

void require_writable(const TokensFile& place, const Environment& environment, const std::string& text)
{
    if (is_credential(place.path, environment))
        throw Error(Fault::settings,
                    "change the file that LoadCredential= of the unit names and restart; or leave proxy.tokens_file "
                    "out, and the daemon keeps the tokens in its state directory",
                    "the tokens file {} is a copy that the service manager made: it cannot be changed", place.path);
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
        throw Error(Fault::settings, "save it as UTF-8", "the tokens file {} is UTF-16: lines cannot be added",
                    place.path);
}

} // namespace

TokensFile find_tokens_file(const Config& config, const MirrorLocation& mirror)
{
    if (!config.tokens_file.empty() && !mirror.sandbox) return {config.tokens_file, true};
    return {directory_of(mirror.mirror_path) + "/tokens", false};
}

TokensLock::TokensLock(const std::string& path)
    : directory_(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC))
{
    if (directory_ < 0) return;
    const auto until = std::chrono::steady_clock::now() + patience;
    while (::flock(directory_, LOCK_EX | LOCK_NB) != 0) {
        const bool held = errno == EWOULDBLOCK || errno == EINTR;
        if (held && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(pause);
            continue;
        }
        const int why = errno;
        ::close(directory_);
        throw Error(Fault::busy, "try again in a moment", "another process holds the directory of {}: {}", path,
                    std::strerror(why));
    }
}

TokensLock::~TokensLock()
{
    if (directory_ >= 0) ::close(directory_);
}

std::vector<TokenLine> load_token_lines(const TokensFile& place, const Environment& environment)
{
    const auto text = read_tokens_file(place.path, environment, place.required);
    return text ? read_token_lines(*text, shown_path(place.path), Zone::of_host()) : std::vector<TokenLine>{};
}

std::vector<proxy::Token> tokens_of(const std::vector<TokenLine>& lines)
{
    std::vector<proxy::Token> tokens;
    for (const TokenLine& line : lines) tokens.push_back(line.token);
    return tokens;
}

void change_tokens(const TokensFile& place, const Environment& environment, const TokensEdit& edit,
                   const std::function<void(const std::vector<TokenLine>&)>& then)
{
    const TokensLock lock(place.path);
    const std::string text = read_tokens_file(place.path, environment, false).value_or("");
    require_writable(place, environment, text);
    const std::vector<TokenLine> before = read_token_lines(text, place.path, Zone::of_host());
    const std::string made = edit(before, text);
    if (made == text) return then(before);
    if (made.size() > most_bytes)
        throw Error(Fault::busy, "revoke those that are not needed", "the tokens file {} is full", place.path);
    const std::vector<TokenLine> lines = read_token_lines(made, place.path, Zone::of_host());
    write_whole(real_path(place.path), made);
    then(lines);
}

} // namespace alli::daemon
