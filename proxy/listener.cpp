// SPDX-License-Identifier: Apache-2.0
#include "proxy/listener.hpp"

#include "alli/error.hpp"
#include "proxy/listen_address.hpp"
#include "proxy/port_holder.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace alli::proxy {
namespace {

using asio::ip::tcp;
using Code = boost::system::error_code;
namespace local = asio::local;

void require_free(const Code& code, const std::string& address, const std::string& holder)
{
    if (code == asio::error::address_in_use)
        throw Error(Fault::busy, "stop the other program, or choose another address in proxy.listen",
                    "{}: somebody else listens there{}{}", address, holder.empty() ? "" : ": ", holder);
}

void require(const Code& code, const std::string& address)
{
    if (!code) return;
    throw Error(Fault::settings, "choose another address in proxy.listen: one of this machine, its port from 1024 on",
                "cannot listen on {}: {}", address, code.message());
}

void require_loopback(const tcp::endpoint& endpoint, const std::string& address, const Options& options)
{
    if (endpoint.address().is_loopback()) return;
    if (!options.allow_remote)
        throw Error(Fault::settings, "listen on 127.0.0.1, or set proxy.allow_remote",
                    "{}: this is not a loopback address", address);
    if (!options.require_key)
        throw Error(Fault::settings, "set proxy.auth to \"api-key\"", "{}: without a key, only loopback may be served",
                    address);
}

// Of a TCP socket as such.
tcp::endpoint tcp_endpoint(const Acceptor::endpoint_type& any)
{
    tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), any.data(), std::min(any.size(), endpoint.capacity()));
    return endpoint;
}

std::string endpoint_text(const tcp::endpoint& endpoint)
{
    const std::string host = endpoint.address().to_string();
    return fmt::format("{}:{}", endpoint.address().is_v6() ? '[' + host + ']' : host, endpoint.port());
}

Listener listen_tcp(asio::io_context& io, const std::string& address, const Options& options)
{
    const tcp::endpoint endpoint = read_tcp_address(address);
    require_loopback(endpoint, address, options);
    Listener listener{Acceptor(io), {}, {}, {}, false};
    Code code;
    listener.acceptor.open(asio::generic::stream_protocol(endpoint.protocol()), code);
    require(code, address);
    listener.acceptor.set_option(asio::socket_base::reuse_address(true), code);
    if (!code && endpoint.address().is_v6()) listener.acceptor.set_option(asio::ip::v6_only(true), code);
    if (!code) listener.acceptor.bind(endpoint, code);
    if (!code) listener.acceptor.listen(asio::socket_base::max_listen_connections, code);
    if (code) require_free(code, address, find_port_holder(endpoint));
    require(code, address);

    const tcp::endpoint actual = tcp_endpoint(listener.acceptor.local_endpoint());
    listener.peer.port = actual.port();
    listener.address = endpoint_text(actual);
    return listener;
}

std::string describe_listener(local::stream_protocol::socket& connected)
{
    ::ucred who{};
    ::socklen_t size = sizeof who;
    const bool known = ::getsockopt(connected.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0;
    return known && who.pid > 0 ? describe_process(who.pid) : "";
}

// A file that nobody answers on is left over from a program that was killed.
void clear_path(asio::io_context& io, const std::string& path, const std::string& address)
{
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return;
    if (!S_ISSOCK(status.st_mode)) refuse_address(address, "there is a file of another kind");
    Code code;
    local::stream_protocol::socket probe(io);
    probe.connect(local::stream_protocol::endpoint(path), code);
    if (!code) require_free(asio::error::address_in_use, address, describe_listener(probe));
    if (code == asio::error::connection_refused) ::unlink(path.c_str());
}

Listener listen_unix(asio::io_context& io, const std::string& address, const Options& options)
{
    const ::mode_t mode = options.group ? 0660 : 0600;
    const std::string path = read_socket_path(address);
    clear_path(io, path, address);
    Listener listener{Acceptor(io), address, {}, {}, false, options.group};
    const local::stream_protocol::endpoint endpoint(path);
    Code code;
    listener.acceptor.open(asio::generic::stream_protocol(endpoint.protocol()), code);
    require(code, address);
    // Before the bind, so that the file is never open to others, not even for a moment.
    if (::fchmod(listener.acceptor.native_handle(), mode) != 0)
        refuse_address(address, "its permissions cannot be set");
    listener.acceptor.bind(endpoint, code);
    require_free(code, address, "");
    require(code, address);
    listener.path = path;
    listener.peer.local_socket = true;
    if (::chmod(path.c_str(), mode) != 0) refuse_address(address, "its permissions cannot be set");
    listener.acceptor.listen(asio::socket_base::max_listen_connections, code);
    require(code, address);
    return listener;
}

} // namespace

