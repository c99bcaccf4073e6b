// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/program/program_history.hpp"

#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "cache/search/index.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/simulation/claims.hpp"
#include "tests/support/pass_time.hpp"

namespace simulation {

using namespace alli;
using std::chrono::milliseconds;

Figures& Figures::operator+=(const Figures& more)
{
    constexpr auto all = std::to_array(
        {&Figures::stops, &Figures::kills, &Figures::power_cuts, &Figures::damages, &Figures::noticed, &Figures::lost,
         &Figures::purges, &Figures::writes, &Figures::applied, &Figures::items, &Figures::ratings, &Figures::lists,
         &Figures::walks, &Figures::hits, &Figures::purged, &Figures::changes, &Figures::resets});
    for (const auto one : all) this->*one += more.*one;
    hash = hash * 31 + more.hash;
    return *this;
}

ProgramHistory::ProgramHistory(std::uint64_t seed, Breadth breadth)
    : random_(seed), world_(clock_, seed * 7919 + 1), disk_(seed + 5),
      writers_(world_, seed * 31, breadth == Breadth::wide),
      readers_(world_, writers_, seed * 17 + 3, breadth == Breadth::wide), feed_reader_(seed * 13 + 7),
      breadth_(breadth)
{
    if (breadth == Breadth::wide) widen();
    world_.nature.read_lag = static_cast<Ms>(random_.below(10'001));
    world_.nature.strays_to_writes = true;
    options_.interval = milliseconds(5'000 + static_cast<int>(random_.below(40'000)));
    options_.overlap = milliseconds(60'000 + static_cast<int>(random_.below(240'000)));
    options_.reconcile_interval = std::chrono::minutes(5 + random_.below(11));
    options_.max_parallel = 1 + static_cast<int>(random_.below(4));
    world_.nature.late = options_.overlap.count() * 8 / 10;
    world_.nature.skew =
        std::clamp<Ms>(world_.nature.skew, -options_.overlap.count() * 100, options_.overlap.count() * 100);
    for (auto n = random_.below(40); n > 0; --n) world_.act();
    world_.rejecting = world_.away = false;
}

void ProgramHistory::widen()
{
    world_.nature.feedback_lags = true;
    world_.nature.assigned_by_others = true;
    world_.nature.storms = random_.below(2) == 0;
    delivery_.overwrite = random_.below(4) == 0;
    if (random_.below(3) == 0) world_.nature.cursor_life = 5'000 + static_cast<Ms>(random_.below(60'000));
}

Figures ProgramHistory::figures() const
{
    Figures all = figures_;
    const Readers::Looks& looks = readers_.looks();
    all.writes = writers_.acknowledged(), all.applied = std::ssize(world_.effects);
    all.items = looks.items, all.ratings = looks.ratings, all.lists = looks.lists, all.walks = looks.walks;
    all.hits = looks.hits, all.purged = looks.purged;
    all.changes = feed_reader_.changes(), all.resets = feed_reader_.resets();
    all.hash = world_.hash;
    return all;
}

void ProgramHistory::start()
{
    program_ = std::make_unique<Program>(world_, clock_, loop_, disk_.directory(), options_, delivery_, random_.next());
    take_in_damage();
}

// What was lost is told, and only that was lost.
void ProgramHistory::take_in_damage()
{
    for (const std::string& said : program_->store().damage()) {
        ++figures_.noticed;
        readers_.lost_commits();
        if (!said.starts_with("outbox.db")) continue;
        const bool is_told = program_->store().read(
            [](cache::Reader& db) { return cache::find_problem(db, "outbox.db was damaged").has_value(); });
        const int lost = writers_.forget_lost(*program_);
        figures_.lost += lost;
        if (!is_told) wrong_ = "a damaged outbox is no problem";
        if (lost > 0 && said.find("none of those that waited or failed is lost") != said.npos)
            wrong_ = fmt::format("{} writes are lost: {}", lost, said);
    }
}

