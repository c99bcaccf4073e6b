// SPDX-License-Identifier: Apache-2.0
// What a purge keeps away: by conversation, by user and by age, one at a time or a page at once.
#include "cache/rows/suppression_list.hpp"

#include "cache/outbox/fifos.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/upkeep/backup.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/cache/fixture.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

namespace alli::cache {
namespace {

using testing::ElementsAre;

class SuppressionTest : public CacheTest {
  protected:
    static Conversation of_user(const std::string& id, std::int64_t seconds, const std::string& user)
    {
        return support::make_conversation(id, seconds, {{"user", {{"userId", user}}}});
    }

    void keep_away(const std::vector<ConversationId>& ids, std::optional<std::string> user,
                   std::optional<Instant> before)
    {
        write([&](Writer& db) { suppress(db, {ids, std::move(user), before}, std::string(32, 'k')); });
    }
};

TEST_F(SuppressionTest, OfAPageIsThatOfEachAlone)
{
    const std::vector<ConversationId> ids{{"purged"}};
    keep_away(ids, "gone", support::at_second(100));
    const std::vector<Conversation> page{of_user("purged", 500, "stays"), of_user("of the user", 500, "gone"),
                                         of_user("older", 99, "stays"), of_user("at the limit", 100, "stays"),
                                         of_user("younger", 500, "stays")};
    const auto together = store_->read([&](Reader& db) { return is_suppressed(db, page); });
    EXPECT_THAT(together, ElementsAre(true, true, true, false, false));
    for (std::size_t n = 0; n < page.size(); ++n)
        EXPECT_EQ(store_->read([&](Reader& db) { return is_suppressed(db, page[n]); }), together[n])
            << page[n].id.value;
}

TEST_F(SuppressionTest, OfAnEarlierDateTakesNothingBack)
{
    keep_away({}, {}, support::at_second(100));
    keep_away({}, {}, support::at_second(50));
    const auto kept = store_->read([](Reader& db) { return load_suppression_list(db).before; });
    EXPECT_EQ(kept, support::at_second(100));
}

// A backup that was cut short holds what is purged, too.
TEST_F(SuppressionTest, OfAPurgeTakesHalfABackupAway)
{
    const std::string half = dir_ / ".alli-mirror-backup-cut-short";
    std::filesystem::create_directory(half);
    std::ofstream(half + "/mirror.db") << "xqzsecret";
    PurgeOptions wish;
    wish.user = "gone";
    sync_wait(purge(*store_, wish, {}));
    EXPECT_FALSE(std::filesystem::exists(half));
}

// What another node purged was not asked for here: a backup that is just made goes on.
TEST_F(SuppressionTest, OfWhatAnotherNodePurgedTakesOnlyOldHalvesOfBackupsAway)
{
    const std::string made = dir_ / ".alli-mirror-backup-being-made", half = dir_ / ".alli-mirror-backup-cut-short";
    for (const std::string& path : {made, half}) std::filesystem::create_directory(path);
    const auto now = std::filesystem::file_time_type::clock::now();
    std::filesystem::last_write_time(half, now - left_backup - std::chrono::minutes(1));
    std::filesystem::last_write_time(made, now - left_backup + std::chrono::minutes(1));
    sync_wait(erase_remains(*store_, {}));
    EXPECT_TRUE(std::filesystem::exists(made));
    EXPECT_FALSE(std::filesystem::exists(half));
}

// A row that grows, and a page that is split, leave copies where no row is.
TEST_F(SuppressionTest, OfWritesThatMovedBetweenPagesLeavesNoByte)
{
    const auto accept_some = [](Writer& db) {
        for (int n = 0; n < 300; ++n) {
            NewEntry entry;
            entry.conversation = ConversationId{n % 3 == 0 ? "stays" : "purged"};
            entry.method = "PUT", entry.path = "/x", entry.headers = "{}";
            entry.upstream_key = std::to_string(n), entry.request_hash = "h";
            entry.body = n % 3 == 0 ? std::string(static_cast<std::size_t>(n * 7), 'b')
                                    : "xqzsecret" + std::string(static_cast<std::size_t>((n * 37) % 900), 's');
            accept(db, entry);
        }
    };
    sync_wait(store_->write_outbox(accept_some));
    for (std::int64_t id = 1; id <= 300; ++id) {
        const auto grow = [&](Writer& db) {
            Outcome outcome;
            outcome.error = std::string(static_cast<std::size_t>((id * 53) % 700), 'e');
            begin_sending(db, id);
            settle(db, id, outcome, support::at_second(10));
        };
        sync_wait(store_->write_outbox(grow));
    }
    PurgeOptions wish;
    wish.conversation = ConversationId{"purged"};
    EXPECT_EQ(sync_wait(purge(*store_, wish, {})).writes, 200);
    std::ifstream file(dir_ / "outbox.db", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find("xqzsecret"), std::string::npos);
}

// It selects by app, so that it names nobody; what it is sent over does.
TEST_F(SuppressionTest, OfWhatABulkUpdateIsSentOverLeavesNoByte)
{
    const auto send = [](Writer& db) {
        NewEntry entry;
        entry.kind = EditKind::bulk_update;
        entry.method = "POST", entry.path = "/x", entry.headers = "{}";
        entry.upstream_key = entry.request_hash = "h";
        entry.body = R"({"llmAppIds":["app"],"conversationInfo":{"assignee":"b"}})";
        const auto accepted = accept(db, entry);
        begin_sending(db, accepted.id, R"({"purged":{"assignee":"xqzsecret"}})");
    };
    sync_wait(store_->write_outbox(send));
    PurgeOptions wish;
    wish.conversation = ConversationId{"purged"};
    sync_wait(purge(*store_, wish, {}));
    EXPECT_TRUE(store_->read_outbox([](Reader& db) { return find_entry(db, 1).has_value(); })) << "others wait for it";
    std::ifstream file(dir_ / "outbox.db", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(bytes.find("xqzsecret"), std::string::npos);
}

} // namespace
} // namespace alli::cache
