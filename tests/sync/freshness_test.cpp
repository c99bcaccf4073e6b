// SPDX-License-Identifier: Apache-2.0
// What the mirror claims while upstream fails, is hidden behind a portal, is cut short and answers, in every order: if
// it says that it is verified as of T, everything that upstream had at T is in it. And how soon it is back.
#include "tests/sync/engine_fixture.hpp"

#include <cstdlib>

namespace alli::sync {
namespace {

enum class Weather { fine, away, portal, cut, overloaded };

class Freshness : public EngineTest {
  protected:
    static constexpr std::int64_t origin = 1'000'000;

    Freshness()
    {
        clock_.set_now(support::at_second(origin));
        model_.now = origin;
        options_.clock_tolerance = std::chrono::minutes(1);
        model_.before = [this](const upstream::Request& request) -> std::optional<upstream::Reply> {
            tick();
            asked_at_.push_back(clock_.passed());
            return spoil(weather_ ? weather_(request) : Weather::fine, request);
        };
    }

    void tick() { model_.now = std::chrono::floor<std::chrono::seconds>(clock_.now().time_since_epoch()).count(); }

    std::optional<upstream::Reply> spoil(Weather weather, const upstream::Request& request)
    {
        upstream::Reply made;
        made.status = 200;
        switch (weather) {
        case Weather::fine:
            return std::nullopt;
        case Weather::away:
            throw upstream::NoConnection(
                Error(Fault::unreachable, "hint", "cannot reach upstream: connection refused"));
        case Weather::portal:
            made.body = "<html><title>Sign in</title></html>";
            return made;
        case Weather::cut:
            made = model_.answer_of(request.target);
            made.body.resize(made.body.size() / 2);
            return made;
        case Weather::overloaded:
            made.status = 503;
            made.body = R"({"type":"APIError","code":7000,"message":"busy"})";
            return made;
        }
        return std::nullopt;
    }

    /// Somebody begins a conversation, or goes on with one.
    void happen(const std::string& id, int chats)
    {
        tick();
        model_.add(id, model_.now, chats);
        changes_.push_back({clock_.now(), id, model_.conversations.at(id).chats.size()});
    }

    /// What is claimed and not so; empty: nothing.
    std::string find_lie()
    {
        return store_->read([&](cache::Reader& db) -> std::string {
            const auto verified = cache::load_progress(db).verified_at;
            if (!verified) return "";
            const bool complete = cache::is_complete(db);
            for (const Change& it : changes_) {
                if (it.at >= *verified) continue;
                const auto held = cache::find_held(db, {it.id});
                if (cache::find_problem(db, cache::problem_key({it.id}))) continue; // upstream is asked for it
                if (held ? held->chats < static_cast<std::int64_t>(it.chats) : complete)
                    return fmt::format("verified as of {}, but {} of {} has {} chats instead of {}",
                                       to_rfc3339(*verified), it.id, to_rfc3339(it.at), held ? held->chats : -1,
                                       it.chats);
            }
            return "";
        });
    }

    struct Change {
        Instant at;
        std::string id;
        std::size_t chats;
    };
    std::vector<Change> changes_;
    std::function<Weather(const upstream::Request&)> weather_;
    std::vector<std::chrono::nanoseconds> asked_at_;
};

// --- it never lies ---------------------------------------------------------------------------------------------------

class Interleaved : public Freshness, public testing::WithParamInterface<int> {
  protected:
    static constexpr int slots = 5;
    static constexpr std::chrono::seconds slot{4};