void ProgramHistory::end_life()
{
    const auto draw = random_.below(4);
    const bool orderly = draw == 0, killed = draw == 1;
    const support::Loss loss = killed ? support::Loss::nothing : support::losses[random_.below(support::losses.size())];
    if (!orderly) disk_.die(loss);
    program_->die();
    program_.reset();
    world_.forget_told();
    const auto pause = milliseconds(random_.below(4) == 0 ? random_.below(3'600'000) : random_.below(60'000));
    support::pass_time(loop_, clock_, pause);
    if (!orderly) disk_.restore();
    if (breadth_ == Breadth::wide && random_.below(4) == 0)
        figures_.damages += disk_.damage(random_.below(2) == 0 ? "mirror.db" : "outbox.db") ? 1 : 0;
    readers_.restarted();
    if (!orderly && loss != support::Loss::nothing) readers_.lost_commits();
    ++(orderly ? figures_.stops : loss == support::Loss::nothing ? figures_.kills : figures_.power_cuts);
    start();
}

// As the service manager does.
void ProgramHistory::restart_damaged()
{
    program_->die();
    program_.reset();
    world_.forget_told();
    support::pass_time(loop_, clock_, std::chrono::seconds(5));
    readers_.restarted();
    start();
}

// What a program says that is about to end for damage does not count.
template <class F>
std::string ProgramHistory::unless_damaged(F check)
{
    std::string wrong;
    try {
        wrong = check();
    } catch (const Error& error) {
        if (error.fault() != Fault::damaged) throw;
    }
    if (!program_->is_damaged()) return wrong;
    restart_damaged();
    return "";
}

std::string ProgramHistory::run()
{
    start();
    const int rounds = 5 + static_cast<int>(random_.below(20));
    for (int round = 0; round < rounds; ++round) {
        if (std::string wrong = live(static_cast<int>(random_.below(6))); !wrong.empty()) return wrong;
        if (random_.below(6) == 0) end_life();
        if (random_.below(12) == 0) purge();
    }
    world_.heal();
    world_.end_growing();
    for (int files = 0; files < 8; ++files) { // of which each may be damaged, and be noticed by the last look alone
        const std::int64_t noticed = figures_.noticed;
        const std::string wrong = end();
        if (!wrong.empty() || figures_.noticed == noticed) return wrong;
    }
    return "it goes on being damaged";
}

std::string ProgramHistory::end()
{
    const bool settled = settle();
    support::pass_time(loop_, clock_, proxy::Runs::forget_after + std::chrono::minutes(1)); // runs that were seen
    return unless_damaged([&] {
        std::string wrong = check_end();
        if (settled && wrong.empty()) return wrong;
        return (settled ? wrong : "it goes on being wrong: " + wrong) + list_problems();
    });
}

std::string ProgramHistory::live(int acts)
{
    const auto act = [&]() -> std::string {
        world_.act();
        if (random_.below(2) == 0) writers_.act(*program_);
        const auto most = random_.below(3) == 0 ? 120'000U : 4'000U;
        support::pass_time(loop_, clock_, milliseconds(random_.below(most)));
        if (program_->gave_up()) return "the program gave up";
        std::string wrong = check();
        return wrong.empty() ? wrong : wrong + list_problems();
    };
    for (int n = 0; n < acts; ++n)
        if (std::string wrong = unless_damaged(act); !wrong.empty()) return wrong;
    return "";
}

std::string ProgramHistory::check()
{
    if (!wrong_.empty()) return wrong_;
    if (!world_.impatient.empty()) return "asked for before the time that it was told: " + world_.impatient;
    if (std::string wrong = check_claims(); !wrong.empty()) return wrong;
    if (std::string wrong = writers_.check(*program_); !wrong.empty()) return wrong;
    if (std::string wrong = writers_.settle_conflicts(*program_); !wrong.empty()) return wrong;
    for (auto reads = random_.below(4); reads > 0; --reads)
        if (std::string wrong = readers_.act(*program_); !wrong.empty()) return wrong;
    if (random_.below(2) == 0)
        if (std::string wrong = feed_reader_.act(*program_); !wrong.empty()) return wrong;
    return check_offline();
}

std::string ProgramHistory::check_claims()
{
    const Exempt exempt{writers_.deletions(), writers_.rated(*program_), {}};
    return program_->store().read([&](cache::Reader& db) -> std::string {
        for (const auto& [id, talk] : world_.talks)
            if (cache::is_deleted(db, {id})) return id + " was deleted, but upstream has it";
        if (world_.our_clock_was_set) return ""; // it says when what was verified
        return find_wrong_coverage(world_, db, exempt);
    });
}

// With upstream away a complete mirror answers its lists.
std::string ProgramHistory::check_offline()
{
    if (!world_.away || random_.below(3) != 0) return "";
    const bool complete = program_->store().read([](cache::Reader& db) { return cache::is_complete(db); });
    if (!complete || program_->engine().state()->reachable) return "";
    const Answer asked = program_->ask("GET", "/webapi/v2/conversations");
    if (asked->done && asked->status >= 500)
        return fmt::format("offline, and a list of a complete mirror is {}: {}", asked->status, asked->body);
    return "";
}

void ProgramHistory::purge()
{
    const std::string id = world_.any();
    if (id.empty() || world_.purged.contains(id)) return;
    world_.purged.insert(id); // or about to be
    writers_.forget(id);
    readers_.leave_alone(id);
    cache::PurgeOptions wish;
    wish.conversation = ConversationId{id};
    cache::PurgeHooks hooks;
    hooks.lines_changed = [program = program_.get()](const auto& lines) { program->deliverer().look_again(lines); };
    ++figures_.purges;
    const auto work = [](cache::Store& store, cache::PurgeOptions what, cache::PurgeHooks told) -> Task<> {
        co_await cache::purge(store, std::move(what), std::move(told));
    };
    program_->spawn(work(program_->store(), std::move(wish), std::move(hooks)), [this, id] { readers_.forget(id); });
}

bool ProgramHistory::settle()
{
    for (int tries = 0; tries < 40; ++tries) {
        support::pass_time(loop_, clock_,
                           options_.reconcile_interval * 5 / 4 + options_.overlap + world_.passed_again());
        bool settled = false;
        const std::int64_t noticed = figures_.noticed;
        const std::string wrong = unless_damaged([&] {
            std::string found = writers_.check(*program_);
            if (found.empty()) found = writers_.settle_conflicts(*program_);
            settled = found.empty() && is_settled();
            return found;
        });
        if (!wrong.empty()) return false;
        if (settled && figures_.noticed == noticed) return true;
    }
    return false;
}

bool ProgramHistory::is_settled()
{
    const auto problems = program_->store().read([](cache::Reader& db) { return cache::load_problems(db); });
    if (std::any_of(problems.begin(), problems.end(), [](const auto& it) { return it.key == "mass deletion"; })) {
        program_->engine().accept_deletions();
        return false;
    }
    const bool complete = program_->store().read([](cache::Reader& db) { return cache::is_complete(db); });
    const bool stopped = program_->engine().state()->failing_since.has_value();
    return are_of_the_world(problems) && complete && !stopped && writers_.waiting_in_all(*program_) == 0;
}

std::string ProgramHistory::check_end()
{
    if (std::string wrong = check(); !wrong.empty()) return wrong;
    const std::string wrong = program_->store().read([&](cache::Reader& db) -> std::string {
        std::ptrdiff_t listed = 0;
        for (const auto& [id, talk] : world_.talks) {
            const bool left_out = !talk.last && world_.nature.chatless == Chatless::nowhere;
            const bool held = cache::find_held(db, {id}).has_value();
            listed += held ? 1 : 0;
            if ((left_out && !held) || (world_.purged.contains(id) && !held)) continue;
            if (std::string differs = compare(world_, db, id, true); !differs.empty()) return differs;
        }
        const auto count = cache::count_totals(db).conversations;
        if (count != listed) return fmt::format("{} conversations instead of {}", count, listed);
        return "";
    });
    return wrong.empty() ? feed_reader_.check(*program_) : wrong;
}

std::string ProgramHistory::list_problems()
{
    return list_state(program_->store()) +
           fmt::format("\n  now {}, error {}", to_rfc3339(clock_.now()), program_->engine().state()->error);
}

} // namespace simulation
