// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/log_sink.hpp"

#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>
#include <spdlog/logger.h>

#include <fcntl.h>
#include <unistd.h>

namespace alli::daemon {
namespace {

// A pipe with the least room that Linux gives: one page.
class Pipe {
  public:
    Pipe()
    {
        EXPECT_EQ(::pipe2(ends_, O_CLOEXEC), 0);
        EXPECT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, 4096), 0);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe()
    {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    int entry() const { return ends_[1]; }
    std::string take()
    {
        std::string text(65536, '\0');
        const ssize_t taken = ::read(ends_[0], text.data(), text.size());
        text.resize(taken > 0 ? static_cast<std::size_t>(taken) : 0);
        return text;
    }

  private:
    int ends_[2] = {-1, -1};
};

TEST(LogSink, LosesAndCountsWhatNobodyReads)
{
    Pipe pipe;
    const auto sink = std::make_shared<LogSink>(pipe.entry());
    spdlog::logger log("test", sink);
    log.set_pattern("%v");
    const std::string line(99, 'x');
    for (int n = 0; n < 200; ++n) log.info(line);
    const std::string read = pipe.take();
    EXPECT_GT(sink->lost(), 100U);
    EXPECT_EQ(read.size() / 100 + sink->lost(), 200U);
    EXPECT_EQ(read.size() % 100, 0U) << "no line is cut";
    sink->note_told(sink->lost());
    log.info("room again");
    EXPECT_EQ(pipe.take(), "room again\n");
    EXPECT_EQ(sink->lost(), 0U);
}

TEST(LogSink, ADaemonWhoseLogNobodyReadsAnswersAllTheSame)
{
    sandbox::Sandbox upstream{small_sandbox(2)};
    Home home;
    home.use(upstream);
    home.environment["ALLI_MIRROR_LOG_LEVEL"] = "debug"; // a line for each request, and none held back
    Daemon daemon(home, {"serve"});
    support::HttpConnection connection(daemon.port);
    for (int n = 0; n < 1000; ++n)
        ASSERT_EQ(connection.send("GET", "/mirror/v1/status", support::sandbox_key()).status, 200) << n;
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace
} // namespace alli::daemon
