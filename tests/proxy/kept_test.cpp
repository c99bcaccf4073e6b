// SPDX-License-Identifier: Apache-2.0
// Answers that are kept until a commit changes what they tell, beside a server that keeps none: byte for byte the
// same, whatever is written in between. ALLI_SEED repeats a run.
#include "alli/random.hpp"
#include "cache/chat_detail.hpp"
#include "cache/deletions.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/purge_rows.hpp"
#include "tests/proxy/fixture.hpp"

#include <cstdlib>

namespace alli::proxy {
namespace {

using cache::EditKind;
using nlohmann::json;

constexpr int conversations = 10, most_chats = 5;
constexpr std::int64_t youngest = 1000; // last chat times are below
constexpr std::string_view root = "/webapi/v2/conversations";

constexpr auto targets = std::to_array<std::string_view>(
    {"/{}", "/{}/chats", "/{}/chats?pageNo=2", "/{}/chats/{}%2F0", "/{}/chats/{}%2F1", "/{}/chats/{}%2F0", "/{}",
     "/{}/chats", "", "?order=LAST_CHAT_TIME_ASC", "?order=CREATED_AT_DESC&pageSize=3", "?userIds=u1&pageSize=5",
     "?startedAt=300&endAt=700", "?startedAt=900", "?startedAt=2000", "?endAt=400&activeOnly=true",
     "?searchTerm=about%20c1", "?categoryId=k1", "/daily_count?startDate=1970-01-01&endDate=1970-01-03"});

class KeptAnswers : public ProxyTest {
  protected:
    KeptAnswers()
    {
        const char* given = std::getenv("ALLI_SEED");
        seed_ = given ? std::strtoull(given, nullptr, 10) : SystemRandom().next() % 1'000'000;
        random_ = SeededRandom(seed_);
    }

    void serve()
    {
        upstream_.away = true;
        Options options;
        options.loops = 1;
        start(options);
        keeping_ = std::move(server_);
        keeping_host_ = host_;
        options.limits.answer_bytes = 0;
        start(options);
    }

