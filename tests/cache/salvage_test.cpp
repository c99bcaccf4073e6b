// SPDX-License-Identifier: Apache-2.0
// Damaged files at the start: set aside, told of, and of an outbox whatever can be read is taken over.
#include "alli/sync_wait.hpp"
#include "cache/outbox/salvage.hpp"

#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/suppression_list.hpp"
#include "tests/cache/fixture.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class SalvageTest : public CacheTest {
  protected:
    void accept_writes(int count)
    {
        const auto job = [&](Writer& db) {
            for (int n = 0; n < count; ++n) {
                NewEntry entry;
                entry.conversation = ConversationId{"c" + std::to_string(n)};
                entry.method = "PUT", entry.path = "/x", entry.headers = "{}";
                entry.upstream_key = "k", entry.request_hash = "h";
                entry.body = "conversation-" + std::to_string(n) + "-" + std::string(900, 'b');
                accept(db, entry);
            }
        };
        sync_wait(store_->write_outbox(job));
    }

    void spoil(const std::string& name, std::int64_t at, std::int64_t size = 4096)
    {
        std::fstream file(dir_ / name, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(at);
        file << std::string(static_cast<std::size_t>(size), '\xee');
    }

    // The page where that row lies, by its place in the file.
    std::int64_t identity_of(const std::string& name, const std::string& text) const
    {
        std::ifstream file(dir_ / name, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        const auto at = bytes.find(text);
        EXPECT_NE(at, std::string::npos);
        return static_cast<std::int64_t>(at / 4096 * 4096);
    }

    void open() { store_ = std::make_unique<Store>(options()); }

    std::vector<std::string> problems()
    {
        std::vector<std::string> sentences;
        for (const Problem& problem : store_->read([](Reader& db) { return load_problems(db); }))
            sentences.push_back(problem.what);
        return sentences;
    }

    std::int64_t waiting()
    {
        return store_->read_outbox([](Reader& db) { return count_entries(db); }).pending;
    }

    bool has(const std::string& id)
    {
        return store_->read([&](Reader& db) { return find_held(db, ConversationId{id}); }).has_value();
    }

    std::string mirror() const { return dir_ / "mirror.db"; }
    std::string outbox() const { return dir_ / "outbox.db"; }
};

TEST_F(SalvageTest, GivesNoNumberOutAgain)
{
    accept_writes(3);
    sync_wait(store_->write_outbox([](Writer& db) { discard_entry(db, 3); })); // the highest one
    store_.reset();
    put_damage_marker(dir_ / "outbox.db", "a process met damage in it");
    fs::remove(dir_ / "mirror.db"); // which knows the number too
    open();
    accept_writes(1);
    const auto last = store_->read_outbox([](Reader& db) { return list_entries(db, {}).front().id; });
    EXPECT_EQ(last, 4) << "an app may still ask for number 3";
}

TEST_F(SalvageTest, OfDamagedMirrorsTheLatestAreKeptAndOfOutboxesAll)
{
    put("c1", 1000, 10);
    accept_writes(1);
    store_.reset();
    for (const std::string& path : {mirror(), outbox()})
        for (const char* year : {"2020", "2021", "2022", "2023"})
            for (const char* suffix : {"", "-wal"})
                std::ofstream(path + ".damaged-" + year + "-01-01T00:00:00Z" + suffix) << "x";
    spoil("mirror.db", 100);
    spoil("outbox.db", 100);
    open();
    const auto kept = quarantined_files(mirror());
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_THAT(kept[0], HasSubstr("damaged-2022"));
    EXPECT_FALSE(fs::exists(mirror() + ".damaged-2021-01-01T00:00:00Z-wal"));
    EXPECT_EQ(quarantined_files(outbox()).size(), 5U);
}

TEST_F(SalvageTest, ADamagedMirrorIsSetAsideAndMadeAnew)
{
    put("c1", 1000, 10);
    store_.reset();
    spoil("mirror.db", 100); // the schema
    open();
    EXPECT_FALSE(has("c1"));
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("made anew")));
    EXPECT_THAT(store_->damage(), ElementsAre(HasSubstr("mirror.db was damaged")));
    ASSERT_EQ(quarantined_files(mirror()).size(), 1U);
    reopen();
    EXPECT_EQ(problems().size(), 1U) << "as long as the old file is there";
    EXPECT_TRUE(store_->damage().empty()) << "it is found once";
    for (const std::string& file : quarantined_files(mirror())) fs::remove(file);
    reopen();
    EXPECT_TRUE(problems().empty());
}

