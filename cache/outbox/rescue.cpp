// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/rescue.hpp"

#include "alli/clock.hpp"
#include "alli/disk.hpp"
#include "cache/db/meta.hpp"
#include "cache/db/migrate.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/outbox/outbox_copy.hpp"
#include "cache/outbox/outbox_identity.hpp"

#include <filesystem>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

constexpr const char* ending = ".rescued-";

std::string say_writes(std::int64_t count, const char* that)
{
    return fmt::format("{} {} {}", count, count == 1 ? "write" : "writes", that);
}

std::string say_lost(const std::optional<std::int64_t>& lost)
{
    if (!lost) return "whether others are lost cannot be told";
    return *lost == 0 ? "none is lost" : say_writes(*lost, "that waited or failed could not be read");
}

void remove_logs(const std::string& path)
{
    for (const char* suffix : {"-wal", "-shm"}) require_removed(path + suffix);
}

/// The name goes last, so that a file of that name is whole.
void give_name(const std::string& made, const std::string& name)
{
    remove_logs(made);
    sync_to_disk(made);
    rename_synced(made, name);
}

/// What is left to do in the new file alone. Where pages may be somebody else's, what waits is read back before it is
/// sent: it may have been delivered since it looked like this.
std::string finish_copy(const std::string& made, const HeldFile::Loss& loss, std::int64_t kept, CopiedOutbox copied)
{
    Writer db(made, "FULL");
    std::string sentence;
    in_transaction(db, [&] {
        const std::int64_t refused = db.run("DELETE FROM entry WHERE id > ?1", kept);
        sentence = fmt::format("{}; {} written beside it, {} of them waiting; {}", loss.what,
                               say_writes(copied.entries - refused, "that it held were"), copied.waiting - refused,
                               say_lost(copied.lost));
        if (loss.altered) db.run("UPDATE entry SET unclear = 1 WHERE state IN ('pending', 'sending')");
        put_meta(db, "rescued", sentence);
    });
    empty_log(db);
    return sentence;
}

CopiedOutbox copy_held(Writer& held, const std::string& made)
{
    {
        Writer db(made, "FULL");
        migrate(db, outbox_schema);
        empty_log(db);
    }
    held.run("ATTACH ?1 AS rescued", made);
    const CopiedOutbox copied = copy_outbox(held, "main", "rescued");
    held.run("DETACH rescued");
    return copied;
}

} // namespace

std::string rescue_outbox(Writer& held, const HeldFile::Loss& loss, std::int64_t kept)
{
    SystemClock clock;
    const std::string name = held.path() + ending + to_rfc3339(clock.now()), made = held.path() + ".rescue";
    require_removed(made);
    remove_logs(made);
    const CopiedOutbox copied = copy_held(held, made);
    const std::string sentence = finish_copy(made, loss, kept, copied);
    give_name(made, name);
    return sentence;
}

namespace {

/// What the file at the path holds that this one lacks. Of an older copy of the same outbox nothing: what waits there
/// was delivered since, or is in this one too.
std::int64_t take_over_waiting(Writer& rescued)
{
    const auto theirs = find_outbox_id(rescued, "found"), ours = find_outbox_id(rescued, "main");
    if (!theirs || theirs == ours) return 0;
    constexpr std::string_view columns = "kind, conversation, chat, method, path, headers, body, state, attempts,"
                                         " created_at, upstream_key, client_key, request_hash, base, unclear, forced,"
                                         " crashes, conflict, last_status, last_error";
    return rescued.run(
        fmt::format("INSERT OR IGNORE INTO main.entry (place, {0}) SELECT (SELECT coalesce(max(place), 0)"
                    " FROM main.entry) + row_number() OVER (ORDER BY f.place), {0} FROM found.entry f"
                    " WHERE f.state <> 'delivered' AND NOT EXISTS (SELECT 1 FROM main.entry m WHERE"
                    " m.upstream_key = f.upstream_key)",
                    columns));
}

/// How many; none: the file cannot be read.
std::optional<std::int64_t> take_over(Writer& rescued, const std::string& path)
{
    std::optional<std::int64_t> taken;
    try {
        rescued.run("ATTACH ?1 AS found", path);
        in_transaction(rescued, [&] {
            taken = take_over_waiting(rescued);
            raise_number(rescued, last_outbox_number(rescued, "found"));
        });
    } catch (const Error& error) {
        if (error.fault() == Fault::disk_full) throw;
        taken.reset(); // it stays aside, whatever it is
    }
    return taken;
}

std::string say_found(const std::optional<std::int64_t>& taken, const std::string& aside)
{
    if (!taken) return fmt::format("; what lay there instead cannot be read and is {} now", aside);
    if (*taken == 0) return fmt::format("; what lay there instead is {} now", aside);
    return fmt::format("; {} from what lay there instead, which is {} now", say_writes(*taken, "taken over"), aside);
}

bool is_there(const std::string& path)
{
    return fs::exists(path) || fs::exists(path + "-wal");
}

// A kill at any point leaves a rescued file to begin with again, or the whole one in its place.
std::string take_in(const std::string& file, const std::string& path)
{
    std::string sentence;
    std::optional<std::int64_t> taken;
    const bool found = is_there(path);
    {
        Writer db(file, "FULL");
        migrate(db, outbox_schema);
        if (fs::exists(path)) taken = take_over(db, path);
        in_transaction(db, [&] {
            sentence = find_meta<std::string>(db, "rescued").value_or("");
            drop_meta(db, "rescued");
        });
        empty_log(db);
    }
    if (found) sentence += say_found(taken, quarantine(path));
    give_name(file, path);
    sentence += "; they are in the outbox again";
    write_notice(path, sentence);
    return sentence;
}

} // namespace

std::vector<std::string> take_in_rescued(const std::string& path)
{
    require_removed(path + ".rescue"); // one that a kill cut short is no file to believe
    remove_logs(path + ".rescue");
    std::vector<std::string> sentences;
    for (const std::string& file : files_beside(path, ending)) sentences.push_back(take_in(file, path));
    if (!fs::exists(path) && fs::exists(path + "-wal")) {
        sentences.push_back(
            fmt::format("outbox.db was gone and its log was there; the log is {}-wal now", quarantine(path)));
        write_notice(path, sentences.back());
    }
    return sentences;
}

} // namespace alli::cache
