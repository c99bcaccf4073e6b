// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/connections.hpp"

#include "upstream/curl/curl_set.hpp"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace alli::upstream {
namespace {

constexpr short something = POLLIN | POLLRDHUP;

// What came in the same TLS record as the end of the last answer has left the socket, and waits in the TLS library.
bool has_decrypted_input(CURL* easy)
{
    curl_tlssessioninfo* session = nullptr;
    curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session);
    if (!session || session->backend != CURLSSLBACKEND_OPENSSL || !session->internals) return false;
    return SSL_has_pending(static_cast<const SSL*>(session->internals)) == 1;
}

void read_local_address(Connection& connection)
{
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(connection.fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
        connection.local_port = ntohs(v4.sin_port);
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        connection.local_port = ntohs(v6.sin6_port);
    }
    connection.local_ip = text.data();
}

} // namespace

bool Connection::is_at(std::string_view ip, int port)
{
    if (local_port == 0) read_local_address(*this); // it had none when it was opened
    return local_port == port && local_ip == ip;
}

bool Connection::has_input() const
{
    pollfd look{fd, something, 0};
    return ::poll(&look, 1, 0) != 0;
}

void Connection::shut_down() const noexcept
{
    constexpr int pieces = 64; // whoever sends more is cut off all the same
    std::array<char, 16 << 10> rest;
    ::shutdown(fd, SHUT_RDWR);
    for (int i = 0; i < pieces; ++i)
        if (::recv(fd, rest.data(), rest.size(), MSG_DONTWAIT) <= 0) return;
}

void Connections::watch(CURL* easy)
{
    curl::set(easy, CURLOPT_OPENSOCKETFUNCTION, &Connections::on_open);
    curl::set(easy, CURLOPT_OPENSOCKETDATA, this);
    curl::set(easy, CURLOPT_CLOSESOCKETFUNCTION, &Connections::on_close);
    curl::set(easy, CURLOPT_CLOSESOCKETDATA, this);
}

curl_socket_t Connections::on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept
try {
    auto connection = std::make_shared<Connection>();
    Slots slot;
    slot.emplace(0, connection); // all memory is there before the descriptor is
    auto& open = static_cast<Connections*>(self)->open_;
    open.reserve(open.size() + 1);
    connection->fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (connection->fd < 0) return CURL_SOCKET_BAD;
    auto node = slot.extract(slot.begin());
    node.key() = connection->fd;
    open.insert(std::move(node));
    return connection->fd;
} catch (const std::bad_alloc&) {
    return CURL_SOCKET_BAD;
}

int Connections::on_close(void* self, curl_socket_t fd) noexcept
{
    static_cast<Connections*>(self)->open_.erase(fd);
    return ::close(fd);
}

// What comes between this look and the request's first byte cannot be told from an answer to it, by nobody: whose
// answer it is, is then to be seen by what it says (upstream/reply.hpp, sync/delivery/verdict.hpp).
//
// On HTTP/2 there is always something to read, and libcurl tells streams apart. On a connection that is new, what waits
// are session tickets, or a server that refuses it; only one that has carried an HTTP/1 answer is looked at.
Chosen Connections::use(CURL* easy, const void* user, std::string_view local_ip, int local_port)
{
    for (const auto& [fd, connection] : open_) {
        if (!connection->is_at(local_ip, local_port)) continue;
        const bool stale = connection->http1 && (connection->has_input() || has_decrypted_input(easy));
        connection->user = stale ? nullptr : user;
        if (!stale) return {connection};
        connection->shut_down();
        ++discarded_;
        sweep();
        return {nullptr, true};
    }
    return {};
}

void Connections::sweep()
{
    std::vector<pollfd> looks;
    for (const auto& [fd, connection] : open_)
        if (connection->http1 && !connection->user) looks.push_back({fd, something, 0});
    if (looks.empty() || ::poll(looks.data(), looks.size(), 0) <= 0) return;
    for (const pollfd& look : looks) {
        if (look.revents == 0) continue;
        open_.at(look.fd)->shut_down();
        ++discarded_;
    }
}

void Connections::release(const Connection& used, const void* user)
{
    const auto found = open_.find(used.fd);
    if (found != open_.end() && found->second.get() == &used && used.user == user) found->second->user = nullptr;
}

} // namespace alli::upstream
