// SPDX-License-Identifier: Apache-2.0
// The texts of chats in segments and single rows, of this version and of older ones, read and written as one.
#include "cache/chats/chat_texts.hpp"

#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/chat_detail.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/db/migrate.hpp"
#include "cache/page_state.hpp"
#include "cache/rows/conversation_json.hpp"
#include "cache/search/index.hpp"
#include "cache/search/search.hpp"
#include "cache/upkeep/verify.hpp"
#include "tests/cache/fixture.hpp"

#include <filesystem>

namespace alli::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<ChatText> texts_of(Reader& db, std::int64_t conversation, std::int64_t from = 0, std::int64_t to = 1 << 24)
{
    std::vector<ChatText> texts;
    visit_texts(db, conversation, from, to, [&](const ChatTextView& text) {
        texts.push_back({text.ordinal, std::string(text.id), std::string(text.raw)});
    });
    return texts;
}

std::vector<std::string> findings_of(Store& store)
{
    std::vector<std::string> findings;
    for (const Finding& one : sync_wait(verify(store, VerifyOptions{})).findings)
        findings.push_back(one.where + ": " + one.what);
    return findings;
}

class ChatTexts : public CacheTest {
  protected:
    std::int64_t count(const std::string& table)
    {
        return store_->read([&](Reader& db) { return db.require<std::int64_t>("SELECT count(*) FROM " + table); });
    }

    /// Each chat reads the same by every way.
    void expect_held(const ConversationId& id, const std::vector<Chat>& chats)
    {
        store_->read([&](Reader& db) {
            const auto pk = find_pk(db, id).value();
            std::vector<ChatId> ids;
            std::string joined;
            for (std::size_t n = 0; n < chats.size(); ++n) {
                const auto ordinal = static_cast<std::int64_t>(n);
                ids.push_back(chats[n].id);
                joined += (n > 0 ? "," : "") + chats[n].raw;
                const auto at = find_text_at(db, chat_text_key(pk, ordinal));
                ASSERT_TRUE(at) << n;
                EXPECT_EQ(at->raw, chats[n].raw);
                EXPECT_EQ(find_text(db, pk, chats[n].id.value)->ordinal, ordinal);
                EXPECT_EQ(find_chat(db, id, chats[n].id)->raw, chats[n].raw);
            }
            std::string all;
            append_chats(db, pk, 0, 1 << 24, all);
            EXPECT_EQ(all, joined);
            EXPECT_EQ(chat_ids_from(db, id, 0), ids);
            EXPECT_EQ(find_held(db, id)->chats, std::ssize(chats));
            EXPECT_FALSE(find_text(db, pk, "none of them"));
            EXPECT_FALSE(find_text_at(db, chat_text_key(pk, std::ssize(chats))));
        });
        EXPECT_THAT(findings_of(*store_), IsEmpty());
    }
};

TEST_F(ChatTexts, StandTwentyToARow)
{
    put("a", 1000, 45);
    EXPECT_EQ(count("chat_segment"), 3);
    EXPECT_EQ(count("chat_text"), 0);
    put("b", 1000, 0);
    EXPECT_EQ(count("chat_segment"), 3);
    store_->read([](Reader& db) {
        const auto texts = texts_of(db, 1, 18, 42);
        ASSERT_EQ(texts.size(), 24U);
        for (std::int64_t n = 18; n < 42; ++n) {
            const ChatText& text = texts[static_cast<std::size_t>(n - 18)];
            EXPECT_EQ(text.ordinal, n);
            EXPECT_EQ(text.id, "a/" + std::to_string(n));
        }
        EXPECT_THAT(texts_of(db, 1, 45), IsEmpty());
        EXPECT_THAT(texts_of(db, 1, 7, 7), IsEmpty());
        EXPECT_THAT(texts_of(db, 1, -5, 0), IsEmpty());
        EXPECT_THAT(texts_of(db, 2), IsEmpty());
        EXPECT_EQ(texts_of(db, 1, -5, 1).size(), 1U);
    });
}

