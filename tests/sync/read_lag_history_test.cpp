// SPDX-License-Identifier: Apache-2.0
// Histories from a seed: writes of every kind, to an upstream whose reads lag by up to ten seconds and jump between
// replicas; outages, lost answers, restarts, other people's changes. ALLI_HISTORIES: so many; ALLI_SEED: the first, or
// the only one to replay.
#include "alli/log.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/outbox/overlay_answer.hpp"
#include "cache/rows/progress.hpp"
#include "sync/delivery/deliverer.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/sync/lagging_world.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>

namespace alli::sync {
namespace {

using namespace std::chrono_literals;
using cache::EditKind;
using cache::EntryState;

// What the histories of a run were made of: a test of nothing would pass too.
struct Tally {
    int delivered = 0, conflicts = 0, restarts = 0, reads_again = 0;
};

class LagHistory {
  public:
    LagHistory(cache::Store& store, std::uint64_t seed, Tally& tally)
        : store_(store), seed_(seed), tally_(tally), clock_(Instant(std::chrono::days(20'000 + 2 * seed))),
          random_(seed), world_(clock_, seed * 7919 + 1)
    {
        world_.lag = std::chrono::milliseconds(random_.below(10'001));
        world_.loses = chance(0.5) ? 0.2 : 0;
        world_.refuses = chance(0.5) ? 0.3 : 0;
        others_ = chance(0.5);
        world_.buries = [this](const LaggingWorld::Member& member, const json& value) {
            if (!known_.contains(key_of(member, value))) buried_.insert(member);
        };
        for (const char* name : {"a", "b", "c"}) {
            const std::string id = fmt::format("{}{}", name, seed);
            json chat = support::chat_json(id, 0, 1000, "hello");
            chat["rating"] = "r0";
            world_.begin(id, {{"id", id},
                              {"title", "t0"},
                              {"state", "s0"},
                              {"createdAt", 1},
                              {"lastChatTime", 1000},
                              {"chatCount", 1},
                              {"chats", {chat}}});
            ids_.push_back(id);
            put(world_.now(id), clock_.steady(), false);
        }
    }

    /// What was wrong, in a sentence; empty: nothing.
    std::string run()
    {
        start();
        const int acts = 10 + static_cast<int>(random_.below(30));
        for (int n = 0; n < acts && wrong_.empty(); ++n) {
            act();
            pass(std::chrono::milliseconds(random_.below(chance(0.1) ? 30'000 : 3'000)));
        }
        world_.away = false;
        world_.loses = world_.refuses = 0;
        for (int tries = 0; tries < 60 && wrong_.empty() && waits(); ++tries) pass(10s);
        pass(25s); // past the last lag and what is read again after it
        for (const std::string& id : ids_) put(world_.seen(id), clock_.steady(), false);
        look();
        check_end();
        stop();
        for (int i = 0; i < 1000 && clock_.sleepers() > 0; ++i) { // apps that still wait for an answer
            clock_.jump_to_next();
            support::run_until_idle(loop_);
        }
        return wrong_;
    }

  private:
    bool chance(double p) { return random_.unit() < p; }
    const std::string& any() { return ids_[random_.below(ids_.size())]; }

    void act()
    {
        const double draw = random_.unit();
        if (draw < 0.45) return write();
        if (draw < 0.70) return read(any());
        if (draw < 0.78) return forward(any());
        if (draw < 0.86) return others_ ? change() : read(any());
        if (draw < 0.93) return void(world_.away = !world_.away);
        restart();
    }

    // --- what we do --------------------------------------------------------------------------------------------------

    cache::NewEntry entry_of(EditKind kind, const std::string& id, const std::string& method, const std::string& path,
                             const json& body)
    {
        cache::NewEntry entry;
        entry.kind = kind;
        if (kind != EditKind::bulk_update) entry.conversation = ConversationId{id};
        entry.method = method;
        entry.path = "/webapi/v2/conversations/" + path;
        entry.headers = "{}";
        if (!body.is_null()) entry.body = body.dump();
        entry.upstream_key = fmt::format("{}-{}", seed_, ++keys_);
        entry.request_hash = entry.upstream_key;
        entry.created_at = clock_.now();
        if (kind == EditKind::title || kind == EditKind::update)
            entry.base = store_.read([&](cache::Reader& db) {
                return cache::find_base(db, ConversationId{id}, cache::patch_of(kind, entry.body));
            });
        return entry;
    }

    cache::NewEntry any_write()
    {
        const std::string& id = any();
        const std::string value = fmt::format("ours {}", keys_ + 1);
        const double draw = random_.unit();
        if (draw < 0.40) return entry_of(EditKind::title, id, "PUT", id + "/title", {{"title", value}});
        if (draw < 0.65) return entry_of(EditKind::update, id, "PUT", id, {{"title", value}, {"state", value}});
        if (draw < 0.82) {
            auto entry = entry_of(EditKind::feedback, id, "POST", id + "/chats/0/feedback", {{"rating", value}});
            entry.chat = ChatId{id + "/0"};
            return entry;
        }
        if (draw < 0.96)
            return entry_of(EditKind::bulk_update, id, "POST", "bulk_update",
                            {{"conversationIds", ids_}, {"conversationInfo", {{"state", value}}}});
        return entry_of(EditKind::remove, id, "DELETE", id, nullptr);
    }

    void write()
    {
        const cache::NewEntry entry = any_write();
        cache::Acceptance accepted;
        run(store_.write_outbox([&](cache::Writer& db) { accepted = cache::accept(db, entry); }));
        entries_.push_back(accepted.id);
        const auto patience = chance(0.8) ? 10s : 0s;
        asio::co_spawn(loop_, deliverer_->offer(cache::accepted_write(entry, accepted), patience),
                       [](std::exception_ptr, std::optional<upstream::Reply>) {});
    }

    void change()
    {
        const std::string& id = any();
        world_.change(id, chance(0.5) ? "title" : "state", fmt::format("theirs {}", ++changes_));
    }

    // As the engine does: one conversation, or its item alone.
    void read(const std::string& id)
    {
        const auto asked = clock_.steady();
        const json shown = world_.seen(id);
        reading_ = true; // the engine never puts what it asked for earlier over what it asked for later
        pass(std::chrono::milliseconds(random_.below(300)));
        reading_ = false;
        put(shown, asked, chance(0.3));
        look();
    }

    void put(const json& shown, Clock::Steady asked, bool item_only)
    {
        if (shown.is_null()) return;
        TimeUnit unit = TimeUnit::seconds;
        Conversation conversation = read_conversation(shown.dump(), unit);
        conversation.asked_at = asked;
        run(store_.write([&](cache::Writer& db) {
            cache::put_conversation(db, conversation);
            if (!item_only) cache::put_chats(db, conversation.id, 0, conversation.chats, asked);
        }));
        const std::string id = shown["id"];
        for (const char* member : {"title", "state"}) known_.insert(key_of({id, member}, shown[member]));
    }

    // As the proxy does: upstream's answer, edited on its way.
    void forward(const std::string& id)
    {
        const auto asked = clock_.steady();
        const json shown = world_.seen(id);
        pass(std::chrono::milliseconds(random_.below(300)));
        if (shown.is_null()) return;
        const cache::EditedAnswer answer = store_.read([&](cache::Reader& db) {
            return cache::apply_edits(db, cache::Shape::conversation, ConversationId{id}, {}, shown.dump(), asked);
        });
        if (answer.removed) return;
        check(id, answer.body ? json::parse(*answer.body) : shown, false);
    }

    void start()
    {
        DeliveryHooks hooks{[this](const ConversationId& id) { refresh_queue_.insert(id.value); }, [] {}};
        deliverer_ = std::make_unique<Deliverer>(client_, store_, clock_, random_, options_, hooks);
        running_ = true;
        asio::co_spawn(loop_, deliverer_->run(),
                       asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr why) {
                           running_ = false;
                           if (why && deliverer_ && !stopping_) wrong_ = "the deliverer gave up: " + reason_of(why);
                       }));
        support::run_until_idle(loop_);
    }
    void stop()
    {
        stopping_ = true;
        if (running_) cancel_.emit(asio::cancellation_type::terminal);
        for (int i = 0; i < 1000 && running_; ++i) {
            support::run_until_idle(loop_);
            if (running_) clock_.jump_to_next();
        }
        deliverer_.reset();
        stopping_ = false;
    }
    // In order, or as SIGKILL does it: then what an orderly stop wrote is undone.
    void restart()
    {
        ++tally_.restarts;
        stop();
        if (chance(0.5))
            run(store_.write_outbox([](cache::Writer& db) {
                db.run("DELETE FROM fact WHERE name = 'stopped_in_order'");
                db.run("UPDATE entry SET state = 'sending' WHERE unclear = 1 AND state = 'pending'");
            }));
        start();
        look();
    }

    void pass(std::chrono::nanoseconds time)
    {
        const auto until = clock_.passed() + time;
        support::run_until_idle(loop_);
        look();
        while (clock_.passed() < until && wrong_.empty()) {
            const auto left = until - clock_.passed();
            if (!clock_.jump_to_next_within(left)) clock_.advance(left);
            support::run_until_idle(loop_);
            if (!world_.away && !reading_) run_refresh_queue();
            look();
        }
    }

    void run_refresh_queue()
    {
        for (const std::string& id : std::exchange(refresh_queue_, {})) {
            if (!world_.past.contains(id)) continue; // of an earlier history
            ++tally_.reads_again;
            put(world_.seen(id), clock_.steady(), false);
        }
    }

    void run(Task<> task)
    {
        std::exception_ptr failure;
        asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr why) { failure = why; });
        support::run_until_idle(loop_);
        if (failure) std::rethrow_exception(failure);
    }

    // --- what must hold ----------------------------------------------------------------------------------------------

    cache::Entry entry(std::int64_t id)
    {
        return store_.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); })
            .value_or(cache::Entry{});
    }

