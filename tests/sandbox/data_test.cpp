// SPDX-License-Identifier: Apache-2.0
#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/wire.hpp"
#include "tests/sandbox/visitor.hpp"

#include <zlib.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

namespace alli::sandbox {
namespace {

constexpr std::string_view two_dialogues =
    R"({"lang":"en","source":"s","key":"1","turns":[{"sender":"USER","text":"Is the museum open?","rating":true},{"sender":"BOT","text":"Until six.","rating":true}]}
{"lang":"ja","source":"s","key":"2","turns":[{"sender":"USER","text":"美術館は開いていますか"},{"sender":"BOT","text":"六時までです","rating":false}]})";

// A file of this test alone, gone with it.
class File {
  public:
    explicit File(const std::string& name)
        : path_(testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + name)
    {}
    ~File() { std::filesystem::remove(path_); }

    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

Options at_noon(Options options)
{
    options.clock = [] { return *from_rfc3339("2026-03-01T12:00:00Z"); };
    return options;
}

TEST(Data, IsDecidedByTheSeed)
{
    Visitor one{at_noon({.seed = 7})}, same{at_noon({.seed = 7})}, other{at_noon({.seed = 8})};
    EXPECT_EQ(one.send("GET", list_path).body, same.send("GET", list_path).body);
    EXPECT_EQ(one.sandbox.chat_total(), same.sandbox.chat_total());
    EXPECT_NE(one.sandbox.conversation_ids(), other.sandbox.conversation_ids());
}

TEST(Data, ReadsAsTheContractSays)
{
    for (const TimeStyle style : {TimeStyle::seconds, TimeStyle::milliseconds, TimeStyle::milliseconds_fraction}) {
        Visitor visitor{{.time_style = style}};
        TimeUnit unit = TimeUnit::unknown;
        const auto page = read_conversation_page(visitor.send("GET", list_path).body, unit);
        EXPECT_EQ(page.conversations.size(), 50u);
        EXPECT_EQ(unit, style == TimeStyle::seconds ? TimeUnit::seconds : TimeUnit::milliseconds);
        for (const auto& conversation : page.conversations)
            EXPECT_EQ(conversation.last_chat_at, conversation.chats.back().sent_at);
    }
}

TEST(Data, WritesTimesInItsStyle)
{
    for (const TimeStyle style : {TimeStyle::seconds, TimeStyle::milliseconds, TimeStyle::milliseconds_fraction}) {
        Visitor visitor{{.time_style = style}};
        std::size_t fractions = 0;
        std::set<double> times;
        for (const Json& item : visitor.walk("endAt=4e12")) {
            const double at = item.at("lastChatTime").get<double>();
            fractions += at != std::floor(at) ? 1u : 0u;
            times.insert(at);
            EXPECT_EQ(at > 1e11, style != TimeStyle::seconds);
        }
        EXPECT_EQ(fractions > 100, style == TimeStyle::milliseconds_fraction);
        if (style == TimeStyle::seconds)
            EXPECT_LT(times.size(), 198u); // some share theirs
        else
            EXPECT_EQ(times.size(), 198u);
    }
}

TEST(Data, BeginsBeforeItsFirstChatAndEndsAboutNow)
{
    Visitor visitor{at_noon({.time_style = TimeStyle::milliseconds})};
    const double now = 1772366400000.0, day = 86'400'000.0;
    double newest = 0, oldest = now;
    for (const Json& item : visitor.walk("")) {
        if (item.at("lastChatTime").is_null()) continue;
        const Json first = visitor.get(path_of(item.at("id").get<std::string>(), "/chats")).at("chats").at(0);
        EXPECT_LE(item.at("createdAt"), first.at("timestamp"));
        newest = std::max(newest, item.at("lastChatTime").get<double>());
        oldest = std::min(oldest, item.at("lastChatTime").get<double>());
    }
    EXPECT_LT(newest, now);
    EXPECT_GT(newest, now - 10 * day);
    EXPECT_GT(oldest, now - 401 * day);
    EXPECT_LT(oldest, now - 200 * day);
}

TEST(Data, HasTheVarietyOfTheRealOne)
{
    Visitor visitor;
    std::string all;
    std::set<std::string> users, senders;
    std::size_t untitled = 0, anonymous = 0, draft_js = 0;
    for (const Json& item : visitor.walk("")) {
        all += item.dump();
        untitled += item.at("title").is_null() ? 1u : 0u;
        anonymous += item.at("user").is_null() || item.at("user").at("userId").is_null() ? 1u : 0u;
        if (item.at("user").is_object()) users.insert(item.at("user").dump());
        for (const Json& chat : item.at("chats")) {
            senders.insert(chat.at("sender"));
            const Json rich = Json::parse(chat.at("message").get<std::string>(), nullptr, false);
            draft_js += rich.is_object() && rich.contains("blocks") ? 1u : 0u;
        }
    }
    for (const char* text :
         {"여행", "温泉", "hotel", "**", "knowledgeBaseId", "\"completed\":true", "\"metadata\"", "\"rating\":false"})
        EXPECT_NE(all.find(text), std::string::npos) << text;
    EXPECT_EQ(senders, (std::set<std::string>{"USER", "BOT", "AGENT"}));
    EXPECT_GT(users.size(), 40u);
    EXPECT_GT(untitled, 5u);
    EXPECT_GT(anonymous, 3u);
    EXPECT_GT(draft_js, 50u);
}

TEST(Corpus, IsTakenPlainOrCompressedSeveralTimesOver)
{
    const File plain{"a.jsonl"}, compressed{"b.jsonl.gz"};
    std::ofstream{plain.path()} << two_dialogues;
    const gzFile file = gzopen(compressed.path().c_str(), "wb");
    gzwrite(file, two_dialogues.data(), static_cast<unsigned>(two_dialogues.size()));
    gzclose(file);

    for (const std::string& path : {plain.path(), compressed.path()}) {
        Visitor once{{.corpus = path}}, often{{.conversations = 7, .corpus = path}};
        EXPECT_EQ(once.sandbox.conversation_ids().size(), 2u);
        EXPECT_EQ(once.sandbox.chat_total(), 4);
        EXPECT_EQ(often.sandbox.chat_total(), 14);
        const auto ids = often.sandbox.conversation_ids();
        EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 7u);
        EXPECT_EQ(often.walk("searchTerm=museum").size(), 4u);
        EXPECT_EQ(once.walk("searchTerm=museum").front().at("chats").at(1).at("rating"), true);
    }
}

TEST(Corpus, MaySayHowOldADialogueIs)
{
    const File file{".jsonl"};
    std::ofstream{file.path()} << R"({"age":259200,"turns":[{"sender":"USER","text":"three days"}]})";
    const std::int64_t before = SystemClock().now().time_since_epoch().count();
    Visitor visitor{{.corpus = file.path(), .time_style = TimeStyle::milliseconds}};
    const std::int64_t after = SystemClock().now().time_since_epoch().count(), ago = std::int64_t{259'200'000};
    const std::int64_t last = visitor.walk("").front().at("lastChatTime");
    EXPECT_GE(last, before / 1000 - ago);
    EXPECT_LE(last, after / 1000 - ago);
}

TEST(Corpus, ThatCannotBeReadIsSaidSo)
{
    const File broken{".jsonl"};
    std::ofstream{broken.path()} << two_dialogues << "\n{\"lang\":\"en\"}\n";
    const auto message = [](const std::string& path) -> std::string {
        try {
            Sandbox sandbox{{.corpus = path}};
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings);
            return error.what();
        }
        return "";
    };
    EXPECT_NE(message(broken.path()).find("line 3"), std::string::npos);
    EXPECT_NE(message("/nowhere/at/all.jsonl").find("cannot be opened"), std::string::npos);
    EXPECT_NE(message(testing::TempDir()).find("cannot be"), std::string::npos);
}

} // namespace
} // namespace alli::sandbox
