// SPDX-License-Identifier: Apache-2.0
// Facts in the rows of chats: what the search by time and the step from files of older versions make of them.
#include "cache/chats/packed_facts.hpp"

#include "alli/random.hpp"
#include "cache/db/migrate.hpp"
#include "cache/search/index.hpp"
#include "cache/search/search.hpp"
#include "cache/text/facts.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/support/oddities.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::cache {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST(PackedFacts, AreUnpackedToWhatWasPacked)
{
    const std::array<std::optional<bool>, 3> ratings{std::nullopt, false, true};
    for (const auto& rating : ratings)
        for (const auto& agent_rating : ratings)
            for (unsigned bits = 0; bits < 8; ++bits)
                for (const std::int64_t length : {0, 1, 127, 128, 100'000}) {
                    const ChatFacts facts{rating,          agent_rating,    (bits & 1) != 0,
                                          (bits & 2) != 0, (bits & 4) != 0, length};
                    const std::int64_t packed = pack_facts("BOT", facts);
                    EXPECT_EQ(rating_in(packed), rating);
                    EXPECT_EQ(agent_rating_in(packed), agent_rating);
                    EXPECT_EQ((packed & fact::feedback) != 0, facts.feedback);
                    EXPECT_EQ((packed & fact::citations) != 0, facts.citations);
                    EXPECT_EQ((packed & fact::steps) != 0, facts.steps);
                    EXPECT_EQ(length_in(packed), length);
                    EXPECT_EQ(packed & fact::answer, fact::answer);
                    EXPECT_EQ(pack_facts("user", facts), packed - fact::answer);
                }
}

// The parsed and the scanned way must agree, or a chat's facts would depend on what else its JSON holds: 1e400 is
// nothing that a parser takes.
TEST(ChatContent, IsTheSameWhetherTheChatIsParsedOrScanned)
{
    for (const support::Oddity& oddity : support::odd_values())
        for (const char* name : {"rating", "agentRating", "feedbackSelection", "suggestedAnswer", "citations",
                                 "intermediateSteps", "message", "x"}) {
            const std::string members = fmt::format(R"("message":"안녕","{}":{})", name, oddity.value);
            const ChatContent plain = content_of_chat('{' + members + '}');
            const ChatContent scanned = content_of_chat("{\"z\":1e400," + members + '}');
            if (std::string_view(name) == "message") continue; // which of two counts is not said
            EXPECT_EQ(plain.words, scanned.words) << members;
            EXPECT_EQ(pack_facts("", plain.facts), pack_facts("", scanned.facts)) << members;
        }
    for (const char* value : {"true", "false", "null", "0", "\"\"", "\"a\"", "[]", "[1]", "{}", "{\"a\":1}"})
        for (const char* name : {"rating", "feedbackSelection", "citations", "intermediateSteps"}) {
            const std::string members = fmt::format("\"message\":\"**bold** [a](b)\",\"{}\":{}", name, value);
            EXPECT_EQ(pack_facts("", content_of_chat('{' + members + '}').facts),
                      pack_facts("", content_of_chat("{\"z\":1e400," + members + '}').facts))
                << members;
        }
}

class TimeFilters : public CacheTest {
  protected:
    void put_at(const std::string& id, const std::vector<std::int64_t>& seconds)
    {
        std::vector<Chat> chats;
        for (const std::int64_t second : seconds)
            chats.push_back(support::make_chat(id, static_cast<int>(chats.size()), second, "word"));
        const Conversation conversation = support::make_conversation(id, seconds.back());
        write([&](Writer& db) {
            put_conversation(db, conversation);
            put_chats(db, conversation.id, 0, chats);
        });
    }

    std::vector<std::string> found(std::optional<std::int64_t> after, std::optional<std::int64_t> before)
    {
        SearchQuery query;
        query.text = "word";
        if (after) query.after = support::at_second(*after);
        if (before) query.before = support::at_second(*before);
        std::vector<std::string> ids;
        for (const SearchHit& hit : store_->read([&](Reader& db) { return search(db, query); }).hits)
            ids.push_back(hit.chat_id.value());
        return ids;
    }
};

TEST_F(TimeFilters, FindAChatWhoseTimeMovedFarEitherWay)
{
    constexpr std::int64_t day = 86'400;
    put_at("a", {10 * day, 10 * day + 5});
    put_at("b", {20 * day});
    EXPECT_THAT(found(15 * day, {}), ElementsAre("b/0"));
    put_at("a", {10 * day, 30 * day}); // later than its neighbours
    EXPECT_THAT(found(15 * day, {}), UnorderedElementsAre("a/1", "b/0"));
    EXPECT_THAT(found(25 * day, {}), ElementsAre("a/1"));
    EXPECT_THAT(found({}, 15 * day), ElementsAre("a/0"));
    put_at("b", {5 * day}); // earlier
    EXPECT_THAT(found({}, 6 * day), ElementsAre("b/0"));
    EXPECT_THAT(found(15 * day, {}), ElementsAre("a/1"));
    EXPECT_THAT(found(6 * day, 29 * day), ElementsAre("a/0"));
    EXPECT_THAT(found(31 * day, {}), IsEmpty());
    reopen();
    EXPECT_THAT(found(25 * day, {}), ElementsAre("a/1"));
}

TEST_F(TimeFilters, FindChatsThatGotATimeLater)
{
    std::vector<Chat> chats{support::make_chat("a", 0, 5, "word")};
    chats[0].sent_at.reset();
    write([&](Writer& db) {
        put_conversation(db, support::make_conversation("a", 5));
        put_chats(db, {"a"}, 0, chats);
    });
    EXPECT_THAT(found(1, {}), IsEmpty());
    put_at("a", {900'000'000});
    EXPECT_THAT(found(800'000'000, {}), ElementsAre("a/0"));
}

TEST_F(TimeFilters, AgreeWithALookAtEachChatWhateverMoves)
{
    constexpr std::uint64_t seed = 31;
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    std::map<std::string, std::int64_t> times;
    for (int round = 0; round < 60; ++round) {
        const std::string id(1, static_cast<char>('a' + random.below(8)));
        const auto at = static_cast<std::int64_t>(100'000 + random.below(9) * 20'000 + random.below(3));
        put_at(id, {at});
        times[id + "/0"] = at;
        const auto after = static_cast<std::int64_t>(90'000 + random.below(200'000));
        const std::int64_t before = after + static_cast<std::int64_t>(random.below(100'000));
        std::vector<std::string> later, between;
        for (const auto& [chat, when] : times) {
            if (when > after) later.push_back(chat);
            if (when > after && when < before) between.push_back(chat);
        }
        EXPECT_THAT(found(after, {}), testing::UnorderedElementsAreArray(later)) << round;
        EXPECT_THAT(found(after, before), testing::UnorderedElementsAreArray(between)) << round;
    }
}

/// A mirror as the version with a table of facts left it.
class OldFacts : public CacheTest {
  protected:
    static constexpr int chats = 30;

    OldFacts()
    {
        store_.reset();
        std::filesystem::remove(dir_ / "mirror.db");
        Writer old(dir_ / "mirror.db");
        const auto is_slim = [](std::string_view step) { return step.find("sender_code") != step.npos; };
        const auto end = std::find_if(mirror_schema.steps.begin(), mirror_schema.steps.end(), is_slim);
        for (auto step = mirror_schema.steps.begin(); step != end; ++step) old.script(*step);
        old.script(fmt::format("PRAGMA user_version = {}", end - mirror_schema.steps.begin()));
        in_transaction(old, [&] { fill(old); });
    }

    static json chat_of(int n)
    {
        json chat = support::chat_json("c", n, 5000 + n, std::string(static_cast<std::size_t>(n) * 9, 'x'));
        if (n % 4 == 1) chat["rating"] = n % 8 == 1;
        if (n % 5 == 3) chat["agentRating"] = n % 2 == 0;
        if (n % 6 == 1) chat["citations"] = {{{"title", "t"}}};
        if (n % 7 == 3) chat["feedbackSelection"] = {"WRONG"};
        if (n % 9 == 3) chat["intermediateSteps"] = {1};
        if (n == 7) chat["sender"] = "AGENT";
        if (n == 9) chat["sender"] = "0";
        return chat;
    }

    // The facts of the newer half are there; the others were still to be added.
    static void fill(Writer& old)
    {
        const Conversation made = support::make_conversation("c", 5000 + chats - 1);
        old.run("INSERT INTO conversation (pk, id, raw, chats_at, user_name, memo, is_end, held, last_chat_at)"
                " VALUES (1, ?1, ?2, ?3, '', '', 0, ?4, ?5)",
                made.id.value, made.raw, static_cast<std::int64_t>(made.chats_at.value()), chats, made.last_chat_at);
        for (int n = 0; n < chats; ++n) {
            TimeUnit unit = TimeUnit::seconds;
            const Chat chat = read_chat(chat_of(n).dump(), unit);
            const std::int64_t place = (std::int64_t{1} << 24) + n, pk = 5000 + n;
            old.run("INSERT INTO chat_row (place, pk, sender, sent_at, completed) VALUES (?1, ?2, ?3, ?4, ?5)", place,
                    pk, chat.sender, n == 2 ? std::nullopt : chat.sent_at, n % 3);
            old.run("INSERT INTO chat_text (place, raw) VALUES (?1, ?2)", place, chat.raw);
            old.run("INSERT INTO chat_text_id (place, id) VALUES (?1, ?2)", place, chat.id.value);
            const ChatFacts facts = facts_of_chat(chat.raw);
            if (n >= chats / 2)
                old.run("INSERT INTO chat_fact VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", pk, chat.sent_at,
                        answers(chat.sender), facts.rating, facts.agent_rating, facts.feedback, facts.citations,
                        facts.steps, facts.length);
        }
        old.run("INSERT INTO chat_detail (chat, of, raw) VALUES (5003, 1, '{\"intermediateSteps\":[1]}'),"
                " (5020, 1, '{}')");
        old.run("INSERT INTO fact_bound VALUES ('chat', ?1)", 5000 + chats / 2);
        old.run("UPDATE totals SET conversations = 1, chats = ?1", chats);
        old.row_changes().clear();
    }

    static std::int64_t expected(int n)
    {
        const json chat = chat_of(n);
        return pack_facts(chat["sender"].get<std::string>(), facts_of_chat(chat.dump())) | (n == 3 ? fact::steps : 0);
    }

    void expect_rows(int known_from)
    {
        store_->read([&](Reader& db) {
            int n = 0;
            for (const Row row :
                 db.query("SELECT sender, sent_at, completed, facts, pk FROM chat_row ORDER BY place")) {
                EXPECT_EQ(row.text(0), chat_of(n)["sender"].get<std::string>());
                EXPECT_EQ(row.optional_instant(1), n == 2 ? std::nullopt : std::optional(support::at_second(5000 + n)));
                EXPECT_EQ(row.integer(2), n % 3);
                EXPECT_EQ(row.optional_integer(3), n >= known_from ? std::optional(expected(n)) : std::nullopt) << n;
                EXPECT_EQ(row.integer(4), 5000 + n++);
            }
            EXPECT_EQ(n, chats);
            EXPECT_EQ(db.require<int>("SELECT count(*) FROM chat_detail"), 2);
            EXPECT_EQ(db.require<int>("SELECT chats FROM totals"), chats);
            EXPECT_FALSE(db.exists("SELECT 1 FROM pragma_foreign_key_check"));
        });
    }
};

TEST_F(OldFacts, MoveIntoTheRowsAndTheOthersFollow)
{
    store_ = std::make_unique<Store>(options());
    expect_rows(chats / 2);
    const auto extend = [](Writer& db) { return extend_index(db); };
    while (sync_wait(store_->write(extend))) {
    }
    expect_rows(0);
    write([](Writer& db) { erase_conversation(db, {"c"}); });
    store_->read([](Reader& db) {
        EXPECT_EQ(db.require<int>("SELECT count(*) FROM chat_row"), 0);
        EXPECT_EQ(db.require<int>("SELECT count(*) FROM chat_detail"), 0);
    });
}

} // namespace
} // namespace alli::cache
