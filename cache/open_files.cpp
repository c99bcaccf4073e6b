// SPDX-License-Identifier: Apache-2.0
#include "cache/open_files.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/db/meta.hpp"
#include "cache/db/migrate.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/outbox/outbox_identity.hpp"
#include "cache/outbox/rescue.hpp"
#include "cache/outbox/salvage.hpp"
#include "cache/purge_rows.hpp"
#include "cache/restore.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/identity.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/request_fence.hpp"
#include "cache/search/index.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace alli::cache {
namespace {

void require_private(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return; // made in a moment, mode 0600
    if ((status.st_mode & 077) != 0)
        throw Error(Fault::settings, fmt::format("chmod 600 {}", path), "{} can be read or written by others", path);
}

std::unique_ptr<Writer> open_file(const std::string& path, const Schema& schema, std::string_view synchronous,
                                  const std::string& url)
{
    require_private(path);
    auto db = std::make_unique<Writer>(path, synchronous);
    migrate(*db, schema);
    db->row_changes().clear(); // a step that wrote a table anew removed and added as many rows
    claim(*db, url);
    return db;
}

std::unique_ptr<Writer> open_mirror_file(const StoreOptions& options, bool& left_open)
{
    auto db = open_file(options.mirror_path, mirror_schema, "NORMAL", options.url);
    check_index(*db);
    make_request_fence(*db);
    SystemRandom random; // a secret: never from a seed
    make_hmac_key(*db, random.bytes(32));
    const Instant now = SystemClock().now(); // nor the numbers of the feed
    left_open = was_left_open(*db);
    // On the disk before anything else is: else a power cut that takes all commits since the start looks like an
    // orderly stop, and numbers of the feed that were given out are used again. In one commit: it may write all changes
    // anew.
    db->run("PRAGMA synchronous = FULL");
    in_transaction(*db, [&] { open_feed(*db, feed_place(options.mirror_path, now), now); });
    db->run("PRAGMA synchronous = NORMAL");
    if (options.on_open)
        options.on_open(*db);
    else
        for (const std::string_view name : {cluster_position_name, cluster_keeps_name})
            drop_meta(*db, name); // what changes now is noted by nobody: it joins the cluster anew
    return db;
}

void quick_check(Connection& db)
{
    const auto found = db.require<std::string>("PRAGMA quick_check(1)");
    if (found != "ok") throw Error(Fault::damaged, "", "{} is damaged: {}", db.path(), found);
}

std::unique_ptr<Writer> open_outbox_file(const StoreOptions& options, bool& unread)
{
    auto db = open_file(outbox_path(options.mirror_path), outbox_schema, "FULL", options.url);
    SystemRandom random; // never from a seed: two outboxes of one seed are two
    make_outbox_id(*db, random.bytes(16));
    unread = std::filesystem::file_size(db->path()) > options.most_outbox_read;
    if (!unread) quick_check(*db);
    if (db->require<int>("PRAGMA synchronous") != 2)
        throw Error(Fault::io, "this build of SQLite cannot be trusted with it", "{} is not synced", db->path());
    if (!options.on_open)
        drop_meta(*db, cluster_writes_position_name); // as the mirror's: what is accepted now is its own
    return db;
}

// Opening the mirror changes it: a program that may not open the other one leaves both as they are.
void refuse_newer_outbox(const std::string& path)
{
    if (!std::filesystem::exists(path) || find_damage_marker(path)) return;
    try {
        Reader db(path, Access::read);
        refuse_newer(db, outbox_schema);
    } catch (const Error& error) {
        if (error.fault() == Fault::settings) throw;
    } // what else is wrong with it is met, and told, when it is opened
}

struct Opened {
    std::unique_ptr<Writer> file;
    std::string damage; // in words; empty: it was sound
};

/// Opens it, unless a process before met damage in it or it shows now: then `replace` sets it aside, is told why, and
/// says in words what it did.
template <class Open, class Replace>
Opened open_or_replace(const std::string& path, Open open, Replace replace)
{
    Opened opened;
    if (!std::filesystem::exists(path)) clear_damage_marker(path); // a person has moved it away
    auto why = find_damage_marker(path);
    if (!why) try {
            opened.file = open();
            return opened;
        } catch (const Error& error) {
            if (error.fault() != Fault::damaged) throw;
            why = error.what();
        }
    opened.damage = replace(*why);
    clear_damage_marker(path);
    opened.file = open();
    return opened;
}

// Else it may be anything that mirror.path names by mistake.
bool was_database(const std::string& path)
{
    std::string beginning(15, '\0');
    std::ifstream(path, std::ios::binary).read(beginning.data(), 15);
    return beginning == "SQLite format 3" || std::filesystem::exists(path + "-wal");
}

// A disk that damages one file after the other is not to be filled with them: upstream has what they held.
constexpr std::size_t most_aside = 3;

std::string replace_mirror(const StoreOptions& options, const std::string& why)
{
    if (!was_database(options.mirror_path))
        throw Error(Fault::settings, "mirror.path names a file that is no mirror", "{}", why);
    const std::string aside = quarantine(options.mirror_path);
    drop_older_quarantined(options.mirror_path, most_aside);
    return fmt::format("mirror.db was damaged ({}) and is made anew from upstream; the damaged file is {}", why, aside);
}

std::string say_lost(const std::optional<std::int64_t>& lost)
{
    if (!lost) return "whether others are lost cannot be told";
    return *lost == 0 ? "none of those that waited or failed is lost"
                      : fmt::format("{} that waited or failed are lost", *lost);
}

std::string replace_outbox(const std::string& path, const std::string& why)
{
    const Salvaged salvaged = salvage_outbox(path);
    return fmt::format(
        "outbox.db was damaged ({}): {} writes could be read, {} of them wait; {}; the damaged file is {}", why,
        salvaged.entries, salvaged.waiting, say_lost(salvaged.lost), salvaged.aside);
}

struct Told {
    std::string_view file, hint;
};
constexpr Told mirror_told{"mirror.db", "see to the disk; delete the damaged file once the mirror is complete again"};
constexpr Told outbox_told{"outbox.db",
                           "see to the disk, and whether an app misses a write (alli-mirror outbox list); then "
                           "delete the damaged file"};

void put_or_clear(Writer& mirror, const std::string& key, std::string what, std::string hint)
{
    if (what.empty() && !find_problem(mirror, key)) return;
    SystemClock clock;
    Problem problem;
    problem.what = std::move(what), problem.hint = std::move(hint), problem.since = clock.now();
    in_transaction(mirror, [&] {
        if (problem.what.empty())
            clear_problem(mirror, key);
        else
            put_problem(mirror, key, problem);
    });
}

// A problem for as long as the notices are there.
void tell_notices(Writer& mirror, std::string_view name, const std::string& path)
{
    std::string what, files;
    for (const Notice& notice : find_notices(path)) {
        what += (what.empty() ? "" : "; ") + notice.what;
        files += (files.empty() ? "" : ", ") + notice.file;
    }
    put_or_clear(mirror, fmt::format("{} was displaced", name), what,
                 fmt::format("see what removes or restores files there, and whether an app misses a write "
                             "(alli-mirror outbox list); then delete {} and restart",
                             files));
}

std::vector<std::string> check_outbox(Writer& mirror, Writer& outbox, std::vector<std::string> told, bool salvaged)
{
    const bool is_told = salvaged && !knows_outbox(mirror, outbox); // nothing of it could be read, not even its id
    const auto missing = is_told ? std::nullopt : find_missing_writes(mirror, outbox);
    if (missing) {
        told.push_back(*missing);
        write_notice(outbox.path(), *missing); // before what it says is forgotten
    }
    adopt_outbox(mirror, outbox, missing.has_value());
    return told;
}

// Those set aside that no notice speaks of: they were damaged, rather than in the place of the right one.
std::vector<std::string> files_damaged(const std::string& path)
{
    auto aside = quarantined_files(path);
    for (const Notice& notice : find_notices(path))
        std::erase_if(aside, [&](const std::string& file) { return notice.what.find(file) != notice.what.npos; });
    return aside;
}

// A problem for as long as the damaged file is there.
void tell(Writer& mirror, const Told& told, const std::string& path, const std::string& damage)
{
    const std::string key = fmt::format("{} was damaged", told.file);
    const auto aside = files_damaged(path);
    const bool known = find_problem(mirror, key).has_value();
    if (aside.empty() ? !known : known && damage.empty()) return;
    SystemClock clock;
    Problem problem;
    problem.what = damage;
    if (damage.empty() &&
        !aside.empty()) // the process before died before it could say so, or the mirror is another one
        problem.what = fmt::format("{} was damaged and set aside as {}", told.file, aside.back());
    problem.hint = told.hint;
    problem.since = clock.now();
    in_transaction(mirror, [&] {
        if (aside.empty())
            clear_problem(mirror, key);
        else
            put_problem(mirror, key, problem);
    });
}

} // namespace

