// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/workloads.hpp"

#include "alli/disk.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/conversations.hpp"
#include "cache/db/migrate.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/search/index.hpp"
#include "cache/upkeep/backup.hpp"
#include "cache/upkeep/purge.hpp"
#include "cache/upkeep/verify.hpp"

#include <array>
#include <filesystem>

namespace alli::powercut {
namespace {

void fill_model(Stage& stage, int conversations, int chats)
{
    for (int n = 0; n < conversations; ++n) stage.model.add("c" + std::to_string(n), 10'000 + n * 10, 1 + n % chats);
}

void put(Stage& stage, const std::string& id, std::int64_t seconds, int chats, const char* user)
{
    std::vector<Chat> made;
    for (int n = 0; n < chats; ++n)
        made.push_back(support::make_chat(id, n, seconds - chats + 1 + n, "chat " + std::to_string(n) + " of " + id));
    const Conversation conversation = support::make_conversation(id, seconds, {{"user", {{"userId", user}}}});
    stage.write([&](cache::Writer& db) {
        cache::put_conversation(db, conversation);
        cache::put_chats(db, conversation.id, 0, made);
    });
}

void settle(Stage& stage, std::int64_t id, cache::EntryState state)
{
    stage.write_outbox([&](cache::Writer& db) { cache::begin_sending(db, id); });
    cache::Outcome outcome;
    outcome.state = state;
    stage.write_outbox([&](cache::Writer& db) { cache::settle(db, id, outcome, support::at_second(2000)); });
}

void begin_empty(Stage&) {}

// Of everything a few; closed in order.
void begin_filled(Stage& stage)
{
    fill_model(stage, 12, 25);
    stage.open();
    stage.pass();
    for (int n = 0; n < 6; ++n) stage.accept("c" + std::to_string(n % 3), n == 4 ? 9'000 : 100);
    stage.close();
}

// --- the workloads

void write_to_outbox(Stage& stage)
{
    stage.open();
    std::vector<std::int64_t> ids;
    for (int n = 0; n < 12; ++n) ids.push_back(stage.accept("c" + std::to_string(n % 3), n % 4 == 0 ? 5'000 : 80));
    stage.promised.erase(ids[0]);
    stage.promised.erase(ids[5]);
    settle(stage, ids[0], cache::EntryState::delivered);
    settle(stage, ids[1], cache::EntryState::failed);
    stage.write_outbox([&](cache::Writer& db) { cache::retry_entry(db, ids[1]); });
    stage.write_outbox([&](cache::Writer& db) { cache::discard_entry(db, ids[5]); });
    stage.write_outbox([](cache::Writer& db) { cache::purge_entries(db, support::at_second(3000), 10); });
    for (int n = 0; n < 4; ++n) stage.accept("c1");
    stage.close();
}

void backfill(Stage& stage)
{
    fill_model(stage, 80, 30);
    stage.open();
    stage.pass();
    stage.close();
}

void poll(Stage& stage)
{
    stage.log_limits = {1, std::chrono::milliseconds(5000), std::chrono::milliseconds(0), std::chrono::milliseconds(0)};
    stage.open();
    for (int round = 0; round < 6; ++round) {
        stage.clock.advance(std::chrono::minutes(10));
        stage.model.now += 600;
        stage.model.add("c" + std::to_string(round), stage.model.now - 300, 3);
        stage.model.add("new" + std::to_string(round), stage.model.now - 200, 2);
        stage.pass();
        stage.accept("c" + std::to_string(round));
    }
    stage.close();
}

void begin_with_people(Stage& stage)
{
    stage.open();
    for (int n = 0; n < 9; ++n) put(stage, "p" + std::to_string(n), 1000 + n, 6, n % 3 == 0 ? "gone" : "stays");
    for (int n = 0; n < 4; ++n) stage.accept("p" + std::to_string(n));
    stage.promised.erase(1); // to the purged one
    stage.promised.erase(4);
    stage.close();
}

std::optional<std::string> require_purged(const std::string&, cache::Store& store)
{
    const auto held = store.read([](cache::Reader& db) { return cache::find_held(db, {"p0"}); });
    if (held) return "a purged conversation is there again";
    const auto kept = store.read([](cache::Reader& db) { return cache::find_held(db, {"p1"}); });
    if (!kept) return "a conversation that was not purged is gone";
    return std::nullopt;
}

void purge_user(Stage& stage)
{
    stage.open();
    cache::PurgeOptions wish;
    wish.user = "gone";
    sync_wait(cache::purge(stage.store(), wish, {}));
    stage.look();
    stage.claim(&require_purged);
    put(stage, "p20", 2000, 3, "stays");
    stage.close();
}

std::optional<std::string> require_backup(const std::string& directory, cache::Store&)
{
    const std::string mirror = directory + "/kept/mirror.db", outbox = directory + "/kept/outbox.db";
    if (!std::filesystem::exists(mirror) || !std::filesystem::exists(outbox)) return "the finished backup is not there";
    cache::Reader copy(mirror, cache::Access::read), writes(outbox, cache::Access::read);
    for (cache::Reader* file : {&copy, &writes})
        for (const cache::Row row : file->query("PRAGMA integrity_check(1)"))
            if (row.text(0) != "ok") return fmt::format("{} of the backup: {}", file->path(), row.text(0));
    const auto conversations = cache::load_totals(copy).conversations;
    if (conversations != 12) return fmt::format("the backup holds {} conversations of 12", conversations);
    const auto held = cache::count_entries(writes).conflicts;
    if (held != 6) return fmt::format("the backup holds {} writes of 6", held);
    return std::nullopt;
}

// As the command goes on with what comes of it.
void back_up(Stage& stage)
{
    stage.open();
    cache::BackupHooks hooks;
    hooks.stopping = [] { return false; };
    const auto report = sync_wait(cache::back_up(stage.store(), "test", hooks));
    rename_synced(report.directory, stage.directory() + "/kept");
    stage.claim(&require_backup);
    stage.accept("c1");
    stage.close();
}

void begin_with_old_schemas(Stage& stage)
{
    {
        cache::Writer old(stage.mirror_path());
        for (std::size_t step = 0; step < 7; ++step) old.script(cache::mirror_schema.steps[step]);
        old.script("PRAGMA user_version = 7");
        for (const int n : {1, 2, 3})
            old.run("INSERT INTO conversation (pk, id, raw, chats_at, user_name, memo, is_end, held)"
                    " VALUES (?1, ?2, '{\"chats\":[]}', 10, '', '', 0, 20)",
                    n, "c" + std::to_string(n));
        for (int n = 0; n < 60; ++n)
            old.run("INSERT INTO chat (pk, conversation, ordinal, id, raw, sender, sent_at, completed)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, 'USER', ?1 * 1000000, 1)",
                    100 + n, n % 3 + 1, n / 3, "k" + std::to_string(n),
                    "{\"id\":\"k" + std::to_string(n) + "\",\"message\":\"word" + std::to_string(n) + "\"}");
        old.checkpoint(cache::Writer::Checkpoint::truncate);
    }
    cache::Writer old(stage.outbox_path(), "FULL");
    old.script(cache::outbox_schema.steps.front());
    old.script("PRAGMA user_version = 1");
    for (int n = 1; n <= 20; ++n) {
        old.run("INSERT INTO entry (conversation, method, path, headers, body, state, created_at, upstream_key,"
                " request_hash) VALUES ('c1', 'PUT', '/x', '{}', ?1, 'pending', ?2, ?3, 'h')",
                std::string(300, 'b'), n, "key " + std::to_string(n));
        stage.promised[n] = {"key " + std::to_string(n), 0};
    }
    old.checkpoint(cache::Writer::Checkpoint::truncate);
}

void migrate(Stage& stage)
{
    stage.open();
    stage.accept("c1");
    const auto pack = [](cache::Writer& db) { return cache::pack_texts(db); };
    while (sync_wait(stage.store().write(pack))) {
    }
    stage.close();
}

// All of it can be read, so all of it must be there.
void begin_with_a_marked_outbox(Stage& stage)
{
    begin_filled(stage);
    cache::put_damage_marker(stage.outbox_path(), "a process met damage in it");
}

void salvage(Stage& stage)
{
    stage.open();
    for (int n = 0; n < 3; ++n) stage.accept("c2");
    stage.close();
}

// Its log still holds some of it.
void begin_with_a_marked_mirror(Stage& stage)
{
    begin_filled(stage);
    cache::put_damage_marker(stage.mirror_path(), "a process met damage in it");
}

void replace_mirror(Stage& stage)
{
    stage.open();
    stage.pass();
    stage.accept("c2");
    stage.close();
}

void begin_miscounted(Stage& stage)
{
    begin_filled(stage);
    cache::Writer db(stage.mirror_path());
    db.run("UPDATE totals SET chats = chats + 3");
    db.run("UPDATE conversation SET held = held + 1 WHERE id = 'c3'");
    db.checkpoint(cache::Writer::Checkpoint::truncate);
}

void repair(Stage& stage)
{
    stage.open();
    cache::VerifyOptions options;
    options.repair = options.alone = true;
    sync_wait(cache::verify(stage.store(), options));
    stage.look();
    stage.accept("c1");
    stage.close();
}

void until_done(Stage& stage, bool (*step)(cache::Writer&))
{
    for (bool more = true; more;) {
        more = false; // also where the step fails
        stage.write([&](cache::Writer& db) { more = step(db); });
    }
}

void rebuild_index(Stage& stage)
{
    stage.open();
    stage.write([](cache::Writer& db) { cache::rebuild_index(db); });
    put(stage, "c3", 20'000, 4, "stays");
    until_done(stage, &cache::extend_index);
    stage.model.conversations.erase("c4");
    stage.write([](cache::Writer& db) { cache::erase_conversation(db, {"c4"}); });
    until_done(stage, &cache::merge_deleted_terms);
    stage.close();
}

void fill_logs(Stage& stage)
{
    stage.log_limits = {1, std::chrono::milliseconds(5000), std::chrono::milliseconds(0), std::chrono::milliseconds(0)};
    stage.open();
    for (int n = 0; n < 60; ++n) {
        stage.accept("c" + std::to_string(n % 5), 6'000);
        if (n % 3 == 0) put(stage, "w" + std::to_string(n), 1000 + n, 20, "stays");
    }
    stage.close();
}

constexpr std::array all{
    Workload{"OutboxWrites", &begin_empty, &write_to_outbox},
    Workload{"Backfill", &begin_empty, &backfill},
    Workload{"Polls", &begin_filled, &poll},
    Workload{"Purge", &begin_with_people, &purge_user, false, false, true},
    Workload{"Backup", &begin_filled, &back_up},
    Workload{"Migration", &begin_with_old_schemas, &migrate},
    Workload{"Salvage", &begin_with_a_marked_outbox, &salvage, true},
    Workload{"MirrorMadeAnew", &begin_with_a_marked_mirror, &replace_mirror, true},
    Workload{"Verify", &begin_miscounted, &repair, false, true},
    Workload{"IndexRebuild", &begin_filled, &rebuild_index},
    Workload{"LogRestart", &begin_empty, &fill_logs},
};

} // namespace

std::span<const Workload> workloads()
{
    return all;
}

} // namespace alli::powercut