    bool waits()
    {
        load_states();
        return std::any_of(states_.begin(), states_.end(), [](const auto& one) {
            return one.second == EntryState::pending || one.second == EntryState::sending;
        });
    }

    static std::string key_of(const LaggingWorld::Member& member, const json& value)
    {
        return fmt::format("{}/{}/{}", member.first, member.second, value.dump());
    }

    bool is_settled(const json& value) // a write of ours that upstream confirmed, or no write of ours
    {
        const std::string text = value.get<std::string>();
        if (!text.starts_with("ours ")) return true;
        return states_[entries_[std::stoul(text.substr(5)) - 1]] == EntryState::delivered;
    }

    // A change of somebody else that upstream lost under a write of ours, before anybody here had seen it, cannot be
    // told from a new one: it may show for as long as reads lag, and what was ours before it takes the place of it.
    // Such a member is not judged any more.
    void check_member(const LaggingWorld::Member& member, const json& value, bool mirrored)
    {
        const auto& truth = world_.values[member];
        const auto found =
            std::find_if(truth.rbegin(), truth.rend(), [&](const auto& one) { return one.value == value; });
        if (found == truth.rend() || buried_.contains(member)) return; // it waits: upstream never had it
        const auto place = truth.rend() - found;
        auto& highest = highest_[member];
        if (place < highest)
            wrong_ = fmt::format("{}: {} of {} jumped back from {} to {} at {} ms",
                                 mirrored ? "the mirror" : "a forwarded answer", member.second, member.first,
                                 truth[static_cast<std::size_t>(highest) - 1].value.dump(), value.dump(),
                                 clock_.passed() / 1ms);
        if (mirrored && is_settled(value)) highest = std::max(highest, place);
    }

