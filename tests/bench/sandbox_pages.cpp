// SPDX-License-Identifier: Apache-2.0
// How many list pages a second a sandbox serves over one kept connection: 50 conversations of 20 chats a page.
// sandbox_pages [CORPUS [CONVERSATIONS]]
#include "sandbox/sandbox.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <cstdlib>
#include <ctime>

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// Reads one answer without looking at it: what is measured is the sandbox.
std::string fetch(asio::ip::tcp::socket& socket, std::string& buffer, const std::string& target)
{
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAPI-KEY: sandbox\r\n\r\n";
    asio::write(socket, asio::buffer(request));
    const std::size_t head = asio::read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n");
    const std::size_t field = buffer.find("Content-Length: ");
    const std::size_t length = std::strtoul(buffer.c_str() + field + 16, nullptr, 10);
    if (buffer.size() < head + length)
        asio::read(socket, asio::dynamic_buffer(buffer), asio::transfer_exactly(head + length - buffer.size()));
    std::string body = buffer.substr(head, length);
    buffer.clear();
    return body;
}

std::string next_target(const std::string& body)
{
    const std::string first = "/webapi/v2/conversations";
    const std::size_t at = body.rfind("\"cursor\":\"");
    if (at == std::string::npos) return first;
    return first + "?cursor=" + body.substr(at + 10, body.size() - at - 12);
}

} // namespace

int main(int argc, char** argv)
{
    alli::sandbox::Options options;
    if (argc > 1) options.corpus = argv[1];
    options.conversations = argc > 2 ? std::atoi(argv[2]) : 5000;
    const auto built = Clock::now();
    const alli::sandbox::Sandbox sandbox{options};
    fmt::print("{} conversations, {} chats, built in {:.2f} s\n", options.conversations, sandbox.chat_total(),
               std::chrono::duration<double>(Clock::now() - built).count());

    asio::io_context loop;
    asio::ip::tcp::socket socket{loop};
    socket.connect({asio::ip::address_v4::loopback(), sandbox.port()});
    socket.set_option(asio::ip::tcp::no_delay{true});
    std::string buffer, target = "/webapi/v2/conversations";
    std::size_t pages = 0, bytes = 0;
    const auto begun = Clock::now();
    const std::clock_t cpu = std::clock();
    std::chrono::duration<double> elapsed{};
    for (; elapsed.count() < 3; elapsed = Clock::now() - begun, ++pages) {
        const std::string body = fetch(socket, buffer, target);
        bytes += body.size();
        target = next_target(body);
    }
    const double worked = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
    fmt::print("{:.0f} pages a second, {} bytes a page, {:.2f} cores for server and client together\n",
               static_cast<double>(pages) / elapsed.count(), bytes / pages, worked / elapsed.count());
}
