// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/cluster/sim_node.hpp"

#include "cache/replica/notes.hpp"
#include "cache/upkeep/purge.hpp"
#include "tests/simulation/claims.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace simulation {

using namespace alli;
using std::chrono::milliseconds;

Task<> FreezableClock::sleep(std::chrono::nanoseconds pause)
{
    co_await clock_.sleep(pause);
    while (frozen) co_await clock_.sleep(milliseconds(200));
}

/// Requests of a frozen process go out when it goes on, and so do answers come in.
struct SimNode::Upstream final : upstream::Transport {
    Upstream(World& its_world, FreezableClock& its_clock) : world(its_world), clock(its_clock) {}
    Task<upstream::Reply> send(upstream::Request request) override
    {
        if (clock.frozen) co_await clock.sleep(milliseconds(0));
        upstream::Reply reply = co_await world.send(std::move(request));
        if (clock.frozen) co_await clock.sleep(milliseconds(0));
        co_return reply;
    }
    World& world;
    FreezableClock& clock;
};

struct SimNode::Process {
    Process(SimNode& own, cluster::NodeHooks hooks)
        : upstream(own.world_, own.clock_), pace(own.clock_, {0, 4}), random(own.random_.next()),
          truth(own.loop_.get_executor(), own.shared_, own.clock_,
                {fmt::format("node {}", own.number_), fmt::format("{}", own.random_.next()), own.node_options_.lease},
                own.random_.next()),
          node(own.loop_.get_executor(), truth, *own.store_, own.clock_, own.node_options_, std::move(hooks))
    {}

    Upstream upstream;
    upstream::RateLimiter pace;
    SeededRandom random;
    support::ModelTruth truth;
    std::unique_ptr<upstream::Client> client; // while it leads, both
    std::unique_ptr<sync::Engine> engine;
    asio::cancellation_signal cancel_engine, cancel_node;
    bool engine_ended = true, node_ended = false;
    std::exception_ptr failure;
    std::optional<Clock::Steady> deadline;
    cluster::Node node;
};

SimNode::SimNode(int number, World& world, support::ModelDatabase& shared, support::FakeClock& clock,
                 asio::io_context& loop, sync::Options options, cluster::NodeOptions node, milliseconds skew,
                 milliseconds most_skew, std::uint64_t seed)
    : number_(number), world_(world), shared_(shared), time_(clock), clock_(clock, skew), most_skew_(most_skew),
      loop_(loop), options_(options), node_options_(std::move(node)), random_(seed)
{}

SimNode::~SimNode()
{
    if (process_) kill();
}

void SimNode::start()
{
    if (!store_) {
        cache::StoreOptions options{dir_ / "mirror.db", "http://model", false};
        options.on_open = &cache::begin_notes;
        store_ = std::make_unique<cache::Store>(options);
        store_->watch([this] { look(); });
    }
    cluster::NodeHooks hooks;
    hooks.begin = [this] { begin(); };
    hooks.cancel = [this] {
        if (!process_->engine_ended) process_->cancel_engine.emit(asio::cancellation_type::terminal);
    };
    hooks.ended = [this] { return end_engine(); };
    hooks.refresh = [this](std::vector<std::string> ids) { return refresh(std::move(ids)); };
    hooks.deadline = [this](std::optional<Clock::Steady> when) { process_->deadline = when; };
    process_ = std::make_unique<Process>(*this, std::move(hooks));
    process_->truth.link.delay = milliseconds(20);
    process_->truth.link.loses_news = random_.below(3) == 0;
    auto ended = [process = process_.get()](std::exception_ptr why) {
        process->failure = why;
        process->node_ended = true;
    };
    asio::co_spawn(loop_, process_->node.run(), asio::bind_cancellation_slot(process_->cancel_node.slot(), ended));
}

// Claims hold after each commit, also of those that belong together. What is thrown here ends whoever committed, and
// nothing else of the process goes out.
void SimNode::look()
{
    if (commits_left_ > 0) --commits_left_;
    if (commits_left_ == 0) {
        if (process_) process_->truth.link.cut = true;
        throw std::runtime_error("it died");
    }
    if (!wrong_.empty() || world_.our_clock_was_set) return;
    const auto find = [this](cache::Reader& db) { return find_wrong_coverage(world_, db, {{}, {}, most_skew_}); };
    wrong_ = store_->read(find);
    if (!wrong_.empty()) wrong_ = fmt::format("node {} after a commit: {}", number_, wrong_);
}

void SimNode::begin()
{
    Process& process = *process_;
    const upstream::Client::Options client{"key", TimeUnit::unknown, "/webapi/v2/conversations/daily_count"};
    process.client = std::make_unique<upstream::Client>(process.upstream, process.pace, clock_, client);
    process.engine = std::make_unique<sync::Engine>(*process.client, *store_, clock_, process.random, options_);
    process.client->tell([&process](const upstream::Outcome& outcome) { process.engine->heard(outcome); });
    process.engine_ended = false;
    auto ended = [&process](std::exception_ptr) { process.engine_ended = true; };
    asio::co_spawn(loop_, process.engine->run(), asio::bind_cancellation_slot(process.cancel_engine.slot(), ended));
}

// As the daemon has it fetched.
Task<> SimNode::refresh(std::vector<std::string> asked)
{
    const bool news = std::erase(asked, "*") > 0;
    std::vector<ConversationId> ids;
    for (std::string& id : asked) ids.push_back({std::move(id)});
    co_await process_->engine->fetch(std::move(ids));
    if (news) co_await process_->engine->fetch_news();
}

Task<> SimNode::end_engine()
{
    while (!process_->engine_ended) co_await clock_.sleep(milliseconds(10));
    process_->engine.reset();
    process_->client.reset();
}

void SimNode::run_until(const std::function<bool()>& done)
{
    for (int tries = 0; tries < 100'000 && !done(); ++tries) {
        support::run_until_idle(loop_);
        if (!done()) time_.jump_to_next();
    }
}

void SimNode::kill()
{
    clock_.frozen = false;
    store_->watch({});
    if (!process_->engine_ended) process_->cancel_engine.emit(asio::cancellation_type::terminal);
    if (!process_->node_ended) process_->cancel_node.emit(asio::cancellation_type::terminal);
    support::run_until_idle(loop_);
    run_until([this] { return process_->node_ended && process_->engine_ended; });
    process_.reset();
    store_.reset();
    commits_left_ = -1;
}

void SimNode::stop()
{
    process_->node.stop();
    run_until([this] { return process_->node_ended; });
    process_.reset();
    store_.reset();
}

// As a person at this machine does it; the process may die meanwhile.
void SimNode::purge(const std::string& id)
{
    cache::PurgeOptions wish;
    wish.conversation = ConversationId{id};
    world_.purged.insert(id); // from its first commit on
    bool done = false;
    const auto ended = [&](std::exception_ptr why, const cache::PurgeReport&) { done = why == nullptr; };
    asio::co_spawn(loop_, cache::purge(*store_, wish, {}), ended);
    support::run_until_idle(loop_);
    if (done) purged_here_.insert(id);
}

void SimNode::thaw()
{
    if (process_->deadline && time_.steady() >= *process_->deadline) return kill();
    clock_.frozen = false;
}

bool SimNode::leads() const
{
    return process_ && !process_->engine_ended;
}

bool SimNode::has_failed() const
{
    return process_ && process_->node_ended;
}

cluster::Node& SimNode::node()
{
    return process_->node;
}

support::ModelTruth& SimNode::truth()
{
    return process_->truth;
}

sync::Engine* SimNode::engine()
{
    return process_ ? process_->engine.get() : nullptr;
}

} // namespace simulation
