// SPDX-License-Identifier: Apache-2.0
// Files that are taken away, replaced, cut or overwritten while a store holds them: nothing is acknowledged after that,
// nothing that was acknowledged before is lost, and the next start says what is missing.
#include "alli/error.hpp"
#include "cache/db/free_space.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/problems.hpp"
#include "cache/upkeep/check_files.hpp"
#include "tests/cache/fixture.hpp"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string bytes_of(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& bytes)
{
    std::ofstream(path, std::ios::binary) << bytes;
    fs::permissions(path, fs::perms(0600));
}

// What may befall a file.
void remove_file(const std::string& path)
{
    fs::remove(path);
}
void move_file(const std::string& path)
{
    fs::rename(path, path + ".elsewhere");
}
void replace_file(const std::string& path)
{
    fs::copy_file(path, path + ".copy");
    fs::rename(path + ".copy", path);
}
void replace_by_nothing(const std::string& path)
{
    fs::remove(path);
    write_file(path, "");
}
void cut_file(const std::string& path)
{
    fs::resize_file(path, 0);
}

struct Mishap {
    const char* name;
    void (*befall)(const std::string& path);
    const char* said;
};
const Mishap mishaps[] = {
    {"removed", &remove_file, "removed or moved"},
    {"moved", &move_file, "removed or moved"},
    {"replaced", &replace_file, "replaced"},
    {"replaced_by_nothing", &replace_by_nothing, "replaced"},
    {"cut", &cut_file, "cut"},
};

class HeldFilesTest : public CacheTest {
  protected:
    HeldFilesTest()
    {
        heard_ = options();
        heard_.gave_up = [this](std::exception_ptr) { ++gave_up_; };
        open();
    }

    void open()
    {
        store_.reset();
        store_ = std::make_unique<Store>(heard_);
    }

    static NewEntry entry(int n)
    {
        NewEntry entry;
        entry.conversation = ConversationId{"c" + std::to_string(n)};
        entry.method = "PUT", entry.path = "/x", entry.headers = "{}", entry.body = std::to_string(n);
        entry.upstream_key = "key-" + std::to_string(n), entry.request_hash = "h";
        return entry;
    }

    void accept_write(int n)
    {
        const auto job = [&](Writer& db) { accept(db, entry(n)); };
        sync_wait(store_->write_outbox(job));
        write([](Writer&) {}); // as the overlay's commit follows each
    }
    void accept_writes(int from, int to)
    {
        for (int n = from; n <= to; ++n) accept_write(n);
    }

    /// The bodies of those that wait, in the order in which they are sent.
    std::vector<int> waiting()
    {
        std::vector<int> bodies;
        store_->read_outbox([&](Reader& db) {
            for (const LineHead& head : load_lines(db)) bodies.push_back(std::stoi(find_entry(db, head.id)->body));
        });
        return bodies;
    }

    std::vector<std::string> problems()
    {
        std::vector<std::string> sentences;
        for (const Problem& problem : store_->read([](Reader& db) { return load_problems(db); }))
            sentences.push_back(problem.what);
        return sentences;
    }

    Fault fault_of_write(int n)
    {
        try {
            accept_write(n);
        } catch (const Error& error) {
            said_ = error.what();
            return error.fault();
        }
        ADD_FAILURE() << "write " << n << " was acknowledged";
        return Fault::usage;
    }

    void checkpoint_outbox()
    {
        const auto job = [](Writer& db) { db.checkpoint(Writer::Checkpoint::truncate); };
        sync_wait(store_->between_commits(Store::File::outbox, job));
    }

    std::string mirror() const { return dir_ / "mirror.db"; }
    std::string outbox() const { return dir_ / "outbox.db"; }

    StoreOptions heard_;
    int gave_up_ = 0;
    std::string said_;
};

class OutboxMishap : public HeldFilesTest, public testing::WithParamInterface<std::tuple<Mishap, const char*>> {
  protected:
    void befall() { std::get<0>(GetParam()).befall(outbox() + std::get<1>(GetParam())); }
};

