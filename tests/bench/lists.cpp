// SPDX-License-Identifier: Apache-2.0
// How long a page of a list takes in a mirror of many conversations, straight from the store, cold of any kept answer:
// each filter, order and pair of filters that hardly meet. list_bench [CONVERSATIONS [CHATS]]
#include "cache/conversations.hpp"
#include "cache/db/index_batch.hpp"
#include "cache/lists/list.hpp"
#include "cache/rows/progress.hpp"
#include "cache/store.hpp"
#include "cache/text/case_fold.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace {

using namespace alli;
using nlohmann::json;

constexpr int batch = 1000;
constexpr int rounds = 25;

// Half of the users' conversations are u-big's, half of the rest's app is app-big; x-half and y-half never meet.
json fields_of(int n, int all)
{
    json more{{"categories", json::array({n % 2 == 0 ? "x-half" : "y-half", "c" + std::to_string(n % 500)})}};
    if (n < all / 50) more["categories"].push_back("old-only");
    more["user"] = {{"userId", n % 2 == 0 ? "u-big" : "u" + std::to_string(n % 997)},
                    {"firstName", n % 3 == 0 ? "Zoë" : "민준"},
                    {"lastName", "Lindqvist"}};
    more["llmApp"] = {{"id", n % 2 == 1 ? "app-big" : "app" + std::to_string(n % 7)}, {"name", "An app"}};
    more["isEnd"] = n % 10 != 0;
    more["title"] = "A question about espresso cup number " + std::to_string(n);
    return more;
}

void put_batch(cache::Writer& db, int from, int to, int all, int chats)
{
    for (int n = from; n < to; ++n) {
        const std::string id = "Q29udmVyc2F0aW9uOjYwMDZiNTM3MmR" + std::to_string(10'000'000 + n);
        const std::int64_t seconds = 1'600'000'000 + std::int64_t{n} * 300;
        const Conversation made = support::make_conversation(id, seconds, fields_of(n, all));
        std::vector<Chat> said;
        for (int k = 0; k < chats; ++k)
            said.push_back(support::make_chat(id, k, seconds - chats + 1 + k, std::string(300, 'a' + char(k % 26))));
        cache::put_conversation(db, made);
        cache::put_chats(db, made.id, 0, said);
    }
    if (from == 0) {
        cache::Progress progress;
        progress.unit = TimeUnit::seconds;
        progress.list_embeds = 20;
        cache::save_progress(db, progress);
    }
    db.words().clear(); // they are not what is measured
}

void fill(cache::Store& store, int all, int chats)
{
    for (int from = 0; from < all; from += batch) {
        asio::io_context loop;
        std::exception_ptr failure;
        auto job = [=](cache::Writer& db) { put_batch(db, from, std::min(from + batch, all), all, chats); };
        auto task = store.write(job);
        asio::co_spawn(loop, std::move(task), [&failure](std::exception_ptr why) { failure = why; });
        loop.run();
        if (failure) std::rethrow_exception(failure);
    }
}

struct Case {
    const char* name;
    cache::ListFilter filter;
};

Instant at(int n)
{
    return support::at_second(1'600'000'000 + std::int64_t{n} * 300);
}

std::vector<Case> cases(int all)
{
    const auto with = [](auto change) {
        cache::ListFilter filter;
        change(filter);
        return filter;
    };
    using F = cache::ListFilter&;
    return {
        {"newest", {}},
        {"oldest", with([](F f) { f.order = cache::Order::last_chat_asc; })},
        {"by creation", with([](F f) { f.order = cache::Order::created_desc; })},
        {"small user", with([](F f) { f.user_ids = {"u7"}; })},
        {"large user", with([](F f) { f.user_ids = {"u-big"}; })},
        {"two users", with([](F f) {
             f.user_ids = {"u7", "u9"};
         })},
        {"two users, one large", with([](F f) {
             f.user_ids = {"u7", "u-big"};
         })},
        {"user and window",
         with([&](F f) { f.user_ids = {"u-big"}, f.started_at = at(all / 4), f.end_at = at(all / 2); })},
        {"window", with([&](F f) { f.started_at = at(all / 4), f.end_at = at(all / 2); })},
        {"app", with([](F f) { f.app_id = "app-big"; })},
        {"category", with([](F f) { f.category_id = "c7"; })},
        {"large category", with([](F f) { f.category_id = "x-half"; })},
        {"category of old ones", with([](F f) { f.category_id = "old-only"; })},
        {"no such category", with([](F f) { f.category_id = "none"; })},
        {"active", with([](F f) { f.active_only = true; })},
        {"first chat window", with([&](F f) { f.first_started_at = at(10), f.first_end_at = at(500); })},
        {"large first chat window", with([&](F f) { f.first_end_at = at(all / 2); })},
        {"large user, by creation", with([](F f) { f.user_ids = {"u-big"}, f.order = cache::Order::created_asc; })},
        {"term, many", with([](F f) { f.search_term = "espresso"; })},
        {"term, one", with([](F f) { f.search_term = cache::folded_case("CUP number 17 "); })},
        {"term, none", with([](F f) { f.search_term = "zzzz"; })},
        {"term, none, by creation", with([](F f) { f.search_term = "zzzz", f.order = cache::Order::created_desc; })},
        {"user x app, none meet", with([](F f) { f.user_ids = {"u-big"}, f.app_id = "app-big"; })},
        {"user x category, none meet", with([](F f) { f.user_ids = {"u-big"}, f.category_id = "y-half"; })},
        {"app x category, none meet", with([](F f) { f.app_id = "app-big", f.category_id = "x-half"; })},
        {"category x active, none meet", with([](F f) { f.category_id = "y-half", f.active_only = true; })},
    };
}

double cpu_ms()
{
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

void measure(cache::Store& store, const Case& one)
{
    std::vector<double> times;
    const double cpu = cpu_ms();
    std::size_t bytes = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto start = std::chrono::steady_clock::now();
        bytes = store.read(
            [&](cache::Reader& db) { return cache::list_conversations(db, one.filter, 50, std::nullopt).body.size(); });
        times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(times.begin(), times.end());
    fmt::print("{:<30} {:8.2f} ms {:8.2f} ms {:8.2f} ms {:9} bytes\n", one.name, times[rounds / 2], times.back(),
               (cpu_ms() - cpu) / rounds, bytes);
}

} // namespace

int main(int count, char** words)
{
    const int all = count > 1 ? std::atoi(words[1]) : 100'000, chats = count > 2 ? std::atoi(words[2]) : 5;
    const support::TempDir dir;
    cache::Store store({dir / "mirror.db", "http://127.0.0.1:1", false});
    fill(store, all, chats);
    fmt::print("{} conversations of {} chats; a page of 50, median and worst of {}, and processor time\n", all, chats,
               rounds);
    for (const Case& one : cases(all)) measure(store, one);
}
