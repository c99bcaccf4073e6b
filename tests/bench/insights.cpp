// SPDX-License-Identifier: Apache-2.0
// The processor time that figures of a large mirror take: with no day kept, with all, of a month, of chosen
// conversations by each filter, and with a day that changed. The chats are those of the search bench, spread over a
// year.
// insights_bench [CHATS [CORPUS.jsonl.gz]]
#include "cache/insights/insights.hpp"

#include "alli/sync_wait.hpp"
#include "cache/chats/stale_days.hpp"
#include "cache/conversations.hpp"
#include "cache/insights/rollup_days.hpp"
#include "cache/store.hpp"
#include "tests/bench/filling.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>

namespace {

using namespace alli;
using bench::cpu_seconds;
using nlohmann::json;

constexpr int chats_a_conversation = 10, batch = 5000;
constexpr unsigned seed = 28;
constexpr std::int64_t newest = 1'760'000'000, year = 365 * 86'400;

/// Newest first, as a backfill comes.
class Mirror {
  public:
    Mirror(const std::string& path, const std::vector<std::string>& texts, int chats)
        : store_({path, "http://127.0.0.1:1", false}), texts_(texts), chats_(chats)
    {}

    void fill()
    {
        const double start = cpu_seconds();
        for (int from = 0; from < chats_; from += batch) {
            auto job = [this, from](cache::Writer& db) { put_batch(db, from, std::min(from + batch, chats_)); };
            sync_wait(store_.write(job));
        }
        fmt::print("{} chats, {:.0f} a second of processor time\n", chats_, chats_ / (cpu_seconds() - start));
    }

    cache::Store& store() { return store_; }

  private:
    void put_batch(cache::Writer& db, int from, int to)
    {
        for (int at = from; at < to; at += chats_a_conversation) {
            const std::string id = "Q29udmVyc2F0aW9uOjcwNzQ4NDIyMjhmOTY2" + std::to_string(at);
            const std::int64_t last = newest - static_cast<std::int64_t>(at) * year / chats_;
            std::vector<Chat> chats;
            std::int64_t second = last;
            for (int n = 0; n < std::min(chats_a_conversation, to - at); ++n) second -= pause();
            for (int n = 0; n < std::min(chats_a_conversation, to - at); ++n)
                chats.push_back(make_chat(id, n, second += pause(), at + n));
            const Conversation made = support::make_conversation(id, last, more(at));
            cache::put_conversation(db, made);
            cache::put_chats(db, made.id, 0, chats);
        }
    }

    Chat make_chat(const std::string& id, int n, std::int64_t second, int number)
    {
        json chat = support::chat_json(id, n, second, texts_[static_cast<std::size_t>(number) % texts_.size()]);
        if (n % 2 == 1 && random_() % 10 == 0) chat["rating"] = random_() % 3 != 0;
        if (n % 2 == 1 && random_() % 3 == 0)
            chat["citations"] = {{{"title", "Check-in"}, {"url", "https://kb.example"}}};
        TimeUnit unit = TimeUnit::seconds;
        return read_chat(chat.dump(), unit);
    }

    std::int64_t pause() // seconds, of which few are long
    {
        return 1 + static_cast<std::int64_t>(random_() % 12) * static_cast<std::int64_t>(random_() % 12);
    }

