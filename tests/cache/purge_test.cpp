// SPDX-License-Identifier: Apache-2.0
// What is purged leaves every byte of the files and does not come back, whoever brings it.
#include "alli/sync_wait.hpp"
#include "cache/upkeep/purge.hpp"

#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/chat_detail.hpp"
#include "cache/chats/segment.hpp"
#include "cache/deletions.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/request_fence.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/rows/variables.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace alli::cache {
namespace {

using nlohmann::json;

class PurgeTest : public CacheTest {
  protected:
    PurgeReport purge_user(const std::string& user) { return sync_wait(purge(*store_, {user, {}, {}}, {})); }
    PurgeReport purge_one(const std::string& id) { return sync_wait(purge(*store_, {{}, ConversationId{id}, {}}, {})); }

    void put_of(const std::string& user, const std::string& id, std::int64_t seconds, int chats = 3)
    {
        put(id, seconds, chats, {{"user", {{"userId", user}, {"firstName", "xqzname"}}}, {"title", "about " + id}});
    }

    std::int64_t accept_write(NewEntry entry)
    {
        std::int64_t id = 0;
        const auto job = [&](Writer& db) {
            entry.upstream_key = "key";
            entry.request_hash = "hash";
            if (entry.headers.empty()) entry.headers = "{}";
            id = accept(db, entry).id;
            return true;
        };
        sync_wait(store_->write_outbox(job));
        return id;
    }

    bool holds(const std::string& id)
    {
        return store_->read([&](Reader& db) { return find_held(db, {id}); }).has_value();
    }

    static std::string unpack_all(std::string_view bytes)
    {
        std::string unpacked;
        for (std::size_t at = bytes.find('\x01'); at != bytes.npos; at = bytes.find('\x01', at + 1))
            unpacked += unpack_remains(bytes.substr(at));
        return unpacked;
    }

