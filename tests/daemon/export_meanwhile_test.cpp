// SPDX-License-Identifier: Apache-2.0
// `export` while its output stands still and the mirror changes: each conversation whole and once, and no log held.
#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/db/log_bound.hpp"
#include "cache/export/seen_ids.hpp"
#include "cache/store.hpp"
#include "daemon/output/spool.hpp"
#include "tests/daemon/home.hpp"
#include "tests/support/make.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <map>
#include <sstream>

namespace alli::daemon {
namespace {

using cache::SeenIds;

constexpr int conversations = 30, chats = 120;

class ExportMeanwhile : public testing::Test {
  protected:
    ExportMeanwhile()
    {
        home_.environment["ALLI_MIRROR_MIRROR_PATH"] = path_;
        cache::StoreOptions options;
        options.mirror_path = path_;
        options.url = "http://127.0.0.1:1";
        options.threads = false;
        options.log.bytes = 4 * 1024 * 1024;
        options.log.pause = options.log.wait = std::chrono::milliseconds(0);
        store_ = std::make_unique<cache::Store>(options);
        for (int n = 0; n < conversations; ++n) put("c" + std::to_string(n), "before");
    }

    template <class F>
    void write(F work)
    {
        sync_wait(store_->write(std::move(work)));
    }
    void put(const std::string& id, const std::string& version)
    {
        std::vector<Chat> made;
        for (int n = 0; n < chats; ++n)
            made.push_back(support::make_chat(id, n, 1000 + n, version + ' ' + std::string(150, 'x')));
        write([&](cache::Writer& db) {
            nlohmann::json more;
            more["title"] = version;
            cache::put_conversation(db, support::make_conversation(id, 1000 + chats, more));
            cache::put_chats(db, {id}, 0, made);
        });
    }
    void erase(const std::string& id)
    {
        write([&](cache::Writer& db) { cache::erase_conversation(db, {id}); });
    }

    // Grows, changes, goes and comes back under another key.
    void change_all()
    {
        for (int n = 0; n < conversations; ++n) {
            const std::string id = "c" + std::to_string(n);
            if (n % 3 == 0) erase(id);
            put(id, "after");
            EXPECT_TRUE(cache::find_long_logs().empty());
        }
        erase("c5");
        put("new", "after");
    }

    Home home_;
    std::string path_ = home_.path("mirror.db");
    std::unique_ptr<cache::Store> store_;
};

TEST_F(ExportMeanwhile, WritesEachConversationWholeAndOnce)
{
    ::support::Process run(Home::words({"export"}), home_.environment);
    run.wait_for_line("conversation");
    change_all();
    ASSERT_EQ(run.wait(), 0) << run.errors();
    std::map<std::string, std::string> found;
    std::istringstream lines(run.output());
    for (std::string line; std::getline(lines, line);) {
        const auto json = nlohmann::json::parse(line);
        const std::string id = json["conversation"]["id"], version = json["conversation"]["title"];
        EXPECT_TRUE(found.emplace(id, version).second) << id << " is there twice";
        ASSERT_EQ(json["chats"].size(), static_cast<std::size_t>(chats)) << id;
        for (const auto& chat : json["chats"])
            ASSERT_TRUE(chat["message"].get<std::string>().starts_with(version + ' ')) << id << " is of two times";
    }
    found.emplace("c5", ""); // which was deleted for good: it may be there or not
    for (int n = 0; n < conversations; ++n) EXPECT_TRUE(found.contains("c" + std::to_string(n))) << n;
    EXPECT_EQ(found["c29"], "after") << "else nothing changed while it ran";
}

TEST(Spool, GivesBackWhatItTook)
{
    for (const std::size_t in_memory : {1U, 1000U, 10'000'000U}) {
        Spool spool(in_memory);
        std::string put, got;
        for (int round = 0; round < 2; ++round) {
            for (int n = 0; n < 30'000; ++n) {
                const std::string one = std::to_string(n) + ' ';
                spool.write(one);
                put += one;
            }
            spool.pour([&](std::string_view text) { got += text; });
            EXPECT_EQ(got, put);
        }
        spool.pour([&](std::string_view text) { EXPECT_EQ(text, ""); });
    }
}

TEST(SeenIds, KnowThemAllHoweverMany)
{
    SeenIds seen;
    for (int n = 0; n < 9000; ++n) {
        const std::string id = "c" + std::to_string(n);
        ASSERT_FALSE(seen.contains(id));
        seen.insert(id);
        ASSERT_TRUE(seen.contains(id));
        ASSERT_TRUE(seen.contains("c" + std::to_string(n / 2)));
    }
}

} // namespace
} // namespace alli::daemon
