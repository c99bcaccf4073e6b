// SPDX-License-Identifier: Apache-2.0
#include "alli/clock.hpp"
#include "cache/conversations.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/store.hpp"
#include "daemon/doctor/doctor.hpp"
#include "daemon/settings/token_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds look_for_pages{5}; // a large file is read as far as that goes

std::string directory_of(const DoctorContext& cx)
{
    return fs::path(cx.place.mirror_path).parent_path().string();
}

std::string outbox_of(const DoctorContext& cx)
{
    return directory_of(cx) + "/outbox.db";
}

// Checks that the file is readable, has this program's schema version, and passes a page check.
void check_pages(cache::Reader& db, CheckResults& results, const std::string& said)
{
    SystemClock clock;
    const auto until = clock.steady() + look_for_pages;
    db.interrupt_when([&] { return clock.steady() > until; });
    try {
        for (const cache::Row row : db.query("PRAGMA quick_check(1)"))
            if (row.text(0) != "ok")
                throw Error(Fault::damaged, "alli-mirror verify says more; verify --repair", "{} is damaged: {}",
                            db.path(), row.text(0));
        results.ok(said + ", its pages are sound");
    } catch (const Error& error) {
        if (error.fault() != Fault::canceled) throw;
        results.ok(said + ", its pages are sound as far as could be read in a moment (verify reads all)");
    }
}

void require_private(const std::string& path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
        throw Error(Fault::settings, fmt::format("chmod 600 {}", path), "{} can be read or written by others", path);
}

bool is_there(const std::string& path, CheckResults& results)
{
    std::error_code hidden;
    const auto status = fs::status(path, hidden);
    if (fs::exists(status) && !fs::is_regular_file(status))
        throw Error(Fault::settings, "see settings above", "{} is no file", path);
    if (fs::exists(status)) return true;
    results.warn(fmt::format("there is none at {} yet", path), "alli-mirror serve, or sync, makes one");
    return false;
}

// None if the file belongs to another user's daemon, or is invalid, which the check of the settings reports.
std::optional<std::vector<TokenLine>> find_token_lines(const TokensFile& place, const Environment& environment)
try {
    return load_token_lines(place, environment);
} catch (const Error&) {
    return std::nullopt;
}

} // namespace

void check_directory(const DoctorContext& cx, CheckResults& results)
{
    const std::string directory = directory_of(cx);
    struct stat status = {};
    if (::stat(directory.c_str(), &status) != 0) {
        if (errno != ENOENT)
            throw Error(Fault::io, "run it as root, or as the daemon's user", "cannot look at {}: {}", directory,
                        std::strerror(errno));
        return results.ok(fmt::format("{} is made at the first start", directory));
    }
    if ((status.st_mode & 022) != 0)
        throw Error(Fault::settings, fmt::format("chmod 700 {}", directory), "{} can be written by others", directory);
    if (::access(directory.c_str(), W_OK) != 0 && !cx.owner)
        throw Error(Fault::io, "run it as root, or as the daemon's user, or set mirror.path",
                    "{} cannot be written: {}", directory, std::strerror(errno));
    if ((status.st_mode & 077) != 0)
        throw Error(Fault::settings, fmt::format("chmod 700 {}", directory), "others can look into {}", directory);
    results.ok(directory);
}

void check_disk(const DoctorContext& cx, CheckResults& results)
{
    constexpr std::uintmax_t too_little = 512 << 20, little = std::uintmax_t{2} << 30;
    fs::path place = directory_of(cx);
    while (!fs::exists(place) && place.has_relative_path()) place = place.parent_path();
    std::error_code fault;
    const fs::space_info space = fs::space(place, fault);
    if (fault) throw Error(Fault::io, "see the system's log", "cannot look at the disk: {}", fault.message());
    const std::string said = fmt::format("{} MiB are free at {}", space.available >> 20, place.string());
    constexpr const char* hint = "free some space: with a full disk writes get 507, and the mirror stands still";
    if (space.available < too_little) throw Error(Fault::disk_full, hint, "{}", said);
    space.available < little ? results.warn(said, hint) : results.ok(said);
}

void check_mirror(const DoctorContext& cx, CheckResults& results)
{
    const std::string& path = cx.place.mirror_path;
    if (!is_there(path, results)) return;
    require_private(path);
    const auto db = cache::open_mirror(path);
    const cache::Totals totals = cache::load_totals(*db);
    check_pages(*db, results, fmt::format("{} conversations with {} chats", totals.conversations, totals.chats));
}

void check_outbox(const DoctorContext& cx, CheckResults& results)
{
    const std::string path = outbox_of(cx);
    if (!is_there(path, results)) return;
    require_private(path);
    const auto db = cache::open_outbox(cx.place.mirror_path);
    const cache::OutboxCounts counts = cache::count_entries(*db);
    check_pages(*db, results, fmt::format("{} writes wait", counts.pending));
}

void check_tokens(const DoctorContext& cx, CheckResults& results)
{
    const TokensFile place = find_tokens_file(cx.settings.config, cx.place);
    const auto lines = find_token_lines(place, cx.context.environment);
    if (!lines) return results.warn(fmt::format("{} cannot be read", place.path), "see settings above");
    SystemClock clock;
    std::vector<std::string> bare, expired;
    for (const TokenLine& line : *lines) {
        if (line.bare) bare.push_back(std::to_string(line.number));
        if (line.token.expires && *line.token.expires <= clock.now()) expired.push_back(line.token.principal.name);
    }
    if (!bare.empty())
        results.warn(fmt::format("bare tokens of an older version stand in {} (line {}): who reads the file has them, "
                                 "and they may write",
                                 place.path, fmt::join(bare, ", ")),
                     "alli-mirror token new NAME --scope read makes one for the app; then alli-mirror token revoke "
                     "'line N'");
    if (!expired.empty())
        results.warn(fmt::format("expired: {}", fmt::join(expired, ", ")), "alli-mirror token revoke NAME");
    if (results.list.empty()) results.ok(fmt::format("{} in {}", lines->size(), place.path));
}

void check_damage(const DoctorContext& cx, CheckResults& results)
{
    for (const std::string& path : {cx.place.mirror_path, outbox_of(cx)}) {
        if (cache::find_damage_marker(path))
            results.warn(fmt::format("{} is damaged", path), "restart the program: it is set aside and made anew");
        for (const std::string& aside : cache::quarantined_files(path))
            results.warn(fmt::format("{} was damaged and set aside", aside),
                         "see to the disk, and to what status says; then delete it");
        for (const cache::Notice& notice : cache::find_notices(path))
            results.warn(notice.what, fmt::format("see what did it, and whether an app misses a write; then delete {}",
                                                  notice.file));
    }
    if (results.list.empty()) results.ok("no file was set aside");
}

} // namespace alli::daemon