    /// Which of these words stand anywhere in the directory, plainly or in a segment that a file still holds.
    std::vector<std::string> left(const std::vector<std::string>& words)
    {
        std::vector<std::string> found;
        for (const auto& file : std::filesystem::directory_iterator(dir_.path())) {
            std::ifstream stream(file.path(), std::ios::binary);
            const std::string bytes(std::istreambuf_iterator<char>(stream), {});
            const std::string unpacked = unpack_all(bytes);
            for (const std::string& word : words) {
                if (bytes.find(word) != std::string::npos)
                    found.push_back(word + " in " + file.path().filename().string());
                if (unpacked.find(word) != std::string::npos)
                    found.push_back(word + " in a segment in " + file.path().filename().string());
            }
        }
        return found;
    }
};

const std::vector<std::string> traces{"canary-id", "canaryuser", "qzsaid",  "qztitled",
                                      "qzwaits",   "qzdetail",   "qzvalue", "qzparked"};

TEST_F(PurgeTest, LeavesNoByteOfWhatWasPurged)
{
    for (int n = 0; n < 60; ++n) put("before" + std::to_string(n), 1000 + n * 10, 10);
    const std::string id = "canary-id";
    const json user{{"user", {{"userId", "canaryuser"}}}, {"title", "xqztitled"}};
    const Conversation made = support::make_conversation(id, 5000, user);
    const std::vector<std::string> names{"V"};
    const std::vector<Chat> chats{support::make_chat(id, 0, 4999, "xqzsaid it"), support::make_chat(id, 1, 5000, "y")};
    write([&](Writer& db) {
        put_conversation(db, made);
        put_chats(db, made.id, 0, chats);
        put_chat_detail(db, made.id, chats[0].id, find_chat(db, made.id, chats[0].id)->of, R"({"steps":"xqzdetail"})");
        put_variables(db, made.id, names, R"({"variables":{"V":"xqzvalue"}})", support::at_second(1));
        Problem problem;
        problem.what = "conversation canary-id cannot be read";
        problem.conversation = id;
        put_problem(db, "conversation " + id, problem);
        raise_request_fence(db, made.id, 7);
    });
    for (int n = 0; n < 60; ++n) put("after" + std::to_string(n), 6000 + n * 10, 10);
    NewEntry entry;
    entry.kind = EditKind::title;
    entry.conversation = made.id;
    entry.method = "PUT", entry.path = "/webapi/v2/conversations/canary-id/title";
    entry.body = R"({"title":"xqzwaits"})";
    const std::int64_t waiting = accept_write(entry);
    entry.client_key = "canary-id-key";
    entry.body = R"({"title":"xqzparked"})";
    accept_write(entry);
    write([&](Writer& db) {
        show_edit(db, *store_->read_outbox([&](Reader& outbox) { return find_entry(outbox, waiting); }));
    });
    EXPECT_THAT(left(traces), testing::Contains(testing::HasSubstr("qzsaid in a segment"))) << "else nothing is proved";

    const PurgeReport report = purge_user("canaryuser");
    EXPECT_EQ(report.conversations, 1);
    EXPECT_EQ(report.chats, 2);
    EXPECT_EQ(report.writes, 2);
    EXPECT_EQ(report.waiting, 2);
    EXPECT_TRUE(report.logs_emptied);
    EXPECT_THAT(left(traces), testing::IsEmpty());
    reopen();
    EXPECT_THAT(left(traces), testing::IsEmpty());
    SearchQuery query;
    query.text = "chat";
    EXPECT_EQ(store_->read([&](Reader& db) { return search(db, query); }).total, 1200) << "nothing else is touched";
}

TEST_F(PurgeTest, LeavesNothingOfManyPeopleScatteredThroughTheMirror)
{
    SeededRandom random(7);
    std::vector<std::string> words;
    for (int n = 0; n < 400; ++n) {
        const bool doomed = n % 8 == 3;
        const std::string mark = (doomed ? "zqdoomed" : "zqkept") + std::to_string(n) + "x";
        const std::string id = "id" + mark;
        const int size = 1 + static_cast<int>(random.below(12));
        std::vector<Chat> chats;
        for (int c = 0; c < size; ++c)
            chats.push_back(support::make_chat(id, c, 1000 + n * 20 + c,
                                               mark + " " + std::string(random.below(3000), 'a') + " b" + mark));
        const auto made = support::make_conversation(
            id, 1000 + n * 20 + size, {{"user", {{"userId", doomed ? "zqdoomeduser" : "other"}}}, {"memo", mark}});
        write([&](Writer& db) {
            put_conversation(db, made);
            put_chats(db, made.id, 0, chats);
        });
    }
    EXPECT_EQ(purge_user("zqdoomeduser").conversations, 50);
    EXPECT_THAT(left({"qdoomed"}), testing::IsEmpty());
    EXPECT_THAT(left({"qkept"}), testing::Not(testing::IsEmpty()));
    reopen();
    store_->read([](Reader& db) {
        for (const Row row : db.query("PRAGMA integrity_check")) EXPECT_EQ(row.text(0), "ok");
    });
}

// The one file that cannot be made anew: by SQLite's own means, whatever else has it open.
TEST_F(PurgeTest, WritesTheOutboxAnewBesideAReaderOfIt)
{
    put_of("canaryuser", "a1", 1000);
    put_of("other", "b1", 1001);
    NewEntry entry;
    entry.kind = EditKind::title;
    entry.method = "PUT";
    std::int64_t last = 0;
    for (int n = 0; n < 400; ++n) {
        const std::string id = n % 2 == 0 ? "a1" : "b1";
        entry.conversation = ConversationId{id};
        entry.path = "/webapi/v2/conversations/" + id + "/title";
        entry.body = R"({"title":")" + std::string(n % 2 == 0 ? "xqzwaits" : "stays") + std::string(500, 'x') + "\"}";
        last = accept_write(entry);
    }
    const auto beside = open_outbox(dir_ / "mirror.db");
    EXPECT_EQ(find_entry(*beside, last)->id, last);
    const PurgeReport report = purge_user("canaryuser");
    EXPECT_EQ(report.writes, 200);
    EXPECT_TRUE(report.logs_emptied);
    EXPECT_THAT(left({"qzwaits"}), testing::IsEmpty());
    EXPECT_EQ(find_entry(*beside, last)->id, last);
    EXPECT_GT(accept_write(entry), last) << "a number is never used twice";
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(dir_.path())) names.push_back(file.path().filename());
    EXPECT_THAT(names, testing::Each(testing::Not(testing::HasSubstr("etilqs")))) << "a temporary copy";
    reopen();
    store_->read_outbox([&](Reader& db) {
        EXPECT_EQ(find_entry(db, last)->id, last);
        for (const Row row : db.query("PRAGMA integrity_check")) EXPECT_EQ(row.text(0), "ok");
    });
}