    void check(const std::string& id, const json& conversation, bool mirrored)
    {
        if (deleted_.contains(id)) wrong_ = id + " came back";
        for (const char* name : {"title", "state"}) check_member({id, name}, conversation[name], mirrored);
        if (!conversation["chats"].empty()) check_member({id, "rating"}, conversation["chats"][0]["rating"], mirrored);
    }

    // Whatever was committed since the last look.
    void look()
    {
        load_states();
        if (std::exchange(seen_commits_, store_.commits()) == store_.commits()) return;
        for (const std::string& id : ids_)
            if (const auto raw = find(id)) check(id, json::parse(*raw), true);
    }

    void load_states()
    {
        std::vector<std::int64_t> conflicts;
        cache::EntryQuery all;
        all.limit = static_cast<int>(entries_.size());
        for (const cache::Entry& one :
             store_.read_outbox([&](cache::Reader& db) { return cache::list_entries(db, all); })) {
            states_[one.id] = one.state;
            if (one.state == EntryState::delivered && one.kind == EditKind::remove)
                deleted_.insert(one.conversation->value);
            if (one.state == EntryState::conflict) conflicts.push_back(one.id);
        }
        for (const std::int64_t id : conflicts) judge_conflict(entry(id));
    }

    // It had arrived, and then a person discarded it: nobody's value by now.
    bool was_given_up(const json& value)
    {
        const std::string text = value.get<std::string>();
        return text.starts_with("ours ") && given_up_.contains(entries_[std::stoul(text.substr(5)) - 1]);
    }

