// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/check_files.hpp"

#include "cache/db/free_space.hpp"
#include "cache/outbox/outbox_identity.hpp"

namespace alli::cache {

// More than a page or two, which may find room when nothing else does.
static void put_something(Writer& db)
{
    db.run("INSERT OR REPLACE INTO fact (name, value) VALUES ('room', zeroblob(262144))");
}

static void remove_something(Writer& db)
{
    db.run("DELETE FROM fact WHERE name = 'room'");
}

static bool mirror_is_behind(Store& store)
{
    const auto number = store.read_outbox([](Reader& db) { return last_outbox_number(db); });
    return store.read([](Reader& db) { return known_outbox_number(db); }) < number;
}

Task<> check_files(Store& store)
{
    const auto put = [](Writer& db) { put_something(db); };
    const auto remove = [](Writer& db) { remove_something(db); };
    const auto nothing = [](Writer&) {};
    co_await store.take_turns(); // before anybody reads what may not be ours
    if (!has_room(DataFile::outbox)) {
        co_await store.write_outbox(put);
        co_await store.write_outbox(remove);
    }
    if (!has_room(DataFile::mirror)) {
        co_await store.write(put);
        co_await store.write(remove);
    }
    if (mirror_is_behind(store)) co_await store.write(nothing);
}

} // namespace alli::cache
