// SPDX-License-Identifier: Apache-2.0
// Random mirrors of several apps and users, and every read endpoint with random parameters: a token that is narrowed to
// a part gets what it would get of a mirror that holds that part alone, byte for byte, and nothing of the others
// anywhere. ALLI_SEED repeats a run.
#include "cache/deletions.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/categories.hpp"
#include "proxy/access/base64url.hpp"
#include "tests/proxy/asked_mirror.hpp"
#include "tests/support/draws.hpp"

#include <set>

namespace alli::proxy {
namespace {

using nlohmann::json;

constexpr std::string_view root = "/webapi/v2/conversations";
constexpr auto filters = std::to_array<std::string_view>(
    {"", "", "", "&userIds=u0", "&userIds=u1", "&userIds=u1&userIds=u0", "&llmAppId=a1", "&llmAppId=a0",
     "&llmAppId=a0&llmAppId=a1", "&categoryId=k1", "&activeOnly=true", "&searchTerm=about", "&searchTerm=t00",
     "&userIds=u0&activeOnly=true&categoryId=k0", "&firstChatStartedAt=300", "&llmAppId=none", "&unknown=1",
     "&categoryId=k9", "&variables=v"});
constexpr auto windows = std::to_array<std::string_view>(
    {"", "", "", "&startedAt=500", "&endAt=600", "&startedAt=250&endAt=760", "&endAt=120"});
constexpr auto orders = std::to_array<std::string_view>(
    {"", "&order=LAST_CHAT_TIME_DESC", "&order=LAST_CHAT_TIME_ASC", "&order=CREATED_AT_DESC", "&order=CREATED_AT_ASC"});
constexpr auto queries = std::to_array<std::string_view>({"hotel",
                                                          "hotel%20OR%20beach",
                                                          "beach%20-hotel",
                                                          "-hotel",
                                                          "about",
                                                          "%22hotel%20beach%22",
                                                          "hot*",
                                                          "user:Ann%20hotel",
                                                          "user:u1%20hotel",
                                                          "app:a1%20hotel",
                                                          "app:a0%20app:a1%20beach",
                                                          "user:u0",
                                                          "app:a1",
                                                          "category:k1%20hotel",
                                                          "a",
                                                          "sender:BOT%20beach",
                                                          "after:1970-01-01%20hotel",
                                                          "Bob",
                                                          "",
                                                          "hotel%20hotel%20-user:u0"});
constexpr auto options = std::to_array<std::string_view>(
    {"", "", "&sort=relevance", "&context=2", "&group=conversation", "&group=conversation&sort=relevance"});
constexpr auto directives = std::to_array<std::string_view>(
    {"", "", "", "max-age=5", "no-cache", "only-if-cached", "max-stale", "no-store", "min-fresh=3"});

struct Row {
    std::string token;                // in everything that is of this conversation alone
    std::int64_t first = 0, last = 0; // seconds of its chats; 0: none
    std::string user, app, category;
    bool ended = false;
    std::vector<std::string> texts;

    std::string id() const { return "c-" + token; }
    json more() const
    {
        json made{{"title", "about " + token + " hotel"}, {"isEnd", ended}, {"memo", "memo of " + token}};
        made["user"] = {{"userId", user}, {"firstName", user == "u0" ? "Ann" : "Bob"}, {"lastName", token}};
        made["llmApp"] = {{"id", app}, {"name", "app " + app}};
        made["categories"] = {category};
        made["chatCount"] = texts.size();
        made["createdAt"] = first == 0 ? 1000 + token.back() : first;
        return made;
    }
};

class NarrowedMirrors : public testing::Test, protected ::support::Draws {
  protected:
    bool is_seen(const Row& row) const
    {
        return (part_.app.empty() || part_.app == row.app) && (part_.user.empty() || part_.user == row.user);
    }

    Row make_row(int number)
    {
        constexpr auto words = std::to_array<std::string_view>({"hotel", "beach", "hotel beach", "train", "a"});
        Row row;
        row.token = fmt::format("t{:04}x", number);
        row.user = "u" + std::to_string(any(3));
        row.app = "a" + std::to_string(any(2));
        row.category = "k" + std::to_string(any(2));
        row.ended = any(2) == 0;
        const std::int64_t chats = any(6) == 0 ? 0 : 1 + any(6);
        for (std::int64_t n = 0; n < chats; ++n) row.texts.push_back(one_of(words) + ' ' + row.token);
        if (chats == 0) return row;
        row.last = 10 + 20 * number + any(10); // no second twice: keys of chats are seconds
        row.first = row.last - chats + 1;
        return row;
    }

    static void put(AskedMirror& mirror, const Row& row) { mirror.put(row.id(), row.last, row.texts, row.more()); }