TEST_F(PurgeTest, KeepsOutWhatComesAgainByIdByUserAndByAge)
{
    put_of("anna", "a1", 5000);
    put_of("ben", "b1", 6000);
    put_of("carl", "c1", 900);
    purge_user("anna");
    purge_one("b1");
    sync_wait(purge(*store_, {{}, {}, support::at_second(1000)}, {}));
    EXPECT_FALSE(holds("a1") || holds("b1") || holds("c1"));
    for (int round = 0; round < 2; ++round) {
        put_of("anna", "a1", 5100);
        put_of("anna", "a2", 7000);
        put_of("ben", "b1", 7000);
        put_of("dora", "d1", 950);
        EXPECT_FALSE(holds("a1") || holds("a2") || holds("b1") || holds("d1"));
        reopen();
    }
    put_of("ben", "b2", 7000);
    put_of("dora", "d1", 1000);
    EXPECT_TRUE(holds("b2") && holds("d1"));
    const auto known = [&](const char* id) {
        return store_->read([&](Reader& db) { return is_purged(db, ConversationId{id}); });
    };
    EXPECT_TRUE(known("a1") && known("a2") && known("b1"));
    EXPECT_FALSE(known("b2") || known("d1"));
}

TEST_F(PurgeTest, AMirrorMadeAnewKnowsWhatWasPurged)
{
    put_of("anna", "a1", 5000);
    purge_user("anna");
    store_.reset();
    std::filesystem::remove(dir_ / "mirror.db");
    store_ = std::make_unique<Store>(options());
    EXPECT_TRUE(store_->has_suppressions());
    put_of("anna", "a2", 5000);
    EXPECT_FALSE(holds("a2"));
    store_.reset();
    std::filesystem::remove(dir_ / "outbox.db");
    store_ = std::make_unique<Store>(options());
    store_.reset();
    std::filesystem::remove(dir_ / "mirror.db");
    store_ = std::make_unique<Store>(options());
    put_of("anna", "a3", 5000);
    EXPECT_FALSE(holds("a3")) << "an outbox made anew took over the mirror's copy";
}

TEST_F(PurgeTest, AnOlderOutboxPutBackByHandLearnsFromTheMirrorWhatWasPurgedSince)
{
    put_of("anna", "a1", 5000), put_of("ben", "b1", 5000);
    purge_user("anna");
    store_.reset();
    std::filesystem::copy_file(dir_ / "outbox.db", dir_ / "older");
    store_ = std::make_unique<Store>(options());
    purge_user("ben");
    store_.reset();
    std::filesystem::copy_file(dir_ / "older", dir_ / "outbox.db", std::filesystem::copy_options::overwrite_existing);
    store_ = std::make_unique<Store>(options());
    put_of("ben", "b2", 5000);
    EXPECT_FALSE(holds("b2"));
    store_.reset();
    std::filesystem::remove(dir_ / "mirror.db");
    store_ = std::make_unique<Store>(options());
    put_of("anna", "a2", 5000), put_of("ben", "b2", 5000);
    EXPECT_FALSE(holds("a2") || holds("b2"));
}

TEST_F(PurgeTest, GoesOnAtTheStartWhereItWasCutShort)
{
    for (int n = 0; n < 20; ++n) put_of("anna", "a" + std::to_string(n), 5000 + n * 10, 100);
    put_of("ben", "b", 5000);
    PurgeHooks hooks;
    bool cut = false;
    hooks.report = [&](std::string_view, std::int64_t, std::int64_t) { cut = true; };
    hooks.stopping = [&] { return cut; };
    EXPECT_THROW(sync_wait(purge(*store_, {std::string("anna"), {}, {}}, hooks)), Error);
    EXPECT_TRUE(holds("a0")) << "the oldest comes last";
    reopen();
    for (int n = 0; n < 20; ++n) EXPECT_FALSE(holds("a" + std::to_string(n)));
    EXPECT_TRUE(holds("b"));
}