TEST_F(SalvageTest, WhatIsNoMirrorAtAllIsNotTouched)
{
    store_.reset();
    StoreOptions wrong = options();
    wrong.mirror_path = dir_ / "letters.txt";
    std::ofstream(wrong.mirror_path) << "Dear mother,";
    fs::permissions(wrong.mirror_path, fs::perms(0600));
    try {
        Store store(wrong);
        FAIL() << "it was opened";
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::settings);
        EXPECT_THAT(error.hint(), HasSubstr("no mirror"));
    }
    EXPECT_TRUE(quarantined_files(wrong.mirror_path).empty());
    EXPECT_EQ(fs::file_size(wrong.mirror_path), 12U);
}

TEST_F(SalvageTest, AFileThatAProcessStoppedForIsSetAsideByTheNext)
{
    put("c1", 1000, 10);
    store_.reset();
    put_damage_marker(mirror(), "a page was wrong");
    open();
    EXPECT_FALSE(has("c1"));
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("a page was wrong")));
    put("c2", 1000, 10);
    reopen();
    EXPECT_TRUE(has("c2")) << "once";
}

// Of a command that root ran while the service was stopped.
TEST_F(SalvageTest, AMarkerThatCannotBeReadMarksAllTheSame)
{
    store_.reset();
    put_damage_marker(mirror(), "a page was wrong");
    ASSERT_EQ(::chmod((mirror() + ".damaged").c_str(), 0), 0);
    const bool is_root = ::geteuid() == 0;
    ASSERT_TRUE(!is_root || ::chown(dir_.path().c_str(), 54'321, 54'321) == 0);
    ASSERT_TRUE(!is_root || ::seteuid(54'321) == 0);
    const auto why = find_damage_marker(mirror());
    clear_damage_marker(mirror());
    const auto after = find_damage_marker(mirror());
    ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
    EXPECT_TRUE(why);
    EXPECT_FALSE(after);
}

TEST_F(SalvageTest, AFileThatWasMarkedAndMovedAwayIsNotSpokenOf)
{
    store_.reset();
    put_damage_marker(mirror(), "a page was wrong");
    fs::rename(mirror(), mirror() + ".mine");
    open();
    EXPECT_TRUE(store_->damage().empty());
    EXPECT_TRUE(problems().empty());
    EXPECT_FALSE(find_damage_marker(mirror()));
}

TEST_F(SalvageTest, TakesOverEveryWriteOfADamagedOutboxThatCanBeRead)
{
    accept_writes(200);
    store_.reset();
    spoil("outbox.db", identity_of("outbox.db", "conversation-101-"));
    open();
    EXPECT_GE(waiting(), 195);
    EXPECT_LT(waiting(), 200);
    EXPECT_THAT(problems(),
                ElementsAre(AllOf(HasSubstr("outbox.db was damaged"),
                                  HasSubstr(fmt::format("{} that waited or failed are lost", 200 - waiting())))));
    accept_writes(1);
    const auto newest = store_->read_outbox([](Reader& db) { return list_entries(db, {}).front().id; });
    EXPECT_EQ(newest, 201) << "no number is used twice";
    reopen();
    EXPECT_GE(waiting(), 196);
}

TEST_F(SalvageTest, AnOutboxWhoseIndexAloneIsDamagedLosesNothing)
{
    accept_writes(200);
    store_.reset();
    {
        Writer db(outbox(), "FULL");
        std::int64_t page = 0;
        for (const Row row : db.query("SELECT rootpage FROM sqlite_schema WHERE name = 'entry_by_client_key'"))
            page = row.integer(0);
        db.checkpoint(Writer::Checkpoint::truncate);
        spoil("outbox.db", (page - 1) * 4096);
    }
    open();
    EXPECT_EQ(waiting(), 200);
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("none of those that waited or failed is lost")));
}

