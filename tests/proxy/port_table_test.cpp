// SPDX-License-Identifier: Apache-2.0
#include "proxy/port_table.hpp"

#include <gmock/gmock.h>

namespace alli::proxy {
namespace {

using boost::asio::ip::tcp;
using testing::ElementsAre;
using testing::IsEmpty;

// As kernels print it on machines whose numbers begin with their lowest byte.
constexpr const char* v4_table =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:2253 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 101 1 0000 100 0 0 10 "
    "0\n"
    "   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 102 1 0000 100 0 0 10 "
    "0\n"
    "   2: 0100007F:2253 0100007F:D431 01 00000000:00000000 00:00000000 00000000    33        0 103 1 0000 20 4 30 10 "
    "-1\n"
    "   3: 0100007F:2254 00000000:0000 07 00000000:00000000 00:00000000 00000000    33        0 104 1 0000 100 0 0 10 "
    "0\n";
constexpr const char* v6_table =
    "  sl  local_address                         remote_address                        st tx_queue ...\n"
    "   0: 00000000000000000000000001000000:2253 00000000000000000000000000000000:0000 0A 00000000:00000000 "
    "00:00000000 "
    "00000000    65534        0 201 1 0000 100 0 0 10 0\n"
    "   1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 "
    "00:00000000 "
    "00000000    42        0 202 1 0000 100 0 0 10 0\n";

tcp::endpoint endpoint(const char* address, unsigned short port)
{
    return {boost::asio::ip::make_address(address), port};
}

ListeningSocket listening(const char* address, unsigned short port)
{
    return {endpoint(address, port), 0, 0};
}

TEST(PortTable, HoldsListenersAloneWithTheirUsers)
{
    EXPECT_THAT(read_listeners(v4_table), ElementsAre(ListeningSocket{endpoint("127.0.0.1", 8787), 1000, 101},
                                                      ListeningSocket{endpoint("0.0.0.0", 80), 0, 102}));
    EXPECT_THAT(read_listeners(v6_table), ElementsAre(ListeningSocket{endpoint("::1", 8787), 65534, 201},
                                                      ListeningSocket{endpoint("::ffff:127.0.0.1", 8080), 42, 202}));
}

TEST(PortTable, OtherLinesAreNoListeners)
{
    for (const char* line : {"", "\n\n", "   0:", "   0: 0100007F:2253 00000000:0000 0A",
                             "   0: 0100007:2253 00000000:0000 0A 0:0 00:0 0 1000 0 101",
                             "   0: 0100007F2253 00000000:0000 0A 0:0 00:0 0 1000 0 101",
                             "   0: 010000xF:2253 00000000:0000 0A 0:0 00:0 0 1000 0 101",
                             "   0: 0100007F:12253 00000000:0000 0A 0:0 00:0 0 1000 0 101",
                             "   0: 0100007F:2253 00000000:0000 0A 0:0 00:0 0 nobody 0 101",
                             "   0: 0100007F:2253 00000000:0000 0A 0:0 00:0 0 1000 0 unknown"})
        EXPECT_THAT(read_listeners(line), IsEmpty()) << line;
}

TEST(PortTable, SaysWhichListenersMayTakeAConnection)
{
    struct Case {
        const char *bound, *wanted;
        bool may;
    };
    const Case cases[] = {
        {"127.0.0.1", "127.0.0.1", true},
        {"127.0.0.2", "127.0.0.1", false},
        {"0.0.0.0", "127.0.0.1", true},
        {"::", "127.0.0.1", true},
        {"::1", "127.0.0.1", false},
        {"::ffff:127.0.0.1", "127.0.0.1", true},
        {"::1", "::1", true},
        {"::", "::1", true},
        {"0.0.0.0", "::1", false},
        {"127.0.0.1", "::1", false},
        {"127.0.0.1", "0.0.0.0", true},
        {"::1", "0.0.0.0", true},
        {"::ffff:0.0.0.0", "127.0.0.1", true},
        {"::ffff:0.0.0.0", "::1", false},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(may_take(listening(one.bound, 8787), endpoint(one.wanted, 8787)), one.may)
            << one.bound << " " << one.wanted;
        EXPECT_FALSE(may_take(listening(one.bound, 8788), endpoint(one.wanted, 8787)));
    }
}

} // namespace
} // namespace alli::proxy
