// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_call.hpp"

#include "alli/task.hpp"
#include "daemon/api_key.hpp"
#include "daemon/daemon_probe.hpp"
#include "daemon/places.hpp"
#include "daemon/sandbox_home.hpp"
#include "daemon/status.hpp"
#include "proxy/listen_address.hpp"
#include "proxy/port_holder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

namespace alli::daemon {

namespace beast = boost::beast;
namespace http = beast::http;
using Protocol = asio::generic::stream_protocol;

static constexpr std::chrono::seconds patience{15}; // a write may be waited for as long as upstream is

/// Where and how a daemon may be called.
struct Door {
    Protocol::endpoint endpoint;
    std::string host, key; // key: empty over a Unix socket
};

static Task<> exchange(Door door, DaemonRequest request, std::optional<DaemonAnswer>& answer)
{
    beast::basic_stream<Protocol> stream(co_await asio::this_coro::executor);
    stream.expires_after(patience);
    co_await stream.async_connect(door.endpoint, asio::use_awaitable);

    http::request<http::string_body> message(http::string_to_verb(request.method), request.target, 11);
    message.set(http::field::host, door.host);
    message.set(http::field::connection, "close");
    if (!door.key.empty()) message.set("API-KEY", door.key);
    if (!request.body.empty()) message.set(http::field::content_type, "application/json");
    message.body() = std::move(request.body);
    message.prepare_payload();
    co_await http::async_write(stream, message, asio::use_awaitable);

    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    DaemonAnswer came;
    came.status = static_cast<int>(response.result_int());
    came.body = std::move(response.body());
    answer = std::move(came);
}

static std::optional<DaemonAnswer> call(const Door& door, const DaemonRequest& request)
{
    asio::io_context loop(1);
    std::optional<DaemonAnswer> answer;
    // A failure is an answer here: nobody listens, or nobody who talks to us.
    const auto ended = [](std::exception_ptr) {};
    asio::co_spawn(loop, exchange(door, request, answer), ended);
    loop.run();
    return answer;
}

static std::optional<Door> unix_door(const std::string& address)
{
    static constexpr std::string_view scheme = "unix:";
    if (!address.starts_with(scheme)) return std::nullopt;
    return Door{asio::local::stream_protocol::endpoint(address.substr(scheme.size())), "localhost", ""};
}

static std::optional<Door> tcp_door(const std::string& address, const std::string& key)
{
    const auto colon = address.rfind(':');
    if (address.starts_with("unix:") || colon == address.npos) return std::nullopt;
    std::string host = address.substr(0, colon);
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    boost::system::error_code bad;
    const auto ip = asio::ip::make_address(host, bad);
    std::uint16_t port = 0;
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    if (bad || port == 0 || !ip.is_loopback()) return std::nullopt; // a key goes to this machine alone
    return Door{asio::ip::tcp::endpoint(ip, port), address, key};
}

// Of a process that lets nobody look into it, too.
static std::optional<unsigned> user_of(int process)
{
    std::ifstream status(fmt::format("/proc/{}/status", process));
    for (std::string line; std::getline(status, line);)
        if (unsigned user = 0; line.starts_with("Uid:") && std::istringstream(line.substr(4)) >> user) return user;
    return std::nullopt;
}

/// Whether the key may be shown there: the socket is the daemon's user's, or root's (a service manager's).
static bool is_the_daemons(const std::string& address, int owner)
{
    const auto user = proxy::find_port_user(proxy::read_tcp_address(address));
    return !user || *user == 0 || user == user_of(owner);
}

/// The mirror that commands read; where nobody runs it but the sandbox's is run, that one.
static ReadPlace find_running_place(const Settings& settings, const Environment& environment)
{
    const ReadPlace place = find_read_place(settings, environment);
    if (place.sandbox || find_owner(place.mirror_path)) return place;
    const std::string sandbox = sandbox_mirror_path(environment);
    return find_owner(sandbox) ? ReadPlace{sandbox, true} : place;
}

Context remembering(Context context)
{
    const auto known = std::make_shared<std::map<std::string, std::optional<std::string>>>();
    const auto read_once = [known, read = context.environment](const std::string& name) {
        const auto [at, fresh] = known->try_emplace(name);
        if (fresh) at->second = read(name);
        return at->second;
    };
    context.environment = Environment(read_once, context.environment.names());
    return context;
}

DaemonAnswer call_daemon(const Context& context, const DaemonRequest& request)
{
    const Settings settings = context.settings();
    const ReadPlace place = find_running_place(settings, context.environment);
    const auto owner = find_owner(place.mirror_path);
    if (!owner) throw Error(Fault::refused, "start it with alli-mirror serve, or serve --sandbox", "no daemon runs");
    const auto addresses = socket_addresses(settings, place, context.environment);
    for (const std::string& address : addresses)
        if (const auto door = unix_door(address))
            if (auto answer = call(*door, request)) return *answer;
    const std::string key = place.sandbox ? sandbox_key : load_api_key(settings, context.environment);
    for (const std::string& address : addresses)
        if (const auto door = tcp_door(address, key); door && !key.empty() && is_the_daemons(address, *owner))
            if (auto answer = call(*door, request)) return *answer;
    throw Error(Fault::refused, "let it listen on a Unix socket (proxy.listen): see alli-mirror status",
                "a daemon runs, but gave no answer where it should listen");
}

static std::string find_key(const Settings& settings, const ReadPlace& place, const Environment& environment)
{
    try {
        return place.sandbox ? sandbox_key : load_api_key(settings, environment);
    } catch (const Error&) {
        return ""; // proxy.auth may be "none"
    }
}

static std::string describe(const std::string& address, const std::optional<DaemonAnswer>& answer,
                            const std::string& key)
{
    if (!answer) return fmt::format("{} gave no answer", address);
    const bool locked = answer->status == 401 || answer->status == 403;
    return fmt::format("{} answered {}{}", address, answer->status,
                       !locked       ? ""
                       : key.empty() ? ": there is no key here to show it"
                                     : ": the key that is here is not the daemon's");
}

DaemonReading read_from_daemon(const Settings& settings, const ReadPlace& place, const Environment& environment,
                               int owner, const std::string& target)
{
    const auto addresses = socket_addresses(settings, place, environment);
    DaemonReading reading;
    reading.body = ask_daemon(addresses, target);
    if (reading.body) return reading;
    const std::string key = find_key(settings, place, environment);
    const DaemonRequest request{"GET", target, ""};
    for (const std::string& address : addresses) {
        const auto door = tcp_door(address, key);
        if (!door) continue;
        reading.why += reading.why.empty() ? "" : ", ";
        if (!is_the_daemons(address, owner)) {
            reading.why += fmt::format("{} is another user's: the key is not shown there", address);
            continue;
        }
        auto answer = call(*door, request);
        if (answer && answer->status == 200) return {std::move(answer->body), ""};
        reading.why += describe(address, answer, key);
    }
    if (reading.why.empty()) reading.why = "there is no Unix socket that this user may use, and no port is known";
    return reading;
}

Error refused_by_daemon(const DaemonAnswer& answer)
{
    const Json body = Json::parse(answer.body, nullptr, false);
    const auto text = [&](const char* name) {
        const bool there = body.is_object() && body.contains(name) && body[name].is_string();
        return there ? body[name].get<std::string>() : std::string();
    };
    const std::string said = text("detail").empty() ? text("message") : text("detail");
    return Error(Fault::refused, text("hint"), "the daemon answered {}{}{}", answer.status, said.empty() ? "" : ": ",
                 said);
}

} // namespace alli::daemon
