// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/coalescing.hpp"

#include "alli/error.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

/// Two loops on one thread: the flights live on the first, who asks on the second. An answer comes when told to.
class CoalescingTest : public testing::Test {
  protected:
    CoalescingTest() { coalescer_.set_executor(home_.get_executor()); }

    static Task<Coalescer::Outcome> answer(CoalescingTest* self, std::string body)
    {
        ++self->sent_;
        boost::system::error_code woken;
        co_await self->gate_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (self->fails_) throw Error(Fault::unreachable, "", "away");
        Coalescer::Outcome outcome;
        outcome.reply.body = std::move(body);
        outcome.stored = true;
        co_return outcome;
    }
    static Task<> ask(CoalescingTest* self, std::string key)
    {
        Coalescer::Work work = [self, key] { return answer(self, "for " + key); };
        Task<SharedReply> sharing = self->coalescer_.share(key, std::move(work));
        SharedReply shared_reply = co_await std::move(sharing);
        self->replies_.push_back(std::move(shared_reply));
    }
    void ask_for(const std::string& key) { asio::co_spawn(loop_, ask(this, key), asio::detached); }
    void run()
    {
        for (std::size_t ran = 1; ran > 0;) {
            loop_.restart();
            home_.restart();
            ran = loop_.poll() + home_.poll();
        }
    }

    asio::io_context home_, loop_;
    asio::steady_timer gate_{home_, asio::steady_timer::time_point::max()};
    Coalescer coalescer_;
    std::vector<SharedReply> replies_;
    int sent_ = 0;
    bool fails_ = false;
};

TEST_F(CoalescingTest, SendOneRequestForAllWhoWantTheSame)
{
    for (const char* key : {"/a", "/a", "/b", "/a"}) ask_for(key);
    run();
    EXPECT_EQ(sent_, 2);
    EXPECT_TRUE(replies_.empty());
    gate_.cancel();
    run();
    ASSERT_EQ(replies_.size(), 4U);
    int of_a = 0, collapsed = 0;
    for (const SharedReply& shared_reply : replies_) {
        of_a += shared_reply.reply->body == "for /a" ? 1 : 0;
        collapsed += shared_reply.collapsed ? 1 : 0;
        EXPECT_TRUE(shared_reply.stored);
    }
    EXPECT_EQ(of_a, 3);
    EXPECT_EQ(collapsed, 2) << "all but the first of each";
}

TEST_F(CoalescingTest, AskAnewForWhoComesLater)
{
    for (int i = 0; i < 2; ++i) {
        ask_for("/a");
        run();
        gate_.cancel();
        run();
    }
    EXPECT_EQ(sent_, 2);
    EXPECT_EQ(replies_.size(), 2U);
}

TEST_F(CoalescingTest, GiveAFailureToAll)
{
    fails_ = true;
    ask_for("/a");
    ask_for("/a");
    run();
    gate_.cancel();
    run();
    ASSERT_EQ(replies_.size(), 2U);
    for (const SharedReply& shared_reply : replies_) {
        EXPECT_FALSE(shared_reply.reply);
        EXPECT_THROW(std::rethrow_exception(shared_reply.failure), Error);
    }
}

TEST_F(CoalescingTest, AreGivenUpWhenTold)
{
    ask_for("/a");
    run();
    coalescer_.abort();
    run();
    EXPECT_EQ(replies_.size(), 1U);
}

} // namespace
} // namespace alli::proxy