// Whatever comes, in whatever pieces: as a plain list of chats would be.
TEST_F(ChatTexts, AreThoseOfAPlainListWhateverIsWritten)
{
    constexpr std::uint64_t seed = 31;
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const ConversationId id{"a"};
    write([&](Writer& db) { put_conversation(db, support::make_conversation("a", 9000)); });
    std::vector<Chat> held;
    const auto make = [&](std::size_t n, int id_of) {
        std::size_t size = random.below(200);
        if (random.below(12) == 0) size = 65'000 + random.below(1000); // about as much as is packed
        return support::make_chat("a", id_of, 1000 + static_cast<std::int64_t>(n), std::string(size, 'x'));
    };
    for (int round = 0; round < 120; ++round) {
        const std::size_t first = random.below(held.size() + 1), size = random.below(30);
        if (random.below(5) == 0) {
            write([&](Writer& db) { cut_chats(db, id, static_cast<std::int64_t>(first)); });
            held.resize(first);
        } else {
            const int shift = random.below(4) == 0 ? 1000 * (round + 1) : 0; // others, in the place of those that stand
            std::vector<Chat> came;
            for (std::size_t n = first; n < first + size; ++n)
                came.push_back(n < held.size() && shift == 0 && random.below(2) == 0
                                   ? held[n]
                                   : make(n, static_cast<int>(n) + shift));
            for (std::size_t n = 0; n < came.size(); ++n) {
                if (first + n < held.size() && held[first + n].id != came[n].id) held.resize(first + n);
                if (first + n < held.size())
                    held[first + n] = came[n];
                else
                    held.push_back(came[n]);
            }
            write([&](Writer& db) { put_chats(db, id, static_cast<std::int64_t>(first), came); });
        }
        if (round % 10 == 9) expect_held(id, held);
    }
}

