// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/cursor.hpp"

#include "alli/error.hpp"
#include "alli/quick_hash.hpp"
#include "proxy/access/base64url.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

const std::string secret(32, 's');

cache::ListKey some_key()
{
    return {Instant{std::chrono::microseconds{1'700'000'000'123'456}},
            "Q29u,dmVy==", Instant{std::chrono::seconds{1'700'000'001}}};
}

cache::ListFilter of_users(std::vector<std::string> users)
{
    cache::ListFilter filter;
    filter.user_ids = std::move(users);
    return filter;
}

TEST(Cursor, BringsThePlaceBack)
{
    const cache::ListFilter filter = of_users({"u1", "u2"});
    const std::string cursor = write_cursor({some_key()}, filter, secret);
    EXPECT_TRUE(is_our_cursor(cursor));
    EXPECT_EQ(cursor.find_first_of("+/=&%? "), cursor.npos) << "it stands in a query as it is";
    const cache::ListKey key = read_cursor(cursor, filter, secret).key;
    EXPECT_EQ(key.when, some_key().when);
    EXPECT_EQ(key.bound, some_key().bound);
    EXPECT_EQ(key.id, some_key().id);
}

TEST(Cursor, BringsBackThatThereIsNoTime)
{
    const cache::ListKey bare{std::nullopt, "id", std::nullopt};
    const cache::ListKey key = read_cursor(write_cursor({bare}, {}, secret), {}, secret).key;
    EXPECT_EQ(key.when, std::nullopt);
    EXPECT_EQ(key.bound, std::nullopt);
}

TEST(Cursor, BringsBackTheWayOnUpstream)
{
    Cursor on{some_key(), "their:cursor,with=anything", true, true};
    on.key.chatless = cache::ChatlessPlace::nowhere;
    on.key.shown = {0, 1, ~std::uint64_t{0}};
    const Cursor back = read_cursor(write_cursor(on, {}, secret), {}, secret);
    EXPECT_EQ(back.upstream, on.upstream);
    EXPECT_TRUE(back.upstream_only && back.reversed);
    EXPECT_EQ(back.key.chatless, on.key.chatless);
    EXPECT_EQ(back.key.shown, on.key.shown);
    EXPECT_EQ(back.key.id, on.key.id);
}

TEST(Cursor, OfAnEarlierVersionIsStillTaken)
{
    const std::string cursor = write_cursor({some_key()}, {}, secret);
    const auto payload = from_base64url(cursor.substr(4, cursor.find('.', 4) - 4));
    const std::string mark = payload->substr(0, payload->find(','));
    const std::string earlier = mark + ",1700000000123456,-,Q29u,dmVy==";
    const Digest digest = seal(secret, earlier);
    const std::string sealed = to_base64url({reinterpret_cast<const char*>(digest.data()), 16});
    const Cursor back = read_cursor("am1." + to_base64url(earlier) + "." + sealed, {}, secret);
    EXPECT_EQ(back.key.when, some_key().when);
    EXPECT_EQ(back.key.id, some_key().id);
    EXPECT_FALSE(back.upstream);
    EXPECT_THROW(read_cursor("am2." + to_base64url(earlier) + "." + sealed, {}, secret), Error);
    EXPECT_THROW(read_cursor("am1." + cursor.substr(4), {}, secret), Error);
}

TEST(Cursor, IsTheSameForUsersInAnotherOrder)
{
    const std::string cursor = write_cursor({some_key()}, of_users({"a", "b"}), secret);
    EXPECT_NO_THROW(read_cursor(cursor, of_users({"b", "a", "b"}), secret));
}

TEST(Cursor, IsRefusedForAnotherList)
{
    const std::string cursor = write_cursor({some_key()}, {}, secret);
    std::vector<cache::ListFilter> others(7);
    others[0].user_ids = {"u"};
    others[1].app_id = "a";
    others[2].category_id = "c";
    others[3].started_at = Instant{};
    others[4].first_end_at = Instant{};
    others[5].active_only = true;
    others[6].order = cache::Order::created_asc;
    for (const auto& other : others) EXPECT_THROW(read_cursor(cursor, other, secret), Error);
}

TEST(Cursor, IsRefusedWhereverItWasAltered)
{
    const std::string cursor = write_cursor({some_key()}, {}, secret);
    for (std::size_t at = 0; at < cursor.size(); ++at) {
        std::string altered = cursor;
        altered[at] = altered[at] == 'A' ? 'B' : 'A';
        EXPECT_THROW(read_cursor(altered, {}, secret), Error) << at;
    }
    for (std::size_t size = 0; size < cursor.size(); ++size)
        EXPECT_THROW(read_cursor(cursor.substr(0, size), {}, secret), Error) << size;
    EXPECT_THROW(read_cursor(cursor + "A", {}, secret), Error);
    EXPECT_THROW(read_cursor(cursor, {}, std::string(32, 't')), Error);
}

TEST(Base64Url, HasOneSpellingAValue)
{
    EXPECT_EQ(to_base64url("\xff\xfe"), "__4");
    EXPECT_EQ(from_base64url("__4"), "\xff\xfe");
    EXPECT_EQ(from_base64url("__5"), std::nullopt);
    EXPECT_EQ(from_base64url("__4="), std::nullopt);
    EXPECT_EQ(from_base64url("_"), std::nullopt);
    EXPECT_EQ(from_base64url(""), "");
}

TEST(QuickHash, TellsNeighboursApart)
{
    const std::string text(1000, 'x');
    for (std::size_t at = 0; at < text.size(); ++at) {
        std::string other = text;
        other[at] = 'y';
        EXPECT_NE(quick_hash(text), quick_hash(other)) << at;
    }
    EXPECT_NE(quick_hash(text), quick_hash(text + '\0'));
}

} // namespace
} // namespace alli::proxy
