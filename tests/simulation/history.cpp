// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/history.hpp"

#include "tests/simulation/claims.hpp"
#include "tests/support/pass_time.hpp"

#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "sync/delivery/deliverer.hpp"
#include "upstream/target.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <list>

namespace simulation {

using namespace alli;
using std::chrono::milliseconds;

struct History::Process {
    Process(History& history, std::uint64_t seed)
        : random(seed), pace(history.clock_, {0, 4}),
          client(history.world_, pace, history.clock_,
                 {"key", TimeUnit::unknown, "/webapi/v2/conversations/daily_count"}),
          engine(client, *history.store_, history.clock_, random, history.options_)
    {
        const sync::DeliveryHooks hooks{[this](ConversationId id) { engine.wake_conversation(std::move(id)); },
                                        [this] { engine.wake(); }};
        if (history.writes_)
            deliverer = std::make_unique<sync::Deliverer>(client, *history.store_, history.clock_, delivery_random,
                                                          sync::DeliveryOptions(), hooks);
        client.tell([this](const upstream::Outcome& outcome) { engine.heard(outcome); });
    }

    SeededRandom random, delivery_random{1};
    upstream::RateLimiter pace;
    upstream::Client client;
    sync::Engine engine;
    std::unique_ptr<sync::Deliverer> deliverer;
    asio::cancellation_signal cancel, cancel_delivery;
    std::list<asio::cancellation_signal> apps; // that wait for the answer to a write
    int waiting_apps = 0;
    std::exception_ptr failure;
    bool ended = false, delivery_ended = true;

    bool has_ended() const { return ended && delivery_ended && waiting_apps == 0; }
};

History::History(std::uint64_t seed)
    : random_(seed), app_(seed * 31), writes_(seed % 4 == 1), runs_apps_(seed % 3 == 2),
      world_(clock_, seed * 7919 + 1), app_runs_(world_, seed * 17 + 3)
{
    if (writes_) world_.nature.read_lag = static_cast<Ms>(app_.below(10'001));
    options_.interval = milliseconds(5'000 + static_cast<int>(random_.below(40'000)));
    // What takes the time is the quiet polls of a round: rounds are as short as their parts allow.
    options_.overlap = milliseconds(60'000 + static_cast<int>(random_.below(240'000)));
    options_.reconcile_interval = std::chrono::minutes(5 + random_.below(11));
    options_.max_parallel = 1 + static_cast<int>(random_.below(4));
    world_.nature.late = options_.overlap.count() * 8 / 10;
    world_.nature.skew =
        std::clamp<Ms>(world_.nature.skew, -options_.overlap.count() * 100, options_.overlap.count() * 100);
    // A world that is there already, or one that begins with the mirror.
    for (auto n = random_.below(60); n > 0; --n) world_.act();
    if (random_.below(4) == 0) world_.have_past(static_cast<int>(random_.below(80)));
    world_.rejecting = world_.away = false;
}

History::~History()
{
    if (process_) kill();
}

void History::start()
{
    store_ = std::make_unique<cache::Store>(cache::StoreOptions{dir_ / "mirror.db", "http://world", false});
    process_ = std::make_unique<Process>(*this, random_.next());
    app_runs_.follow(*store_, process_->engine);
    auto ended = [process = process_.get()](std::exception_ptr why) {
        process->failure = why;
        process->ended = true;
    };
    asio::co_spawn(loop_, process_->engine.run(), asio::bind_cancellation_slot(process_->cancel.slot(), ended));
    if (!writes_) return;
    process_->delivery_ended = false;
    auto delivery_ended = [process = process_.get()](std::exception_ptr) { process->delivery_ended = true; };
    asio::co_spawn(loop_, process_->deliverer->run(),
                   asio::bind_cancellation_slot(process_->cancel_delivery.slot(), delivery_ended));
}

// As the kernel would: nothing of what was under way goes on.
void History::kill()
{
    process_->cancel.emit(asio::cancellation_type::terminal);
    process_->cancel_delivery.emit(asio::cancellation_type::terminal);
    for (asio::cancellation_signal& app : process_->apps) app.emit(asio::cancellation_type::terminal);
    for (int i = 0; i < 1000 && !process_->has_ended(); ++i) {
        support::run_until_idle(loop_);
        if (!process_->has_ended()) clock_.jump_to_next();
    }
    process_.reset();
    store_.reset();
}

void History::pass_time(milliseconds time)
{
    support::pass_time(loop_, clock_, time);
}