TEST_P(OutboxMishap, NothingIsAcknowledgedAnyMoreAndWhatWaitsIsTakenInByTheNextStart)
{
    accept_writes(1, 5);
    befall();
    EXPECT_EQ(fault_of_write(6), Fault::damaged);
    EXPECT_THAT(said_, AllOf(HasSubstr("outbox.db"), HasSubstr(std::get<0>(GetParam()).said)));
    EXPECT_EQ(fault_of_write(7), Fault::damaged);
    EXPECT_THROW(put("c1", 1000, 1), Error) << "nor in the other file";
    EXPECT_EQ(gave_up_, 1);
    EXPECT_EQ(files_beside(outbox(), ".rescued-").size(), 1U) << "before the process ends";
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr(std::get<0>(GetParam()).said), HasSubstr("none is lost"))));
    EXPECT_THAT(store_->damage(), ElementsAre(HasSubstr("in the outbox again")));
    EXPECT_FALSE(find_damage_marker(outbox()));
    accept_write(8);
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 4, 5, 8));
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 4, 5, 8)) << "none twice";
    EXPECT_THAT(store_->damage(), IsEmpty()) << "it is told once";
    for (const Notice& notice : find_notices(outbox())) fs::remove(notice.file);
    for (const std::string& file : quarantined_files(outbox())) fs::remove(file);
    open();
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_P(OutboxMishap, IsNoticedAtAnOrderlyEndToo)
{
    accept_writes(1, 5);
    befall();
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(OutboxMishap, IsNoticedWithoutAWriteToo)
{
    accept_writes(1, 5);
    befall();
    EXPECT_THROW(sync_wait(check_files(*store_)), Error);
    EXPECT_EQ(gave_up_, 1);
}

// As the disk is after a kill: nobody wrote anything down.
TEST_P(OutboxMishap, AfterAKillTheNextStartSaysWhatIsMissing)
{
    accept_writes(1, 5);
    befall();
    const support::TempDir after;
    for (const auto& file : fs::directory_iterator(dir_.path()))
        if (file.path().extension() != ".lock") fs::copy(file.path(), after / file.path().filename().string());
    StoreOptions killed = options();
    killed.mirror_path = after / "mirror.db";
    store_ = std::make_unique<Store>(killed);
    const std::size_t there = waiting().size();
    if (there == 5) return; // a copy of it took its place: nothing is missing
    EXPECT_EQ(there, 0U);
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("outbox.db is"), HasSubstr("1 to 5"))));
    accept_write(6);
    EXPECT_EQ(store_->read_outbox([](Reader& db) { return list_entries(db, {}).front().id; }), 6)
        << "no number is used twice";
}

INSTANTIATE_TEST_SUITE_P(EachWay, OutboxMishap,
                         testing::Combine(testing::ValuesIn(mishaps), testing::Values("", "-wal")),
                         [](const auto& row) {
                             return std::string(std::get<0>(row.param).name) +
                                    (*std::get<1>(row.param) ? "_log" : "_file");
                         });

class MirrorMishap : public HeldFilesTest, public testing::WithParamInterface<std::tuple<Mishap, const char*>> {};

TEST_P(MirrorMishap, EndsAllWritingAndTheOutboxStays)
{
    put("c1", 1000, 10);
    accept_writes(1, 3);
    std::get<0>(GetParam()).befall(mirror() + std::get<1>(GetParam()));
    EXPECT_THROW(put("c2", 2000, 1), Error);
    EXPECT_EQ(fault_of_write(4), Fault::damaged);
    EXPECT_EQ(gave_up_, 1);
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3));
    EXPECT_THAT(problems(), testing::Contains(HasSubstr("mirror.db")));
    put("c2", 2000, 1);
}

INSTANTIATE_TEST_SUITE_P(EachWay, MirrorMishap,
                         testing::Combine(testing::ValuesIn(mishaps), testing::Values("", "-wal")),
                         [](const auto& row) {
                             return std::string(std::get<0>(row.param).name) +
                                    (*std::get<1>(row.param) ? "_log" : "_file");
                         });

TEST_F(HeldFilesTest, WhatWasCommittedButNeverAcknowledgedIsNotTakenIn)
{
    accept_writes(1, 3);
    const auto job = [&](Writer& db) {
        accept(db, entry(4));
        fs::remove(outbox()); // between the look before and the commit
    };
    EXPECT_THROW(sync_wait(store_->write_outbox(job)), Error);
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3)) << "its app was told that it failed, and sends it again";
}

TEST_F(HeldFilesTest, AnOlderCopyOverTheFileIsNoticedThoughItIsAsLong)
{
    accept_writes(1, 3);
    const auto fill = [](Writer& db) { // so much that the log is checkpointed
        db.run("INSERT OR REPLACE INTO fact (name, value) VALUES ('filler', zeroblob(6000000))");
    };
    sync_wait(store_->write_outbox(fill));
    const std::string older = bytes_of(outbox());
    accept_writes(4, 6);
    sync_wait(store_->write_outbox(fill));
    accept_write(7);
    ASSERT_EQ(fs::file_size(outbox()), older.size());
    {
        std::fstream file(outbox(), std::ios::in | std::ios::out | std::ios::binary); // the same inode
        file << older;
    }
    EXPECT_EQ(fault_of_write(8), Fault::damaged);
    EXPECT_THAT(said_, HasSubstr("by another program"));
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 4, 5, 6, 7)) << "from what the connection still holds";
    EXPECT_TRUE(store_->read_outbox([](Reader& db) { return find_entry(db, 1); })->in_doubt) << "it may be old";
}