TEST_F(SalvageTest, AnOutboxOfWhichNothingCanBeReadIsSaidToBeLost)
{
    accept_writes(5);
    store_.reset();
    spoil("outbox.db", 0);
    open();
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("0 writes could be read"), HasSubstr("cannot be told"))));
    EXPECT_EQ(quarantined_files(outbox()).size(), 1U);
    accept_writes(1);
    const auto newest = store_->read_outbox([](Reader& db) { return list_entries(db, {}).front().id; });
    EXPECT_GT(newest, 5) << "no number is used twice";
}

TEST_F(SalvageTest, GoesOnWhereAKillCutItShort)
{
    accept_writes(7);
    store_.reset();
    fs::rename(outbox(), outbox() + ".salvaged"); // the new file is whole, and the old one set aside
    std::ofstream(outbox() + ".damaged-2026-01-01T00:00:00Z") << "x";
    open();
    EXPECT_EQ(waiting(), 7);
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("outbox.db was damaged and set aside")));
    store_.reset();
    std::ofstream(outbox() + ".salvaged") << "half of a new file"; // and before: the old one is still there
    open();
    EXPECT_EQ(waiting(), 7);
    EXPECT_FALSE(fs::exists(outbox() + ".salvaged"));
}

/// Lets so many renames of the outbox's files through, and fails all later ones: as far as the files go, the power is
/// cut there.
class EndAtRename final : public DiskObserver {
  public:
    explicit EndAtRename(int allowed) : allowed_(allowed) { observe_disk(this); }
    ~EndAtRename() override { observe_disk(nullptr); }
    std::error_code before(const DiskCall& call) override
    {
        if (call.kind != DiskCall::Kind::rename || allowed_-- > 0) return {};
        return std::make_error_code(std::errc::io_error);
    }
    void after(const DiskCall&) override {}

  private:
    int allowed_;
};

// A log that is left under the new file's name would be taken for the new file's: its pages go over it.
TEST_F(SalvageTest, TheLogOfADamagedOutboxNeverComesToLieBesideTheNewOne)
{
    accept_writes(200);
    reopen();
    sync_wait(store_->write_outbox([](Writer& db) { begin_sending(db, 100); })); // the first page stays as it is
    for (const char* suffix : {"", "-wal"}) fs::copy_file(outbox() + suffix, dir_ / "copy" + suffix);
    ASSERT_GT(fs::file_size(dir_ / "copy-wal"), 4096U);
    store_.reset();
    spoil("copy", 0, 100); // nothing can be read of it, and so its log is not worked off
    for (const int allowed : {0, 1, 2, 3, 4}) {
        for (const std::string& file : quarantined_files(outbox()))
            for (const char* suffix : {"", "-wal"}) fs::remove(file + suffix);
        for (const char* suffix : {"", "-wal"})
            fs::copy_file(dir_ / "copy" + suffix, outbox() + suffix, fs::copy_options::overwrite_existing);
        {
            const EndAtRename end(allowed);
            EXPECT_THROW(open(), Error) << allowed;
        }
        open();
        EXPECT_EQ(waiting(), 0) << allowed;
        EXPECT_EQ(quarantined_files(outbox()).size(), 1U) << "the new one is sound; " << allowed;
        accept_writes(1);
        reopen();
        EXPECT_EQ(waiting(), 1) << allowed;
        store_.reset();
    }
}