TEST_F(ChatTexts, TooLargeForASegmentStandBesideIt)
{
    std::vector<Chat> chats;
    for (int n = 0; n < 25; ++n)
        chats.push_back(
            support::make_chat("a", n, 1000 + n, std::string(n == 0 || n == 7 || n == 24 ? 70'000 : 10, 'x')));
    write([&](Writer& db) {
        put_conversation(db, support::make_conversation("a", 2000));
        put_chats(db, {"a"}, 0, chats);
    });
    EXPECT_EQ(count("chat_text"), 3);
    expect_held({"a"}, chats);
    chats[7] = support::make_chat("a", 7, 1007, "small now");
    chats[8] = support::make_chat("a", 8, 1008, std::string(80'000, 'y'));
    write([&](Writer& db) { put_chats(db, {"a"}, 0, chats); });
    EXPECT_EQ(count("chat_text"), 3);
    expect_held({"a"}, chats);
    write([&](Writer& db) { cut_chats(db, {"a"}, 1); });
    chats.resize(1);
    expect_held({"a"}, chats);
    EXPECT_EQ(count("chat_text"), 1);
    EXPECT_EQ(count("chat_segment"), 0);
    write([&](Writer& db) { erase_conversation(db, {"a"}); });
    EXPECT_EQ(count("chat_text") + count("chat_text_id") + count("chat_row"), 0);
}

TEST_F(ChatTexts, OfADamagedSegmentAreNeverServed)
{
    put("a", 1000, 30);
    write([](Writer& db) {
        db.run("UPDATE chat_segment SET body = CAST(substr(body, 1, 20) || x'00' || substr(body, 22) AS BLOB)"
               " WHERE place & 0xffffff = 20");
    });
    EXPECT_THAT(findings_of(*store_), ElementsAre("rows: 1 conversations have messages that cannot be unpacked"));
    EXPECT_TRUE(store_->read([](Reader& db) { return find_text_at(db, chat_text_key(1, 19)); }));
    EXPECT_THROW(store_->read([](Reader& db) { return find_chat_page(db, {"a"}, 1); }), Error);
    reopen();
    EXPECT_THAT(store_->damage(), ElementsAre(testing::HasSubstr("a segment of chats cannot be unpacked")));
}

/// A mirror as the version before segments left it.
class OldTexts : public ChatTexts {
  protected:
    static constexpr int conversations = 60;

    OldTexts()
    {
        store_.reset();
        std::filesystem::remove(dir_ / "mirror.db");
        Writer old(dir_ / "mirror.db");
        const auto packs = [](std::string_view step) { return step.find("chat_segment") != step.npos; };
        const auto end = std::find_if(mirror_schema.steps.begin(), mirror_schema.steps.end(), packs);
        for (auto step = mirror_schema.steps.begin(); step != end; ++step) old.script(*step);
        old.script(fmt::format("PRAGMA user_version = {}", end - mirror_schema.steps.begin()));
        in_transaction(old, [&] {
            for (int c = 1; c <= conversations; ++c) fill(old, c);
        });
        store_ = std::make_unique<Store>(options());
        const auto extend = [](Writer& db) { return extend_index(db); };
        while (sync_wait(store_->write(extend))) {
        }
    }

    static std::vector<Chat> chats_of(int c)
    {
        std::vector<Chat> chats;
        for (int n = 0; n < c; ++n)
            chats.push_back(support::make_chat("c" + std::to_string(c), n, 1000 + c * 100 + n,
                                               "old " + std::to_string(n) + std::string(n == 3 ? 70'000 : 0, 'x')));
        return chats;
    }

    static void fill(Writer& old, int c)
    {
        const auto made = support::make_conversation("c" + std::to_string(c), 1000 + c * 100 + c);
        const auto chats = chats_of(c);
        old.run("INSERT INTO conversation (pk, id, raw, chats_at, user_name, memo, is_end, held, last_chat_at)"
                " VALUES (?1, ?2, ?3, ?4, '', '', 0, ?5, ?6)",
                c, made.id.value, made.raw, static_cast<std::int64_t>(made.chats_at.value()), std::ssize(chats),
                made.last_chat_at);
        for (int n = 0; n < c; ++n) {
            const Chat& chat = chats[static_cast<std::size_t>(n)];
            old.run("INSERT INTO chat_row (pk, conversation, ordinal, id, sender, sent_at, completed)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 2)",
                    1000 + c * 100 + n, c, n, chat.id.value, chat.sender, chat.sent_at);
            old.run("INSERT INTO chat_text (place, raw) VALUES (?1, ?2)", chat_text_key(c, n), chat.raw);
            if (n == 2) old.run("INSERT INTO chat_detail (chat, of, raw) VALUES (?1, 1, '{}')", 1000 + c * 100 + n);
        }
        old.run("UPDATE totals SET conversations = conversations + 1, chats = chats + ?1", c);
        old.row_changes().clear();
        old.run("INSERT OR REPLACE INTO word_index (kind, version, bound) VALUES ('chat', -1, NULL)");
    }

    bool pack()
    {
        const auto step = [](Writer& db) { return pack_texts(db); };
        return sync_wait(store_->write(step));
    }

    std::int64_t hits(const std::string& text)
    {
        SearchQuery query;
        query.text = text;
        return store_->read([&](Reader& db) { return search(db, query); }).total;
    }
};

TEST_F(OldTexts, AreReadBeforeWhileAndAfterTheyArePacked)
{
    const auto all = [&] {
        for (const int c : {1, 2, 19, 20, 21, 59, 60}) expect_held({"c" + std::to_string(c)}, chats_of(c));
    };
    EXPECT_EQ(count("chat_segment"), 0);
    all();
    int steps = 0;
    while (pack()) {
        if (++steps % 4 == 1) all();
        if (steps % 5 == 2) reopen(); // it goes on where it was
    }
    EXPECT_GT(steps, 3);
    all();
    EXPECT_EQ(count("chat_text"), conversations - 3) << "the large ones";
    EXPECT_FALSE(pack());
    EXPECT_EQ(hits("old"), conversations * (conversations + 1) / 2);
    EXPECT_EQ(count("chat_detail"), conversations - 2);
}

TEST_F(OldTexts, ArePackedByAWriteThatComesBefore)
{
    auto chats = chats_of(45);
    chats[30] = support::make_chat("c45", 30, 5530, "edited");
    chats.push_back(support::make_chat("c45", 45, 5545, "appended"));
    write([&](Writer& db) { put_chats(db, {"c45"}, 30, std::span(chats).subspan(30)); });
    expect_held({"c45"}, chats);
    EXPECT_EQ(count("chat_segment"), 2) << "those that it touched";
    write([&](Writer& db) { cut_chats(db, {"c60"}, 25); });
    auto rest = chats_of(60);
    rest.resize(25);
    expect_held({"c60"}, rest);
    write([&](Writer& db) { erase_conversation(db, {"c59"}); });
    while (pack()) {
    }
    expect_held({"c45"}, chats);
    expect_held({"c60"}, rest);
    EXPECT_EQ(hits("appended"), 1);
    EXPECT_EQ(hits("edited"), 1);
}

} // namespace
} // namespace alli::cache
