// SPDX-License-Identifier: Apache-2.0
// Settings that all nodes must have: a node whose own differ takes no part, whether it starts with them or finds out
// while it follows or leads.
#include "cluster/shared_settings.hpp"
#include "tests/simulation/cluster/machine.hpp"

namespace simulation {
namespace {

using cluster::SharedSettings;
using testing::HasSubstr;

cluster::NodeOptions with(SharedSettings settings)
{
    cluster::NodeOptions options;
    options.settings = std::move(settings);
    return options;
}

class SettingsOfNodes : public testing::Test {
  protected:
    void pass(std::chrono::milliseconds time) { support::pass_time(loop_, clock_, time); }

    std::unique_ptr<Machine> make(SharedSettings settings)
    {
        auto machine = std::make_unique<Machine>(++made_, database_, clock_, loop_, false, with(std::move(settings)));
        machine->run();
        return machine;
    }
    void change(const SharedSettings& settings)
    {
        const std::string text = cluster::write_settings(settings);
        database_.contents.state["settings"] = {{"settings", text}, database_.number(1) + 1};
    }
    void end(Machine& machine)
    {
        machine.node.stop();
        pass(10s);
    }

    support::FakeClock clock_;
    support::ModelDatabase database_{clock_, 1};
    boost::asio::io_context loop_;
    int made_ = 0;
};

TEST(SharedSettings, AreReadAsTheyWereWrittenAndWhateverElseIsThereIsPassedOver)
{
    const SharedSettings settings{{"a", ""}, {"b", "x=\\n\n\\"}, {"sync.variables", "[\"a\", \"b\"]"}};
    EXPECT_EQ(cluster::read_settings(cluster::write_settings(settings)), settings);
    EXPECT_EQ(cluster::read_settings(""), SharedSettings());
    EXPECT_EQ(cluster::read_settings("\n=\n\n=x\nno sign\nb=1\\"), (SharedSettings{{"b", "1\\"}}));
    EXPECT_EQ(cluster::read_settings(std::string("\xff\0=\xfe", 4)),
              (SharedSettings{{std::string("\xff\0", 2), "\xfe"}}));
}

TEST(SharedSettings, OnlyWhatBothKnowIsCompared)
{
    EXPECT_NO_THROW(cluster::require_same({{"a", "1"}, {"new", "2"}}, {{"a", "1"}, {"other", "3"}}));
    EXPECT_THROW(cluster::require_same({{"a", "1"}}, {{"a", "2"}}), Error);
}

TEST_F(SettingsOfNodes, TheFirstLeaderPublishesItsOwnAndOneOfANewerVersionAddsWhatItKnows)
{
    const auto a = make({{"x", "1"}});
    pass(6s);
    EXPECT_EQ(database_.contents.state.at("settings").row.value, "x=1\n");
    end(*a);
    const auto b = make({{"x", "1"}, {"y", "2"}});
    pass(6s);
    ASSERT_TRUE(b->leads);
    EXPECT_EQ(database_.contents.state.at("settings").row.value, "x=1\ny=2\n");
    const std::int64_t said = database_.contents.state.at("settings").seq;
    end(*b);
    const auto c = make({{"x", "1"}});
    pass(6s);
    ASSERT_TRUE(c->leads);
    EXPECT_EQ(database_.contents.state.at("settings").seq, said) << "there is nothing to add";
    end(*c);
}

TEST_F(SettingsOfNodes, ADatabaseThatWasPutBackToATimeBeforeThemHasThemAgain)
{
    const auto a = make({{"x", "1"}});
    a->put("one", 100, "title");
    a->claim(200);
    pass(6s);
    support::ModelDatabase::Contents earlier = database_.contents;
    earlier.state.erase("settings");
    a->put("two", 100, "title");
    pass(2s);
    database_.contents = earlier;
    pass(20s);
    ASSERT_TRUE(a->leads);
    EXPECT_EQ(database_.contents.state.at("settings").row.value, "x=1\n");
    end(*a);
}

TEST_F(SettingsOfNodes, ANodeThatDiffersAppliesNothingAndNeverLeads)
{
    const auto a = make({{"x", "1"}});
    a->put("one", 100, "title");
    a->claim(200);
    pass(6s);
    const auto b = make({{"x", "other"}});
    pass(3s);
    EXPECT_EQ(b->dump().size(), 0U);
    EXPECT_EQ(b->node.status()->role, cluster::Role::apart);
    EXPECT_THAT(b->node.status()->trouble, testing::AllOf(HasSubstr("x is other"), HasSubstr("1 in the cluster")));
    end(*a);
    pass(60s);
    EXPECT_FALSE(b->began);
    change({{"x", "other"}});
    pass(60s);
    EXPECT_TRUE(b->leads) << "it is the same now";
    EXPECT_EQ(b->node.status()->trouble, "");
    EXPECT_TRUE(b->dump().contains("one"));
    end(*b);
}

TEST_F(SettingsOfNodes, AFollowerAndALeaderThatFindThemChangedStopTakingPart)
{
    const auto a = make({{"x", "1"}}), b = make({{"x", "1"}});
    pass(6s);
    Machine &leader = a->leads ? *a : *b, &follower = a->leads ? *b : *a;
    leader.put("one", 100, "title");
    leader.claim(200);
    pass(2s);
    ASSERT_EQ(follower.dump().size(), 1U);
    change({{"x", "2"}});
    leader.put("two", 100, "title");
    pass(60s);
    EXPECT_FALSE(leader.leads);
    EXPECT_FALSE(follower.leads);
    EXPECT_EQ(follower.dump().size(), 1U);
    for (const Machine* const node : {&leader, &follower})
        EXPECT_THAT(node->node.status()->trouble, HasSubstr("x is 1 at this node and 2 in the cluster"));
    EXPECT_EQ(database_.contents.holder, "") << "who has the right ones may lead at once";
    end(*a), end(*b);
}

} // namespace
} // namespace simulation
