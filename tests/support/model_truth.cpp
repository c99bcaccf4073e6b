// SPDX-License-Identifier: Apache-2.0
#include "tests/support/model_truth.hpp"

#include "cluster/latest.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <limits>

using namespace alli;
using namespace alli::cluster;

namespace support {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

const Error is_unreachable(Fault::unreachable, "", "the database cannot be reached");

std::string hex(std::uint64_t number)
{
    return fmt::format("{:016x}", number);
}

constexpr std::int64_t last_ordinal = std::numeric_limits<std::int64_t>::max();

template <class Map>
auto between(const Map& map, std::int64_t after, std::int64_t upto)
{
    std::vector<decltype(map.begin()->second.row)> rows;
    for (const auto& [key, numbered] : map)
        if (numbered.seq > after && numbered.seq <= upto) rows.push_back(numbered.row);
    return rows;
}

// The end of the last transaction whose rows are among the first `limit`, or of the first one.
std::int64_t end_of_part(const ModelDatabase::Contents& now, std::int64_t after, std::size_t limit)
{
    std::vector<std::int64_t> numbers;
    for (const auto& [key, numbered] : now.conversations) numbers.push_back(numbered.seq);
    for (const auto& [key, numbered] : now.chats) numbers.push_back(numbered.seq);
    std::erase_if(numbers, [&](std::int64_t number) { return number <= after; });
    if (numbers.size() <= limit) return now.last;
    std::sort(numbers.begin(), numbers.end());
    const auto over = now.trail.lower_bound(numbers[limit]);
    const bool fits = over != now.trail.begin() && std::prev(over)->first > after;
    return fits ? std::prev(over)->first : over->first;
}

} // namespace

ModelDatabase::ModelDatabase(const Clock& clock, std::uint64_t seed) : clock_(clock), random_(seed)
{
    contents.store = hex(random_.next());
    contents.last = clock.now().time_since_epoch().count();
    contents.trail[contents.last] = hex(random_.next());
}

std::int64_t ModelDatabase::number(std::size_t count)
{
    const std::int64_t before = contents.last;
    contents.last += static_cast<std::int64_t>(std::max<std::size_t>(count, 1));
    contents.trail[contents.last] = hex(random_.next());
    while (contents.trail.size() > trail_most) contents.trail.erase(contents.trail.begin());
    return before;
}

void ModelDatabase::lift(std::int64_t above)
{
    const std::int64_t now = clock_.now().time_since_epoch().count();
    const bool possible = above < now + std::chrono::microseconds(24h).count();
    number(static_cast<std::size_t>(std::max({contents.last + 1, now, possible ? above + 1 : 0}) - contents.last));
}

void ModelDatabase::tell()
{
    for (ModelTruth* const node : listeners_)
        if (!node->link.loses_news && !node->link.cut && !node->news_.try_send(boost::system::error_code()))
            node->has_news_ = true;
}

Position ModelDatabase::last() const
{
    return {contents.last, contents.trail.at(contents.last)};
}

ModelTruth::ModelTruth(asio::any_io_executor executor, ModelDatabase& database, Clock& clock, Member self,
                       std::uint64_t seed)
    : database_(database), clock_(clock), self_(std::move(self)), random_(seed), news_(std::move(executor), 1)
{
    database_.listeners_.insert(this);
}

ModelTruth::~ModelTruth()
{
    database_.listeners_.erase(this);
}

Task<> ModelTruth::travel()
{
    const std::chrono::milliseconds most = link.delay;
    co_await clock_.sleep(most.count() > 0 ? milliseconds(1 + random_.below(static_cast<std::uint64_t>(most.count())))
                                           : most);
}