std::string History::run()
{
    start();
    const int rounds = 5 + static_cast<int>(random_.below(25));
    for (int round = 0; round < rounds; ++round) {
        if (std::string wrong = live(static_cast<int>(random_.below(6))); !wrong.empty()) return wrong;
        if (random_.below(8) == 0) {
            kill();
            pass_time(milliseconds(random_.below(4) == 0 ? random_.below(3'600'000) : random_.below(60'000)));
            start();
        }
    }
    if (std::string wrong = check_that_one_holds_up_nobody(); !wrong.empty()) return wrong;
    world_.heal();
    if (std::string wrong = check_promptness(); !wrong.empty()) return wrong;
    world_.end_growing();
    const bool settled = settle();
    std::string wrong = check_equal();
    if (settled && wrong.empty()) return wrong;
    return (settled ? wrong : "it goes on being wrong: " + wrong) + list_problems();
}

std::string History::live(int acts)
{
    for (int n = 0; n < acts; ++n) {
        world_.act();
        if (writes_ && app_.below(2) == 0) write();
        if (runs_apps_) app_runs_.act();
        const auto most = random_.below(3) == 0 ? 120'000U : 4'000U;
        pass_time(milliseconds(random_.below(most)));
        if (process_->ended) return "the engine gave up";
        if (std::string wrong = check_claims(); !wrong.empty()) return wrong + list_problems();
        if (std::string wrong = check_writes(); !wrong.empty()) return wrong;
        if (std::string wrong = app_runs_.check(); !wrong.empty()) return wrong;
    }
    return "";
}

void History::write()
{
    if (world_.talks.empty()) return;
    auto found = world_.talks.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(app_.below(world_.talks.size())));
    const ConversationId id{found->first};
    cache::NewEntry entry;
    entry.kind = cache::EditKind::title;
    entry.conversation = id;
    entry.method = "PUT";
    entry.path = upstream::conversation_target(id, "/title");
    entry.headers = "{}";
    entry.body = json{{"title", fmt::format("ours {}", ++written_)}}.dump();
    entry.upstream_key = entry.request_hash = std::to_string(written_);
    entry.created_at = clock_.now();
    entry.base = store_->read(
        [&](cache::Reader& db) { return cache::find_base(db, id, cache::patch_of(entry.kind, entry.body)); });
    if (!entry.base) found->second.written["title"].before_unknown = true;
    cache::Acceptance accepted;
    asio::co_spawn(loop_, store_->write_outbox([&](cache::Writer& db) { accepted = cache::accept(db, entry); }),
                   [](std::exception_ptr) {});
    support::run_until_idle(loop_);
    ++process_->waiting_apps;
    auto answered = [process = process_.get()](std::exception_ptr, std::optional<upstream::Reply>) {
        --process->waiting_apps;
    };
    asio::co_spawn(loop_, process_->deliverer->offer(cache::accepted_write(entry, accepted), std::chrono::seconds(10)),
                   asio::bind_cancellation_slot(process_->apps.emplace_back().slot(), answered));
}

std::string History::check_writes()
{
    if (!writes_) return "";
    cache::EntryQuery query;
    query.state = cache::EntryState::conflict;
    for (const cache::Entry& one : store_->read_outbox([&](cache::Reader& db) { return list_entries(db, query); })) {
        const json theirs = json::parse(*one.conflict)["title"]["upstream"];
        if (!theirs.get<std::string>().starts_with("edited"))
            return fmt::format("{} of {} is in conflict: {}", one.id, one.conversation->value, *one.conflict);
        asio::co_spawn(loop_, process_->deliverer->discard(one.id), [](std::exception_ptr, cache::OperatorResult) {});
        support::run_until_idle(loop_);
    }
    return "";
}

bool History::settle()
{
    for (int tries = 0; tries < 40; ++tries) {
        // What polls still look at is audited once it is older than the overlap.
        pass_time(options_.reconcile_interval * 5 / 4 + options_.overlap + world_.passed_again());
        const auto problems = store_->read([](cache::Reader& db) { return cache::load_problems(db); });
        const bool well = are_of_the_world(problems);
        // What a problem kept open is closed by the round after the one that ended it.
        const bool complete = store_->read([](cache::Reader& db) { return cache::is_complete(db); });
        const bool stopped = process_->engine.state()->failing_since.has_value();
        if (std::any_of(problems.begin(), problems.end(), [](const auto& it) { return it.key == "mass deletion"; }))
            process_->engine.accept_deletions();
        else if (well && complete && !stopped)
            return true;
    }
    return false;
}

std::string History::list_problems()
{
    return list_state(*store_) +
           fmt::format("\n  now {}, error {}", to_rfc3339(clock_.now()), process_->engine.state()->error);
}

// --- what must hold --------------------------------------------------------------------------------------------------

std::string History::check_claims()
{
    return store_->read([&](cache::Reader& db) -> std::string {
        for (const auto& [id, talk] : world_.talks)
            if (cache::is_deleted(db, {id})) return id + " was deleted, but upstream has it";
        if (world_.our_clock_was_set) return ""; // it says when what was verified
        if (std::string wrong = check_freshness(db); !wrong.empty()) return wrong;
        if (std::string wrong = check_chatless(db); !wrong.empty()) return wrong;
        if (std::string wrong = find_wrong_coverage(world_, db); !wrong.empty()) return wrong;
        return "";
    });
}

// What a list without a window shows is as young as Age says.
std::string History::check_freshness(cache::Reader& db) const
{
    const auto verified = cache::load_progress(db).verified_at;
    if (!verified || !cache::is_complete(db)) return "";
    if (world_.clock_was_set) return ""; // forward, and what shows late bears older times than the overlap makes good
    for (const auto& [id, talk] : world_.talks) {
        if (!talk.last || Instant(milliseconds(talk.moved)) >= *verified) continue;
        const auto held = cache::find_held(db, {id});
        const bool there = held && held->last_chat_at && *held->last_chat_at >= Instant(milliseconds(*talk.last));
        if (!there)
            return fmt::format("verified as of {}, but {} (last chat {}, moved {}) is {}", to_rfc3339(*verified), id,
                               to_rfc3339(Instant(milliseconds(*talk.last))),
                               to_rfc3339(Instant(milliseconds(talk.moved))), held ? "older" : "missing");
    }
    return "";
}

// Upstream fails for one conversation alone: all others come as ever.
std::string History::check_that_one_holds_up_nobody()
{
    if (world_.ill.empty()) return "";
    world_.heal_network();
    pass_time(std::chrono::minutes(1)); // and 30 s is all that an outage may cost
    if (world_.clock_was_set || world_.our_clock_was_set) return "";
    world_.arrive();
    pass_time(options_.interval * 3 + std::chrono::seconds(30));
    return store_->read([&](cache::Reader& db) -> std::string {
        const std::string& newest = world_.talks.rbegin()->first;
        if (!cache::load_progress(db).backfill_done || cache::find_held(db, {newest})) return "";
        return fmt::format("{} was never polled while {} was ill ({})", newest, world_.ill,
                           static_cast<int>(world_.illness)) +
               list_problems();
    });
}

// With nothing in the way, polls alone bring what is new, also what became visible late.
std::string History::check_promptness()
{
    const auto problems = store_->read([](cache::Reader& db) { return cache::load_problems(db); });
    const bool in_the_way =
        std::any_of(problems.begin(), problems.end(), [](const auto& it) { return it.key != "clock"; });
    const Ms since = world_.ours();
    pass_time(options_.interval * 3 + std::chrono::seconds(30));
    if (in_the_way || world_.clock_was_set || world_.our_clock_was_set || world_.nature.faults_before > 0) return "";
    return store_->read([&](cache::Reader& db) -> std::string {
        if (!cache::load_progress(db).backfill_done) return "";
        for (const auto& [id, talk] : world_.talks)
            if (talk.last && talk.visible_from < since && !cache::find_held(db, {id})) return id + " was never polled";
        return "";
    });
}

// No list shows it.
bool History::is_left_out(const Talk& talk) const
{
    return !talk.last && world_.nature.chatless == Chatless::nowhere;
}

// Those without a chat, as of the last scan for them. A cursor that is a position may skip one, and days count those
// that are gone and still held.
std::string History::check_chatless(cache::Reader& db) const
{
    const auto scanned = cache::load_progress(db).chatless_at;
    if (!scanned || world_.nature.position_cursor || world_.nature.counts_days) return "";
    for (const auto& [id, talk] : world_.talks) {
        if (talk.last || is_left_out(talk) || Instant(milliseconds(talk.changed)) >= *scanned) continue;
        if (cache::find_held(db, {id}) || cache::find_problem(db, cache::problem_key({id}))) continue;
        return fmt::format("scanned as of {}, but {} (no chat, changed {}) is missing", to_rfc3339(*scanned), id,
                           to_rfc3339(Instant(milliseconds(talk.changed))));
    }
    return "";
}

std::string History::check_equal()
{
    return store_->read([&](cache::Reader& db) -> std::string {
        std::ptrdiff_t listed = 0;
        for (const auto& [id, talk] : world_.talks) {
            if (is_left_out(talk) && !cache::find_held(db, {id})) continue;
            ++listed;
            if (std::string wrong = compare(world_, db, id, true); !wrong.empty()) return wrong;
        }
        const auto count = cache::count_totals(db).conversations;
        if (count != listed) {
            std::string extra;
            for (const auto& [id, when] : world_.gone)
                if (const auto held = cache::find_held(db, {id}))
                    extra +=
                        fmt::format(" {} ({})", id, held->last_chat_at ? to_rfc3339(*held->last_chat_at) : "no chat");
            return fmt::format("{} conversations instead of {}: still there are{}", count, world_.talks.size(), extra);
        }
        if (!cache::is_complete(db)) return "it does not say that it is complete";
        return "";
    });
}

} // namespace simulation
