// SPDX-License-Identifier: Apache-2.0
// How conversations without a chat are found, wherever upstream puts them, for how many requests, and what is learned
// of their place.
#include "cache/rows/chatless.hpp"
#include "sync/tasks/sightings.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

using cache::ChatlessPlace;
using std::chrono::hours;
using Chatless = Model::Chatless;

constexpr std::int64_t day = 86'400;

class ChatlessScanTest : public EngineTest {
  protected:
    ChatlessScanTest()
    {
        clock_.set_now(support::at_second(now));
        model_.now = now;
        model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
            model_.now = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
            if (!request.target.starts_with("/count") || !counts_) return std::nullopt;
            return count_days(request.target);
        };
    }

    static std::int64_t day_in(const std::string& target, const std::string& name)
    {
        const auto at = target.find(name + "=");
        const auto when = from_rfc3339(target.substr(at + name.size() + 1, 10) + "T00:00:00Z");
        return when->time_since_epoch() / std::chrono::days(1);
    }

    /// A page of fifty a day, the newest an hour old.
    void fill_pages(int pages)
    {
        for (int n = 0; n < pages * 50; ++n) {
            const std::int64_t last = now - 3'600 - n * (day / 50);
            model_.add("c" + std::to_string(n), last, 1);
            model_.conversations.at("c" + std::to_string(n)).created = last - 100;
        }
        pages_ = static_cast<std::size_t>(pages);
    }

    void add_chatless(const std::string& id, std::int64_t created)
    {
        model_.add(id, 0, 0);
        model_.conversations.at(id).created = created;
    }

    upstream::Reply count_days(const std::string& target)
    {
        const auto from = day_in(target, "startDate"), through = day_in(target, "endDate");
        if (through - from >= longest_range_) return {400, {}, R"({"error":"the range is too long"})"};
        std::map<std::int64_t, int> counts;
        for (const auto& [id, entry] : model_.conversations) ++counts[(entry.created + shift_) / day];
        json body;
        body["counts"] = json::array();
        for (const auto& [number, count] : counts) {
            if (number < from || number > through) continue;
            json one;
            one["date"] = to_rfc3339(support::at_second(number * day)).substr(0, 10);
            one["count"] = count;
            body["counts"].push_back(one);
        }
        upstream::Reply made;
        made.status = 200;
        made.body = body.dump();
        return made;
    }

    /// With a mirror of its own, which must not outlive `fresh`.
    void begin_anew(const support::TempDir& fresh)
    {
        store_.reset();
        store_ = std::make_unique<cache::Store>(cache::StoreOptions{fresh / "mirror.db", "http://model", false});
    }

    cache::ChatlessPlaces places()
    {
        return store_->read([](cache::Reader& db) { return cache::load_chatless_places(db); });
    }

    /// Another scan, when it is due.
    void pass_later()
    {
        clock_.advance(hours(24));
        model_.targets.clear();
        pass();
    }

    void expect_whole()
    {
        expect_mirror_equals_model();
        EXPECT_TRUE(complete());
        EXPECT_TRUE(problems().empty());
    }

    // Pages overlap by one conversation; beside them the first page, one poll, the other end and the oldest.
    std::size_t least_and_a_few() const { return pages_ + pages_ / 49 + 5; }

    static constexpr std::int64_t now = 1'700'000'000;
    bool counts_ = false;
    std::int64_t longest_range_ = 100'000; // of days that are counted at once
    std::int64_t shift_ = 0;               // of their days
    std::size_t pages_ = 0;
};

TEST_F(ChatlessScanTest, ReadsThemFromTheEndAtWhichTheyStand)
{
    fill_pages(40);
    for (int n = 0; n < 5; ++n) add_chatless("none" + std::to_string(n), now - n * 7 * day - 500);
    for (const Chatless chatless : {Chatless::oldest, Chatless::newest}) {
        SCOPED_TRACE(static_cast<int>(chatless));
        support::TempDir fresh;
        begin_anew(fresh);
        model_.chatless = chatless;
        model_.targets.clear();
        pass();
        expect_whole();
        EXPECT_LE(model_.lists(), least_and_a_few());
        const bool oldest = chatless == Chatless::oldest;
        EXPECT_EQ(places().oldest_first, oldest ? ChatlessPlace::first : ChatlessPlace::unknown);
        EXPECT_EQ(places().newest_first, oldest ? ChatlessPlace::unknown : ChatlessPlace::first);

        add_chatless("later", now);
        model_.conversations.erase("none0");
        pass_later();
        expect_whole();
        EXPECT_LE(model_.lists(), 3U);
        model_.conversations.erase("later");
        add_chatless("none0", now - 500);
        store_.reset();
    }
}

TEST_F(ChatlessScanTest, ReadsThousandsOfThemInFrontOnceAndTheRestAfterThem)
{
    fill_pages(4);
    for (int n = 0; n < 500; ++n) add_chatless("none" + std::to_string(n), now - n * 700);
    model_.chatless = Chatless::newest;
    pass();
    expect_whole();
    EXPECT_LE(model_.lists(), 10U + least_and_a_few() + 1U);
}

