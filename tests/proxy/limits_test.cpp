// SPDX-License-Identifier: Apache-2.0
// What the server does when there are too many of something.
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/raw_client.hpp"

#include <sys/resource.h>

#include <fcntl.h>

namespace alli::proxy {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class LimitsTest : public ProxyTest {
  protected:
    std::string head(const std::string& line, const std::string& more = {}) const
    {
        return line + " HTTP/1.1\r\nHost: " + host_ + "\r\nAPI-KEY: the-key\r\n" + more + "\r\n";
    }
};

/// No descriptor can be opened while it lives.
class NoMoreDescriptors {
  public:
    NoMoreDescriptors()
    {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(next);
        rlimit none = before_;
        none.rlim_cur = static_cast<rlim_t>(next);
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

  private:
    rlimit before_{};
};

std::chrono::microseconds processor_time()
{
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

TEST_F(LimitsTest, WaitsWhereDescriptorsRanOutAndGoesOnOnceTheyAreThere)
{
    start();
    ASSERT_EQ(get("/healthz").status, 200);
    RawClient early(port_);
    early.send(head("GET /healthz"));
    early.read_until("ok\n");
    RawClient late; // its own descriptor is there already
    std::string nothing, served;
    std::chrono::microseconds used{};
    {
        const NoMoreDescriptors now;
        late.connect_to(port_);
        late.send(head("GET /healthz", "Connection: close\r\n"));
        const auto before = processor_time();
        nothing = late.read_for(std::chrono::milliseconds(400));
        used = processor_time() - before;
        early.send(head("GET /healthz", "Connection: close\r\n"));
        served = early.read_all();
    }
    EXPECT_EQ(nothing, "");
    EXPECT_LT(used, std::chrono::milliseconds(150)) << "it must not try again and again without a pause";
    EXPECT_THAT(served, StartsWith("HTTP/1.1 200")) << "who is in is served";
    EXPECT_THAT(late.read_all(), StartsWith("HTTP/1.1 200"));
}

TEST_F(LimitsTest, OneUserOfAUnixSocketDoesNotTakeAllConnections)
{
    const std::string path = dir_ / "proxy.sock";
    Options options;
    options.listen = {"127.0.0.1:0", "unix:" + path};
    options.loops = 1;
    options.limits.connections_a_user = 2;
    start(options);
    RawClient over_tcp(port_), first(path), second(path);
    for (RawClient* client : {&over_tcp, &first, &second}) {
        client->send(head("GET /healthz"));
        EXPECT_THAT(client->read_until("ok\n"), StartsWith("HTTP/1.1 200"));
    }
    RawClient third(path);
    third.send(head("GET /healthz"));
    EXPECT_THAT(third.read_until("ok\n"), StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(first.read_all(), "") << "it had waited longest";
    EXPECT_TRUE(first.saw_the_end());
    for (RawClient* client : {&over_tcp, &second}) {
        client->send(head("GET /healthz"));
        EXPECT_THAT(client->read_until("ok\n"), StartsWith("HTTP/1.1 200"));
    }
}

} // namespace
} // namespace alli::proxy