    // One mirror of all, and one of what the part is.
    void fill()
    {
        all_ = std::make_unique<AskedMirror>();
        own_ = std::make_unique<AskedMirror>();
        const std::int64_t from = any(4) == 0 ? 400 : 0;
        for (AskedMirror* mirror : {all_.get(), own_.get()}) {
            mirror->write([](cache::Writer& db) {
                const std::vector<Category> known{{"k0", "first"}, {"k1", "second"}};
                cache::put_category_list(db, R"({"categories":[]})", known, support::at_second(1990));
            });
            mirror->upstream().state.reachable = true;
        }
        for (const Row& row : rows_) {
            put(*all_, row);
            if (is_seen(row)) put(*own_, row);
        }
        for (const Row& row : rows_) {
            if (any(3) != 0) continue;
            queue(*all_, row);
            if (is_seen(row)) queue(*own_, row);
        }
        for (AskedMirror* mirror : {all_.get(), own_.get()}) mirror->cover(from);
    }

    static void queue(AskedMirror& mirror, const Row& row)
    {
        const std::string target = std::string(root) + '/' + row.id() + "/title";
        const auto reply = mirror.ask({}, "PUT", target, {{"Content-Type", "application/json"}},
                                      R"({"title":"by )" + row.token + "\"}");
        ASSERT_EQ(reply.status, 202) << reply.body;
    }

    std::string some_id()
    {
        if (any(12) == 0) return "c-unknown";
        return rows_[static_cast<std::size_t>(any(std::ssize(rows_)))].id();
    }

    std::string some_target()
    {
        switch (any(9)) {
        case 0:
        case 1:
            return fmt::format("{}?pageSize={}{}{}{}", root, 1 + any(9), one_of(filters), one_of(windows),
                               one_of(orders));
        case 2:
            return fmt::format("{}/{}{}", root, some_id(), any(4) == 0 ? "?variables=v" : "");
        case 3:
            return fmt::format("{}/{}/chats?pageNo={}", root, some_id(), 1 + any(2));
        case 4: {
            const std::string id = some_id();
            return fmt::format("{}/{}/chats/{}%2F{}", root, id, any(3) == 0 ? some_id() : id, any(7));
        }
        case 5:
            return fmt::format("{}/daily_count?startDate=1970-01-01&endDate=1970-01-0{}", root, 1 + any(3));
        case 6:
            return "/mirror/v1/outbox" + std::string(any(2) == 0 ? "?limit=3" : "?state=pending");
        default:
            return fmt::format("/mirror/v1/search?limit={}&q={}{}", 2 + any(9), one_of(queries), one_of(options));
        }
    }

    // What differs for other reasons: numbers of writes, and the seal of a cursor.
    static std::string comparable(const AskedMirror::Reply& reply, std::string_view target)
    {
        std::string text = std::to_string(reply.status) + ' ' + reply.body;
        if (target.starts_with("/mirror/v1/outbox") && reply.status == 200) {
            text.clear();
            const json answer = reply.json();
            for (const json& entry : answer["entries"]) text += entry["conversationId"].get<std::string>() + ' ';
            return text;
        }
        for (const Header& header : reply.headers)
            if (header.name == "Cache-Status" || header.name == "Age") text += '\n' + header.name + header.value;
        if (const auto at = text.find("am2."); at != text.npos) {
            const auto dot = text.find('.', at + 4), end = text.find('"', at);
            text.replace(at, end - at, from_base64url(text.substr(at + 4, dot - at - 4)).value_or("no cursor"));
        }
        return text;
    }

    void expect_nothing_of_others(const std::string& bytes) const
    {
        for (const Row& row : rows_) {
            const bool told = !is_seen(row) && bytes.find(row.token) != bytes.npos;
            ASSERT_FALSE(told) << row.token << " is another's, in " << bytes;
        }
    }

    static std::string next_of(const AskedMirror::Reply& reply)
    {
        if (reply.status != 200) return {};
        const json body = reply.json();
        for (const char* name : {"cursor", "next"})
            if (body.is_object() && body.contains(name) && body[name].is_string()) return body[name];
        return {};
    }

    // Page by page, each mirror by its own cursors.
    void compare(const std::string& target)
    {
        const std::string wish = one_of(directives);
        SCOPED_TRACE(target + "  " + wish);
        ::support::Headers headers;
        if (!wish.empty()) headers.emplace_back("Cache-Control", wish);
        std::string cursor, own_cursor;
        for (int page = 0; page < 100; ++page) {
            const auto with = [&](const std::string& at) { return at.empty() ? target : target + "&cursor=" + at; };
            const auto reply = all_->ask(part_, with(cursor), headers);
            const auto own = own_->ask(part_, with(own_cursor), headers);
            if (target.find("unknown") == target.npos) expect_nothing_of_others(reply.bytes());
            ASSERT_EQ(comparable(reply, target), comparable(own, target));
            ++statuses_[reply.status];
            compare_with_whole(target, reply, own_cursor, headers);
            cursor = next_of(reply), own_cursor = next_of(own);
            if (cursor.empty() || HasFatalFailure()) return;
        }
        FAIL() << "it does not end";
    }

