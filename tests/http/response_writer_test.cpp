// SPDX-License-Identifier: Apache-2.0
#include "http/response_writer.hpp"

#include "alli/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <deque>

namespace alli::http {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Gives what it was made with, then ends, fails, or waits for ever.
class Scripted final : public Source {
  public:
    enum class Then { end, fail, wait };
    struct Life {
        int asked = 0;
        bool wound_up = false, gone = false;
    };

    Scripted(std::deque<std::string> pieces, Then then, Life& life)
        : pieces_(std::move(pieces)), then_(then), life_(life)
    {}
    ~Scripted() override { life_.gone = true; }

    Task<std::optional<std::string>> next() override
    {
        ++life_.asked;
        if (!pieces_.empty()) {
            std::string piece = std::move(pieces_.front());
            pieces_.pop_front();
            co_return piece;
        }
        if (then_ == Then::fail) throw Error(Fault::bad_reply, "", "it was cut short");
        if (then_ == Then::wait && !life_.wound_up) {
            asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
            waiting_ = &timer;
            boost::system::error_code woken;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
            waiting_ = nullptr;
            if (!life_.wound_up) throw boost::system::system_error(woken);
        }
        co_return std::nullopt;
    }
    void wind_up() override
    {
        life_.wound_up = true;
        if (waiting_) waiting_->cancel();
    }

  private:
    std::deque<std::string> pieces_;
    Then then_;
    Life& life_;
    asio::steady_timer* waiting_ = nullptr;
};

class ResponseWriterTest : public testing::Test {
  protected:
    using Then = Scripted::Then;

    ResponseWriterTest()
    {
        asio::local::stream_protocol::socket ours(loop_);
        asio::local::connect_pair(ours, theirs_);
        socket_ = std::move(ours);
        std::signal(SIGPIPE, SIG_IGN);
    }

    Response response(std::deque<std::string> pieces, Then then = Then::end)
    {
        Response made;
        made.stream = std::make_unique<Scripted>(std::move(pieces), then, life_);
        return made;
    }

    void begin(Response given, WriteOptions options = {})
    {
        auto done = [this](const std::exception_ptr& failure, bool more) {
            ended_ = true;
            aborted_ = failure != nullptr;
            more_ = more;
            if (!more) socket_.close();
        };
        asio::co_spawn(loop_, writer_.send(std::move(given), options),
                       asio::bind_cancellation_slot(cancellation_.slot(), done));
    }
    // All that comes while the loop has something to do.
    std::string read_while_it_runs()
    {
        std::string text;
        theirs_.non_blocking(true);
        for (bool more = true; more;) {
            loop_.restart();
            more = loop_.poll() > 0;
            char piece[65536];
            boost::system::error_code code;
            const std::size_t count = theirs_.read_some(asio::buffer(piece), code);
            text.append(piece, count);
            more = more || count > 0;
        }
        return text;
    }
    std::string all(Response given, WriteOptions options = {})
    {
        begin(std::move(given), options);
        return read_while_it_runs();
    }

    static std::string body(const std::string& text) { return text.substr(text.find("\r\n\r\n") + 4); }

    asio::io_context loop_;
    Socket socket_{loop_};
    asio::local::stream_protocol::socket theirs_{loop_};
    ResponseWriter writer_{socket_, 1h};
    Scripted::Life life_;
    asio::cancellation_signal cancellation_;
    bool ended_ = false, aborted_ = false, more_ = false;
};

TEST_F(ResponseWriterTest, SendsPiecesAsChunks)
{
    const std::string text = all(response({"hello", "", std::string(300, 'x')}));
    EXPECT_THAT(text, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
    EXPECT_EQ(body(text), "5\r\nhello\r\n12c\r\n" + std::string(300, 'x') + "\r\n0\r\n\r\n");
    EXPECT_TRUE(more_);
    EXPECT_TRUE(life_.gone);
}

TEST_F(ResponseWriterTest, SendsPiecesOfAKnownLengthAsTheyAre)
{
    Response given = response({"hel", "lo"});
    given.length = 5;
    const std::string text = all(std::move(given));
    EXPECT_THAT(text, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("Transfer-Encoding")));
    EXPECT_EQ(body(text), "hello");
    EXPECT_TRUE(more_);
}

TEST_F(ResponseWriterTest, EndsWithTheConnectionForAnOldClient)
{
    WriteOptions old;
    old.http10 = true;
    const std::string text = all(response({"hel", "lo"}), old);
    EXPECT_THAT(text, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("Transfer-Encoding")));
    EXPECT_EQ(body(text), "hello");
    EXPECT_TRUE(ended_);
    EXPECT_FALSE(more_);
}