    json more(int at)
    {
        json more;
        more["user"] = {{"userId", fmt::format("user-{:05}", random_() % 20'000)},
                        {"firstName", random_() % 100 == 0 ? "Mina" : "Yuki"}};
        more["llmApp"] = {{"id", fmt::format("TExNQXBwOmE3M2YxMGRhMjJmYzA1YjAwMDAwMDA{}", random_() % 5)},
                          {"name", "App"}};
        more["channel"] = std::vector<const char*>{"WEB", "KAKAO", "LINE", "APP"}[random_() % 4];
        if (at % 40 == 0) more["categories"] = {random_() % 2 == 0 ? "VIP" : "Refunds"};
        return more;
    }

    cache::Store store_;
    const std::vector<std::string>& texts_;
    int chats_;
    std::mt19937 random_{seed};
};

void measure(cache::Store& store, const cache::InsightQuery& query, std::string_view what)
{
    std::vector<double> times;
    std::int64_t messages = 0;
    for (int round = 0; round < 7; ++round) {
        const double start = cpu_seconds();
        messages = store.read([&](cache::Reader& db) { return cache::count_insights(db, query); }).totals.messages;
        times.push_back((cpu_seconds() - start) * 1e3);
    }
    std::sort(times.begin(), times.end());
    fmt::print("{:<34} {:8} messages  median {:7.1f} ms  best {:7.1f}  worst {:7.1f}\n", what, messages, times[3],
               times.front(), times.back());
    std::fflush(stdout);
}

void keep_all(cache::Store& store)
{
    const double start = cpu_seconds();
    std::int64_t days = 0;
    double longest = 0;
    for (std::int64_t counted = 1; counted > 0; days += counted) {
        const double before = cpu_seconds();
        auto job = [&counted](cache::Writer& db) { counted = cache::extend_rollups(db, 1000); };
        sync_wait(store.write(job));
        longest = std::max(longest, cpu_seconds() - before);
    }
    const auto sum = [&store](const char* sql) {
        return static_cast<double>(store.read([sql](cache::Reader& db) { return db.require<std::int64_t>(sql); }));
    };
    const double bodies = sum("SELECT coalesce(sum(length(body)), 0) FROM insight_day");
    fmt::print("kept {} days in {:.2f} s, the longest write in {:.1f} ms: {:.2f} MB, {:.2f} bytes a chat\n", days,
               cpu_seconds() - start, longest * 1e3, bodies / 1e6, bodies / sum("SELECT count(*) FROM chat_row"));
}

// As a message that is new does with today.
void change_the_newest(cache::Store& store)
{
    auto job = [](cache::Writer& db) { cache::mark_stale(db, support::at_second(newest)); };
    sync_wait(store.write(job));
}

void measure_filters(cache::Store& store, const cache::InsightQuery& range, std::string_view of)
{
    const auto one = [&](std::string_view what, const auto& choose) {
        cache::InsightQuery query = range;
        choose(query);
        measure(store, query, fmt::format("{}, {}", of, what));
    };
    const std::string app = "TExNQXBwOmE3M2YxMGRhMjJmYzA1YjAwMDAwMDA2";
    one("unfiltered", [](auto&) {});
    one("days alone", [](auto& query) { query.by = cache::InsightGroup::day; });
    one("an app by id", [&](auto& query) { query.apps = {app}; });
    one("all apps by name", [](auto& query) { query.apps = {"App"}; });
    one("a category", [](auto& query) { query.categories = {"VIP"}; });
    one("a user by id", [](auto& query) { query.users = {"user-00042"}; });
    one("users by name", [](auto& query) { query.users = {"Mina"}; });
    one("app and category", [&](auto& query) { query.apps = {app}, query.categories = {"VIP", "Refunds"}; });
    one("seen: an app", [&](auto& query) { query.visible.app = app; });
    one("seen: a user", [](auto& query) { query.visible.user = "user-00042"; });
    one("none", [](auto& query) { query.apps = {"Nothing"}; });
}

} // namespace

int main(int count, char** words)
{
    const int chats = count > 1 ? std::max(std::atoi(words[1]), batch) : 1'000'000;
    const std::vector<std::string> texts = bench::load_texts(count > 2 ? words[2] : "", seed);
    const support::TempDir dir;
    Mirror mirror(dir / "mirror.db", texts, chats);
    mirror.fill();
    fmt::print("{:.1f} MB on disk, seed {}\n", static_cast<double>(std::filesystem::file_size(dir / "mirror.db")) / 1e6,
               seed);
    cache::InsightQuery all, some;
    all.zone = some.zone = Zone::load("Asia/Seoul");
    some.from = support::at_second(newest - 30 * 86'400 - 9 * 3600);
    measure(mirror.store(), all, "no day is kept");
    keep_all(mirror.store());
    measure_filters(mirror.store(), all, "a year");
    measure_filters(mirror.store(), some, "a month");
    change_the_newest(mirror.store());
    measure(mirror.store(), all, "a year with a day that changed");
    measure(mirror.store(), some, "a month with a day that changed");
}
