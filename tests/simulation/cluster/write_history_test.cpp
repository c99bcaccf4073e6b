// SPDX-License-Identifier: Apache-2.0
// Apps that write at three nodes while processes die, stop and stand still, disks are full, people decide, ways to the
// database break, answers are lost, and the database is put back or loses its newest commits, from one seed: nothing
// that was acknowledged is lost, upstream first gets the writes to a conversation in the order of their turns, and more
// than once only what was being sent when a leader was lost.
#include "tests/simulation/cluster/writing_machine.hpp"

#include <array>
#include <cstdlib>
#include <set>

namespace simulation {
namespace {

using cache::EntryState;
using nlohmann::json;
using std::chrono::milliseconds;

std::string title_of(const std::string& body)
{
    return body.empty() ? "" : json::parse(body)["title"].get<std::string>();
}

class WriteHistory {
  public:
    explicit WriteHistory(std::uint64_t seed) : random_(seed), database_(clock_, seed * 31 + 7)
    {
        for (const char* id : {"a", "b", "c"})
            upstream_.conversations[id] = json::object(
                {{"id", id}, {"title", "old"}, {"createdAt", 1}, {"lastChatTime", 1000}, {"chats", json::array()}});
        upstream_.takes = milliseconds(random_.below(400));
        upstream_.after = [this](const upstream::Request& request) {
            if (request.method == "PUT") note_applied(*request.headers.find("Idempotency-Key"), request.body);
        };
        for (int n = 0; n < 3; ++n) {
            nodes_[static_cast<std::size_t>(n)] =
                std::make_unique<WritingMachine>(n, database_, upstream_, clock_, loop_);
            nodes_[static_cast<std::size_t>(n)]->start();
        }
    }
    ~WriteHistory()
    {
        for (auto& node : nodes_)
            if (node->runs()) node->kill();
    }

