// SPDX-License-Identifier: Apache-2.0
// A copy of the two files opens by itself, holds what was committed while it was made, and sends nothing.
#include "alli/sync_wait.hpp"
#include "cache/upkeep/backup.hpp"

#include "alli/error.hpp"
#include "cache/outbox/outbox.hpp"
#include "tests/cache/fixture.hpp"

#include <filesystem>
#include <fstream>
#include <regex>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

class BackupTest : public CacheTest {
  protected:
    BackupReport make(BackupHooks hooks = {}) { return sync_wait(back_up(*store_, "test", std::move(hooks))); }
    BackupReport make_named(const std::string& name) { return sync_wait(back_up(*store_, name, {})); }

    void accept_write()
    {
        NewEntry entry;
        entry.conversation = ConversationId{"c1"};
        entry.method = "PUT", entry.path = "/x", entry.headers = "{}";
        entry.upstream_key = "k", entry.request_hash = "h";
        const auto job = [&](Writer& db) { accept(db, entry); };
        sync_wait(store_->write_outbox(job));
    }

    // Every row of every table, in order.
    static std::string everything(const std::string& path)
    {
        Reader db(path, Access::read);
        std::vector<std::string> tables;
        for (const Row row : db.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
                                      " ORDER BY name"))
            tables.emplace_back(row.text(0));
        std::string all;
        for (const std::string& table : tables) {
            int columns = 0;
            for (const Row row : db.query("SELECT count(*) FROM pragma_table_info(?1)", table))
                columns = static_cast<int>(row.integer(0));
            all += "\n" + table;
            for (const Row row : db.query(fmt::format("SELECT * FROM \"{}\"", table)))
                for (int n = 0; n < columns; ++n) all += "|" + std::string(row.text(n));
        }
        return all;
    }

    int copies_left() const
    {
        int copies = 0;
        for (const auto& entry : fs::directory_iterator(dir_.path())) copies += entry.is_directory() ? 1 : 0;
        return copies;
    }
};

TEST_F(BackupTest, HoldsEveryRow)
{
    for (int n = 0; n < 400; ++n) put("c" + std::to_string(n), 1000 + n * 20, 10);
    const BackupReport report = make();
    const std::string copied = everything(report.directory + "/mirror.db");
    EXPECT_GT(copied.size(), 300'000U);
    EXPECT_TRUE(copied == everything(dir_ / "mirror.db"));
    const std::string outbox = everything(report.directory + "/outbox.db");
    EXPECT_THAT(outbox, testing::HasSubstr("|backed_up_at|"));
    EXPECT_EQ(std::regex_replace(outbox, std::regex(R"(\|backed_up_at\|\d+)"), ""), everything(dir_ / "outbox.db"));
}

TEST_F(BackupTest, HasWhatWasCommittedMeanwhileAndCanBeUsedAsItIs)
{
    const std::string memo(1'500, 'x'); // unlike a chat it is not packed
    for (int n = 0; n < 2'000; ++n) put("c" + std::to_string(n), 1000 + n * 20, 10, {{"memo", memo}});
    accept_write();
    int steps = 0;
    BackupHooks hooks;
    hooks.report = [&](std::string_view what, std::int64_t done, std::int64_t total) {
        if (what == "mirror.db" && done < total && ++steps <= 3) put("late" + std::to_string(steps), 90'000, 3);
    };
    const BackupReport report = make(hooks);
    ASSERT_GT(steps, 0) << "it was copied in one step: nothing is proved";
    const int late = std::min(steps, 3);
    EXPECT_EQ(report.conversations, 2'000 + late);
    EXPECT_EQ(report.chats, 20'000 + 3 * late);
    EXPECT_EQ(report.held_writes, 1);
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(report.directory)) {
        names.push_back(file.path().filename());
        EXPECT_EQ(fs::status(file.path()).permissions(), fs::perms(0600));
    }
    EXPECT_THAT(names, testing::UnorderedElementsAre("mirror.db", "outbox.db"));

    store_.reset();
    StoreOptions copied = options();
    copied.mirror_path = report.directory + "/mirror.db";
    Store restored(copied);
    EXPECT_TRUE(restored.read([](Reader& db) { return find_held(db, {"late1"}); }));
    const auto entry = restored.read_outbox([](Reader& db) { return find_entry(db, 1); });
    EXPECT_EQ(entry->state, EntryState::conflict);
    EXPECT_THAT(entry->last_error.value_or(""), testing::HasSubstr("backup"));
}

TEST_F(BackupTest, LeavesNothingBehindWhenItIsCutShort)
{
    put("c1", 1000, 10);
    BackupHooks hooks;
    hooks.stopping = [] { return true; };
    EXPECT_THROW(make(hooks), Error);
    EXPECT_EQ(copies_left(), 0);
    const std::string carried = make().directory;
    make_named("next");
    EXPECT_EQ(copies_left(), 2) << "a young one may be on its way to another disk";
    fs::last_write_time(carried, fs::file_time_type::clock::now() - std::chrono::hours(3));
    make_named("third");
    EXPECT_EQ(copies_left(), 2) << "one that nobody moved away is removed in the end";
    EXPECT_FALSE(fs::exists(carried));
}

TEST_F(BackupTest, OneThatCannotBeWrittenHurtsNobodyElse)
{
    put("c1", 1000, 10);
    BackupHooks hooks;
    hooks.report = [&](std::string_view what, std::int64_t, std::int64_t) {
        if (what == "mirror.db") fs::create_directory(dir_ / ".alli-mirror-backup-test/outbox.db");
    };
    EXPECT_THROW(make(hooks), Error);
    EXPECT_EQ(copies_left(), 0);
    put("c2", 2000, 10);
    accept_write();
}

TEST_F(BackupTest, SaysThatTheCopyOfADamagedFileIsDamaged)
{
    for (int n = 0; n < 100; ++n) put("c" + std::to_string(n), 1000 + n * 20, 10);
    store_.reset();
    {
        std::fstream file(dir_ / "mirror.db", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::int64_t>(fs::file_size(dir_ / "mirror.db")) - 4096 * 3);
        file << std::string(64, '\xee');
    }
    store_ = std::make_unique<Store>(options());
    try {
        make();
        FAIL() << "nobody noticed";
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::damaged) << error.what();
    }
    EXPECT_EQ(copies_left(), 0);
}

} // namespace
} // namespace alli::cache
