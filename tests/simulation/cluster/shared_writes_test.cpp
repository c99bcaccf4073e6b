// SPDX-License-Identifier: Apache-2.0
// Writes of apps at any of three nodes: accepted in one order, delivered by the one that leads, answered where they
// were made.
#include "cache/upkeep/purge.hpp"
#include "tests/simulation/cluster/writing_machine.hpp"

namespace simulation {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SharedWrites : public testing::Test {
  protected:
    SharedWrites()
    {
        for (const char* id : {"a", "b", "c"})
            upstream_.conversations[id] = json::object(
                {{"id", id}, {"title", "old"}, {"createdAt", 1}, {"lastChatTime", 1000}, {"chats", json::array()}});
        for (int n = 0; n < 3; ++n)
            nodes_.push_back(std::make_unique<WritingMachine>(n, database_, upstream_, clock_, loop_));
    }
    ~SharedWrites() override
    {
        for (auto& node : nodes_)
            if (node->runs()) node->stop();
    }

    /// The first of them leads.
    void start_all()
    {
        for (auto& node : nodes_) {
            node->start();
            pass(6s);
        }
        ASSERT_TRUE(nodes_[0]->leads());
    }
    void pass(std::chrono::milliseconds time) { support::pass_time(loop_, clock_, time); }

    cache::NewEntry title(const std::string& id, const std::string& text)
    {
        cache::NewEntry entry;
        entry.kind = cache::EditKind::title;
        entry.conversation = ConversationId{id};
        entry.method = "PUT";
        entry.path = "/webapi/v2/conversations/" + id + "/title";
        entry.headers = R"({"OWN-USER-ID":"me"})";
        entry.body = json{{"title", text}}.dump();
        entry.upstream_key = "key " + std::to_string(++keys_);
        entry.request_hash = text;
        entry.created_at = clock_.now();
        return entry;
    }
    /// Titles in the order in which upstream got them.
    std::vector<std::string> applied()
    {
        std::vector<std::string> titles;
        for (const std::string& one : upstream_.applied)
            titles.push_back(json::parse(one.substr(one.find('{')))["title"]);
        return titles;
    }
    /// As the daemon does it.
    Task<> purge(WritingMachine& node, std::string id)
    {
        cache::PurgeOptions wish;
        wish.conversation = ConversationId{std::move(id)};
        co_await cache::purge(node.store(), std::move(wish), cache::PurgeHooks{});
        co_await node.node().hand_over_purges();
        left_after_purge_ = shared_with("secret");
    }
    /// Rows of the database in which a text stands.
    std::ptrdiff_t shared_with(const std::string& text)
    {
        const auto& writes = database_.contents.writes;
        return std::count_if(writes.begin(), writes.end(), [&](const auto& one) {
            const cache::Entry& entry = one.second.row.entry;
            return (entry.body + entry.response.value_or("") + one.second.row.before.value_or("")).find(text) !=
                   std::string::npos;
        });
    }
    std::set<std::string> shared_keys()
    {
        std::set<std::string> keys;
        for (const auto& [id, held] : database_.contents.writes) keys.insert(held.row.entry.upstream_key);
        return keys;
    }
    std::string state_of(const std::string& upstream_key)
    {
        for (const auto& [id, held] : database_.contents.writes)
            if (held.row.entry.upstream_key == upstream_key) return std::string(name_of(held.row.entry.state));
        return "";
    }
    std::vector<std::string> all_entries(std::size_t node) { return nodes_[node]->entries(); }