Task<> ModelTruth::arrive()
{
    co_await travel();
    if (!is_away()) co_return;
    co_await clock_.sleep(milliseconds(random_.below(3'000)));
    if (database_.away) throw NothingSent(is_unreachable);
    throw Error(is_unreachable);
}

Task<> ModelTruth::answer()
{
    co_await travel();
    if (is_away() || random_.unit() < link.unknown) throw Error(is_unreachable);
}

bool ModelTruth::leads(std::int64_t epoch) const
{
    return database_.contents.epoch == epoch && database_.contents.holder == self_.holder;
}

Continuity ModelTruth::continuity_of(const Position& position) const
{
    const auto& trail = database_.contents.trail;
    if (position.number == 0) return Continuity::same;
    const auto found = trail.find(position.number);
    if (found != trail.end() && found->second == position.nonce) return Continuity::same;
    return position.number < trail.begin()->first ? Continuity::forgotten : Continuity::other;
}

Head ModelTruth::read_head() const
{
    const ModelDatabase::Contents& now = database_.contents;
    std::int64_t last_write = 0;
    for (const auto& [id, held] : now.writes) last_write = std::max(last_write, held.row.number);
    return {now.store,  now.epoch,    now.beat,
            now.holder, now.leader,   database_.last(),
            now.lease,  now.led_from, now.trail.begin()->first,
            last_write};
}

Task<Head> ModelTruth::head()
{
    co_await arrive();
    const Head head = read_head();
    co_await answer();
    co_return head;
}

Task<std::optional<std::int64_t>> ModelTruth::campaign(std::int64_t epoch, std::int64_t beat)
{
    co_await arrive();
    ModelDatabase::Contents& now = database_.contents;
    const bool taken = now.epoch == epoch && now.beat == beat;
    if (taken) {
        ++now.epoch;
        ++now.beat;
        now.holder = self_.holder;
        now.leader = self_.node;
        now.lease = self_.lease;
        if (std::exchange(now.led_by, self_.node) != self_.node) now.led_from = now.epoch;
    }
    const std::int64_t ours = now.epoch;
    co_await answer();
    co_return taken ? std::optional(ours) : std::nullopt;
}

Task<> ModelTruth::lift(std::int64_t above)
{
    co_await arrive();
    database_.lift(above);
    database_.tell();
    co_await answer();
}

Task<Beat> ModelTruth::beat(std::int64_t epoch, Position mine)
{
    co_await arrive();
    const Beat beat{leads(epoch), continuity_of(mine)};
    if (beat.ours) ++database_.contents.beat, database_.contents.lease = self_.lease;
    co_await answer();
    co_return beat;
}

Task<> ModelTruth::resign(std::int64_t epoch)
{
    co_await arrive();
    if (leads(epoch)) {
        database_.contents.holder = database_.contents.leader = "";
        ++database_.contents.beat;
    }
    co_await answer();
}

Task<Position> ModelTruth::publish(std::int64_t epoch, cache::PublishedRows rows)
{
    co_await arrive();
    if (!leads(epoch)) throw NotLeader();
    put(std::move(rows));
    const Position position = database_.last();
    co_await answer();
    co_return position;
}

Task<Position> ModelTruth::publish_after(Position mine, std::int64_t epoch, cache::PublishedRows rows)
{
    co_await arrive();
    if (!leads(epoch) || continuity_of(mine) != Continuity::same) throw NotLeader();
    put(std::move(rows));
    const Position position = database_.last();
    co_await answer();
    co_return position;
}

void ModelTruth::put(cache::PublishedRows rows)
{
    cluster::keep_latest(rows);
    ModelDatabase::Contents& now = database_.contents;
    std::int64_t seq = database_.number(rows.size());
    for (const cache::PublishedConversation& row : rows.conversations) {
        now.conversations[row.id] = {row, ++seq};
        now.chats.erase(now.chats.lower_bound({row.id, row.held}), now.chats.upper_bound({row.id, last_ordinal}));
    }
    for (const cache::PublishedChat& row : rows.chats) now.chats[{row.conversation, row.ordinal}] = {row, ++seq};
    for (const cache::PublishedState& row : rows.state) now.state[row.name] = {row, ++seq};
    database_.tell();
}

Task<Round> ModelTruth::read(Position after, std::size_t limit)
{
    co_await arrive();
    const ModelDatabase::Contents& now = database_.contents;
    Round round = read_asked(after);
    if (round.continuity == Continuity::same) {
        const std::int64_t upto = end_of_part(now, after.number, limit);
        round.upto = {upto, now.trail.at(upto)};
        round.rows.conversations = between(now.conversations, after.number, upto);
        round.rows.chats = between(now.chats, after.number, upto);
        round.rows.state = between(now.state, after.number, upto);
    }
    co_await answer();
    co_return round;
}

Round ModelTruth::read_asked(const Position& after) const
{
    const ModelDatabase::Contents& now = database_.contents;
    Round round;
    round.head = read_head();
    round.now = database_.clock_.now();
    round.continuity = continuity_of(after);
    if (round.continuity != Continuity::same) return round;
    for (const auto& [key, seq] : now.suppressed)
        if (seq > after.number) round.suppressed.push_back({key.first, key.second});
    for (const auto& [id, run] : now.runs)
        if (run.number > after.number) round.runs.push_back(run);
    for (const auto& [id, refresh] : now.refreshes)
        if (refresh.number > after.number) round.refreshes.push_back(refresh);
    return round;
}

Task<Round> ModelTruth::hear(Position after)
{
    co_await arrive();
    Round round = read_asked(after);
    co_await answer();
    co_return round;
}

Task<Position> ModelTruth::note_run(std::string conversation, RunState state)
{
    co_await arrive();
    database_.contents.runs_changed[conversation] = database_.clock_.now();
    database_.contents.runs[conversation] = {conversation, self_.node, state, database_.number(1) + 1};
    const Position position = database_.last();
    database_.tell();
    co_await answer();
    co_return position;
}

Task<> ModelTruth::ask_refresh(std::vector<std::string> conversations)
{
    co_await arrive();
    for (const std::string& id : std::set<std::string>(conversations.begin(), conversations.end()))
        database_.contents.refreshes[id] = {id, self_.node, database_.number(1) + 1};
    if (!conversations.empty()) database_.tell();
    co_await answer();
}

Task<> ModelTruth::settle(std::int64_t epoch, std::vector<Run> runs, std::vector<Refresh> refreshes)
{
    co_await arrive();
    if (!leads(epoch)) throw NotLeader();
    std::int64_t seq = database_.number(runs.size());
    for (const Run& run : runs) {
        ++seq;
        const auto found = database_.contents.runs.find(run.conversation);
        if (found == database_.contents.runs.end() || found->second.number != run.number) continue;
        database_.contents.runs_changed[run.conversation] = database_.clock_.now();
        found->second.state = RunState::settled;
        found->second.number = seq;
    }
    std::erase_if(database_.contents.refreshes, [&](const auto& held) {
        return std::any_of(refreshes.begin(), refreshes.end(), [&](const Refresh& one) {
            return one.conversation == held.first && one.number == held.second.number;
        });
    });
    database_.tell();
    co_await answer();
}

Task<Chunk> ModelTruth::read_all(std::string after, std::size_t limit)
{
    co_await arrive();
    const ModelDatabase::Contents& now = database_.contents;
    Chunk chunk;
    std::size_t rows = 0;
    auto row = now.conversations.upper_bound(after);
    for (; row != now.conversations.end() && (rows < limit || chunk.rows.conversations.empty()); ++row) {
        chunk.rows.conversations.push_back(row->second.row);
        rows += 1 + static_cast<std::size_t>(row->second.row.held);
        for (auto chat = now.chats.lower_bound({row->first, 0});
             chat != now.chats.end() && chat->first.first == row->first; ++chat)
            chunk.rows.chats.push_back(chat->second.row);
    }
    chunk.at_end = row == now.conversations.end();
    co_await answer();
    co_return chunk;
}

// By its key, or as an implementation does that has no better way.
Task<cache::PublishedRows> ModelTruth::find(std::vector<ConversationId> ids)
{
    if (random_.below(4) == 0) co_return co_await Truth::find(std::move(ids));
    co_await arrive();
    const ModelDatabase::Contents& now = database_.contents;
    std::set<std::string> wanted;
    for (const ConversationId& id : ids) wanted.insert(id.value);
    cache::PublishedRows found;
    for (const std::string& id : wanted) {
        const auto row = now.conversations.find(id);
        if (row == now.conversations.end()) continue;
        found.conversations.push_back(row->second.row);
        for (auto chat = now.chats.lower_bound({id, 0}); chat != now.chats.end() && chat->first.first == id; ++chat)
            found.chats.push_back(chat->second.row);
    }
    co_await answer();
    co_return found;
}

Task<std::vector<cache::PublishedState>> ModelTruth::state(std::vector<std::string> names)
{
    co_await arrive();
    std::vector<cache::PublishedState> rows;
    for (const auto& [name, numbered] : database_.contents.state)
        if (names.empty() || std::find(names.begin(), names.end(), name) != names.end()) rows.push_back(numbered.row);
    co_await answer();
    co_return rows;
}

Task<std::vector<Suppressed>> ModelTruth::suppressions()
{
    co_await arrive();
    std::vector<Suppressed> rows;
    for (const auto& [key, seq] : database_.contents.suppressed) rows.push_back({key.first, key.second});
    co_await answer();
    co_return rows;
}

Task<> ModelTruth::suppress(std::vector<Suppressed> added)
{
    co_await arrive();
    if (!added.empty()) {
        std::int64_t seq = database_.number(added.size());
        for (const Suppressed& row : added) database_.contents.suppressed.try_emplace({row.key_id, row.hash}, ++seq);
        database_.tell();
    }
    co_await answer();
}

Task<> ModelTruth::announce(NodeRow row)
{
    co_await arrive();
    row.name = self_.node;
    database_.contents.nodes[self_.node] = {std::move(row), database_.clock_.steady()};
    co_await answer();
}

Task<std::vector<NodeRow>> ModelTruth::nodes()
{
    co_await arrive();
    std::vector<NodeRow> rows;
    for (const auto& [name, seen] : database_.contents.nodes) {
        rows.push_back(seen.row);
        rows.back().age = std::chrono::duration_cast<std::chrono::milliseconds>(database_.clock_.steady() - seen.at);
    }
    co_await answer();
    co_return rows;
}

Task<bool> ModelTruth::hear_news(milliseconds longest)
{
    using namespace asio::experimental::awaitable_operators;
    if (std::exchange(has_news_, false)) co_return true;
    const auto first = co_await (clock_.sleep(longest) || news_.async_receive(asio::use_awaitable));
    co_return first.index() == 1;
}

// A process that is frozen hears it when it goes on.
Task<bool> ModelTruth::wait_news(milliseconds longest)
{
    if (is_away()) throw Error(is_unreachable);
    const bool heard = co_await hear_news(longest);
    co_await travel();
    co_return heard;
}

} // namespace support
