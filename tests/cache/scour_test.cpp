// SPDX-License-Identifier: Apache-2.0
// Removed text leaves the file: what was indexed of it is looked for in the file's very bytes.
#include "cache/search/index.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"

#include <fstream>
#include <iterator>

namespace alli::cache {
namespace {

// Terms share their beginnings with their neighbours in the index, so the ends are looked for.
constexpr std::string_view said = "xqzvanishing", titled = "xqzheadline", noted = "xqzremark", hangul = "뷁쀍";

class Scour : public CacheTest {
  protected:
    void put_secret()
    {
        const nlohmann::json more{{"title", titled}, {"memo", noted}};
        const Conversation made = support::make_conversation("secret", 5000, more);
        const std::vector<Chat> chats{support::make_chat("secret", 0, 5000, fmt::format("{} {}", said, hangul))};
        write([&](Writer& db) {
            put_conversation(db, made);
            put_chats(db, made.id, 0, chats);
        });
    }

    void erase(const std::string& id)
    {
        write([&](Writer& db) { EXPECT_TRUE(erase_conversation(db, ConversationId{id})); });
    }

    bool step()
    {
        bool more = false;
        write([&](Writer& db) { more = merge_deleted_terms(db); });
        return more;
    }

    void scour()
    {
        while (step()) {
        }
    }

    /// Closes the store, which checkpoints and truncates the log, and looks into what is on disk.
    std::vector<std::string_view> left_in_the_file()
    {
        store_.reset();
        std::string bytes;
        for (const char* name : {"mirror.db", "mirror.db-wal"}) {
            std::ifstream file(dir_ / name, std::ios::binary);
            bytes.append(std::istreambuf_iterator<char>(file), {});
        }
        store_ = std::make_unique<Store>(options());
        std::vector<std::string_view> left;
        for (const std::string_view term : {said, titled, noted, hangul})
            if (bytes.find(term.substr(3)) != std::string::npos) left.push_back(term);
        return left;
    }
};

TEST_F(Scour, LeavesNoTermOfARemovedConversation)
{
    for (int n = 0; n < 50; ++n) put("before" + std::to_string(n), 1000 + n * 10, 10);
    put_secret();
    for (int n = 0; n < 50; ++n) put("after" + std::to_string(n), 6000 + n * 10, 10);
    scour(); // nothing of it is removed yet
    EXPECT_THAT(left_in_the_file(), testing::UnorderedElementsAre(said, titled, noted, hangul));
    erase("secret");
    EXPECT_THAT(left_in_the_file(), testing::Not(testing::IsEmpty())) << "the index kept them; else nothing is proved";
    scour();
    EXPECT_THAT(left_in_the_file(), testing::IsEmpty());
    SearchQuery query;
    query.text = "chat";
    EXPECT_EQ(store_->read([&](Reader& db) { return search(db, query); }).total, 1000);
}

TEST_F(Scour, GoesOnAfterARestartAndRestsWhereNothingWasRemoved)
{
    for (int n = 0; n < 200; ++n) put("c" + std::to_string(n), 1000 + n * 10, 10);
    put_secret();
    scour();
    EXPECT_FALSE(step()) << "nothing was removed since";
    erase("secret");
    EXPECT_TRUE(step());
    erase("c7"); // while it is under way
    reopen();
    scour();
    EXPECT_THAT(left_in_the_file(), testing::IsEmpty());
    EXPECT_TRUE(step()) << "what was removed meanwhile waits for the next time";
}

} // namespace
} // namespace alli::cache
