// SPDX-License-Identifier: Apache-2.0
// Whose mirror it is: what another key finds out before anything else is asked for.
#include "alli/log.hpp"
#include "sync/project.hpp"
#include "tests/sync/engine_fixture.hpp"

namespace alli::sync {
namespace {

class ProjectTest : public Settled {
  protected:
    /// What a program with that key learns at its start; nullopt: it may go on.
    std::optional<Fault> make_sure(const std::string& key, bool accepted = false)
    {
        upstream::RateLimiter pace(clock_, {rate_, 4});
        upstream::Client client(model_, pace, clock_, {key, unit_, "/count", variables_});
        Project project(client, *store_, clock_, key);
        if (accepted) project.accept();
        asio::io_context loop;
        std::exception_ptr failure;
        bool done = false;
        asio::co_spawn(loop, project.make_sure(), [&](std::exception_ptr why) {
            failure = why;
            done = true;
        });
        EXPECT_TRUE(support::run_jumping(loop, clock_, [&] { return done; }));
        return failure ? std::optional(fault_of(failure)) : std::nullopt;
    }

    void open_another_project()
    {
        model_.conversations.clear();
        model_.add("another's", 90'000, 2);
        model_.targets.clear();
    }
};

TEST_F(ProjectTest, KeyOfAnotherOneIsRefusedUntilAPersonAcceptsIt)
{
    ASSERT_EQ(make_sure("first"), std::nullopt);
    open_another_project();
    EXPECT_EQ(make_sure("second"), Fault::key_rejected);
    EXPECT_FALSE(holds("another's"));
    EXPECT_LE(model_.lists(), 1U) << "which shows what a 404 of the service looks like";
    EXPECT_EQ(make_sure("second"), Fault::key_rejected) << "also at the next start";
    EXPECT_EQ(make_sure("first"), std::nullopt) << "the former key is known as before";
    EXPECT_EQ(make_sure("second", true), std::nullopt);
    EXPECT_EQ(make_sure("second"), std::nullopt) << "it was remembered";
    EXPECT_EQ(make_sure("first"), Fault::key_rejected) << "and the former one is another's now";
}

TEST_F(ProjectTest, NewKeyOfTheSameOneIsTakenOverByAskingForOneConversation)
{
    ASSERT_EQ(make_sure("first"), std::nullopt);
    model_.targets.clear();
    EXPECT_EQ(make_sure("second"), std::nullopt);
    EXPECT_EQ(model_.targets.size(), 1U);
    EXPECT_EQ(make_sure("second"), std::nullopt);
    EXPECT_EQ(model_.targets.size(), 1U) << "it is known now";
}

} // namespace
} // namespace alli::sync
