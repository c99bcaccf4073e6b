// SPDX-License-Identifier: Apache-2.0
// THE table of what the proxy answers by itself, and the way from a request to its answer. All else under /webapi/ is
// relayed. Runs on a proxy loop.
#pragma once

#include "http/request_body.hpp"
#include "proxy/answer.hpp"
#include "proxy/grant.hpp"
#include "proxy/guard.hpp"
#include "proxy/principal.hpp"
#include "proxy/server.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alli::upstream {
class Breaker;
}

namespace alli::proxy {

class Answers;
class Entry;
class Feed;
class Flights;
class MeterRack;
class Meters;
class PassedUp;
class RequestIds;
class RouteMap;
class Runs;
struct Route;

/// What handlers stand on: the same for all loops but for the answers that each keeps and
/// the feed that its readers wait at.
struct Context {
    const Options& options;
    const Needs& needs;
    Answers& answers;
    Flights& flights;
    Meters& meters;        // of this loop
    const MeterRack& rack; // of all
    RequestIds& request_ids;
    upstream::Exchanges* exchanges; // of this loop
    upstream::Breaker& away;        // whether they reach upstream; heeded where the engine does not reach it either
    Feed& feed;
    Entry& entry;
    PassedUp& passed_up;
    Runs& runs;
    const RouteMap& routes;
};

/// One request that passed the guard.
struct Request {
    std::string method;
    std::string target; // origin form, byte for byte
    Headers headers;
    std::string body;                      // whole, but for relayed paths: they have
    http::RequestBody* incoming = nullptr; // what is still to be read; none: there is no body, or it is in `body`
    std::function<void()> end_with_client = [] {}; // from now on: nobody but the client has use for the answer
    std::vector<std::string> ids;                  // what {id} and {chat} of the pattern matched, decoded once
    std::string request_id;                        // X-Request-Id, the app's or ours
    const Route* route = nullptr;                  // once it is known
    std::shared_ptr<const Principal> principal;    // who asks; none: nobody that may do anything
    std::shared_ptr<const Grant> grant;            // what let that one in, and whether it still does

    const Part& part() const noexcept; // what the principal may see
    std::string_view path() const noexcept;
    std::string_view query() const noexcept;
    bool has(std::string_view name) const noexcept { return headers.find(name) != nullptr; }
    /// The first of that name; empty: there is none.
    std::string_view header(std::string_view name) const noexcept { return headers.first(name); }
};

/// May throw; answer() turns that into a response.
using Handler = Task<Response> (*)(const Context&, const Request&);

/// The scope that a route takes; none: anybody may. Without a default: a row that does not say it does not compile.
class Needed {
  public:
    constexpr Needed(std::optional<Scope> scope) : scope_(scope) {}
    constexpr std::optional<Scope> scope() const noexcept { return scope_; }

  private:
    std::optional<Scope> scope_;
};

struct Route {
    std::string_view method, pattern, operation;
    Handler handler;
    Surface surface;
    Needed needed;
};
std::span<const Route> routes() noexcept;

struct Match {
    const Route* route = nullptr; // none: no such path, or not this method
    std::vector<std::string> ids;
    std::string allow; // the methods of this path; empty: the path is not in the table
};
/// By the contract's own methods and paths; RouteMap::find() by those of the settings.
Match find_route(std::string_view method, std::string_view path);

/// The whole way of a request. Never throws.
Task<Response> answer(const Context& cx, Request& rq);

} // namespace alli::proxy