    /// The weather changes every slot; then it is fine. In each somebody begins something, goes on with something, and
    /// has one fetched alone.
    void live_through(const std::vector<Weather>& weather, int round)
    {
        const auto begin = clock_.passed();
        const auto at = [&] { return static_cast<std::size_t>((clock_.passed() - begin) / slot); };
        weather_ = [&](const upstream::Request&) { return at() < weather.size() ? weather[at()] : Weather::fine; };
        std::size_t lived = 0;
        std::string lie;
        std::chrono::nanoseconds whole{0};
        auto done = [&](Engine& engine) {
            for (; lived <= at() && lived <= weather.size(); ++lived) {
                const std::string id = fmt::format("r{}s{}", round, lived);
                happen(id, lived % 2 == 0 ? 1 : 25);
                happen("old", 1);
                engine.wake_conversation({"old"});
            }
            if (lie.empty()) lie = find_lie();
            const bool over =
                lived > weather.size() && holds(fmt::format("r{}s{}", round, weather.size())) && complete();
            if (over) whole = clock_.passed() - begin - slot * static_cast<int>(weather.size());
            return !lie.empty() || over || clock_.passed() - begin > std::chrono::minutes(5);
        };
        run_until(done, 100'000);
        std::string story;
        for (const Weather it : weather) story += std::to_string(static_cast<int>(it));
        ASSERT_EQ(lie, "") << "weather " << story;
        ASSERT_GT(whole.count(), 0) << "it does not come back; weather " << story;
        EXPECT_LE(whole, options_.interval) << "weather " << story;
    }
};

TEST_P(Interleaved, WeatherNeverMakesItClaimWhatItDoesNotHold)
{
    model_.add("old", origin - 5'000, 3);
    pass();
    clock_.advance(std::chrono::hours(1));
    pass();
    int round = 0;
    const int at_once = std::getenv("ALLI_HISTORIES") ? 128 : 16; // of 1,024 in all, by eight
    for (; round < at_once; ++round) {
        const int code = (GetParam() * at_once + round) * 405 % 1024; // 405 is odd: each comes once
        std::vector<Weather> weather;
        for (int n = 0, rest = code; n < slots; ++n, rest /= 4) weather.push_back(static_cast<Weather>(rest % 4));
        live_through(weather, round);
        if (HasFatalFailure()) return;
        clock_.advance(std::chrono::minutes(20)); // out of the overlap
    }
}

INSTANTIATE_TEST_SUITE_P(Freshness, Interleaved, testing::Range(0, 8));

// Each answer for itself, so that a page is cut while the one before came, and single ones fail between lists.
TEST_F(Freshness, IsNotClaimedFromAnswersOfWhichAnyMayFail)
{
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        SeededRandom random(seed);
        const std::uint64_t bad = 2 + random.below(8); // of ten
        model_.embedded = random.below(2) == 0 ? 20 : 0;
        const auto begin = clock_.passed();
        const bool anew = random.below(4) == 0;
        if (anew) {
            store_.reset();
            std::filesystem::remove(dir_ / "mirror.db");
            std::filesystem::remove(dir_ / "outbox.db");
            reopen();
        }
        weather_ = [&](const upstream::Request&) {
            const bool fine = clock_.passed() - begin > std::chrono::minutes(3) || random.below(10) >= bad;
            return fine ? Weather::fine : static_cast<Weather>(1 + random.below(4));
        };
        std::string lie;
        int lived = 0;
        run_until(
            [&](Engine& engine) {
                const auto since = clock_.passed() - begin;
                while (lived < 40 && since > std::chrono::seconds(4) * lived) {
                    const std::string id = fmt::format("s{}c{}", seed, lived / 2);
                    happen(id, 1 + static_cast<int>(random.below(40)));
                    engine.wake_conversation({id});
                    ++lived;
                }
                if (lie.empty()) lie = find_lie();
                return !lie.empty() || since > std::chrono::minutes(5);
            },
            100'000);
        ASSERT_EQ(lie, "");
        EXPECT_TRUE(complete());
        expect_mirror_equals_model();
        clock_.advance(std::chrono::hours(1));
    }
}

// --- it is back at once ----------------------------------------------------------------------------------------------

struct Outage {
    Weather weather;
    std::chrono::seconds time;
};

class BackAtOnce : public Freshness, public testing::WithParamInterface<Outage> {};

TEST_P(BackAtOnce, WithinAnIntervalWhateverTheOutageWas)
{
    const Outage outage = GetParam();
    fill(60);
    pass();
    clock_.advance(std::chrono::hours(1));
    pass();
    const auto begin = clock_.passed();
    weather_ = [&](const upstream::Request&) {
        return clock_.passed() - begin < outage.time ? outage.weather : Weather::fine;
    };
    std::optional<std::chrono::nanoseconds> verified, whole;
    bool told = true, begun = false;
    const std::size_t passes_before = 0;
    run_until(
        [&](Engine& engine) {
            const auto since = clock_.passed() - begin;
            if (!std::exchange(begun, true)) happen("meanwhile", 1);
            if (since > options_.interval * 2 && since < outage.time) {
                const State told_now = describe(*engine.state(), clock_.steady(), clock_.now(), options_.interval, {});
                told = told && !told_now.error.empty() && told_now.failing_since;
            }
            if (since < outage.time) return false;
            if (!verified && engine.state()->passes > passes_before && holds("meanwhile"))
                verified = since - outage.time;
            if (verified && !whole && complete()) whole = since - outage.time;
            return whole.has_value() || since > outage.time + std::chrono::minutes(10);
        },
        1'000'000);
    ASSERT_TRUE(verified && whole);
    EXPECT_LE(*verified, options_.interval);
    EXPECT_LE(*whole, options_.interval + std::chrono::seconds(5));
    EXPECT_TRUE(told) << "polls failed for longer than an interval, and nobody was told";
    EXPECT_LT(asked_at_.size(), 40U + static_cast<std::size_t>(outage.time.count()) * 2) << "a probe costs one request";
}

INSTANTIATE_TEST_SUITE_P(
    Freshness, BackAtOnce, testing::ValuesIn([] {
        std::vector<Outage> all;
        for (const Weather weather : {Weather::away, Weather::portal, Weather::cut, Weather::overloaded})
            for (const int seconds : {5, 20, 150, 1'000, 7'200})
                all.push_back({weather, std::chrono::seconds(seconds)});
        return all;
    }()));

// --- offline shows at once -------------------------------------------------------------------------------------------

TEST_F(Freshness, OfflineShowsWithAnybodysFirstConnectionThatDoesNotComeAbout)
{
    fill(3);
    pass();
    int page = 0;
    run_until([&](Engine& engine) {
        upstream::Outcome outcome;
        outcome.kind = upstream::Outcome::Kind::unreachable;
        outcome.words = "cannot reach upstream: connection refused";
        if (page == 0 && engine.state()->passes > 0) {
            engine.heard(outcome);
            EXPECT_TRUE(engine.state()->reachable) << "one stream was reset";
            weather_ = [](const upstream::Request&) { return Weather::away; };
            outcome.unconnected = true;
            engine.heard(outcome);
            EXPECT_FALSE(engine.state()->reachable);
            EXPECT_EQ(engine.state()->error, outcome.words);
            ++page;
        } else if (page == 1 && engine.state()->failing_since) {
            upstream::Outcome answered;
            answered.foreign = true;
            engine.heard(answered);
            EXPECT_FALSE(engine.state()->reachable) << "a portal's page";
            weather_ = nullptr;
            answered.foreign = false;
            engine.heard(answered);
            EXPECT_TRUE(engine.state()->reachable) << "the first answer of the service";
            ++page;
        }
        return page == 2 && !engine.state()->failing_since;
    });
    EXPECT_EQ(page, 2);
}

TEST_F(Freshness, AChangeOfTheNetworkIsAReasonToTryWhileItFails)
{
    fill(3);
    pass();
    Engine* running = nullptr;
    std::optional<std::chrono::nanoseconds> changed;
    // It comes up while a probe fails, of which the next would be five seconds away at least.
    weather_ = [&](const upstream::Request&) {
        if (changed) return Weather::fine;
        if (clock_.passed() > std::chrono::minutes(10)) {
            changed = clock_.passed();
            running->network_changed(false);
        }
        return Weather::away;
    };
    run_until(
        [&](Engine& engine) {
            running = &engine;
            return engine.state()->passes > 0;
        },
        100'000);
    ASSERT_TRUE(changed);
    const auto next = std::upper_bound(asked_at_.begin(), asked_at_.end(), *changed);
    ASSERT_NE(next, asked_at_.end());
    EXPECT_LE(*next - *changed, std::chrono::milliseconds(2'500));
}

} // namespace
} // namespace alli::sync