    std::int64_t any(std::int64_t below) { return static_cast<std::int64_t>(random_.below(std::uint64_t(below))); }
    std::string some_id() { return "c" + std::to_string(any(conversations)); }
    std::string word() { return "w" + std::to_string(any(1'000'000)); }
    // Some are so long that what holds them is kept in a file.
    std::string text() { return word() + std::string(any(8) == 0 ? 70'000 : 0, 'x'); }

    std::string some_target()
    {
        std::string target(targets[static_cast<std::size_t>(any(std::ssize(targets)))]);
        const std::string id = some_id();
        for (auto at = target.find("{}"); at != target.npos; at = target.find("{}")) target.replace(at, 2, id);
        return std::string(root) + target;
    }

    ::support::HttpReply ask(const std::string& host, const std::string& target)
    {
        std::uint16_t port = 0;
        const auto colon = host.rfind(':') + 1;
        std::from_chars(host.data() + colon, host.data() + host.size(), port);
        return ::support::http(port, "GET", target, {{"Host", host}, {"API-KEY", "the-key"}});
    }

    void compare(const std::string& target)
    {
        const auto kept = ask(keeping_host_, target), fresh = ask(host_, target), again = ask(keeping_host_, target);
        ASSERT_EQ(again.body, kept.body) << target;
        ASSERT_EQ(kept.status, fresh.status) << target << '\n' << kept.body << '\n' << fresh.body;
        ASSERT_EQ(kept.body, fresh.body) << target;
        for (const char* name : {"Age", "Cache-Status", "ETag"})
            ASSERT_EQ(kept.header(name), fresh.header(name)) << name << " of " << target;
        if (kept.status == 200) ++answered_;
    }

    void write_something(cache::Writer& db);
    void put_some(cache::Writer& db);
    void edit_some(cache::Writer& db);
    void pass_over(cache::Writer& db);
    void put_detail(cache::Writer& db);

    std::uint64_t seed_ = 0;
    SeededRandom random_{0};
    std::unique_ptr<Server> keeping_;
    std::string keeping_host_;
    int answered_ = 0;
    std::int64_t entries_ = 0;
};

void KeptAnswers::put_some(cache::Writer& db)
{
    const std::string id = some_id();
    const std::int64_t last = any(3) == 0 ? any(youngest) : 100 * (1 + id.back() - '0') - 50;
    json more{{"title", any(2) == 0 ? "about " + id : word()}, {"isEnd", any(2) == 0}};
    more["user"] = {{"id", "u" + std::to_string(any(3))}, {"name", "somebody"}};
    more["categories"] = {"k" + std::to_string(any(2))};
    const Conversation conversation = support::make_conversation(id, last, more);
    if (any(4) > 0) cache::put_conversation(db, conversation);
    const auto held = cache::find_held(db, conversation.id);
    if (!held || any(2) == 0) return;
    const std::int64_t first = any(held->chats + 1);
    std::vector<Chat> chats;
    for (std::int64_t n = first; n < most_chats && any(3) > 0; ++n)
        chats.push_back(
            support::make_chat(id, static_cast<int>(n), last + n, any(2) == 0 ? "as it was" : "now " + text()));
    cache::put_chats(db, conversation.id, first, chats);
}

void KeptAnswers::edit_some(cache::Writer& db)
{
    cache::Entry entry;
    const std::int64_t what = any(6);
    if (what == 0) return cache::drop_edit(db, 1 + any(entries_ + 1));
    if (what == 1) return cache::forget_confirmed(db, Clock::Steady{std::chrono::seconds(entries_ - 2)});
    entry.id = entry.place = ++entries_;
    entry.conversation = ConversationId{some_id()};
    entry.kind = what == 2 ? EditKind::remove : what == 3 ? EditKind::feedback : EditKind::title;
    if (what == 3) {
        entry.chat = ChatId{entry.conversation->value + "/" + std::to_string(any(2))};
        entry.body = any(2) == 0 ? R"({"suggestedAnswer":"fine"})" : R"({"suggestedAnswer":")" + word() + R"("})";
    } else if (what > 3) {
        entry.body = json{{"title", word()}}.dump();
    }
    cache::show_edit(db, entry);
    if (any(2) == 0) cache::confirm_edit(db, entry, {}, Clock::Steady{std::chrono::seconds(entries_)});
}

// The engine's own: what it verified, what is complete and what is not any more.
void KeptAnswers::pass_over(cache::Writer& db)
{
    cache::Progress progress = cache::load_progress(db);
    progress.verified_at = clock_.now() - std::chrono::seconds(any(5));
    if (any(8) == 0) progress.list_embeds = static_cast<int>(any(4));
    if (any(12) == 0) progress.chatless_at.reset();
    if (any(4) == 0) progress.chatless_at = progress.verified_at;
    const std::int64_t from = any(3) == 0 ? any(1500) : 0, through = from + any(1600);
    const cache::Span span{from == 0 ? cache::beginning_of_time : support::at_second(from),
                           support::at_second(through)};
    if (any(6) == 0)
        cache::uncover(db, span);
    else
        cache::cover(db, {span.from, span.through, *progress.verified_at}, std::chrono::seconds(any(4)));
    cache::save_progress(db, progress);
}

void KeptAnswers::put_detail(cache::Writer& db)
{
    const ConversationId id{some_id()};
    const ChatId chat{id.value + "/" + std::to_string(any(2))};
    const auto found = cache::find_chat(db, id, chat);
    if (!found) return;
    const std::string raw = any(3) == 0 ? found->raw : json{{"id", chat.value}, {"steps", {word()}}}.dump();
    cache::put_chat_detail(db, id, chat, found->of, raw);
}

void KeptAnswers::write_something(cache::Writer& db)
{
    const ConversationId id{some_id()};
    const std::int64_t what = any(16);
    if (what < 6) put_some(db);
    if (what == 6) cache::cut_chats(db, id, any(most_chats));
    if (what == 7) cache::mark_deleted(db, id, clock_.now());
    if (what == 8) cache::erase_all_of(db, id);
    if (what == 9 || what == 10) edit_some(db);
    if (what == 11 || what == 12) put_detail(db);
    if (what > 12) pass_over(db);
}

TEST_F(KeptAnswers, AreWhatAServerThatKeepsNothingAnswers)
{
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed_));
    cover(0, youngest);
    serve();
    for (int round = 0; round < 1200 && !HasFatalFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        ++clock_.seconds;
        write([&](cache::Writer& db) {
            for (std::int64_t n = any(3); n >= 0; --n) write_something(db);
        });
        for (int n = 0; n < 8 && !HasFatalFailure(); ++n) compare(some_target());
    }
    EXPECT_GT(answered_, 1000) << "most of it went past what is kept";
}

// What one loop keeps is seen by how little is asked of the mirror: a commit elsewhere leaves it good.
TEST_F(KeptAnswers, OfAConversationStayGoodWhileOthersChange)
{
    put("a", 600, 2);
    put("b", 700, 2);
    const auto pk_of = [&](const char* id) {
        return store_.read([&](cache::Reader& db) { return *cache::find_pk(db, ConversationId{id}); });
    };
    const auto a = pk_of("a"), b = pk_of("b");
    const std::uint64_t before = store_.commits(), lists = store_.latest().of_lists();
    put("b", 710, 3);
    EXPECT_LE(store_.latest().of(a), before);
    EXPECT_GT(store_.latest().of(b), before);
    EXPECT_GT(store_.latest().of_lists(), lists);
}

TEST_F(KeptAnswers, OfListsStayGoodWhileThePollsFindNothingNew)
{
    put("a", 600, 2);
    cover(0, 1000);
    const std::uint64_t before = store_.commits();
    cover(0, 1010);
    put("a", 600, 2);
    EXPECT_GT(store_.commits(), before);
    EXPECT_LE(store_.latest().of_lists(), before);
    write([](cache::Writer& db) { cache::uncover(db, {support::at_second(20), support::at_second(30)}); });
    EXPECT_GT(store_.latest().of_lists(), before);
}

// What upstream tells of the chat alone lacks the write, though the row had its value before.
TEST_F(KeptAnswers, OfAChatGoWithAWriteThatChangesNoRow)
{
    put("a", 600, 1);
    json chat = support::chat_json("a", 0, 600, "hello");
    chat["suggestedAnswer"] = "fine";
    const auto detail = [&] {
        json more = chat;
        more["steps"] = {"looked it up"};
        return more.dump();
    };
    const ConversationId id{"a"};
    const ChatId chat_id{"a/0"};
    write([&](cache::Writer& db) {
        TimeUnit unit = TimeUnit::seconds;
        const std::vector<Chat> chats{read_chat(chat.dump(), unit)};
        cache::put_chats(db, id, 0, chats);
        cache::put_chat_detail(db, id, chat_id, cache::find_chat(db, id, chat_id)->of, detail());
    });
    serve();
    const std::string target = std::string(root) + "/a/chats/a%2F0";
    ASSERT_EQ(ask(keeping_host_, target).body, detail());
    cache::Entry entry;
    entry.id = entry.place = 1;
    entry.conversation = id;
    entry.chat = chat_id;
    entry.kind = EditKind::feedback;
    entry.body = R"({"suggestedAnswer":"fine"})";
    write([&](cache::Writer& db) { cache::show_edit(db, entry); });
    EXPECT_EQ(ask(keeping_host_, target).body, chat.dump());
}

TEST_F(KeptAnswers, AreOutOfDateOnceMoreChangedThanIsCounted)
{
    put("a", 600, 2);
    const auto pk = store_.read([](cache::Reader& db) { return *cache::find_pk(db, ConversationId{"a"}); });
    const std::uint64_t before = store_.commits();
    write([](cache::Writer& db) {
        for (std::int64_t n = 1; n <= 1001; ++n) db.change_set().conversation(1'000'000 + n);
    });
    EXPECT_GT(store_.latest().of(pk), before);
}

} // namespace
} // namespace alli::proxy