// Who reads the feed holds what was erased, and no change tells of it.
TEST_F(PurgeTest, CutShortAnywhereBeginsTheFeedAnewAndIsCleanedUpBehind)
{
    for (int cut = 1;; ++cut) { // at the cut-th step that it reports
        const std::string user = "anna" + std::to_string(cut), id = "c" + std::to_string(cut);
        for (int n = 0; n < 8; ++n) put_of(user, "xqz" + id + "-" + std::to_string(n), 5000 + n * 10, 100);
        const std::int64_t seen = store_->read([](Reader& db) { return load_feed_bounds(db); }).last;
        PurgeHooks hooks;
        int steps = 0;
        hooks.report = [&](std::string_view, std::int64_t, std::int64_t) { ++steps; };
        hooks.stopping = [&] { return steps >= cut; };
        bool ended = true;
        try {
            sync_wait(purge(*store_, {user, {}, {}}, hooks));
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::canceled);
            ended = false;
        }
        reopen();
        EXPECT_FALSE(store_->read([](Reader& db) { return load_feed_bounds(db); }).hold(seen)) << "cut at " << cut;
        EXPECT_EQ(has_remains(*store_), !ended) << "cut at " << cut;
        sync_wait(erase_remains(*store_, {}));
        EXPECT_FALSE(has_remains(*store_)) << "cut at " << cut;
        EXPECT_THAT(left({"qz" + id + "-"}), testing::IsEmpty()) << "cut at " << cut;
        if (ended) break;
    }
}

TEST_F(PurgeTest, CleaningThatIsHeldUpByAReaderIsDueStill)
{
    put_of("anna", "a1", 5000);
    const auto beside = open_mirror(dir_ / "mirror.db");
    beside->run("BEGIN");
    beside->require<std::int64_t>("SELECT count(*) FROM conversation");
    EXPECT_FALSE(purge_user("anna").logs_emptied);
    EXPECT_TRUE(has_remains(*store_));
    beside->run("COMMIT");
    sync_wait(erase_remains(*store_, {}));
    EXPECT_FALSE(has_remains(*store_));
}

TEST_F(PurgeTest, BulkUpdatesLoseWhatTheyNameAndNeverComeToMeanAll)
{
    put_of("anna", "a1", 5000);
    put_of("ben", "b1", 5000);
    NewEntry bulk;
    bulk.kind = EditKind::bulk_update;
    bulk.method = "POST", bulk.path = "/webapi/v2/conversations/bulk_update";
    bulk.body = R"({"conversationIds":["a1","b1"],"conversationInfo":{"state":"x"}})";
    bulk.base = R"({"a1":"{\"state\":\"w\"}","b1":"{\"state\":\"v\"}"})";
    const auto both = accept_write(bulk);
    bulk.base.reset();
    bulk.body = R"({"conversationIds":["a1"],"conversationInfo":{"state":"x"}})";
    const auto hers = accept_write(bulk);
    bulk.body = R"({"userIds":["anna"],"conversationInfo":{"state":"x"}})";
    const auto by_user = accept_write(bulk);
    bulk.body = R"({"categoryIds":["g"],"conversationInfo":{"state":"x"}})";
    bulk.headers = R"({"OWN-USER-ID":"anna"})";
    const auto in_her_name = accept_write(bulk);
    EXPECT_EQ(plan_purge(*store_, {std::string("anna"), {}, {}}).writes, 3);
    purge_user("anna");
    const auto find = [&](std::int64_t id) {
        return store_->read_outbox([&](Reader& db) { return find_entry(db, id); });
    };
    ASSERT_TRUE(find(both));
    EXPECT_EQ(read_selection(find(both)->body).conversations, std::vector<std::string>{"b1"});
    const Patch over = read_patch(*find(both)->base); // by which it is told whether it was applied
    ASSERT_EQ(over.size(), 1U);
    EXPECT_EQ(over.front().first, "b1");
    EXPECT_FALSE(find(hers) || find(by_user) || find(in_her_name));
    EXPECT_EQ(store_->read([](Reader& db) { return load_shown(db); }).size(), 0U);
}

