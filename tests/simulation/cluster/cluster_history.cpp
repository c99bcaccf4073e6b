// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/cluster/cluster_history.hpp"

#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "cache/replica/notes.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/rows/totals.hpp"
#include "tests/cache/replica/dump.hpp"
#include "tests/simulation/claims.hpp"
#include "tests/support/pass_time.hpp"

#include <set>

namespace simulation {

using namespace alli;
using std::chrono::milliseconds;

namespace {

// Twenty times as slow as the product, so that an hour is not made of heartbeats.
cluster::NodeOptions node_options(SeededRandom& random)
{
    cluster::NodeOptions options;
    options.lease = std::chrono::seconds(std::array{80, 80, 80, 20, 200}[random.below(5)]); // changed node by node
    options.poll = std::chrono::seconds(10);
    options.publish_pause = milliseconds(3'000 + random.below(9'000));
    options.batch = std::array{1UL, 5UL, 40UL, 1'000UL}[random.below(4)];
    options.most_rows = random.below(4) == 0 ? 60 : 50'000;
    return options;
}

} // namespace

ClusterHistory::ClusterHistory(std::uint64_t seed)
    : random_(seed), world_(clock_, seed * 7919 + 1), shared_(clock_, seed * 6007 + 3)
{
    options_.interval = milliseconds(5'000 + static_cast<int>(random_.below(40'000)));
    options_.overlap = milliseconds(30'000 + static_cast<int>(random_.below(60'000)));
    options_.reconcile_interval = std::chrono::minutes(2 + random_.below(4));
    options_.max_parallel = 1 + static_cast<int>(random_.below(4));
    options_.accept_deletions = true;
    world_.nature.late = options_.overlap.count() * 8 / 10;
    world_.nature.skew = 0;
    world_.nature.gateways = {0};
    world_.nature.counts_days = false; // slow, and compared by other tests
    for (auto n = random_.below(40); n > 0; --n) world_.act();
    world_.rejecting = world_.away = false;
    std::array<milliseconds, 3> skews{};
    if (world_.nature.sends_date) // else the machines' clocks are all there is, and must be right
        for (milliseconds& skew : skews) skew = milliseconds(random_.below(1'200'000)) - std::chrono::minutes(10);
    most_skew_ = std::max(milliseconds(0), *std::max_element(skews.begin(), skews.end()));
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
        nodes_[n] = std::make_unique<SimNode>(static_cast<int>(n), world_, shared_, clock_, loop_, options_,
                                              node_options(random_), skews[n], most_skew_, random_.next());
        nodes_[n]->start();
    }
}

ClusterHistory::~ClusterHistory()
{
    for (auto& node : nodes_) node.reset();
}

void ClusterHistory::pass_time(milliseconds time)
{
    support::pass_time(loop_, clock_, time);
}

// What others do there while nodes come and go: a chat, or a run whose answer grows.
void ClusterHistory::write_upstream()
{
    if (!answering_.empty()) {
        go_on_answering(random_.below(3) == 0);
    } else if (const std::string id = world_.any(); id.empty() || random_.below(2) == 0) {
        world_.arrive();
    } else {
        answer_ = world_.begin_run(id);
        answering_ = id;
    }
}

void ClusterHistory::go_on_answering(bool ends)
{
    const bool there = world_.talks.contains(answering_) && world_.grow_run(answering_, answer_, ends);
    if (ends || !there) answering_.clear();
}

