// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/stage.hpp"

#include "cache/conversations.hpp"
#include "cache/rows/coverage.hpp"
#include "sync/engine.hpp"

#include <filesystem>

namespace alli::powercut {

namespace fs = std::filesystem;

Stage::Stage()
{
    fs::create_directory(directory());
    fs::permissions(directory(), fs::perms(0700));
    model.now = 100'000;
}

cache::StoreOptions Stage::options_for(const std::string& directory) const
{
    cache::StoreOptions options{directory + "/mirror.db", url, false};
    options.log = log_limits;
    return options;
}

// What an opening makes of the files as they are: of a copy, so that these stay as they are.
void Stage::note_beginning()
{
    const support::TempDir copy;
    fs::copy(directory(), copy / "run", fs::copy_options::recursive);
    cache::Store store(options_for(copy / "run"));
    mirror.add(0, store.read(&content_of_mirror));
    outbox.add(0, store.read_outbox(&content_of_outbox));
}

void Stage::begin_from(const Stage& prepared)
{
    fs::remove(directory());
    fs::copy(prepared.directory(), directory(), fs::copy_options::recursive);
    model.conversations = prepared.model.conversations;
    model.now = prepared.model.now;
    promised = prepared.promised;
    accepted_ = prepared.accepted_;
}

void Stage::record()
{
    close();
    if (!goes_on) note_beginning();
    disk.load(directory());
    vfs_ = std::make_unique<support::RecordingVfs>(directory());
}

void Stage::stop_recording()
{
    log = vfs_->log();
    vfs_.reset();
}

void Stage::open()
{
    cache::StoreOptions mine = options();
    mine.gave_up = [this](const std::exception_ptr&) { ++gave_up; };
    store_ = std::make_unique<cache::Store>(std::move(mine));
    store_->watch([this] { look(); });
    look();
}

// A transaction that was undone is no moment: its content is that of the one before.
void Stage::look()
{
    if (!vfs_ || goes_on) return;
    outbox.add(calls(), store_->read_outbox(&content_of_outbox));
    mirror.add(calls(), store_->read(&content_of_mirror));
    if (const auto wrong = refute_coverage(*store_); wrong && broken.empty())
        broken = fmt::format("commit {}: {}", mirror.size(), *wrong);
}

std::optional<std::string> Stage::refute_promises(cache::Store& store, std::size_t calls) const
{
    std::map<std::int64_t, std::string> found;
    store.read_outbox([&](cache::Reader& db) {
        for (const cache::Row row : db.query("SELECT id, upstream_key FROM entry")) found[row.integer(0)] = row.text(1);
    });
    for (const auto& [id, promise] : promised)
        if (promise.calls <= calls && found[id] != promise.key)
            return fmt::format("write {} ({}) was acknowledged and is not there", id, promise.key);
    return std::nullopt;
}

std::optional<std::string> Stage::refute_coverage(cache::Store& store) const
{
    const auto intervals = store.read([](cache::Reader& db) { return cache::load_coverage(db); });
    for (const auto& [id, entry] : model.conversations) {
        const Instant last = support::at_second(entry.last);
        const bool claimed = std::any_of(intervals.begin(), intervals.end(), [&](const cache::Interval& one) {
            return one.from <= last && last < one.through;
        });
        if (!claimed || entry.last == 0) continue;
        const auto held = store.read([&](cache::Reader& db) { return cache::find_held(db, {id}); });
        if (!held || held->chats < static_cast<std::int64_t>(entry.chats.size()))
            return fmt::format("it claims a time in which {} is not whole", id);
    }
    return std::nullopt;
}

std::int64_t Stage::accept(const std::string& conversation, std::size_t bytes)
{
    cache::NewEntry entry;
    const std::string number = std::to_string(++accepted_);
    entry.kind = cache::EditKind::title;
    entry.conversation = ConversationId{conversation};
    entry.method = "PUT", entry.path = "/webapi/v2/conversations/" + conversation + "/title", entry.headers = "{}";
    entry.body = R"({"title":")" + number + std::string(bytes, 't') + R"("})";
    entry.upstream_key = "key " + number, entry.request_hash = "hash " + number;
    entry.created_at = support::at_second(1000);
    std::int64_t id = 0;
    const int before = refused;
    write_outbox([&](cache::Writer& db) { id = cache::accept(db, entry).id; });
    if (refused != before) return 0;
    promised[id] = {entry.upstream_key, calls()};
    return id;
}

void Stage::pass()
{
    attempt([this] { run_engine(); });
}

void Stage::run_engine()
{
    sync::Options options;
    options.clock_tolerance = std::chrono::years(1'000); // the model's times are of 1970
    upstream::RateLimiter pace(clock, {0, 4});
    upstream::Client client(model, pace, clock, {"key", TimeUnit::seconds, "/count", {}});
    sync::Engine engine(client, *store_, clock, random_, options);
    asio::io_context loop;
    bool done = false;
    std::exception_ptr failure;
    std::function<void(const sync::State&)> report = [](const sync::State&) {};
    asio::co_spawn(loop, engine.run_once(report), [&](std::exception_ptr why) {
        failure = why;
        done = true;
    });
    support::run_jumping(loop, clock, [&] { return done; });
    if (failure) std::rethrow_exception(failure);
}

} // namespace alli::powercut
