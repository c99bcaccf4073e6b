// SPDX-License-Identifier: Apache-2.0
#include "http/memory_file.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>

#include <gtest/gtest.h>

#include <sys/sendfile.h>

#include <vector>

namespace alli::http {
namespace {

namespace asio = boost::asio;

std::string body_of(char letter, std::size_t size)
{
    std::string text(size, letter);
    for (std::size_t at = 0; at < size; at += 61) text[at] = static_cast<char>('0' + at % 10);
    return text;
}

TEST(MemoryFile, HoldsBodiesOfAnySizeApart)
{
    MemoryFile file;
    EXPECT_EQ(file.put(""), nullptr);
    std::vector<std::shared_ptr<const MemoryFile::Extent>> held;
    const std::vector<std::size_t> sizes{1, 4095, 4096, 4097, 200'000};
    for (const std::size_t size : sizes) held.push_back(file.put(body_of('a', size)));
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        ASSERT_TRUE(held[i]);
        EXPECT_EQ(held[i]->text(), body_of('a', sizes[i])) << sizes[i];
        EXPECT_EQ(held[i]->descriptor(), held[0]->descriptor()) << "one descriptor for all";
    }
}

TEST(MemoryFile, GivesTheSpaceOfABodyBackWithIt)
{
    MemoryFile file;
    const auto small = file.put(body_of('a', 10'000));
    for (int n = 0; n < 100; ++n) ASSERT_TRUE(file.put(body_of('b', 300'000)));
    EXPECT_EQ(file.allocated(), MemoryFile::footprint(10'000));
    EXPECT_EQ(small->text(), body_of('a', 10'000));
}

TEST(MemoryFile, OutlivedByABodyThatIsStillBeingSent)
{
    auto file = std::make_unique<MemoryFile>();
    const auto extent = file->put(body_of('a', 9'000));
    file.reset();
    EXPECT_EQ(extent->text(), body_of('a', 9'000));
}

// What sendfile took is read from the pages themselves when the peer reads: they must stay as they were, whatever
// becomes of the body's space meanwhile.
TEST(MemoryFile, ReachesASlowReaderAsItWasSent)
{
    asio::io_context loop;
    asio::ip::tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
    MemoryFile file;
    for (const std::size_t size : {std::size_t{20'000}, std::size_t{184'321}, std::size_t{3'000'000}}) {
        asio::ip::tcp::socket ours(loop), theirs(loop);
        theirs.connect(acceptor.local_endpoint());
        acceptor.accept(ours);
        ours.non_blocking(true);
        auto extent = file.put(body_of('a', size));
        ASSERT_TRUE(extent);
        off_t at = static_cast<off_t>(extent->offset());
        const auto sent = ::sendfile(ours.native_handle(), extent->descriptor(), &at, size);
        ASSERT_GT(sent, 0);
        extent.reset();
        for (int n = 0; n < 64; ++n) ASSERT_TRUE(file.put(body_of('b', size)));
        const auto other = file.put(body_of('c', size));
        std::string received(static_cast<std::size_t>(sent), '\0');
        asio::read(theirs, asio::buffer(received));
        EXPECT_TRUE(received == body_of('a', size).substr(0, received.size())) << sent << " of " << size << " bytes";
        EXPECT_EQ(other->text(), body_of('c', size));
    }
}

} // namespace
} // namespace alli::http