std::string directory_of(const std::string& path)
{
    const auto parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

std::string outbox_path(const std::string& mirror_path)
{
    return directory_of(mirror_path) + "/outbox.db";
}

Files open_files(const StoreOptions& options)
{
    const std::string outbox = outbox_path(options.mirror_path);
    finish_salvage(outbox);
    refuse_newer_outbox(outbox);
    std::vector<std::string> displaced = take_in_rescued(outbox);
    take_in_restore(options.mirror_path);
    bool mirror_unread = false, outbox_unread = false;
    Opened mirror_file = open_or_replace(
        options.mirror_path, [&] { return open_mirror_file(options, mirror_unread); },
        [&](const std::string& why) { return replace_mirror(options, why); });
    Opened outbox_file = open_or_replace(
        outbox, [&] { return open_outbox_file(options, outbox_unread); },
        [&](const std::string& why) { return replace_outbox(outbox, why); });
    displaced = check_outbox(*mirror_file.file, *outbox_file.file, std::move(displaced), !outbox_file.damage.empty());
    tell(*mirror_file.file, mirror_told, options.mirror_path, mirror_file.damage);
    tell(*mirror_file.file, outbox_told, outbox, outbox_file.damage);
    tell_notices(*mirror_file.file, "mirror.db", options.mirror_path);
    tell_notices(*mirror_file.file, "outbox.db", outbox);
    adopt_suppression_list(*mirror_file.file, *outbox_file.file, SystemClock().now());

    Files files{std::move(mirror_file.file), std::move(outbox_file.file), std::move(displaced), mirror_unread,
                outbox_unread};
    for (const std::string& damage : {mirror_file.damage, outbox_file.damage})
        if (!damage.empty()) files.damage.push_back(damage);
    return files;
}

std::unique_ptr<Reader> open_beside(const std::string& path, const Schema& schema, const std::string& mirror_path)
{
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES)
        throw Error(Fault::io,
                    "run this as the user whose mirror it is, or as root; or ask its daemon: its page, its API",
                    "{} may not be read by this user", path);
    if (!std::filesystem::exists(path))
        throw Error(Fault::io, "start `alli-mirror serve` or run `alli-mirror sync` first",
                    "there is no mirror at {} yet", mirror_path);
    auto db = std::make_unique<Reader>(path, Access::read);
    require_version(*db, schema);
    return db;
}

} // namespace alli::cache