TEST_F(ResponseWriterTest, SendsTheHeadBeforeTheFirstPieceIsThere)
{
    begin(response({}, Then::wait));
    EXPECT_THAT(read_while_it_runs(), EndsWith("\r\n\r\n"));
    EXPECT_TRUE(writer_.streams());
    EXPECT_FALSE(ended_);
    writer_.wind_up();
    EXPECT_EQ(read_while_it_runs(), "0\r\n\r\n");
    EXPECT_TRUE(more_);
    EXPECT_FALSE(writer_.streams());
}

TEST_F(ResponseWriterTest, NeverLetsABrokenBodyLookComplete)
{
    const std::string chunked = all(response({"hello"}, Then::fail));
    EXPECT_EQ(body(chunked), "5\r\nhello\r\n");
    EXPECT_TRUE(ended_);
    EXPECT_FALSE(more_);
    EXPECT_FALSE(aborted_);
}

TEST_F(ResponseWriterTest, EndsTheConnectionWhenTheLengthIsNotKept)
{
    Response less = response({"hello"});
    less.length = 6;
    EXPECT_EQ(body(all(std::move(less))), "hello");
    EXPECT_FALSE(more_);
}

TEST_F(ResponseWriterTest, NeverSendsMoreThanTheLength)
{
    Response given = response({"hel", "lo!"});
    given.length = 5;
    EXPECT_EQ(body(all(std::move(given))), "hel");
    EXPECT_FALSE(more_);
}