// The contract sends ids that are not ASCII so.
TEST_F(PurgeTest, WritesInTheNameOfAUserOfOtherLettersGoToo)
{
    const std::string user = "\xec\x97\xac\xed\x96\x89\xec\x9e\x90";
    NewEntry entry;
    entry.conversation = ConversationId{"of somebody"};
    entry.method = "PUT", entry.path = "/webapi/v2/conversations/x";
    std::vector<std::int64_t> hers;
    for (const char* id : {"base64:7Jes7ZaJ7J6Q", "base64:7Jes7ZaJ7J6Q==", "\xec\x97\xac\xed\x96\x89\xec\x9e\x90"}) {
        entry.headers = nlohmann::json{{"OWN-USER-ID", id}}.dump();
        hers.push_back(accept_write(entry));
    }
    std::vector<std::int64_t> others;
    for (const char* id : {"base64:!", "base64:", "7Jes7ZaJ7J6Q", "base64:7Jes7ZaJ"}) {
        entry.headers = nlohmann::json{{"OWN-USER-ID", id}}.dump();
        others.push_back(accept_write(entry));
    }
    purge_user(user);
    const auto is_there = [&](std::int64_t id) {
        return store_->read_outbox([&](Reader& db) { return find_entry(db, id); }).has_value();
    };
    EXPECT_TRUE(std::none_of(hers.begin(), hers.end(), is_there));
    EXPECT_TRUE(std::all_of(others.begin(), others.end(), is_there));
}

TEST_F(PurgeTest, AConversationWhoseDeletionWaitsIsPurgedToo)
{
    put_of("anna", "a1", 5000);
    NewEntry entry;
    entry.kind = EditKind::remove;
    entry.conversation = ConversationId{"a1"};
    entry.method = "DELETE", entry.path = "/webapi/v2/conversations/a1";
    const auto id = accept_write(entry);
    write([&](Writer& db) {
        show_edit(db, *store_->read_outbox([&](Reader& outbox) { return find_entry(outbox, id); }));
    });
    const PurgeReport report = purge_user("anna");
    EXPECT_EQ(report.conversations, 1);
    EXPECT_EQ(report.chats, 3);
    EXPECT_THAT(left({"qzname", "chat 1 of a1"}), testing::IsEmpty());
}

TEST_F(PurgeTest, OfAShortIdErasesNoProblemThatDoesNotNameIt)
{
    const std::vector<std::string> told{"2 conversations wait", "see a1b, 1x and v-1", "conversation 1 cannot be read",
                                        "what user 1 wrote", "(1)"};
    write([&](Writer& db) {
        for (const std::string& what : told) {
            Problem problem;
            problem.what = what;
            put_problem(db, what, problem);
        }
    });
    put_of("1", "c1", 5000);
    purge_user("1");
    std::vector<std::string> left;
    for (const Problem& problem : store_->read([](Reader& db) { return load_problems(db); }))
        left.push_back(problem.what);
    EXPECT_THAT(left, testing::UnorderedElementsAre(told[0], told[1]));
}

TEST_F(PurgeTest, DaysOfWhatWasPurgedDoNotCount)
{
    put_of("anna", "a1", 86400 * 3 + 10);
    purge_user("anna");
    put("e1", 86400 * 9, 1, {{"user", {{"userId", "anna"}}}});
    const PurgedDays days = store_->read([](Reader& db) { return load_purged_days(db); });
    const auto day = [](int n) { return std::chrono::sys_days(std::chrono::days(n)); };
    EXPECT_TRUE(days.contains(day(3)));
    EXPECT_TRUE(days.contains(day(8))) << "it was created a second before its last chat";
    EXPECT_FALSE(days.contains(day(4)));
}

} // namespace
} // namespace alli::cache