TEST_F(ChatlessScanTest, FindsNoneAtAllByTheSumOfTheDailyCounts)
{
    fill_pages(40);
    counts_ = true;
    for (const std::int64_t shift : {std::int64_t{0}, 9 * 3'600L}) {
        SCOPED_TRACE(shift);
        support::TempDir fresh;
        begin_anew(fresh);
        shift_ = shift;
        model_.targets.clear();
        pass();
        expect_whole();
        EXPECT_LE(model_.lists(), least_and_a_few());
        store_.reset();
    }
}

TEST_F(ChatlessScanTest, AsksForTheCountsInPiecesWhereUpstreamRefusesALongRange)
{
    fill_pages(40);
    counts_ = true;
    for (const auto& [longest, requests] : {std::pair{3'700, 4}, std::pair{366, 27}}) {
        SCOPED_TRACE(longest);
        support::TempDir fresh;
        begin_anew(fresh);
        longest_range_ = longest;
        model_.targets.clear();
        pass();
        expect_whole();
        EXPECT_LE(model_.lists(), least_and_a_few());
        EXPECT_LE(std::count_if(model_.targets.begin(), model_.targets.end(),
                                [](const std::string& target) { return target.starts_with("/count"); }),
                  requests + 2);
        store_.reset();
    }
}

TEST_F(ChatlessScanTest, KnowsFromTheFirstPageThatTheListDoesNotBeginWithThem)
{
    fill_pages(10);
    add_chatless("none", now - 2 * day);
    for (const Chatless chatless : {Chatless::behind, Chatless::newest}) {
        SCOPED_TRACE(static_cast<int>(chatless));
        support::TempDir fresh;
        begin_anew(fresh);
        model_.chatless = chatless;
        int lists = 0;
        model_.before = [&](const upstream::Request&) -> std::optional<upstream::Reply> {
            if (++lists < 4) return std::nullopt;
            return upstream::Reply{503, {}, ""};
        };
        run_until([&](Engine&) { return lists > 6; }, 1'000);
        EXPECT_EQ(places().front_clear, chatless == Chatless::behind);
        store_.reset();
    }
}

// Whether days are counted with those that have no chat, nobody has seen yet.
TEST_F(ChatlessScanTest, BelievesTheCountsOnceAndThenReadsTheWholeListOnceAMonth)
{
    fill_pages(10);
    counts_ = true;
    pass();
    ASSERT_TRUE(complete());
    pass_later();
    EXPECT_GE(model_.lists(), pages_);
    for (int days = 0; days < 3; ++days) {
        pass_later();
        EXPECT_LT(model_.lists(), pages_) << days;
    }
}

TEST_F(ChatlessScanTest, ReadsByCreationDownToTheOldestDayOfWhichTheCountsMissSome)
{
    fill_pages(40);
    counts_ = true;
    add_chatless("yesterday", now - day);
    add_chatless("today", now - 50);
    pass();
    expect_whole();
    EXPECT_LE(model_.lists(), least_and_a_few() + 3U);
}

TEST_F(ChatlessScanTest, ReadsTheWholeListWhereNothingElseTells)
{
    fill_pages(10);
    for (int n = 0; n < 5; ++n) add_chatless("none" + std::to_string(n), now - n * 2 * day - 500);
    for (const bool refuses : {false, true}) {
        support::TempDir fresh;
        begin_anew(fresh);
        model_.refuses_orders = refuses;
        pass();
        expect_whole();
        EXPECT_EQ(places(), (cache::ChatlessPlaces{ChatlessPlace::last, ChatlessPlace::unknown, true}));
        store_.reset();
    }
}

// The newest one has no chat yet, and by creation others come further down.
TEST_F(ChatlessScanTest, DoesNotTakeAnOrderByCreationForAnEnd)
{
    fill_pages(10);
    model_.chatless = Chatless::by_creation;
    add_chatless("newest", now - 10);
    add_chatless("further", now - 3 * day);
    add_chatless("oldest", now - 11 * day);
    pass();
    expect_whole();
    EXPECT_EQ(places().newest_first, ChatlessPlace::unknown);
    EXPECT_EQ(places().oldest_first, ChatlessPlace::unknown);
}

TEST_F(ChatlessScanTest, LearnsThatAListLeavesThemOut)
{
    fill_pages(10);
    counts_ = true;
    for (int n = 0; n < 3; ++n) add_chatless("none" + std::to_string(n), now - 8 * day - n * 500);
    model_.chatless = Chatless::nowhere;
    pass();
    expect_whole();
    pass_later();
    expect_whole();
    EXPECT_EQ(places().newest_first, ChatlessPlace::nowhere);
    pass_later();
    EXPECT_LE(model_.lists(), 7U); // those created since, the other end, a poll
}

// The counts of that day are the same as before.
TEST_F(ChatlessScanTest, FindsOneThatCameWhileAnotherIsGoneUnseen)
{
    fill_pages(10);
    counts_ = true;
    add_chatless("seen", now - 5 * day);
    pass();
    pass_later();
    ASSERT_TRUE(complete());
    const std::int64_t young = model_.now + 3'600;
    model_.conversations["c0"].created = young; // counted on the day on which the other comes, held as it was
    ASSERT_TRUE(holds("c0"));
    model_.conversations.erase("c0");
    add_chatless("came", young);
    pass_later();
    EXPECT_TRUE(holds("came"));
}

TEST_F(ChatlessScanTest, SaysSoWhenTheyStandElsewhereThanBefore)
{
    fill_pages(5);
    for (int n = 0; n < 3; ++n) add_chatless("none" + std::to_string(n), now - n * day - 500);
    model_.chatless = Chatless::newest;
    pass();
    ASSERT_EQ(places().newest_first, ChatlessPlace::first);
    for (const Chatless elsewhere : {Chatless::behind, Chatless::newest}) {
        model_.chatless = elsewhere;
        pass_later();
        EXPECT_NE(places().newest_first, elsewhere == Chatless::newest ? ChatlessPlace::last : ChatlessPlace::first);
        ASSERT_EQ(problems().size(), 1U);
        EXPECT_THAT(problems()[0].what, testing::HasSubstr("in another place than before"));
    }
    EXPECT_THAT(problems()[0].what, testing::HasSubstr("2 times"));
    EXPECT_EQ(places().newest_first, ChatlessPlace::first);
    pass_later();
    EXPECT_TRUE(problems().empty()) << "it was seen there again";
    expect_whole();
}

// In the commit of the very first page: nobody may take a page for decided in the order that was not seen yet.
TEST_F(ChatlessScanTest, KeepsThePlaceWithTheFirstPage)
{
    fill_pages(5);
    for (int n = 0; n < 60; ++n) add_chatless("none" + std::to_string(n), now - n * 3'600 - 5'000);
    for (const int in_front : {60, 1}) {
        support::TempDir fresh;
        begin_anew(fresh);
        while (std::count_if(model_.conversations.begin(), model_.conversations.end(),
                             [](const auto& it) { return it.second.last == 0; }) > in_front)
            model_.conversations.erase(std::prev(model_.conversations.end()));
        model_.chatless = Chatless::newest;
        bool covered_first = false;
        on_commit_ = [&] {
            const bool covered = !store_->read([](cache::Reader& db) { return cache::load_coverage(db); }).empty();
            covered_first = covered_first || (covered && places().newest_first != ChatlessPlace::first);
        };
        pass();
        on_commit_ = nullptr;
        EXPECT_FALSE(covered_first) << in_front;
        store_.reset();
    }
}

// --- what a list shows -----------------------------------------------------------------------------------------------

Conversation told(std::int64_t last)
{
    Conversation made;
    made.last_chat_at = support::at_second(last);
    return made;
}

Conversation chatless(std::int64_t created)
{
    Conversation made;
    made.created_at = support::at_second(created);
    return made;
}

struct Shown {
    std::vector<Conversation> list;
    bool newest_first;
    std::optional<ChatlessPlace> place; // of the whole of it
    bool all_in_front;
};

TEST(SightingsTest, TellAPlaceOnlyByWhatCreationWouldPutElsewhere)
{
    const std::vector<Shown> shown{
        {{chatless(50), told(90), told(80)}, true, ChatlessPlace::first, true},
        {{chatless(95), told(90), told(80)}, true, std::nullopt, false},
        {{chatless(95), chatless(10), told(90)}, true, ChatlessPlace::first, true},
        {{told(90), told(80), chatless(85)}, true, ChatlessPlace::last, false},
        {{told(90), told(80), chatless(70)}, true, std::nullopt, false},
        {{told(90), chatless(85), told(80)}, true, ChatlessPlace::unknown, false},
        {{chatless(50), told(90), chatless(85)}, true, ChatlessPlace::unknown, false},
        {{chatless(50), told(20), told(90)}, false, ChatlessPlace::first, true},
        {{chatless(10), told(20), told(90)}, false, std::nullopt, false},
        {{chatless(50), chatless(51)}, true, std::nullopt, false},
        {{told(90)}, true, std::nullopt, false},
        {{}, true, std::nullopt, false},
    };
    for (const Shown& it : shown) {
        Sightings sightings(it.newest_first);
        sightings.see(it.list);
        EXPECT_EQ(sightings.place(true), it.place) << &it - shown.data();
        EXPECT_EQ(sightings.shows_all_in_front(), it.all_in_front) << &it - shown.data();
    }
}

TEST(SightingsTest, SayNothingByATimeThatWasGuessed)
{
    Conversation guessed;
    guessed.created_at = support::at_second(50);
    guessed.last_chat_guessed = true;
    Sightings sightings(true);
    sightings.see({guessed, told(90)});
    EXPECT_FALSE(sightings.any_chatless());
    EXPECT_TRUE(sightings.begins_with_chat());
}

} // namespace
} // namespace alli::sync
