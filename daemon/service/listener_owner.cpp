// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/listener_owner.hpp"

#include "alli/error.hpp"
#include "daemon/settings/paths.hpp"
#include "proxy/listen_address.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {
namespace {

using boost::asio::ip::tcp;

constexpr const char* own_socket = "let the daemon listen on a Unix socket (proxy.listen): that needs no key";

// Works for processes whose /proc entries are not readable, too.
std::optional<unsigned> user_of(int process)
{
    std::ifstream status(fmt::format("/proc/{}/status", process));
    for (std::string line; std::getline(status, line);)
        if (unsigned user = 0; line.starts_with("Uid:") && std::istringstream(line.substr(4)) >> user) return user;
    return std::nullopt;
}

[[noreturn]] void refuse(const std::string& address, unsigned user, const std::string& holder)
{
    throw Error(Fault::refused, fmt::format("stop it, start the daemon anew; {}", own_socket),
                "{} is another user's ({}): {} listens there, nothing is sent to it", address, user_name(user), holder);
}

[[noreturn]] void refuse_unknown(const std::string& address, std::string_view why)
{
    throw Error(Fault::refused, own_socket, "{}: {}, nothing is sent there", address, why);
}

} // namespace

Users trusted_users(const std::string& mirror_path, int daemon)
{
    Users users{0, ::geteuid()};
    struct stat status = {};
    if (::stat(std::filesystem::path(mirror_path).parent_path().c_str(), &status) == 0) users.insert(status.st_uid);
    if (const auto user = user_of(daemon)) users.insert(*user);
    return users;
}

void require_trusted(const std::string& address, const proxy::Listeners& before, const proxy::Listeners& now,
                     const Users& trusted)
{
    if (!before || !now) refuse_unknown(address, "who listens cannot be seen, /proc/net/tcp is not readable");
    for (const proxy::ListeningSocket& socket : *now)
        if (!trusted.contains(socket.user)) refuse(address, socket.user, proxy::describe_holder(socket));
    if (now->empty()) refuse_unknown(address, "who listens is not in /proc/net/tcp");
    if (*before != *now) refuse_unknown(address, "another socket began to listen just now");
}

ListenerOwner::ListenerOwner(std::string address, Users trusted)
    : address_(std::move(address)), trusted_(std::move(trusted))
{
    if (address_.starts_with(proxy::unix_prefix)) return;
    before_ = proxy::find_listeners(proxy::read_tcp_address(address_));
    const bool nobody_listens = before_ && before_->empty();
    if (!nobody_listens) require_trusted(address_, before_, before_, trusted_);
}

void ListenerOwner::require(int socket) const
{
    if (address_.starts_with(proxy::unix_prefix)) return require_peer(socket);
    tcp::endpoint connected;
    auto size = static_cast<::socklen_t>(connected.capacity());
    if (::getpeername(socket, connected.data(), &size) != 0) refuse_unknown(address_, "the connection is gone");
    require_trusted(address_, before_, proxy::find_listeners(connected), trusted_);
}

// The kernel records the credentials of the process that called listen() on a Unix socket.
void ListenerOwner::require_peer(int socket) const
{
    ::ucred who{};
    ::socklen_t size = sizeof who;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        refuse_unknown(address_, "who listens cannot be seen");
    if (!trusted_.contains(who.uid)) refuse(address_, who.uid, proxy::describe_process(who.pid));
}

} // namespace alli::daemon