    // Only with what somebody else has set, and that is there, or was buried.
    void judge_conflict(const cache::Entry& one)
    {
        ++tally_.conflicts;
        const json conflict = json::parse(*one.conflict);
        bool is_true = false;
        for (const auto& [name, values] : conflict.items()) {
            const LaggingWorld::Member member{one.conversation->value, name};
            const json& theirs = values["upstream"];
            is_true = is_true || buried_.contains(member) || world_.is_there(member, theirs) || was_given_up(theirs);
        }
        if (!is_true)
            wrong_ = fmt::format("write {} of {} is in conflict: {}", one.id, one.conversation->value, *one.conflict);
        given_up_.insert(one.id);
        asio::co_spawn(loop_, deliverer_->discard(one.id), [](std::exception_ptr, cache::OperatorResult) {});
        support::run_until_idle(loop_);
    }

    std::optional<std::string> find(const std::string& id)
    {
        return store_.read([&](cache::Reader& db) { return cache::find_conversation(db, ConversationId{id}); });
    }

    void check_end()
    {
        if (!wrong_.empty()) return;
        if (waits()) wrong_ = "writes go on waiting";
        for (const std::string& id : ids_) {
            const auto raw = find(id);
            if (world_.is_gone(id) != !raw) wrong_ = id + (raw ? " is still there" : " is missing");
            if (raw && json::parse(*raw) != world_.now(id))
                wrong_ = fmt::format("{} is {} instead of {}", id, *raw, world_.now(id).dump());
        }
        for (std::size_t n = 0; n < entries_.size(); ++n) {
            const cache::Entry one = entry(entries_[n]);
            tally_.delivered += one.state == EntryState::delivered ? 1 : 0;
            const int times = world_.applied[fmt::format("{}-{}", seed_, n + 1)];
            if (times > 1 && one.kind != EditKind::bulk_update)
                wrong_ = fmt::format("write {} was applied {} times", n + 1, times);
        }
    }

    cache::Store& store_;
    std::uint64_t seed_;
    Tally& tally_;
    support::FakeClock clock_;
    SeededRandom random_;
    LaggingWorld world_;
    upstream::RateLimiter pace_{clock_, {0, 16}};
    upstream::Client client_{world_, pace_, clock_, {"key", TimeUnit::seconds, "/count"}};
    DeliveryOptions options_;
    asio::io_context loop_;
    asio::cancellation_signal cancel_;
    std::unique_ptr<Deliverer> deliverer_;
    bool running_ = false, stopping_ = false, others_ = false, reading_ = false;
    std::vector<std::string> ids_;
    std::vector<std::int64_t> entries_; // in the order of their keys
    std::map<std::int64_t, EntryState> states_;
    std::set<std::string> refresh_queue_, deleted_;
    std::set<std::string> known_;           // values that reads brought
    std::set<LaggingWorld::Member> buried_; // of which they did not bring one of others in time
    std::set<std::int64_t> given_up_;
    std::map<LaggingWorld::Member, std::ptrdiff_t> highest_; // place of what was shown last, from 1
    std::uint64_t seen_commits_ = 0;
    int keys_ = 0, changes_ = 0;
    std::string wrong_;
};

std::uint64_t number_from(const char* name, std::uint64_t otherwise)
{
    const char* text = std::getenv(name);
    return text ? std::stoull(text) : otherwise;
}

TEST(ReadLagHistories, HaveNoFalseConflictAndNoValueThatJumpsBack)
{
    using std::chrono::steady_clock;
    const auto until = steady_clock::now() + 8s;
    const std::uint64_t first = number_from("ALLI_SEED", 1);
    const std::uint64_t asked = number_from("ALLI_HISTORIES", std::getenv("ALLI_SEED") ? 1 : 0);
    const std::uint64_t most = asked ? asked : 1000;
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0); // mostly commits: they need no disk
    const support::TempDir dir;
    cache::Store store(cache::StoreOptions{dir / "mirror.db", "http://127.0.0.1:1", false});
    Tally tally;
    std::uint64_t passed = 0;
    for (; passed < most && (asked || passed < 50 || steady_clock::now() < until); ++passed) {
        const std::string wrong = LagHistory(store, first + passed, tally).run();
        ASSERT_EQ(wrong, "") << "replay it with ALLI_SEED=" << first + passed;
    }
    std::printf(
        "%llu histories from seed %llu on: %d writes delivered, %d true conflicts, %d restarts, %d read again\n",
        static_cast<unsigned long long>(passed), static_cast<unsigned long long>(first), tally.delivered,
        tally.conflicts, tally.restarts, tally.reads_again);
    if (passed < 50) return;
    EXPECT_GT(std::min({tally.delivered, tally.conflicts, tally.restarts, tally.reads_again}), 10);
}

} // namespace
} // namespace alli::sync