// The log holds the latest writes: a process that met damage works it off no more.
TEST_F(SalvageTest, CutShortAnywhereLosesNoWriteThatIsInTheLogAlone)
{
    accept_writes(2);
    reopen();
    accept_writes(5);
    for (const char* suffix : {"", "-wal"}) fs::copy_file(outbox() + suffix, dir_ / "copy" + suffix);
    ASSERT_GT(fs::file_size(dir_ / "copy-wal"), 4096U);
    store_.reset();
    for (int allowed = 0; allowed < 6; ++allowed) {
        for (const std::string& file : quarantined_files(outbox()))
            for (const char* suffix : {"", "-wal"}) fs::remove(file + suffix);
        for (const char* suffix : {"", "-wal"})
            fs::copy_file(dir_ / "copy" + suffix, outbox() + suffix, fs::copy_options::overwrite_existing);
        put_damage_marker(outbox(), "a page was wrong");
        try {
            const EndAtRename end(allowed);
            open();
            EXPECT_EQ(allowed, 5);
        } catch (const Error&) {
            open();
        }
        EXPECT_EQ(waiting(), 7) << allowed;
        EXPECT_FALSE(quarantined_files(outbox()).empty()) << allowed;
        store_.reset();
    }
}

TEST_F(SalvageTest, SaysWhichWritesTheMirrorKnowsAndASalvagedOutboxHasNot)
{
    accept_writes(3);
    store_.reset();
    fs::copy_file(outbox(), dir_ / "older");
    open();
    accept_writes(2);
    put("c", 1000, 1); // with which the mirror hears of them
    store_.reset();
    fs::copy_file(dir_ / "older", outbox(), fs::copy_options::overwrite_existing);
    put_damage_marker(outbox(), "a page was wrong");
    open();
    EXPECT_THAT(problems(), testing::Contains(HasSubstr("2 writes that were acknowledged are not in it, 4 to 5")));
    EXPECT_EQ(waiting(), 3);
    accept_writes(1);
    EXPECT_EQ(store_->read_outbox([](Reader& db) { return list_entries(db, {}).front().id; }), 6);
}

TEST_F(SalvageTest, WhatWasPurgedStaysAwayWhateverIsDamaged)
{
    const std::vector<ConversationId> purged{ConversationId{"gone"}};
    const auto job = [&](Writer& db) { suppress(db, {purged, std::nullopt, std::nullopt}, std::string(32, 'k')); };
    sync_wait(store_->write_outbox(job));
    reopen(); // the mirror has a copy
    const auto knows = [&] { return store_->read_outbox([&](Reader& db) { return is_purged(db, purged.front()); }); };
    ASSERT_TRUE(knows());
    store_.reset();
    put_damage_marker(outbox(), "some page");
    open();
    EXPECT_TRUE(knows()) << "it was salvaged";
    store_.reset();
    spoil("outbox.db", 0);
    open();
    EXPECT_TRUE(knows()) << "from the mirror";
    store_.reset();
    spoil("mirror.db", 0);
    open();
    EXPECT_TRUE(knows());
    EXPECT_TRUE(store_->read([&](Reader& db) { return is_purged(db, purged.front()); }));
}

TEST_F(SalvageTest, ADamagedPageThatAReaderMeetsEndsAllWriting)
{
    for (int n = 0; n < 100; ++n) put("c" + std::to_string(n), 1000 + n * 20, 10);
    store_.reset();
    std::int64_t root = 0; // of the chats' texts, which an opening does not read
    {
        Connection db(mirror(), Access::read);
        root = db.require<std::int64_t>("SELECT rootpage FROM sqlite_schema WHERE name = 'chat_segment'");
    }
    spoil("mirror.db", (root - 1) * 4096);
    StoreOptions heard = options();
    int told = 0;
    heard.gave_up = [&](std::exception_ptr) { ++told; };
    store_ = std::make_unique<Store>(heard);
    const auto read_all = [](Reader& db) {
        for ([[maybe_unused]] const Row row : db.query("SELECT raw FROM conversation")) {
        }
        for ([[maybe_unused]] const Row row : db.query("SELECT body FROM chat_segment")) {
        }
    };
    EXPECT_THROW(store_->read(read_all), Error);
    EXPECT_EQ(told, 1);
    EXPECT_THROW(put("new", 9000, 1), Error);
    EXPECT_TRUE(find_damage_marker(mirror()));
    EXPECT_FALSE(find_damage_marker(outbox()));
    reopen();
    put("new", 9000, 1);
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("mirror.db was damaged")));
}

} // namespace
} // namespace alli::cache