TEST_F(ResponseWriterTest, AsksNothingOfASourceForHeadAndForStatusesWithoutABody)
{
    WriteOptions head;
    head.head_only = true;
    Response given = response({"hello"});
    given.length = 5;
    const std::string text = all(std::move(given), head);
    EXPECT_THAT(text, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_EQ(body(text), "");
    EXPECT_TRUE(more_);

    Response none = response({"hello"});
    none.status = 204;
    EXPECT_EQ(body(all(std::move(none))), "");
    EXPECT_EQ(life_.asked, 0);
}

TEST_F(ResponseWriterTest, TakesNoMoreFromASourceThanThePeerTakes)
{
    std::deque<std::string> pieces(1000, std::string(65536, 'x'));
    begin(response(std::move(pieces)));
    loop_.poll();
    EXPECT_LT(life_.asked, 20) << "what the peer did not take is not fetched";
    EXPECT_EQ(body(read_while_it_runs()).size(), 1000 * (65536 + 9) + 5u);
}

TEST_F(ResponseWriterTest, GivesUpAPeerThatTakesNothing)
{
    std::deque<std::string> pieces(1000, std::string(65536, 'x'));
    begin(response(std::move(pieces)));
    loop_.poll();
    writer_.check(Deadline::Steady::clock::now() + 30min);
    loop_.poll();
    EXPECT_FALSE(ended_) << "not yet";
    writer_.check(Deadline::Steady::clock::now() + 2h);
    loop_.restart();
    loop_.poll();
    EXPECT_TRUE(ended_);
    EXPECT_FALSE(more_);
    EXPECT_TRUE(life_.gone);
}

TEST_F(ResponseWriterTest, SendsABodyFromAFileAsOneFromMemory)
{
    MemoryFile file;
    for (const std::size_t size : {std::size_t{1}, std::size_t{8192}, std::size_t{2'000'000}}) {
        std::string text(size, 'x');
        text.back() = 'y';
        Response given;
        given.headers.add("ETag", "\"1\"");
        given.body = file.put(text);
        const std::string received = all(std::move(given));
        EXPECT_THAT(received, HasSubstr(fmt::format("\r\nContent-Length: {}\r\n", size)));
        EXPECT_TRUE(body(received) == text) << size;
        EXPECT_TRUE(more_);
    }
    WriteOptions head;
    head.head_only = true;
    Response given;
    given.body = file.put("hello");
    const std::string received = all(std::move(given), head);
    EXPECT_THAT(received, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_EQ(body(received), "");
}

// The file is used again while the peer has not read what was sent, nor what is still to be sent.
TEST_F(ResponseWriterTest, SendsTheBytesThatABodyHadWhoeverUsesItsSpaceNext)
{
    MemoryFile file;
    const std::string text(5'000'000, 'a');
    Response given;
    given.body = file.put(text);
    begin(std::move(given));
    loop_.poll();
    EXPECT_FALSE(ended_) << "the peer has not read yet";
    for (int n = 0; n < 4; ++n) ASSERT_TRUE(file.put(std::string(5'000'000, 'b')));
    EXPECT_TRUE(body(read_while_it_runs()) == text);
    EXPECT_TRUE(more_);
    EXPECT_EQ(file.allocated(), 0U) << "nobody needs it any more";
}

TEST_F(ResponseWriterTest, EndsWithAPeerThatLeavesAmidAFile)
{
    MemoryFile file;
    Response given;
    given.body = file.put(std::string(5'000'000, 'a'));
    begin(std::move(given));
    loop_.poll();
    EXPECT_FALSE(ended_);
    theirs_.close();
    loop_.restart();
    loop_.poll();
    EXPECT_TRUE(ended_);
    EXPECT_FALSE(more_);
    EXPECT_EQ(file.allocated(), 0U);
}

TEST_F(ResponseWriterTest, GivesUpAPeerThatTakesNothingOfAFile)
{
    MemoryFile file;
    Response given;
    given.body = file.put(std::string(5'000'000, 'a'));
    begin(std::move(given));
    loop_.poll();
    EXPECT_FALSE(ended_);
    writer_.check(Deadline::Steady::clock::now() + 2h);
    loop_.restart();
    loop_.poll();
    EXPECT_TRUE(ended_);
    EXPECT_FALSE(more_);
    EXPECT_EQ(file.allocated(), 0U);
}

TEST_F(ResponseWriterTest, SendsAHeadThatIsSharedBeforeTheHeadersOfEach)
{
    constexpr DefaultHeader defaults[] = {{"X-Default", "1"}};
    Headers common;
    common.add("ETag", "\"1\"");
    Response unchanged;
    unchanged.status = 304;
    unchanged.shared_head = std::make_shared<const std::string>(render_shared_head(304, common, 5, {}));
    EXPECT_EQ(all(std::move(unchanged)), "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n");
    Response given;
    given.shared_head = std::make_shared<const std::string>(render_shared_head(200, common, 5, defaults));
    given.headers.add("X-Request-Id", "a");
    given.body = std::string("hello");
    WriteOptions closing;
    closing.close = true;
    EXPECT_EQ(all(std::move(given), closing),
              "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nX-Default: 1\r\nContent-Length: 5\r\nX-Request-Id: a\r\n"
              "Connection: close\r\n\r\nhello");
}

TEST_F(ResponseWriterTest, LetsGoOfTheSourceWhenItIsCancelled)
{
    begin(response({"hello"}, Then::wait));
    read_while_it_runs();
    cancellation_.emit(asio::cancellation_type::terminal);
    read_while_it_runs();
    EXPECT_TRUE(aborted_);
    EXPECT_TRUE(life_.gone);
    EXPECT_FALSE(writer_.streams());
}

} // namespace
} // namespace alli::http