TEST_F(HeldFilesTest, TouchingReadingAndCopyingTheFilesIsNoHarm)
{
    accept_writes(1, 3);
    checkpoint_outbox();
    fs::last_write_time(outbox(), fs::file_time_type::clock::now() - std::chrono::hours(5));
    accept_write(4);
    fs::copy_file(outbox(), outbox() + ".copy");
    fs::create_hard_link(outbox(), outbox() + ".link");
    {
        const auto beside = open_outbox(mirror());
        beside->run("SELECT count(*) FROM entry");
    }
    accept_write(5);
    sync_wait(check_files(*store_));
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(gave_up_, 0);
}

TEST_F(HeldFilesTest, ALockThatIsGoneEndsAllWritingForAnotherMayOwnTheFiles)
{
    accept_writes(1, 2);
    fs::remove(dir_ / "alli-mirror.lock");
    EXPECT_EQ(fault_of_write(3), Fault::damaged);
    EXPECT_THAT(said_, HasSubstr("alli-mirror.lock"));
    EXPECT_THAT(files_beside(outbox(), ".rescued-"), IsEmpty()) << "nothing was taken away";
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2));
}

TEST_F(HeldFilesTest, WritesOfAnotherOutboxThatTookThePlaceAreKeptBehindTheRescuedOnes)
{
    accept_writes(1, 3);
    fs::remove(outbox());
    store_.reset();
    const std::string rescued = files_beside(outbox(), ".rescued-").at(0), away = dir_ / "away";
    fs::rename(rescued, away);
    for (const char* log : {"-wal", "-shm"}) fs::remove(outbox() + log);
    open(); // as a second daemon would have
    accept_writes(11, 12);
    store_.reset();
    fs::rename(away, rescued);
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 11, 12));
    EXPECT_EQ(quarantined_files(outbox()).size(), 1U) << "what lay there is not deleted";
    open();
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3, 11, 12));
}

TEST_F(HeldFilesTest, AnOlderOutboxAtTheStartIsSaidToLackWhatCameAfterAndItsWritesAreReadBackFirst)
{
    accept_writes(1, 2);
    store_.reset();
    fs::copy_file(outbox(), dir_ / "older");
    open();
    accept_writes(3, 5);
    store_.reset();
    fs::rename(dir_ / "older", outbox());
    open();
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("older"), HasSubstr("3 to 5"))));
    EXPECT_THAT(waiting(), ElementsAre(1, 2));
    EXPECT_TRUE(store_->read_outbox([](Reader& db) { return find_entry(db, 1); })->in_doubt);
}

TEST_F(HeldFilesTest, AMirrorThatIsMadeAnewKnowsNothingOfTheOutboxAndClaimsNothing)
{
    accept_writes(1, 3);
    store_.reset();
    for (const char* part : {"", "-wal", "-shm"}) fs::remove(mirror() + part);
    open();
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_THAT(waiting(), ElementsAre(1, 2, 3));
}

TEST_F(HeldFilesTest, AFileThatMayGrowNoMoreIsAFullDiskAndNoFailureOfIt)
{
    ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    accept_write(1);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    rlimit none = before;
    none.rlim_cur = fs::file_size(outbox() + "-wal");
    ::setrlimit(RLIMIT_FSIZE, &none);
    const auto refused = [&](int n) {
        try {
            accept_write(n);
        } catch (const Error& error) {
            return error.fault();
        }
        return Fault::usage;
    };
    const Fault first = refused(2), second = refused(3);
    const auto full = find_no_space();
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(first, Fault::disk_full);
    EXPECT_EQ(second, Fault::disk_full);
    ASSERT_TRUE(full);
    EXPECT_EQ(full->file, DataFile::outbox);
    EXPECT_EQ(gave_up_, 0);
    sync_wait(check_files(*store_));
    EXPECT_FALSE(find_no_space()) << "it goes on by itself";
    accept_write(4);
    EXPECT_THAT(waiting(), ElementsAre(1, 4));
}

} // namespace
} // namespace alli::cache
