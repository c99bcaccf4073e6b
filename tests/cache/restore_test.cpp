// SPDX-License-Identifier: Apache-2.0
// A backup takes the place of the files: whole, with what was purged since kept away, whatever cuts it short.
#include "cache/restore.hpp"

#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "alli/sync_wait.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/upkeep/backup.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/cache/fixture.hpp"

#include <filesystem>
#include <fstream>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RestoreTest : public CacheTest {
  protected:
    std::int64_t accept_write(const std::string& conversation, const std::string& headers = "{}",
                              const std::string& body = "{}")
    {
        NewEntry entry;
        if (!conversation.empty()) entry.conversation = ConversationId{conversation};
        entry.kind = conversation.empty() ? EditKind::bulk_update : EditKind::update;
        entry.method = "PUT", entry.path = "/x", entry.headers = headers, entry.body = body;
        entry.upstream_key = "k" + std::to_string(++writes_), entry.request_hash = "h";
        std::int64_t id = 0;
        const auto job = [&](Writer& db) { id = accept(db, entry).id; };
        sync_wait(store_->write_outbox(job));
        return id;
    }

    void put_of(const std::string& user, const std::string& id)
    {
        put(id, 5000 + ++puts_, 3, {{"user", {{"userId", user}}}, {"title", "words-of-" + id}});
    }

    /// Moves it to where the restored files' directory is not.
    std::string back_up_to(const std::string& name)
    {
        const BackupReport report = sync_wait(back_up(*store_, name, {}));
        const std::string to = elsewhere_ / name;
        fs::rename(report.directory, to);
        return to;
    }

    RestoreRequest request(const std::string& from) const
    {
        RestoreRequest request;
        request.directory = from, request.mirror_path = dir_ / "mirror.db", request.url = options().url;
        return request;
    }

    std::string restore(const std::string& from)
    {
        store_.reset();
        prepare_restore(request(from));
        commit_restore(dir_ / "mirror.db");
        store_ = std::make_unique<Store>(options());
        return note();
    }

    std::string note()
    {
        const auto note = store_->read_outbox([](Reader& db) { return find_restore_note(db); });
        return note ? note->what : "";
    }

    bool holds(const std::string& id)
    {
        return store_->read([&](Reader& db) { return find_held(db, {id}); }).has_value();
    }
    std::optional<Entry> entry(std::int64_t id)
    {
        return store_->read_outbox([&](Reader& db) { return find_entry(db, id); });
    }

    /// Without their logs.
    std::vector<std::string> beside(const std::string& part) const
    {
        std::vector<std::string> names;
        for (const auto& file : fs::directory_iterator(dir_.path())) {
            const std::string name = file.path().filename();
            const bool is_log = name.ends_with("-wal") || name.ends_with("-shm");
            if (!is_log && name.find(part) != std::string::npos) names.push_back(name);
        }
        return names;
    }

    support::TempDir elsewhere_;
    int writes_ = 0, puts_ = 0;
};

TEST_F(RestoreTest, PutsTheBackupIntoThePlaceOfTheFilesAndKeepsThose)
{
    put_of("mina", "c1");
    const auto waiting = accept_write("c1");
    const std::string backup = back_up_to("monday");
    put_of("mina", "late");

    store_.reset();
    const PreparedRestore prepared = prepare_restore(request(backup));
    EXPECT_EQ(prepared.conversations, 1);
    EXPECT_EQ(prepared.chats, 3);
    EXPECT_EQ(prepared.held_writes, 1);
    ASSERT_TRUE(prepared.made_at);
    store_ = std::make_unique<Store>(options());
    EXPECT_TRUE(holds("late")) << "it is only prepared";

    const std::string said = restore(backup);
    EXPECT_TRUE(holds("c1"));
    EXPECT_FALSE(holds("late"));
    EXPECT_THAT(said, HasSubstr("restored from a backup of " + to_rfc3339(*prepared.made_at)));
    EXPECT_EQ(entry(waiting)->state, EntryState::conflict);
    EXPECT_TRUE(entry(waiting)->in_doubt) << "who retries it looks first whether it was sent since";
    EXPECT_THAT(entry(waiting)->last_error.value_or(""),
                HasSubstr("from a backup of " + to_rfc3339(*prepared.made_at)));
    EXPECT_THAT(beside("replaced-"), testing::SizeIs(2));
    EXPECT_THAT(beside("restore."), testing::IsEmpty());
    for (const auto& file : fs::directory_iterator(dir_.path()))
        EXPECT_EQ(fs::status(file.path()).permissions(), fs::perms(0600)) << file.path();
    EXPECT_TRUE(fs::exists(backup + "/outbox.db")) << "the backup stays";
}