void ClusterHistory::pass_busy_time(milliseconds time)
{
    while (time > milliseconds(0)) {
        const milliseconds some = std::min(time, milliseconds(1 + random_.below(40'000)));
        pass_time(some);
        time -= some;
        if (random_.below(3) == 0) write_upstream();
    }
}

std::string ClusterHistory::run()
{
    const int rounds = 8 + static_cast<int>(random_.below(16));
    for (int round = 0; round < rounds; ++round)
        if (std::string wrong = live(); !wrong.empty()) return wrong + describe();
    heal();
    if (std::string wrong = settle(); !wrong.empty()) return wrong + describe();
    return "";
}

std::string ClusterHistory::live()
{
    world_.act();
    if (random_.below(3) == 0) strike();
    pass_busy_time(milliseconds(random_.below(random_.below(3) == 0 ? 240'000 : 15'000)));
    return check();
}

void ClusterHistory::strike()
{
    SimNode& node = *nodes_[random_.below(nodes_.size())];
    if (node.has_died()) node.kill();
    if (!node.runs()) return node.start();
    if (node.is_frozen()) return node.thaw();
    switch (random_.below(14)) {
    case 11:
        return freeze_leader();
    case 12:
    case 13:
        return purge(node);
    case 0:
        return node.kill();
    case 10:
        return node.die_after(1 + static_cast<int>(random_.below(8)));
    case 1:
        return node.stop();
    case 2:
        return node.freeze();
    case 3:
    case 4:
        node.truth().link.cut = !node.truth().link.cut;
        return;
    case 5:
        node.truth().link.unknown = random_.unit() * 0.5;
        return;
    case 6:
        node.truth().link.delay = milliseconds(1 + random_.below(9'000));
        return;
    case 7:
        return node.node().step_down();
    case 8:
        if (auto* const first = leader()) first->kill();
        return;
    default:
        if (backup_ && random_.below(2) == 0)
            shared_.contents = *std::exchange(backup_, std::nullopt);
        else
            backup_ = shared_.contents;
    }
}

// For longer than its lease, or just not: it sends nothing when it goes on, or was ended meanwhile.
void ClusterHistory::freeze_leader()
{
    SimNode* const first = leader();
    if (!first || first->is_frozen()) return;
    first->freeze();
    pass_busy_time(std::chrono::seconds(40 + random_.below(80)));
    if (!first->has_died() && first->runs()) first->thaw();
}

void ClusterHistory::purge(SimNode& node)
{
    const std::string id = world_.any();
    const bool joined =
        node.store().read_outbox([](cache::Reader& db) { return cache::find_shared_key(db).has_value(); });
    if (id.empty() || !joined) return; // a list of its own would keep it apart
    node.purge(id);
    if (node.purged_here().contains(id)) purged_.insert(id);
}

std::string ClusterHistory::find_purged(SimNode& node, const std::set<std::string>& ids)
{
    return node.store().read([&](cache::Reader& db) -> std::string {
        for (const std::string& id : ids)
            if (cache::find_held(db, {id})) return id + " was purged and is there again";
        return "";
    });
}

void ClusterHistory::start_all()
{
    for (auto& node : nodes_) {
        if (node->has_died()) node->kill();
        node->die_after(-1);
        if (node->runs() && node->is_frozen()) node->thaw();
        if (!node->runs()) node->start();
        node->truth().link.cut = false;
        node->truth().link.unknown = 0;
        node->truth().link.delay = milliseconds(20);
    }
}

void ClusterHistory::heal()
{
    start_all();
    world_.heal();
    world_.end_growing();
    go_on_answering(true);
}

SimNode* ClusterHistory::leader()
{
    for (auto& node : nodes_)
        if (node->leads()) return node.get();
    return nullptr;
}

// A frozen leader's engine does nothing: it does not count.
std::string ClusterHistory::check()
{
    int at_work = 0;
    for (auto& node : nodes_) {
        if (!node->wrong().empty()) return node->wrong();
        if (node->has_died()) node->kill();
        if (!node->runs()) continue;
        if (node->has_failed()) return "a node gave up";
        if (node->leads() && !node->is_frozen()) ++at_work;
        const auto wrong = node->store().read([&](cache::Reader& db) -> std::string {
            for (const auto& [id, talk] : world_.talks)
                if (cache::is_deleted(db, {id})) return id + " was deleted, but upstream has it";
            return world_.our_clock_was_set ? "" : find_wrong_coverage(world_, db, {{}, {}, most_skew_});
        });
        if (std::string back = find_purged(*node, node->purged_here()); !back.empty()) return back;
        if (!wrong.empty()) return (node->leads() ? "a leader: " : "a follower: ") + wrong;
    }
    return at_work > 1 ? "two engines are at work" : "";
}

std::string ClusterHistory::find_difference()
{
    SimNode* const first = leader();
    if (!first) return "nobody leads";
    std::string wrong = first->store().read([&](cache::Reader& db) -> std::string {
        for (const auto& [id, talk] : world_.talks) {
            const bool left_out = !talk.last && world_.nature.chatless == Chatless::nowhere;
            if ((left_out && !cache::find_held(db, {id})) || world_.purged.contains(id)) continue;
            if (std::string differs = compare(world_, db, id, true); !differs.empty()) return "the leader: " + differs;
        }
        return "";
    });
    for (const std::string& id : purged_)
        if (const auto row = shared_.contents.conversations.find(id);
            wrong.empty() && row != shared_.contents.conversations.end() && !row->second.row.deleted)
            wrong = id + " was purged and is still published";
    const auto dump = [](cache::Reader& db) { return cache::dump_conversations(db); };
    const auto dump_state = [](cache::Reader& db) { return cache::dump_state(db); };
    const auto theirs = first->store().read(dump), said = first->store().read(dump_state);
    for (auto& node : nodes_) {
        if (wrong.empty()) wrong = find_purged(*node, purged_);
        if (!wrong.empty()) break;
        const auto ours = node->store().read(dump);
        for (const auto& [id, text] : theirs)
            if (!ours.contains(id) || ours.at(id) != text)
                return fmt::format("{} is {} instead of {}", id, ours.contains(id) ? ours.at(id) : "missing", text);
        if (ours.size() != theirs.size()) return "a follower has more conversations";
        for (const auto& [name, text] : said) // but for what the engine writes all the time
            if (!std::set<std::string>{"coverage", "progress", "problem", "drift"}.contains(name) &&
                node->store().read(dump_state).at(name) != text)
                return fmt::format("{} is {} instead of {}", name, node->store().read(dump_state).at(name), text);
    }
    return wrong;
}

// Until all is the same and complete.
std::string ClusterHistory::settle()
{
    std::string wrong;
    for (int tries = 0; tries < 40; ++tries) {
        pass_time(options_.reconcile_interval * 5 / 4 + options_.overlap + milliseconds(world_.set_back));
        if (tries >= 8) pass_time(std::chrono::minutes(30)); // what failed often is tried again after hours
        if (std::string claim = check(); !claim.empty()) return claim;
        pass_time(std::chrono::seconds(30)); // the last poll is published, and followed
        wrong = find_difference();
        const bool complete =
            wrong.empty() && nodes_[0]->store().read([](cache::Reader& db) { return cache::is_complete(db); });
        if (complete) return "";
        if (wrong.empty()) wrong = "it does not say that it is complete";
    }
    return "it goes on being wrong: " + wrong;
}

std::string ClusterHistory::describe()
{
    const support::ModelDatabase::Contents& now = shared_.contents;
    std::string text = fmt::format("\n  shared: epoch {}, last {}, leader '{}', {} conversations", now.epoch, now.last,
                                   now.leader, now.conversations.size());
    for (auto& node : nodes_) {
        if (!node->runs()) {
            text += "\n  a node that does not run";
            continue;
        }
        const auto status = node->node().status();
        text +=
            fmt::format("\n  {} at {} of {}, leads: {}, frozen: {}, {}, notes: {}, trouble: {}",
                        cluster::name_of(status->role), status->position, status->last, node->leads(),
                        node->is_frozen(), node->truth().link.cut ? "cut off" : "connected",
                        node->store().read([](cache::Reader& db) { return cache::count_notes(db); }), status->trouble);
        if (node->leads())
            for (const auto& problem : node->store().read([](cache::Reader& db) { return cache::load_problems(db); }))
                text += "\n    " + problem.key + ": " + problem.what;
    }
    return text;
}

} // namespace simulation
