// SPDX-License-Identifier: Apache-2.0
// Apps that write at three nodes while processes die and stop, ways to the database break and answers are lost, from
// one seed: nothing that was acknowledged is lost, upstream first gets the writes to a conversation in the order of
// their numbers, and more than once only what was being sent when a leader was lost.
#include "tests/simulation/cluster/writing_machine.hpp"

#include <array>
#include <cstdlib>
#include <set>

namespace simulation {
namespace {

using nlohmann::json;

class WriteHistory {
  public:
    explicit WriteHistory(std::uint64_t seed) : random_(seed), database_(clock_, seed * 31 + 7)
    {
        for (const char* id : {"a", "b", "c"})
            upstream_.conversations[id] = json::object(
                {{"id", id}, {"title", "old"}, {"createdAt", 1}, {"lastChatTime", 1000}, {"chats", json::array()}});
        upstream_.takes = std::chrono::milliseconds(random_.below(400));
        upstream_.after = [this](const upstream::Request& request) {
            if (request.method == "PUT") note_applied(json::parse(request.body)["title"]);
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
            if (random_.below(6) == 0) strike();
            pass(std::chrono::milliseconds(random_.below(random_.below(5) == 0 ? 9'000 : 300)));
            if (std::string wrong = find_disorder(); !wrong.empty()) return wrong;
        }
        heal();
        pass(400s); // pauses between tries, and upstream's lag
        if (std::string wrong = find_disorder(); !wrong.empty()) return wrong;
        if (std::string wrong = find_unanswered(); !wrong.empty()) return wrong;
        return find_lost();
    }

  private:
    void pass(std::chrono::milliseconds time) { support::pass_time(loop_, clock_, time); }

    /// What upstream gets again may only be what may have got there before.
    void note_applied(const std::string& title)
    {
        if (seen_.insert(title).second) return;
        for (const auto& [id, held] : database_.contents.writes)
            if (held.row.entry.body == json{{"title", title}}.dump() && !held.row.entry.in_doubt)
                sent_again_ = title + " was sent again, and nobody had doubted it";
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
        all_.push_back(node.write(std::move(entry), std::chrono::milliseconds(random_.below(10'000))));
    }

    void strike()
    {
        WritingMachine& node = *nodes_[random_.below(nodes_.size())];
        if (!node.runs()) return node.start();
        switch (random_.below(8)) {
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
            node.truth().link.delay = std::chrono::milliseconds(1 + random_.below(120));
            return;
        default:
            upstream_.away = !upstream_.away;
        }
    }

    void heal()
    {
        upstream_.away = false;
        for (auto& node : nodes_) {
            if (!node->runs()) node->start();
            node->truth().link.cut = false;
            node->truth().link.unknown = 0;
            node->truth().link.delay = 5ms;
        }
    }

    /// Numbers of writes by their place in all_, as the database has them; those whose app does not know are there too.
    std::map<std::int64_t, int> numbers() const
    {
        std::map<std::int64_t, int> numbers;
        for (const auto& [id, held] : database_.contents.writes)
            numbers[id] = std::stoi(json::parse(held.row.entry.body)["title"].get<std::string>());
        return numbers;
    }

    std::string find_disorder()
    {
        std::map<std::string, std::int64_t> ids; // by title
        for (const auto& [id, text] : numbers()) ids[std::to_string(text)] = id;
        std::map<std::string, std::int64_t> last;
        if (!sent_again_.empty()) return sent_again_;
        std::set<std::string> seen;
        for (const std::string& one : upstream_.applied) {
            const std::string title = json::parse(one.substr(one.find('{')))["title"];
            const std::string conversation = one.substr(4, 1);
            if (!ids.contains(title)) return "upstream got " + title + ", which the database does not have";
            if (!seen.insert(title).second) continue;
            if (ids[title] < last[conversation]) return "upstream got " + title + " too late";
            last[conversation] = ids[title];
        }
        return "";
    }

    /// Every app got an answer, most of them an acceptance, and all of one Idempotency-Key the same one.
    std::string find_unanswered()
    {
        std::map<std::string, std::int64_t> ids;
        std::size_t accepted = 0;
        for (std::size_t n = 0; n < all_.size(); ++n) {
            if (!all_[n]->done) return fmt::format("the app of {} still waits", keys_[n]);
            if (all_[n]->id == 0) continue;
            ++accepted;
            const auto first = ids.emplace(keys_[n], all_[n]->id).first;
            if (first->second != all_[n]->id) return keys_[n] + " is two writes";
        }
        if (2 * accepted < all_.size()) return fmt::format("{} of {} were accepted", accepted, all_.size());
        return "";
    }

    std::string find_lost()
    {
        std::set<std::string> applied;
        for (const std::string& one : upstream_.applied)
            applied.insert(json::parse(one.substr(one.find('{')))["title"]);
        const std::map<std::int64_t, int> known = numbers();
        std::map<std::string, int> last; // delivered of each conversation
        for (const auto& [id, text] : known)
            if (const auto entry = nodes_[0]->entry(id); entry && entry->state == cache::EntryState::delivered)
                last[entry->conversation->value] = text;
        for (const auto& [id, text] : last)
            if (upstream_.conversations[id]["title"] != std::to_string(text))
                return fmt::format("{} has an older title than {}", id, text);
        for (const auto& [id, text] : known) {
            for (auto& node : nodes_) {
                const auto entry = node->entry(id);
                if (!entry) return fmt::format("{} is not at {}", text, node->node().status()->leader);
                if (entry->state == cache::EntryState::pending || entry->state == cache::EntryState::sending)
                    return fmt::format("{} still waits: {}", text, entry->last_error.value_or(""));
                if (entry->state == cache::EntryState::conflict) return fmt::format("{} is in conflict", text);
                if (entry->state == cache::EntryState::delivered && !applied.contains(std::to_string(text)))
                    return fmt::format("{} is said to be delivered and is not", text);
                if (entry->state == cache::EntryState::failed &&
                    entry->last_error.value_or("").find("three leaders") == std::string::npos)
                    return fmt::format("{} failed: {}", text, entry->last_error.value_or(""));
            }
        }
        for (const auto& one : all_)
            if (one->id != 0 && !known.contains(one->id))
                return fmt::format("{} was acknowledged and is lost", one->id);
        for (auto& node : nodes_)
            if (node->whole_entries() != nodes_[0]->whole_entries()) return "two outboxes differ";
        return "";
    }

    SeededRandom random_;
    support::FakeClock clock_;
    support::ModelDatabase database_;
    sync::WritableUpstream upstream_{clock_};
    boost::asio::io_context loop_;
    std::array<std::unique_ptr<WritingMachine>, 3> nodes_;
    std::vector<std::shared_ptr<Written>> all_;
    std::vector<std::string> keys_;      // of each of them
    std::vector<cache::NewEntry> asked_; // first
    std::set<std::string> seen_;         // titles that upstream got
    std::string sent_again_;
    int writes_ = 0;
};

// ALLI_SEED: the one to replay; ALLI_HISTORIES: so many from there on.
TEST(SharedWriteHistory, LosesNothingAndKeepsTheOrder)
{
    const char* const seed = std::getenv("ALLI_SEED");
    const char* const asked = std::getenv("ALLI_HISTORIES");
    const std::uint64_t first = seed ? std::stoull(seed) : 1;
    const std::uint64_t histories = asked ? std::stoull(asked) : seed ? 1 : 4;
    for (std::uint64_t n = first; n < first + histories; ++n)
        EXPECT_EQ(WriteHistory(n).run(), "") << "replay it with ALLI_SEED=" << n;
}

} // namespace
} // namespace simulation