TEST_F(RestoreTest, KeepsAwayWhatWasPurgedSinceWithTheWritesToIt)
{
    put_of("mina", "c1"), put_of("mina", "c2"), put_of("jun", "c3"), put_of("jun", "c4");
    const auto to_purged = accept_write("c1"), by_purged = accept_write("c3", R"({"OWN-USER-ID":"mina"})"),
               others = accept_write("c3"),
               bulk = accept_write("", "{}", R"({"conversationIds":["c1","c4"],"state":"closed"})");
    const std::string backup = back_up_to("monday");
    sync_wait(purge(*store_, {"mina", {}, {}}, {}));
    sync_wait(purge(*store_, {{}, ConversationId{"c4"}, {}}, {}));

    EXPECT_THAT(restore(backup), HasSubstr("what was purged since stays away"));
    for (const char* gone : {"c1", "c2", "c4"}) EXPECT_FALSE(holds(gone)) << gone;
    EXPECT_TRUE(holds("c3"));
    EXPECT_FALSE(entry(to_purged));
    EXPECT_FALSE(entry(by_purged));
    EXPECT_FALSE(entry(bulk)) << "it named nothing else";
    ASSERT_TRUE(entry(others));
    put_of("mina", "c1"), put_of("mina", "c9");
    EXPECT_FALSE(holds("c1")) << "and no sync brings it back";
    EXPECT_FALSE(holds("c9"));
}

TEST_F(RestoreTest, KeepsBothListsWhereTheBackupHasOneOfItsOwn)
{
    put_of("mina", "c1"), put_of("jun", "c2");
    sync_wait(purge(*store_, {{}, ConversationId{"c1"}, {}}, {}));
    const std::string backup = back_up_to("monday");
    sync_wait(purge(*store_, {{}, ConversationId{"c2"}, {}}, {}));
    restore(backup);
    put_of("mina", "c1"), put_of("jun", "c2");
    EXPECT_FALSE(holds("c1"));
    EXPECT_FALSE(holds("c2"));
}

TEST_F(RestoreTest, SaysWhatIsNotInItAndGivesNoNumberOutTwice)
{
    put_of("mina", "c1");
    accept_write("c1");
    const std::string backup = back_up_to("monday");
    const auto later = accept_write("c1");
    const std::string said = restore(backup);
    EXPECT_THAT(said, HasSubstr("1 write accepted since"));
    EXPECT_THAT(said, HasSubstr("outbox.db.replaced-"));
    EXPECT_FALSE(entry(later));
    EXPECT_GT(accept_write("c1"), later);
    EXPECT_THAT(beside("outbox.db.notice-"), testing::SizeIs(1)) << "a problem until a person has seen to it";
}

TEST_F(RestoreTest, OfALostMachineItSaysThatPurgesSinceAreNotKnown)
{
    put_of("mina", "c1");
    const std::string backup = back_up_to("monday");
    store_.reset();
    for (const auto& file : fs::directory_iterator(dir_.path())) fs::remove(file.path());
    const std::string said = restore(backup);
    EXPECT_TRUE(holds("c1"));
    EXPECT_THAT(said, HasSubstr("is not known here"));
    EXPECT_THAT(said, HasSubstr("writes accepted since"));
}