    /// What was wrong, in a sentence; empty: nothing.
    std::string run()
    {
        pass(10s);
        for (int round = 0; round < 60; ++round) {
            write();
            if (random_.below(5) == 0) strike();
            pass(milliseconds(random_.below(random_.below(5) == 0 ? 9'000 : 300)));
            if (!wrong_.empty()) return wrong_;
        }
        heal();
        pass(400s); // pauses between tries, and upstream's lag
        for (int tries = 0; tries < 30 && decide_what_is_left(); ++tries) pass(60s);
        if (wrong_.empty()) wrong_ = find_unanswered();
        if (wrong_.empty()) wrong_ = find_lost();
        if (wrong_.empty()) wrong_ = find_wrong_title();
        if (wrong_.empty()) wrong_ = find_difference();
        return wrong_;
    }

    std::string counts() const
    {
        return fmt::format("{} asked, {} lost, {} rolled back, {} decided, {} delivered", all_.size(), lost_.size(),
                           rolled_back_.size(), decided_.size(), seen_.size());
    }

  private:
    void pass(milliseconds time) { support::pass_time(loop_, clock_, time); }

    const cache::SharedWrite* find_row(const std::string& key) const
    {
        for (const auto& [id, held] : database_.contents.writes)
            if (held.row.entry.upstream_key == key) return &held.row;
        return nullptr;
    }
    /// What the database forgot of it, or a person decided, may have changed its turn.
    bool is_exempt(const std::string& key) const
    {
        return lost_.contains(key) || rolled_back_.contains(key) || decided_.contains(key);
    }

    /// What upstream gets again may only be what may have got there before; what it gets first comes in order.
    void note_applied(const std::string& key, const std::string& body)
    {
        const bool again = !seen_.insert(key).second;
        if (is_exempt(key)) return;
        const cache::SharedWrite* const row = find_row(key);
        if (!row) return fail("upstream got {}, which the database does not have", key);
        if (again && !row->entry.in_doubt) return fail("{} was sent again, and nobody had doubted it", key);
        if (row->entry.body != body) fail("upstream got {} with another body", key);
        for (const auto& [other, place] : got_[row->entry.conversation->value])
            if (!again && !is_exempt(other) && place > row->entry.place) fail("upstream got {} after {}", key, other);
        got_[row->entry.conversation->value].emplace(key, row->entry.place);
    }
    template <class... Args>
    void fail(fmt::format_string<Args...> sentence, Args&&... args)
    {
        if (wrong_.empty()) wrong_ = fmt::format(sentence, std::forward<Args>(args)...);
    }

    void write()
    {
        WritingMachine& node = *nodes_[random_.below(nodes_.size())];
        if (!node.runs()) return;
        const std::string id(1, static_cast<char>('a' + random_.below(3)));
        cache::NewEntry entry;
        entry.kind = cache::EditKind::title;
        entry.conversation = ConversationId{id};
        entry.method = "PUT";
        entry.path = "/webapi/v2/conversations/" + id + "/title";
        entry.headers = "{}";
        entry.body = json{{"title", std::to_string(++writes_)}}.dump();
        entry.upstream_key = std::to_string(writes_);
        entry.request_hash = entry.body;
        entry.created_at = clock_.now();
        entry.client_key = "key " + entry.upstream_key;
        if (random_.below(5) == 0 && !asked_.empty()) { // an app that did not hear of it, maybe at another node
            const std::string upstream_key = entry.upstream_key;
            entry = asked_[random_.below(asked_.size())];
            entry.upstream_key = "again " + upstream_key;
            entry.created_at = clock_.now();
        } else {
            asked_.push_back(entry);
        }
        keys_.push_back(*entry.client_key);
        own_keys_.push_back(entry.upstream_key);
        all_.push_back(node.write(std::move(entry), milliseconds(random_.below(10'000))));
    }

    void strike()
    {
        WritingMachine& node = *nodes_[random_.below(nodes_.size())];
        if (!node.runs()) return node.start();
        if (node.is_frozen()) return node.thaw();
        switch (random_.below(15)) {
        case 0:
            return node.kill();
        case 1:
            return node.stop();
        case 2:
            return node.node().step_down();
        case 3:
        case 4:
            node.truth().link.cut = !node.truth().link.cut;
            return;
        case 5:
            node.truth().link.unknown = random_.unit() * 0.4;
            return;
        case 6:
            node.truth().link.delay = milliseconds(1 + random_.below(random_.below(3) == 0 ? 900 : 120));
            return;
        case 7:
            return node.freeze();
        case 8:
            return node.limit_disk(random_.below(2) == 0);
        case 9:
            return decide(node);
        case 10:
        case 11:
            return lose_newest_commits();
        case 12:
            return put_back();
        case 13:
            database_.away = !database_.away;
            return;
        default:
            upstream_.away = !upstream_.away;
        }
    }

    // A standby takes over that had not got them.
    void lose_newest_commits()
    {
        const support::ModelDatabase::Contents standby = database_.contents;
        for (std::uint64_t more = 1 + random_.below(3); more > 0; --more) {
            write();
            pass(milliseconds(random_.below(random_.below(4) == 0 ? 3'000 : 120)));
        }
        if (random_.below(2) == 0) {
            database_.away = true;
            pass(milliseconds(random_.below(2'500)));
            database_.away = false;
        }
        become(standby);
        if (random_.below(2) == 0) write();
    }

    // To how it was when this was drawn last.
    void put_back()
    {
        if (saved_) become(*saved_);
        saved_ = database_.contents;
    }

    void become(const support::ModelDatabase::Contents& earlier)
    {
        for (const auto& [id, held] : database_.contents.writes) {
            const cache::SharedWrite& row = held.row;
            const auto then = std::find_if(earlier.writes.begin(), earlier.writes.end(), [&](const auto& one) {
                return one.second.row.entry.upstream_key == row.entry.upstream_key;
            });
            if (then == earlier.writes.end())
                lost_.insert(row.entry.upstream_key);
            else if (then->second.row.number != row.number)
                rolled_back_.insert(row.entry.upstream_key);
        }
        database_.contents = earlier;
    }

    /// Of what is in this node's outbox, as a person sees it there.
    void decide(WritingMachine& node)
    {
        const auto read = [](cache::Reader& db) {
            return db.all<std::int64_t>("SELECT id FROM entry WHERE state <> 'delivered' ORDER BY id");
        };
        const auto ids = node.store().read_outbox(read);
        if (ids.empty()) return;
        const std::int64_t id = ids[random_.below(ids.size())];
        const std::string key = node.entry(id)->upstream_key;
        const bool retries = random_.below(3) > 0;
        decided_.insert(key);
        if (!retries) discarded_.insert(key);
        node.decide(id, retries);
    }

    bool decide_what_is_left()
    {
        bool any = false;
        std::vector<std::int64_t> ids;
        for (const auto& [id, held] : database_.contents.writes) {
            const cache::SharedWrite& row = held.row;
            any = any || (row.is_open() && row.entry.state != EntryState::failed);
            if (row.discarded || row.entry.state != EntryState::conflict) continue;
            ids.push_back(id);
            decided_.insert(row.entry.upstream_key);
        }
        for (const std::int64_t id : ids) {
            const std::string key = database_.contents.writes.at(id).row.entry.upstream_key;
            if (!lost_.contains(key)) fail("{} is in conflict, and was never lost", key);
            const bool retries = random_.below(2) == 0;
            if (!retries) discarded_.insert(key);
            nodes_[random_.below(nodes_.size())]->decide(id, retries);
        }
        return any;
    }

    void heal()
    {
        upstream_.away = database_.away = false;
        for (auto& node : nodes_) {
            if (node->runs() && node->is_frozen()) node->thaw();
            if (!node->runs()) node->start();
            node->limit_disk(false);
            node->truth().link.cut = false;
            node->truth().link.unknown = 0;
            node->truth().link.delay = 5ms;
        }
    }

    /// Every app got an answer, and all of one Idempotency-Key the same one; of what was not kept there is nothing.
    std::string find_unanswered()
    {
        std::map<std::string, std::string> first;
        for (std::size_t n = 0; n < all_.size(); ++n) {
            const Written& one = *all_[n];
            if (!one.done) return fmt::format("the app of {} still waits", keys_[n]);
            if (one.failure == Fault::unavailable && find_row(own_keys_[n]))
                return fmt::format("{} is kept, though its app was told that nothing was", own_keys_[n]);
            if (one.id == 0) continue;
            const auto known = first.emplace(keys_[n], one.key).first;
            const bool was_free = lost_.contains(known->second) || discarded_.contains(known->second);
            if (known->second != one.key && !was_free) return keys_[n] + " is two writes";
        }
        return "";
    }

    /// What was acknowledged is at upstream, or a person was told.
    std::string find_lost()
    {
        for (const auto& one : all_) {
            if (one->id == 0 || one->kind == cache::Acceptance::Kind::mismatch) continue;
            const cache::SharedWrite* const row = find_row(one->key);
            if (!row && discarded_.contains(one->key)) continue; // then no node has it
            if (!row) return fmt::format("{} was acknowledged and is lost", one->key);
            if (one->reply && row->entry.state != EntryState::delivered && row->entry.state != EntryState::failed)
                return fmt::format("{} was answered, and is not settled", one->key);
        }
        for (const auto& [id, held] : database_.contents.writes)
            if (std::string wrong = find_wrong(held.row); !wrong.empty()) return wrong;
        return "";
    }
    std::string find_wrong(const cache::SharedWrite& row) const
    {
        const std::string& key = row.entry.upstream_key;
        const std::string why = row.entry.last_error.value_or("");
        if (row.discarded) return discarded_.contains(key) ? "" : key + " was discarded by nobody";
        if (row.entry.state == EntryState::delivered)
            return seen_.contains(key) ? "" : key + " is said to be delivered and is not";
        if (row.entry.state != EntryState::failed) return fmt::format("{} still waits: {}", key, why);
        const bool crashed = why.find("three leaders") != why.npos;
        const bool twice = why.find("Idempotency-Key") != why.npos && lost_.contains(key);
        return crashed || twice ? "" : fmt::format("{} failed: {}", key, why);
    }

    /// The newest that was delivered stands; of what the database lost, or a person sent, the turn is not known.
    std::string find_wrong_title()
    {
        for (const char* id : {"a", "b", "c"}) {
            std::set<std::string> may_stand;
            std::pair<std::int64_t, std::string> newest{0, "old"};
            for (const auto& [number, held] : database_.contents.writes) {
                const cache::Entry& entry = held.row.entry;
                if (held.row.discarded && seen_.contains(entry.upstream_key)) may_stand.insert("(any)");
                if (held.row.discarded || entry.conversation->value != id || !seen_.contains(entry.upstream_key))
                    continue;
                if (is_exempt(entry.upstream_key))
                    may_stand.insert(title_of(entry.body));
                else
                    newest = std::max(newest, {entry.place, title_of(entry.body)});
            }
            may_stand.insert(newest.second);
            const std::string has = upstream_.conversations[id]["title"];
            if (!may_stand.contains(has) && !may_stand.contains("(any)"))
                return fmt::format("{} has the title {} and not {}", id, has, newest.second);
        }
        return "";
    }

    std::string find_difference()
    {
        std::vector<std::string> shared;
        for (const auto& [id, held] : database_.contents.writes)
            if (!held.row.discarded) shared.push_back(fmt::format("{} {}", id, name_of(held.row.entry.state)));
        std::sort(shared.begin(), shared.end());
        for (auto& node : nodes_) {
            const bool keys = lost_.empty();
            const auto first = nodes_[0]->whole_entries(keys), other = node->whole_entries(keys);
            for (std::size_t n = 0; n < std::max(first.size(), other.size()); ++n) {
                const std::string one = n < first.size() ? first[n] : "(none)";
                const std::string two = n < other.size() ? other[n] : "(none)";
                if (one != two) return fmt::format("two outboxes differ: {} and {}", one, two);
            }
            std::vector<std::string> here = node->entries();
            std::sort(here.begin(), here.end());
            if (here != shared) return "an outbox differs from the database's";
            const auto shown = node->store().read([](cache::Reader& db) { return cache::load_shown(db); });
            if (!shown.empty()) return fmt::format("{} still shows as one that waits", shown.front());
        }
        return "";
    }

    SeededRandom random_;
    support::FakeClock clock_;
    support::ModelDatabase database_;
    sync::WritableUpstream upstream_{clock_};
    boost::asio::io_context loop_;
    std::array<std::unique_ptr<WritingMachine>, 3> nodes_;
    std::vector<std::shared_ptr<Written>> all_;
    std::vector<std::string> keys_, own_keys_; // of each of them: the app's, and its own upstream key
    std::vector<cache::NewEntry> asked_;       // first
    std::optional<support::ModelDatabase::Contents> saved_;
    std::map<std::string, std::map<std::string, std::int64_t>> got_; // by upstream: places by key, by conversation
    // Upstream keys: that upstream got; that the database lost, or knew less of; of which a person decided.
    std::set<std::string> seen_, lost_, rolled_back_, decided_, discarded_;
    std::string wrong_;
    int writes_ = 0;
};

// ALLI_SEED: the one to replay; ALLI_HISTORIES: so many from there on.
TEST(SharedWriteHistory, LosesNothingAndKeepsTheOrder)
{
    const char* const seed = std::getenv("ALLI_SEED");
    const char* const asked = std::getenv("ALLI_HISTORIES");
    const std::uint64_t first = seed ? std::stoull(seed) : 1;
    const std::uint64_t histories = asked ? std::stoull(asked) : seed ? 1 : 4;
    for (std::uint64_t n = first; n < first + histories; ++n) {
        WriteHistory history(n);
        EXPECT_EQ(history.run(), "") << "replay it with ALLI_SEED=" << n << ": " << history.counts();
    }
}

} // namespace
} // namespace simulation