    // What nobody narrowed gets of that other mirror, where it is answered from there.
    void compare_with_whole(const std::string& target, const AskedMirror::Reply& reply, const std::string& cursor,
                            const ::support::Headers& headers)
    {
        if (!cursor.empty() || reply.status != 200 || target.find("relevance") != target.npos) return;
        const auto whole = own_->ask({}, target, headers);
        const bool forwarded = whole.header("Cache-Status").find("fwd") != std::string_view::npos;
        if (forwarded || whole.status != 200) return; // filters that contradict the part match nothing, covered or not
        json expected = whole.json(), got = reply.json();
        for (json* body : {&expected, &got})
            for (const char* name : {"cursor", "next", "unknownFilters"})
                body->erase(name); // who sees all is told of names
        if (target.starts_with("/mirror/v1/outbox")) return;
        ASSERT_EQ(got, expected);
        ++compared_;
    }

    void read_feed()
    {
        std::set<std::string> told;
        for (std::int64_t since = 0, pages = 0;; ++pages) {
            ASSERT_LT(pages, 1000);
            const auto reply =
                all_->ask(part_, fmt::format("/mirror/v1/changes?since={}&limit={}", since, 1 + any(20)));
            ASSERT_EQ(reply.status, 200) << reply.body;
            expect_nothing_of_others(reply.bytes());
            const json page = reply.json();
            for (const json& change : page["changes"]) {
                told.insert(change["conversationId"].get<std::string>());
                since = change["seq"];
            }
            ASSERT_EQ(page["next"], since) << "no number of another's change";
            if (page["changes"].empty()) break;
        }
        std::set<std::string> seen;
        for (const Row& row : rows_)
            if (is_seen(row)) seen.insert(row.id());
        EXPECT_EQ(told, seen);
        const auto stream = all_->ask(part_, "/mirror/v1/changes", {{"Accept", "text/event-stream"}});
        expect_nothing_of_others(stream.bytes());
        for (const std::string& id : seen) EXPECT_NE(stream.body.find('"' + id + '"'), std::string::npos);
    }

    void check(int reads)
    {
        for (int n = 0; n < reads && !HasFatalFailure(); ++n) compare(some_target());
        if (!HasFatalFailure()) read_feed();
    }

    // Upstream says that some are others' now, and the mirror of the part is made anew.
    void move_some()
    {
        for (Row& row : rows_)
            if (any(3) == 0) {
                row.user = "u" + std::to_string(any(2));
                row.app = "a" + std::to_string(any(2));
            }
    }

    Part part_;
    std::vector<Row> rows_;
    std::unique_ptr<AskedMirror> all_, own_;
    std::map<int, int> statuses_;
    int compared_ = 0;
};

TEST_F(NarrowedMirrors, AnswerAsOnesThatHoldNothingElse)
{
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed_));
    constexpr auto parts = std::to_array<std::pair<const char*, const char*>>(
        {{"a0", ""}, {"", "u0"}, {"a0", "u0"}, {"a1", ""}, {"nobody's", ""}});
    for (const auto& [app, user] : parts) {
        part_ = {app, user};
        SCOPED_TRACE(fmt::format("part app={} user={}", app, user));
        rows_.clear();
        for (int n = 0; n < 30; ++n) rows_.push_back(make_row(n));
        fill();
        check(45);
        if (HasFatalFailure()) break;
    }
    EXPECT_GT(statuses_[200], 100);
    EXPECT_GT(statuses_[404], 10);
    EXPECT_GT(statuses_[504], 10);
    EXPECT_GT(compared_, 50) << "with what a whole principal gets";
}

TEST_F(NarrowedMirrors, ShowWhatTheRowsSayNow)
{
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed_));
    part_ = {"a0", "u0"};
    for (int n = 0; n < 25; ++n) rows_.push_back(make_row(n));
    fill();
    for (int round = 0; round < 3 && !HasFatalFailure(); ++round) {
        move_some();
        for (const Row& row : rows_) put(*all_, row);
        const auto list = all_->ask(part_, std::string(root) + "?pageSize=50");
        expect_nothing_of_others(list.bytes());
        std::size_t seen = 0;
        for (const Row& row : rows_) {
            const auto reply = all_->ask(part_, std::string(root) + '/' + row.id());
            EXPECT_EQ(reply.status, is_seen(row) ? 200 : 404) << row.id();
            seen += is_seen(row);
        }
        ASSERT_TRUE(list.status == 504 || list.json()["conversations"].size() == seen) << list.body;
        read_feed();
    }
}

} // namespace
} // namespace alli::proxy