Listener listen_on(asio::io_context& io, const std::string& address, const Options& options)
{
    return address.starts_with(unix_prefix) ? listen_unix(io, address, options) : listen_tcp(io, address, options);
}

static void describe_unix(Listener& listener, const Acceptor::endpoint_type& bound)
{
    const auto* address = reinterpret_cast<const sockaddr_un*>(bound.data());
    constexpr std::size_t start = offsetof(sockaddr_un, sun_path);
    listener.path.assign(address->sun_path, bound.size() > start ? bound.size() - start : 0);
    listener.path = listener.path.c_str(); // without what may stand behind its end
    listener.peer.local_socket = true;
    listener.address = std::string(unix_prefix) + listener.path;
}

Listener adopt_listener(asio::io_context& io, int socket, const Options& options)
{
    Listener listener{Acceptor(io), {}, {}, {}, true};
    const std::string name = fmt::format("the passed socket {}", socket);
    int family = 0;
    ::socklen_t size = sizeof family;
    if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) refuse_address(name, std::strerror(errno));
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
        refuse_address(name, "it is neither TCP nor a Unix socket");
    Code code;
    listener.acceptor.assign(asio::generic::stream_protocol(family, 0), socket, code);
    require(code, name);
    const auto bound = listener.acceptor.local_endpoint(code);
    require(code, name);
    if (family == AF_UNIX) {
        describe_unix(listener, bound);
        listener.group = options.group;
        return listener;
    }
    const tcp::endpoint endpoint = tcp_endpoint(bound);
    require_loopback(endpoint, endpoint_text(endpoint), options);
    listener.peer.port = endpoint.port();
    listener.address = endpoint_text(endpoint);
    return listener;
}

void check_address(const std::string& address, const Options& options)
{
    if (address.starts_with(unix_prefix))
        read_socket_path(address);
    else
        require_loopback(read_tcp_address(address), address, options);
}

void close(Listener& listener) noexcept
{
    Code ignored; // closed is closed
    listener.acceptor.close(ignored);
    if (!listener.path.empty() && !listener.passed) ::unlink(listener.path.c_str());
}

/// The kernel records the groups of the process that called connect().
static bool is_in_group(int socket, const ::ucred& who, std::uint32_t group) noexcept
{
    if (who.gid == group) return true;
    std::array<::gid_t, 1024> groups{}; // of somebody with more than that, none counts
    auto size = static_cast<::socklen_t>(sizeof groups);
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return false;
    const auto end = groups.begin() + size / sizeof(::gid_t);
    return std::find(groups.begin(), end, group) != end;
}

Peer identify(const Listener& listener, int socket) noexcept
{
    Peer peer = listener.peer;
    if (!peer.local_socket) return peer;
    ::ucred who{};
    ::socklen_t size = sizeof who;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return peer;
    peer.user = who.uid;
    peer.trusted = who.uid == 0 || who.uid == ::geteuid();
    peer.member = listener.group && is_in_group(socket, who, *listener.group);
    return peer;
}

} // namespace alli::proxy
