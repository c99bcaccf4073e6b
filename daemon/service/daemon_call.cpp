// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_call.hpp"

#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/listener_owner.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/sandbox_home.hpp"
#include "proxy/listen_address.hpp"
#include "upstream/curl/local_call.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

namespace alli::daemon {

namespace ip = boost::asio::ip;

static constexpr std::chrono::seconds reading{5}; // what it says of itself is at hand

static bool is_unix(const std::string& address)
{
    return address.starts_with(proxy::unix_prefix);
}

/// The address with a numeric host; loopback if the daemon listens on all addresses. None if the port is unknown or the
/// address is not loopback: the key is sent to this machine only.
static std::optional<std::string> loopback_address(const std::string& listen)
{
    const ip::tcp::endpoint endpoint = proxy::read_tcp_address(listen);
    const bool v6 = endpoint.address().is_v6(), everywhere = endpoint.address().is_unspecified();
    if (endpoint.port() == 0 || !(everywhere || endpoint.address().is_loopback())) return std::nullopt;
    const std::string host = !everywhere ? endpoint.address().to_string() : v6 ? "::1" : "127.0.0.1";
    return fmt::format("{}:{}", v6 ? '[' + host + ']' : host, endpoint.port());
}

static upstream::LocalCall make_call(const DaemonRequest& request)
{
    upstream::LocalCall call;
    call.method = request.method;
    call.target = request.target;
    call.body = request.body;
    call.patience = request.patience;
    call.sink = request.sink;
    call.cache_control = request.cache_control;
    return call;
}

/// The calls to one daemon and their failures.
class Caller {
  public:
    Caller(const Settings& settings, const MirrorLocation& place, const Environment& environment, int owner)
        : settings_(settings), place_(place), environment_(environment),
          trusted_(trusted_users(place.mirror_path, owner))
    {}

    /// Tries its Unix sockets, then TCP with the key. Returns the first accepted response, if any.
    template <class Wanted>
    std::optional<DaemonAnswer> call(const DaemonRequest& request, Wanted is_wanted)
    {
        auto addresses = socket_addresses(settings_, place_, environment_);
        std::stable_partition(addresses.begin(), addresses.end(), &is_unix);
        for (const std::string& address : addresses) {
            auto outcome = try_call(make_call(request), address);
            if (outcome.answer && is_wanted(address, outcome.answer->status))
                return DaemonAnswer{outcome.answer->status, std::move(outcome.answer->body)};
            // It may be at work, or a part of its answer was passed on.
            if (outcome.sent && !outcome.answer && (request.method != "GET" || request.sink)) break;
        }
        return std::nullopt;
    }

    const std::string& why() const noexcept { return why_; } // there was no such answer: what was tried
    const std::string& hint() const noexcept { return hint_; }
    const std::optional<Error>& key_fault() const noexcept { return key_fault_; }

  private:
    upstream::LocalOutcome try_call(upstream::LocalCall call, const std::string& listen)
    {
        upstream::LocalOutcome outcome;
        try {
            if (!place_call(call, listen)) return outcome;
            const ListenerOwner listener(is_unix(listen) ? listen : call.address, trusted_);
            if (!is_unix(listen)) call.key = find_key();
            call.approve = [&](int socket) { listener.require(socket); };
            outcome = upstream::call_local(call);
            note(describe(listen, outcome.answer));
        } catch (const Error& error) {
            note(error.what());
            hint_ = error.hint();
        }
        return outcome;
    }

    bool place_call(upstream::LocalCall& call, const std::string& listen)
    {
        call.host = "localhost";
        if (is_unix(listen)) call.unix_path = proxy::read_socket_path(listen);
        if (is_unix(listen)) return true;
        const auto address = loopback_address(listen);
        if (!address) return false;
        call.address = *address;
        call.host = listen.starts_with("localhost:") ? listen : *address;
        return true;
    }

    // Read once, because reading wipes the variable.
    const std::string& find_key()
    {
        if (!key_) try {
                key_ = place_.sandbox ? sandbox_key : load_api_key(settings_, environment_);
            } catch (const Error& error) {
                key_fault_ = error; // proxy.auth may be "none"
                key_ = "";
            }
        return *key_;
    }

    std::string describe(const std::string& listen, const std::optional<upstream::LocalAnswer>& answer) const
    {
        if (!answer) return fmt::format("{} gave no answer", listen);
        const bool locked = answer->status == 401 || answer->status == 403;
        return fmt::format("{} answered {}{}", listen, answer->status,
                           !locked           ? ""
                           : is_unix(listen) ? ": this user is not the daemon's"
                           : key_fault_      ? ": there is no key here to show it"
                                             : ": the key that is here is not the daemon's");
    }

    void note(const std::string& what) { why_ += (why_.empty() ? "" : ", ") + what; }

    const Settings& settings_;
    const MirrorLocation& place_;
    const Environment& environment_;
    Users trusted_;
    std::string why_, hint_;
    std::optional<std::string> key_;
    std::optional<Error> key_fault_;
};

/// The mirror that commands read, or the sandbox's if its daemon runs and the other is not there: what is meant for a
/// real mirror never goes to a sandbox.
static MirrorLocation find_running_place(const Settings& settings, const Environment& environment)
{
    const MirrorLocation place = find_mirror_location(settings, environment);
    std::error_code hidden;
    const bool is_there = std::filesystem::exists(place.mirror_path, hidden) || hidden;
    if (place.sandbox || is_there || find_owner(place.mirror_path)) return place;
    const std::string sandbox = sandbox_mirror_path(environment);
    return find_owner(sandbox) ? MirrorLocation{sandbox, true} : place;
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
    const MirrorLocation place = find_running_place(settings, context.environment);
    const auto owner = find_owner(place.mirror_path);
    if (!owner) throw Error(Fault::refused, "start it with alli-mirror serve, or serve --sandbox", "no daemon runs");
    Caller caller(settings, place, context.environment, *owner);
    const auto is_wanted = [](const std::string& address, int status) { return status != 401 || !is_unix(address); };
    auto answer = caller.call(request, is_wanted);
    if (answer && answer->status == 401 && caller.key_fault()) throw Error(*caller.key_fault());
    if (answer) return std::move(*answer);
    throw Error(
        Fault::refused,
        caller.hint().empty() ? "let it listen on a Unix socket (proxy.listen): see alli-mirror status" : caller.hint(),
        "a daemon runs, but gave no answer where it should listen{}{}", caller.why().empty() ? "" : ": ", caller.why());
}

DaemonReading read_from_daemon(const Settings& settings, const MirrorLocation& place, const Environment& environment,
                               int owner, const std::string& target)
{
    Caller caller(settings, place, environment, owner);
    const DaemonRequest request{"GET", target, "", reading};
    const auto is_wanted = [](const std::string&, int status) { return status == 200; };
    if (auto answer = caller.call(request, is_wanted)) return {std::move(answer->body), ""};
    if (!caller.why().empty()) return {std::nullopt, caller.why()};
    return {std::nullopt, "there is no Unix socket that this user may use, and no port is known"};
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