    support::FakeClock clock_;
    support::ModelDatabase database_{clock_, 1};
    sync::WritableUpstream upstream_{clock_};
    boost::asio::io_context loop_;
    std::vector<std::unique_ptr<WritingMachine>> nodes_;
    int keys_ = 0;
    std::optional<std::ptrdiff_t> left_after_purge_;
};

TEST_F(SharedWrites, AreDeliveredByTheLeaderAndAnsweredWhereTheyWereMade)
{
    start_all();
    for (std::size_t n = 0; n < 3; ++n) {
        const auto written = nodes_[n]->write(title("a", "by " + std::to_string(n)));
        pass(3s);
        ASSERT_TRUE(written->reply) << n;
        EXPECT_EQ(written->reply->status, 200);
        EXPECT_EQ(json::parse(written->reply->body)["title"], "by " + std::to_string(n));
    }
    EXPECT_THAT(applied(), ElementsAre("by 0", "by 1", "by 2"));
    EXPECT_EQ(upstream_.count("GET"), 0U) << "what is delivered at once is not looked at before";
    pass(3s);
    EXPECT_THAT(all_entries(0), SizeIs(3));
    EXPECT_EQ(all_entries(0), all_entries(1));
    EXPECT_EQ(all_entries(0), all_entries(2));
}

TEST_F(SharedWrites, HaveOneOrderOverAllNodes)
{
    start_all();
    upstream_.takes = 30ms;
    std::map<std::int64_t, std::string> order;
    std::vector<std::shared_ptr<Written>> all;
    for (int n = 0; n < 30; ++n) {
        all.push_back(nodes_[static_cast<std::size_t>(n) % 3]->write(title("a", std::to_string(n))));
        pass(std::chrono::milliseconds(n % 7));
    }
    pass(60s);
    for (std::size_t n = 0; n < all.size(); ++n) order[all[n]->id] = std::to_string(n);
    std::vector<std::string> accepted;
    for (const auto& [id, text] : order) accepted.push_back(text);
    EXPECT_THAT(accepted, SizeIs(30));
    EXPECT_EQ(applied(), accepted);
}

TEST_F(SharedWrites, ShowAtAllNodesWhileTheyWait)
{
    start_all();
    for (auto& node : nodes_) {
        const Conversation made = support::make_conversation("a", 1000, {{"title", "old"}});
        asio::co_spawn(loop_, node->store().write([made](cache::Writer& db) { cache::put_conversation(db, made); }),
                       asio::detached);
    }
    upstream_.away = true;
    const auto written = nodes_[1]->write(title("a", "new"));
    pass(12s);
    EXPECT_TRUE(written->done);
    EXPECT_FALSE(written->reply);
    for (auto& node : nodes_) EXPECT_EQ(node->title("a"), "new");
    upstream_.away = false;
    pass(60s);
    EXPECT_THAT(applied(), ElementsAre("new"));
    for (auto& node : nodes_) EXPECT_EQ(node->entry(written->id)->state, cache::EntryState::delivered);
}

TEST_F(SharedWrites, AreAcceptedOnceHoweverOftenTheAnswerIsLost)
{
    start_all();
    for (auto& node : nodes_) node->truth().link.unknown = 0.4;
    std::vector<std::shared_ptr<Written>> all;
    for (int n = 0; n < 20; ++n) {
        all.push_back(nodes_[static_cast<std::size_t>(n) % 3]->write(title("a", std::to_string(n))));
        pass(500ms);
    }
    for (auto& node : nodes_) node->truth().link.unknown = 0;
    pass(120s);
    EXPECT_THAT(applied(), SizeIs(20));
    EXPECT_THAT(all_entries(0), SizeIs(20));
}

TEST_F(SharedWrites, GoOnWithTheNextLeader)
{
    start_all();
    upstream_.takes = 2s;
    const auto first = nodes_[0]->write(title("a", "first"));
    pass(50ms);
    const auto second = nodes_[1]->write(title("a", "second"));
    pass(500ms); // the first one is being sent
    ASSERT_THAT(upstream_.requests, SizeIs(1));
    nodes_[0]->kill();
    pass(30s);
    ASSERT_TRUE(nodes_[1]->leads() || nodes_[2]->leads());
    pass(60s);
    EXPECT_EQ(applied().back(), "second");
    EXPECT_EQ(upstream_.requests.front().headers.first("Idempotency-Key"), "key 1");
    for (std::size_t n : {1, 2})
        EXPECT_THAT(all_entries(n), ElementsAre(testing::HasSubstr(" delivered"), testing::HasSubstr(" delivered")));
}

TEST_F(SharedWrites, AreLookedForBeforeTheNextLeaderSendsThemAgain)
{
    start_all();
    upstream_.after = [this](const upstream::Request& request) {
        if (request.method == "PUT") nodes_[0]->truth().link.cut = true; // upstream has it, and nobody can say so
    };
    const auto written = nodes_[1]->write(title("a", "once"), 30s);
    pass(60s);
    EXPECT_FALSE(nodes_[0]->leads());
    EXPECT_THAT(applied(), ElementsAre("once"));
    EXPECT_GE(upstream_.count("GET"), 1U);
    EXPECT_EQ(nodes_[1]->entry(written->id)->state, cache::EntryState::delivered);
    nodes_[0]->truth().link.cut = false;
}

TEST_F(SharedWrites, AreNotTakenWhileTheDatabaseIsAwayAndThenTheyAre)
{
    start_all();
    database_.away = true;
    const auto refused = nodes_[1]->write(title("a", "refused"), 2s);
    pass(10s);
    EXPECT_EQ(refused->failure, Fault::unavailable) << "nothing was kept";
    const auto patient = nodes_[1]->write(title("b", "taken"), 30s);
    pass(3s);
    database_.away = false;
    pass(30s);
    EXPECT_TRUE(patient->reply);
    EXPECT_THAT(applied(), ElementsAre("taken"));
}

TEST_F(SharedWrites, AreSaidToBeUnknownWhereTheyMayHaveBeenKept)
{
    start_all();
    nodes_[1]->truth().link.unknown = 1;
    const auto written = nodes_[1]->write(title("a", "kept all the same"), 2s);
    pass(3s);
    EXPECT_EQ(written->failure, Fault::unreachable);
    database_.away = true; // what is known since does not say otherwise
    const auto other = nodes_[1]->write(title("b", "not kept"), 2s);
    pass(10s);
    EXPECT_EQ(other->failure, Fault::unavailable);
    nodes_[1]->truth().link.unknown = 0;
    database_.away = false;
    pass(30s);
    EXPECT_THAT(applied(), ElementsAre("kept all the same"));
}

TEST_F(SharedWrites, HaveOneSetOfIdempotencyKeysOverAllNodes)
{
    start_all();
    const auto with_key = [&](const std::string& key, const std::string& text) {
        cache::NewEntry entry = title("a", text);
        entry.client_key = key;
        return entry;
    };
    const auto first = nodes_[1]->write(with_key("app\nk", "once"));
    pass(2s);
    const auto again = nodes_[2]->write(with_key("app\nk", "once"));
    const auto other = nodes_[0]->write(with_key("app\nk", "another"));
    const auto others = nodes_[0]->write(with_key("other app\nk", "its own"));
    pass(10s);
    EXPECT_EQ(again->kind, cache::Acceptance::Kind::repeated);
    EXPECT_EQ(again->id, first->id);
    EXPECT_EQ(again->reply->body, first->reply->body);
    EXPECT_EQ(other->kind, cache::Acceptance::Kind::mismatch);
    EXPECT_EQ(others->kind, cache::Acceptance::Kind::fresh);
    EXPECT_THAT(applied(), ElementsAre("once", "its own"));
}

TEST_F(SharedWrites, AreDroppedAtTheLeaderThoughItAskedForTheirNumberBeforeItHeardOfIt)
{
    start_all();
    upstream_.away = true;
    nodes_[1]->write(title("a", "tried again and again"));
    const auto dropped = nodes_[1]->write(title("a", "dropped"));
    pass(15s);
    nodes_[0]->stop();
    pass(20s); // now another one leads, and this one knows numbers of its file alone
    nodes_[0]->start();
    pass(5s);
    auto& here = *nodes_[0];
    here.truth().link.loses_news = true;
    pass(1s);
    asio::co_spawn(loop_, nodes_[1]->writes().discard(dropped->id), asio::detached);
    pass(20ms);
    ASSERT_TRUE(here.entry(dropped->id)) << "not heard of yet";
    asio::co_spawn(loop_, here.node().writes().find_number(dropped->id), asio::detached);
    pass(20s);
    EXPECT_FALSE(here.entry(dropped->id));
}

TEST_F(SharedWrites, ThatANodesFilesHaveNoRoomForComeThereLater)
{
    start_all();
    auto& here = *nodes_[0]; // which leads
    const auto limit = [&](const char* pages) {
        const auto set = [pages](cache::Writer& db) { db.run(pages); };
        asio::co_spawn(loop_, here.store().write_outbox(set), asio::detached);
        support::run_until_idle(loop_);
    };
    limit("PRAGMA max_page_count = 1"); // as many as there are
    cache::NewEntry large = title("a", std::string(100'000, 'x'));
    const auto written = nodes_[1]->write(large, 1s);
    pass(5s);
    EXPECT_NE(written->id, 0);
    EXPECT_FALSE(here.entry(written->id));
    EXPECT_TRUE(nodes_[1]->entry(written->id));
    limit("PRAGMA max_page_count = 1000000");
    pass(20s);
    EXPECT_THAT(applied(), SizeIs(1));
    EXPECT_EQ(here.entry(written->id)->state, cache::EntryState::delivered);
}

TEST_F(SharedWrites, AreRetriedAndDiscardedAtAnyNode)
{
    start_all();
    upstream_.conversations.erase("c");
    const auto failed = nodes_[1]->write(title("c", "nobody has it"));
    upstream_.away = true;
    const auto waits = nodes_[1]->write(title("b", "waits"));
    pass(15s);
    upstream_.away = false;
    pass(30s);
    EXPECT_EQ(nodes_[2]->entry(failed->id)->state, cache::EntryState::failed);
    upstream_.conversations["c"] = {{"id", "c"}, {"title", "old"}};
    asio::co_spawn(loop_, nodes_[2]->writes().retry(failed->id), asio::detached);
    pass(20s);
    EXPECT_EQ(nodes_[0]->entry(failed->id)->state, cache::EntryState::delivered);
    upstream_.away = true;
    const auto dropped = nodes_[0]->write(title("a", "dropped"));
    pass(15s);
    asio::co_spawn(loop_, nodes_[2]->writes().discard(dropped->id), asio::detached);
    pass(5s);
    upstream_.away = false;
    pass(60s);
    for (auto& node : nodes_) EXPECT_FALSE(node->entry(dropped->id));
    EXPECT_THAT(applied(), testing::Not(testing::Contains("dropped")));
}

TEST_F(SharedWrites, ThatTheDatabaseLostAreKeptForAPersonAndThoseToComeAreDelivered)
{
    start_all();
    upstream_.away = true;
    const auto known = nodes_[1]->write(title("a", "known"));
    pass(12s);
    const auto before = database_.contents;
    const auto lost = nodes_[2]->write(title("b", "lost"), 1s);
    pass(2s);
    ASSERT_NE(lost->id, 0);
    database_.contents = before; // a standby without that commit leads the database now
    const auto twice = nodes_[1]->write(title("c", "under the same id, maybe"), 30s);
    pass(30s);
    upstream_.away = false;
    pass(120s);
    EXPECT_THAT(applied(), testing::UnorderedElementsAre("known", "under the same id, maybe"));
    std::vector<std::string> states;
    for (const auto& [id, held] : database_.contents.writes)
        states.push_back(json::parse(held.row.entry.body)["title"].get<std::string>() + ": " +
                         std::string(name_of(held.row.entry.state)));
    EXPECT_THAT(states, testing::UnorderedElementsAre("known: delivered", "lost: conflict",
                                                      "under the same id, maybe: delivered"));
    for (std::size_t n = 1; n < 3; ++n) EXPECT_EQ(all_entries(n), all_entries(0));
}

// The commit, its answer, the round that brings it: whenever the database loses it, at the leader and at another node.
TEST_F(SharedWrites, AreAcknowledgedOnlyWhereTheNodeThatTookThemCanHandThemOver)
{
    start_all();
    upstream_.away = true;
    std::size_t acknowledged = 0;
    for (auto& taker : {nodes_[0].get(), nodes_[1].get()})
        for (auto until_lost = 2ms; until_lost <= 44ms; until_lost += 3ms) {
            taker->truth().link.delay = 20ms;
            const auto standby = database_.contents;
            const cache::NewEntry asked = title("a", "it");
            const auto written = taker->write(asked, 4s);
            pass(until_lost);
            database_.contents = standby;
            database_.away = true; // until it is promoted
            pass(3s);
            database_.away = false;
            pass(20s);
            ASSERT_TRUE(written->done);
            if (written->id == 0) continue;
            ++acknowledged;
            EXPECT_TRUE(shared_keys().contains(asked.upstream_key)) << until_lost.count() << " ms, " << taker->leads();
        }
    EXPECT_GT(acknowledged, 10U);
}

TEST_F(SharedWrites, AreDeliveredWhereOneNodeKnowsItThoughTheyHaveAnotherIdByNow)
{
    start_all();
    upstream_.takes = 2s;
    const auto standby = database_.contents;
    const cache::NewEntry asked = title("a", "once");
    const auto written = nodes_[1]->write(asked, 300ms);
    pass(1s);
    for (std::size_t n : {1, 2}) nodes_[n]->truth().link.cut = true;
    pass(4s);
    ASSERT_EQ(nodes_[0]->entry(written->id)->state, cache::EntryState::delivered);
    nodes_[0]->kill(); // the only one that knows
    database_.contents = standby;
    for (std::size_t n : {1, 2}) nodes_[n]->truth().link.cut = false;
    nodes_[2]->write(title("b", "under its id"), 1s);
    pass(30s);
    ASSERT_NE(state_of(asked.upstream_key), "delivered");
    nodes_[0]->start();
    pass(60s);
    EXPECT_EQ(state_of(asked.upstream_key), "delivered");
    EXPECT_THAT(applied(), testing::UnorderedElementsAre("once", "under its id"));
    for (std::size_t n = 1; n < 3; ++n) EXPECT_EQ(all_entries(n), all_entries(0));
}

TEST_F(SharedWrites, ThatAreDeliveredAreNotSentAgainByADatabaseThatWasPutBack)
{
    start_all();
    upstream_.away = true;
    cache::NewEntry once = title("a", "once");
    once.base.reset(); // nobody looks before
    const auto written = nodes_[1]->write(once);
    pass(12s);
    const auto before = database_.contents;
    upstream_.away = false;
    pass(60s);
    ASSERT_THAT(upstream_.applied, SizeIs(1));
    const auto requests = upstream_.count("PUT");
    database_.contents = before;
    pass(120s);
    EXPECT_EQ(upstream_.count("PUT"), requests);
    for (auto& node : nodes_) EXPECT_EQ(node->entry(written->id)->state, cache::EntryState::delivered);
}

TEST_F(SharedWrites, OfSeveralMachinesThatWereAloneAreAllAtAllNodes)
{
    for (auto& node : nodes_)
        for (const char* id : {"a", "b"}) {
            cache::NewEntry alone = title(id, "alone");
            asio::co_spawn(loop_, node->store().write_outbox([alone](cache::Writer& db) { cache::accept(db, alone); }),
                           asio::detached);
            support::run_until_idle(loop_);
        }
    start_all();
    pass(20s);
    EXPECT_THAT(all_entries(0), SizeIs(6));
    for (std::size_t n = 1; n < 3; ++n) EXPECT_EQ(all_entries(n), all_entries(0));
}

TEST_F(SharedWrites, OfWhatIsPurgedAtAnyNodeAreGoneFromAllOfThemAndFromTheDatabase)
{
    start_all();
    const auto delivered = nodes_[1]->write(title("a", "secret 1"));
    pass(5s);
    upstream_.away = true;
    const auto waits = nodes_[2]->write(title("a", "secret 2"));
    const auto other = nodes_[2]->write(title("b", "other"));
    pass(15s);
    nodes_[2]->truth().link.cut = true; // it hears of it later
    ASSERT_TRUE(delivered->reply && waits->done && other->done);
    asio::co_spawn(loop_, purge(*nodes_[1], "a"), asio::detached);
    pass(200ms);
    EXPECT_EQ(left_after_purge_, 0) << "it is answered when the database has none of it";
    const auto held = [&](const WritingMachine& node) {
        return node.count_entries([](const std::string& body) { return body.find("secret") != body.npos; });
    };
    EXPECT_EQ(shared_with("secret"), 0);
    EXPECT_EQ(shared_with("other"), 1);
    EXPECT_EQ(held(*nodes_[1]), 0);
    pass(5s);
    EXPECT_EQ(held(*nodes_[0]), 0);
    nodes_[2]->truth().link.cut = false;
    pass(10s);
    EXPECT_EQ(held(*nodes_[2]), 0);
    upstream_.away = false;
    pass(400s);
    EXPECT_THAT(applied(), ElementsAre("secret 1", "other"));
    for (std::size_t n = 0; n < 3; ++n) EXPECT_THAT(all_entries(n), ElementsAre(testing::HasSubstr(" delivered")));
}

TEST_F(SharedWrites, OfWhatIsPurgedWhileABulkUpdateIsSentItsRowIsCutDownOnceItIsKnown)
{
    start_all();
    cache::NewEntry bulk = title("", "");
    bulk.kind = cache::EditKind::bulk_update;
    bulk.conversation.reset();
    bulk.method = "POST", bulk.path = "/webapi/v2/conversations/bulk_update";
    bulk.body = R"({"conversationIds":["a","b"],"conversationInfo":{"state":"done"}})";
    upstream_.takes = 2s;
    const auto written = nodes_[1]->write(std::move(bulk));
    pass(1s);
    ASSERT_THAT(upstream_.requests, testing::Not(IsEmpty()));
    asio::co_spawn(loop_, purge(*nodes_[1], "a"), asio::detached);
    pass(500ms);
    EXPECT_EQ(shared_with(R"("a")"), 1) << "it is being sent, and not settled over";
    pass(20s);
    EXPECT_EQ(shared_with(R"("a")"), 0);
    EXPECT_EQ(nodes_[2]->entry(written->id)->state, cache::EntryState::delivered);
    EXPECT_EQ(all_entries(0), all_entries(2));
}

TEST_F(SharedWrites, OfATimeWithoutAClusterAreHandedOverAsConflicts)
{
    cache::NewEntry alone = title("a", "alone");
    asio::co_spawn(loop_, nodes_[1]->store().write_outbox([&](cache::Writer& db) { cache::accept(db, alone); }),
                   asio::detached);
    support::run_until_idle(loop_);
    start_all();
    EXPECT_THAT(applied(), IsEmpty());
    for (std::size_t n = 0; n < 3; ++n) EXPECT_THAT(all_entries(n), ElementsAre(testing::HasSubstr(" conflict")));
    EXPECT_EQ(all_entries(0), all_entries(1));
}

} // namespace
} // namespace simulation
