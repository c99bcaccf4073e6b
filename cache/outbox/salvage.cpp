// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/salvage.hpp"

#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "cache/db/migrate.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/db/writer.hpp"
#include "cache/outbox/outbox_copy.hpp"

#include <filesystem>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

std::string salvaged_name(const std::string& path)
{
    return path + ".salvaged";
}

// From the moment on that it is whole: what remains of the old one is in its way, not the other way round.
std::string whole_name(const std::string& path)
{
    return path + ".salvaged-whole";
}

void remove_with_log(const std::string& path)
{
    for (const char* suffix : {"", "-wal", "-shm"}) require_removed(path + suffix);
}

} // namespace

Salvaged salvage_outbox(const std::string& path)
{
    const std::string made = salvaged_name(path);
    remove_with_log(made); // of a salvage that was cut short
    Salvaged salvaged;
    {
        Writer db(made, "FULL");
        migrate(db, outbox_schema);
        can([&] { db.run("ATTACH ?1 AS old", path); }); // else there is no table to read from, and a number to give out
        const CopiedOutbox copied = copy_outbox(db, "old", "main");
        salvaged = {copied.entries, copied.waiting, copied.lost, {}};
        can([&] { db.run("DETACH old"); });
        empty_log(db);
    }
    for (const char* suffix : {"-wal", "-shm"}) require_removed(made + suffix);
    sync_to_disk(made);
    rename_synced(made, whole_name(path));
    salvaged.aside = quarantine(path);
    finish_salvage(path);
    return salvaged;
}

void finish_salvage(const std::string& path)
{
    const std::string made = salvaged_name(path), whole = whole_name(path);
    if (fs::exists(whole)) {
        if (fs::exists(path)) quarantine(path); // its log may be set aside already, and holds the latest writes
        rename_synced(whole, path);
        clear_damage_marker(path);
    }
    if (fs::exists(path)) return remove_with_log(made); // the damaged file is still there: it begins again
    if (!fs::exists(made)) return;
    rename_synced(made, path);
}

} // namespace alli::cache