TEST_F(RestoreTest, TakesThePlaceOfADamagedFileAndUsesTheOtherOnesList)
{
    put_of("mina", "c1"), put_of("jun", "c2");
    const std::string backup = back_up_to("monday");
    sync_wait(purge(*store_, {"mina", {}, {}}, {}));
    store_.reset();
    std::ofstream(dir_ / "outbox.db", std::ios::trunc) << "no database";
    EXPECT_THAT(restore(backup), HasSubstr("what was purged since stays away"));
    EXPECT_FALSE(holds("c1"));
    EXPECT_TRUE(holds("c2"));
    EXPECT_THAT(store_->damage(), testing::IsEmpty());
}

TEST_F(RestoreTest, RefusesWhatIsNoSoundBackupOfThisUpstreamAndChangesNothing)
{
    put_of("mina", "c1");
    const std::string backup = back_up_to("monday");
    put_of("mina", "late");
    store_.reset();
    const auto fault_of = [&](const RestoreRequest& wish) {
        try {
            prepare_restore(wish);
        } catch (const Error& error) {
            return error.fault();
        }
        return Fault::canceled;
    };
    RestoreRequest other = request(backup);
    other.url = "http://127.0.0.1:2";
    EXPECT_EQ(fault_of(other), Fault::settings);
    EXPECT_EQ(fault_of(request(elsewhere_.path())), Fault::usage);

    fs::copy(backup, elsewhere_ / "half", fs::copy_options::recursive);
    fs::remove(elsewhere_ / "half/outbox.db");
    EXPECT_EQ(fault_of(request(elsewhere_ / "half")), Fault::usage);
    fs::copy(backup, elsewhere_ / "broken", fs::copy_options::recursive);
    {
        std::fstream file(elsewhere_ / "broken/mirror.db", std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(3 * 4096);
        file << std::string(4096 * 8, '\x55');
    }
    EXPECT_EQ(fault_of(request(elsewhere_ / "broken")), Fault::damaged);
    EXPECT_THAT(beside("restore."), testing::IsEmpty());
    EXPECT_THROW(commit_restore(dir_ / "mirror.db"), Error);
    store_ = std::make_unique<Store>(options());
    EXPECT_TRUE(holds("late"));
}

TEST_F(RestoreTest, TakesFilesThatWereCopiedWithTheirLogs)
{
    put_of("mina", "c1");
    const auto waiting = accept_write("c1");
    fs::create_directory(elsewhere_ / "raw");
    for (const char* name : {"mirror.db", "mirror.db-wal", "outbox.db", "outbox.db-wal"})
        fs::copy_file(dir_ / name, elsewhere_ / (std::string("raw/") + name));
    put_of("mina", "late");
    restore(elsewhere_ / "raw");
    EXPECT_TRUE(holds("c1"));
    EXPECT_FALSE(holds("late"));
    EXPECT_EQ(entry(waiting)->state, EntryState::conflict);
    EXPECT_TRUE(entry(waiting)->in_doubt);
}

TEST_F(RestoreTest, ABackupOfARestoredMirrorCanBeRestoredAgain)
{
    put_of("mina", "c1"), put_of("jun", "c2");
    const std::string first = back_up_to("monday");
    restore(first);
    const std::string second = back_up_to("tuesday");
    sync_wait(purge(*store_, {"mina", {}, {}}, {}));
    EXPECT_THAT(restore(second), HasSubstr("what was purged since stays away"));
    EXPECT_FALSE(holds("c1"));
    EXPECT_TRUE(holds("c2"));
}

TEST_F(RestoreTest, BeginsTheChangeFeedAnew)
{
    put_of("mina", "c1");
    const std::string backup = back_up_to("monday");
    put_of("mina", "c2");
    const auto bounds = [&] { return store_->read([](Reader& db) { return load_feed_bounds(db); }); };
    const auto before = bounds();
    restore(backup);
    EXPECT_GT(bounds().first, before.last) << "a cursor of before is older than all there is";
}

TEST_F(RestoreTest, OfFilesThatWereClosedInOrderBeginsTheChangeFeedAnewToo)
{
    put_of("mina", "c1");
    store_.reset();
    fs::create_directory(elsewhere_ / "raw");
    for (const char* name : {"mirror.db", "outbox.db"})
        fs::copy_file(dir_ / name, elsewhere_ / ("raw/" + std::string(name)));
    store_ = std::make_unique<Store>(options());
    put_of("mina", "c2");
    const auto bounds = [&] { return store_->read([](Reader& db) { return load_feed_bounds(db); }); };
    const auto before = bounds();
    restore(elsewhere_ / "raw");
    EXPECT_GT(bounds().first, before.last) << "the next change would be given a number that was given out";
}

TEST_F(RestoreTest, InThePlaceOfADamagedOutboxGivesNoNumberOutTwice)
{
    put_of("mina", "c1");
    accept_write("c1");
    const std::string backup = back_up_to("monday");
    const auto later = accept_write("c1");
    put_of("mina", "c2"); // with which the mirror hears of it
    store_.reset();
    std::ofstream(dir_ / "outbox.db", std::ios::trunc) << "no database";
    restore(backup);
    EXPECT_GT(accept_write("c1"), later);
}

/// Lets the n-th call fail, as a kill there would leave things.
class FailAt final : public DiskObserver {
  public:
    explicit FailAt(int n) : left_(n) { observe_disk(this); }
    ~FailAt() override { observe_disk(nullptr); }
    std::error_code before(const DiskCall&) override
    {
        return left_-- > 0 ? std::error_code() : std::make_error_code(std::errc::io_error);
    }
    void after(const DiskCall&) override {}
    bool was_reached() const { return left_ < 0; }

  private:
    int left_;
};

TEST_F(RestoreTest, CutShortAnywhereItIsFinishedByTheNextOpen)
{
    put_of("mina", "c1"), put_of("jun", "c2");
    const std::string backup = back_up_to("monday");
    put_of("jun", "late");
    sync_wait(purge(*store_, {"mina", {}, {}}, {}));
    accept_write("c2");
    fs::copy(dir_.path(), elsewhere_ / "before", fs::copy_options::recursive); // with the logs
    store_.reset();
    int cuts = 0;
    for (bool reached = true; reached; ++cuts) {
        for (const auto& file : fs::directory_iterator(dir_.path())) fs::remove_all(file.path());
        fs::copy(elsewhere_ / "before", dir_.path(), fs::copy_options::recursive);
        prepare_restore(request(backup));
        commit_restore(dir_ / "mirror.db");
        {
            const FailAt cut(cuts);
            try {
                const Store opened(options());
            } catch (const Error&) {
                // As wanted: what is left is for the next open.
            }
            reached = cut.was_reached();
        }
        store_ = std::make_unique<Store>(options());
        EXPECT_FALSE(holds("c1")) << "cut at " << cuts;
        EXPECT_TRUE(holds("c2")) << "cut at " << cuts;
        EXPECT_FALSE(holds("late")) << "cut at " << cuts;
        EXPECT_THAT(note(), HasSubstr("stays away")) << "cut at " << cuts;
        EXPECT_THAT(beside("restore."), testing::IsEmpty()) << "cut at " << cuts;
        const auto aside = beside("outbox.db.replaced-");
        ASSERT_THAT(aside, testing::SizeIs(1)) << "cut at " << cuts;
        EXPECT_THAT(note(), HasSubstr(aside.front())) << "cut at " << cuts;
        const auto time_in = [](const std::string& name) {
            return name.substr(name.find("replaced-"), name.rfind('Z') - name.find("replaced-"));
        };
        for (const auto& file : fs::directory_iterator(dir_.path()))
            if (const std::string name = file.path().filename(); name.find("replaced-") != std::string::npos) {
                EXPECT_EQ(time_in(name), time_in(aside.front())) << "cut at " << cuts;
            }
        store_.reset();
    }
    EXPECT_GT(cuts, 8) << "nothing is proved";
}

} // namespace
} // namespace alli::cache
