// SPDX-License-Identifier: Apache-2.0
#include "tests/upstream/proxy_server.hpp"

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <openssl/evp.h>

#include <array>
#include <mutex>
#include <thread>

namespace upstream_test {

namespace asio = boost::asio;
using asio::use_awaitable;
using asio::ip::tcp;
template <class T = void>
using Task = asio::awaitable<T>;

struct ProxyServer::Inside {
    explicit Inside(Rules r) : rules(std::move(r)) {}

    void note(std::string what)
    {
        const std::lock_guard lock(mutex);
        asked.push_back(std::move(what));
    }

    Rules rules;
    asio::io_context loop;
    tcp::acceptor acceptor{loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    mutable std::mutex mutex;
    std::vector<std::string> asked;
    std::thread thread;
};

namespace {

std::string base64(const std::string& text)
{
    std::string out((text.size() + 2) / 3 * 4 + 1, '\0'); // with OpenSSL's NUL
    out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                                        reinterpret_cast<const unsigned char*>(text.data()),
                                                        static_cast<int>(text.size()))));
    return out;
}

tcp::endpoint endpoint_of(const std::string& name)
{
    const auto colon = name.rfind(':');
    const auto port = static_cast<std::uint16_t>(std::stoi(name.substr(colon + 1)));
    return {asio::ip::make_address(name.substr(0, colon)), port};
}

Task<> copy(tcp::socket& from, tcp::socket& to)
{
    std::array<char, 16384> room{};
    boost::system::error_code ended;
    while (true) {
        const auto count =
            co_await from.async_read_some(asio::buffer(room), asio::redirect_error(use_awaitable, ended));
        if (ended) break;
        co_await asio::async_write(to, asio::buffer(room, count), asio::redirect_error(use_awaitable, ended));
        if (ended) break;
    }
    boost::system::error_code gone;
    to.shutdown(tcp::socket::shutdown_send, gone);
}

Task<> join(tcp::socket& client, tcp::socket& server)
{
    using namespace asio::experimental::awaitable_operators;
    client.set_option(tcp::no_delay(true));
    server.set_option(tcp::no_delay(true));
    co_await (copy(client, server) && copy(server, client));
}

Task<> say(tcp::socket& socket, const std::string& bytes)
{
    co_await asio::async_write(socket, asio::buffer(bytes), use_awaitable);
}

Task<std::string> hear(tcp::socket& socket, std::size_t count)
{
    std::string bytes(count, '\0');
    co_await asio::async_read(socket, asio::buffer(bytes), use_awaitable);
    co_return bytes;
}

std::size_t number(const std::string& bytes, std::size_t at)
{
    return static_cast<unsigned char>(bytes.at(at));
}

} // namespace

// Plain functions of an object: a capturing lambda must not be a coroutine.
struct Serve {
    using Inside = ProxyServer::Inside;

    static Task<> lead(const Inside* in, tcp::socket& client, const std::string& target, const std::string& hello)
    {
        tcp::socket server(client.get_executor());
        const auto to = endpoint_of(in->rules.lead_to.empty() ? target : in->rules.lead_to);
        co_await server.async_connect(to, use_awaitable);
        co_await say(client, hello);
        co_await join(client, server);
    }

    static Task<> connect(Inside* in, tcp::socket& client)
    {
        std::string head;
        co_await asio::async_read_until(client, asio::dynamic_buffer(head), "\r\n\r\n", use_awaitable);
        in->note(head);
        const auto& rules = in->rules;
        if (!rules.instead.empty()) co_return co_await say(client, rules.instead);
        const std::string shown = "Proxy-Authorization: Basic " + base64(rules.user + ":" + rules.password) + "\r\n";
        if (!rules.user.empty() && head.find(shown) == head.npos)
            co_return co_await say(client, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic "
                                           "realm=\"corp\"\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n"
                                           "<html>log in!</html>");
        const std::string target = head.substr(8, head.find(' ', 8) - 8);
        co_await lead(in, client, target, "HTTP/1.1 200 Connection established\r\nVia: corp\r\n\r\n");
    }

    static Task<bool> is_let_in(Inside* in, tcp::socket& client)
    {
        const std::string offer = co_await hear(client, 2);
        const std::string methods = co_await hear(client, number(offer, 1));
        const bool wants = !in->rules.user.empty();
        const char method = wants ? 2 : 0;
        if (methods.find(method) == methods.npos) {
            co_await say(client, "\x05\xff");
            co_return false;
        }
        const std::string chosen{'\x05', method};
        co_await say(client, chosen);
        if (!wants) co_return true;
        std::string user = co_await hear(client, 2);
        user = co_await hear(client, number(user, 1));
        std::string password = co_await hear(client, 1);
        password = co_await hear(client, number(password, 0));
        const bool right = user == in->rules.user && password == in->rules.password;
        const std::string verdict{'\x01', right ? '\0' : '\1'};
        co_await say(client, verdict);
        co_return right;
    }

    static Task<> socks(Inside* in, tcp::socket& client)
    {
        const bool goes_on = co_await is_let_in(in, client);
        if (!goes_on) co_return;
        const std::string request = co_await hear(client, 4);
        std::string host;
        if (request.at(3) == 3) {
            const std::string length = co_await hear(client, 1);
            host = co_await hear(client, number(length, 0));
        } else {
            const std::string v4 = co_await hear(client, 4);
            for (std::size_t i = 0; i < 4; ++i) host += (i ? "." : "") + std::to_string(number(v4, i));
        }
        const std::string port = co_await hear(client, 2);
        const std::string target = host + ":" + std::to_string(number(port, 0) * 256 + number(port, 1));
        in->note(target);
        std::string reply{'\x05', static_cast<char>(in->rules.socks_reply), '\0', '\x01', '\0', '\0', '\0', '\0', '\0',
                          '\0'};
        if (in->rules.socks_reply != 0) co_return co_await say(client, reply);
        co_await lead(in, client, target, reply);
    }

    static Task<> session(Inside* in, tcp::socket client)
    try {
        if (in->rules.kind == ProxyServer::Kind::http)
            co_await connect(in, client);
        else
            co_await socks(in, client);
    } catch (const std::exception&) {
        // Somebody went away, or there is no way to the target: the connection ends.
    }

    static Task<> accept(Inside* in)
    {
        while (true) {
            tcp::socket socket = co_await in->acceptor.async_accept(use_awaitable);
            asio::co_spawn(in->loop, session(in, std::move(socket)), asio::detached);
        }
    }
};

ProxyServer::ProxyServer(Rules rules) : inside_(std::make_unique<Inside>(std::move(rules)))
{
    asio::co_spawn(inside_->loop, Serve::accept(inside_.get()), asio::detached);
    inside_->thread = std::thread([in = inside_.get()] { in->loop.run(); });
}

ProxyServer::~ProxyServer()
{
    inside_->loop.stop();
    inside_->thread.join();
}

std::string ProxyServer::name() const
{
    return "127.0.0.1:" + std::to_string(inside_->acceptor.local_endpoint().port());
}

std::vector<std::string> ProxyServer::asked() const
{
    const std::lock_guard lock(inside_->mutex);
    return inside_->asked;
}

} // namespace upstream_test
