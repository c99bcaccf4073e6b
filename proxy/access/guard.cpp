// SPDX-License-Identifier: Apache-2.0
#include "proxy/access/guard.hpp"

#include "alli/error.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr std::string_view scheme = "http://";

std::optional<Refusal> malformed(std::string_view detail)
{
    return Refusal{400, detail, true};
}

// A browser names the origin of every write, our own page's too: it is the host that was called, which is allowed. Over
// TLS it is ours where a reverse proxy of that name stands in front; on this machine nothing of ours speaks TLS.
bool is_own_origin(const RequestHead& head)
{
    const auto host = read_authority(head.headers.first("Host"));
    const std::string_view origin = head.headers.first("Origin");
    if (!host || head.headers.count("Origin") != 1 || !is_origin_of(origin, *host)) return false;
    return origin.starts_with(scheme) || !is_loopback_name(host->host);
}

std::optional<Refusal> check_method(const RequestHead& head)
{
    constexpr auto known =
        std::to_array<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});
    if (std::find(known.begin(), known.end(), head.method) != known.end()) return std::nullopt;
    if (head.method == "TRACE" || head.method == "CONNECT") return Refusal{405, "this method is not served", true};
    return Refusal{501, "this method is not known", true};
}

std::optional<Refusal> check_expectation(const RequestHead& head)
{
    const bool strange =
        head.headers.any("Expect", [](std::string_view value) { return !same_name(value, "100-continue"); });
    if (strange) return Refusal{417, "the only expectation known here is 100-continue", true};
    return std::nullopt;
}

std::optional<Refusal> check_target(const RequestHead& head)
{
    const std::string_view target = origin_form(head.target);
    if (target == "*" && head.method == "OPTIONS") return std::nullopt;
    const bool clean = target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
                           return c > 0x20 && c < 0x7f && c != '#' && c != '\\';
                       });
    if (!clean) return malformed("the target of the request is not a path");
    if (!http::percent_decoded(target)) return malformed("the target of the request holds a broken percent escape");
    return std::nullopt;
}

std::string_view path_of(const RequestHead& head)
{
    return split_target(origin_form(head.target)).path;
}

// A one-time link brings a secret of its own.
bool needs_no_key(const RequestHead& head)
{
    const std::string_view path = path_of(head);
    return path == "/healthz" || (path == "/mirror/v1/session" && head.method == "GET");
}

// Of an orchestrator, which names the address it calls: a pod's is not known before it runs. Nothing but "ok" is
// revealed, and no page is answered: browsers send Sec-Fetch-Site.
bool is_liveness_probe(const RequestHead& head)
{
    const bool reads = head.method == "GET" || head.method == "HEAD";
    return reads && path_of(head) == "/healthz" && head.target.starts_with('/') &&
           !head.headers.count("Sec-Fetch-Site") && !head.headers.count("Origin");
}

bool is_safe(std::string_view method)
{
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// A browser sends a cookie whichever page made the request (CSRF): a change must come from our own page.
bool comes_from_own_page(const RequestHead& head)
{
    return is_own_origin(head) || head.headers.first("Sec-Fetch-Site") == "same-origin";
}

/// A person follows a link to the page: in another project's page (another port counts as same-site), in a chat or in a
/// mail that a browser shows. What they get is the page or the sign-in form, which are the same for everybody and hold
/// nothing; the cookie does not come along from another site.
bool is_visit_of_page(const RequestHead& head)
{
    const auto says = [&](std::string_view name, std::string_view value) {
        return head.headers.count(name) == 1 && head.headers.first(name) == value;
    };
    const bool from_elsewhere = says("Sec-Fetch-Site", "same-site") || says("Sec-Fetch-Site", "cross-site");
    return head.method == "GET" && head.target == "/" && from_elsewhere && says("Sec-Fetch-Mode", "navigate") &&
           says("Sec-Fetch-Dest", "document");
}

} // namespace

std::vector<std::string> read_origins(const std::vector<std::string>& entries)
{
    std::vector<std::string> origins;
    for (const std::string& text : entries) {
        const auto origin = read_origin(text);
        if (!origin)
            throw Error(Fault::settings, "write each as a browser does, without a path: https://app.example.com",
                        "an entry of proxy.allowed_origins is not an origin: {}", text);
        origins.push_back(*origin);
    }
    return origins;
}

Guard::Guard(const Options& options, const BrowserSessions* sessions)
    : socket_(std::make_shared<Grant>(Principal{"socket", Scope::admin, {}})),
      group_(std::make_shared<Grant>(Principal{std::string(group_name), Scope::write, {}})),
      nobody_(std::make_shared<Grant>(Principal{"nobody", Scope::write, {}})),
      unasked_(std::make_shared<Grant>(Principal{"nobody", Scope::metrics, {}})), browser_sessions_(sessions),
      operations_(options.operations), require_key_(options.require_key)
{
    for (const std::string& name : options.allowed_hosts) {
        const auto authority = read_authority(name);
        if (!authority)
            throw Error(Fault::settings, "write names or addresses, IPv6 in brackets, with or without a port",
                        "an entry of proxy.allowed_hosts is not a host: {}", name);
        hosts_.push_back(*authority);
    }
    origins_ = read_origins(options.allowed_origins);
    set_keys(options.api_key, options.tokens);
}

// Keeps the grant of a token that is the same as before. Its name may change, as that of a line that moved.
Guard::Key Guard::make_key(const Token& token, const Keys& before) const
{
    const auto same = [&](const Key& known) {
        const Principal &a = known.token.principal, &b = token.principal;
        return known.token.hash == token.hash && known.token.expires == token.expires && a.scope == b.scope &&
               a.part == b.part;
    };
    const auto known = std::find_if(before.begin(), before.end(), same);
    if (known != before.end()) return {token, known->grant};
    return {token, std::make_shared<const Grant>(token.principal, token.expires)};
}

void Guard::set_keys(const std::string& api_key, const std::vector<Token>& tokens)
{
    const std::shared_ptr<const Keys> before = keys_.load();
    auto keys = std::make_shared<Keys>();
    for (const Token& token : tokens) keys->push_back(make_key(token, *before));
    // The last one counts where a token is the key itself.
    if (!api_key.empty()) keys->push_back(make_key({{"key", Scope::write, {}}, sha256(api_key), {}}, *before));
    keys_.store(keys);
    for (const Key& old : *before) {
        const auto kept = [&](const Key& key) { return key.grant == old.grant; };
        if (std::none_of(keys->begin(), keys->end(), kept)) old.grant->revoke();
    }
}

Decision Guard::check(const RequestHead& head, const Peer& peer, Instant now) const
{
    if (auto refusal = check_host(head, peer)) return *refusal;
    const bool listed = !listed_origin(head).empty();
    if (auto refusal = check_page(head, peer, listed)) return *refusal;
    if (auto refusal = check_method(head)) return *refusal;
    if (auto refusal = check_target(head)) return *refusal; // whoever asks: what follows may be read as another request
    Decision decision = admit(head, peer, listed, Moment(std::chrono::steady_clock::now(), now));
    if (std::holds_alternative<Refusal>(decision)) return decision;
    if (auto refusal = check_expectation(head)) return *refusal;
    return decision;
}

Decision Guard::admit(const RequestHead& head, const Peer& peer, bool listed, const Moment& now) const
{
    if (needs_no_key(head) || is_preflight(head)) return unasked_;
    if (peer.trusted && !listed) return socket_;
    if (peer.member && !listed) return group_;
    return require_key_ ? check_credentials(head, listed, now) : nobody_;
}

std::string_view Guard::listed_origin(const RequestHead& head) const
{
    const std::string_view origin = head.headers.first("Origin");
    if (head.headers.count("Origin") != 1 || is_own_origin(head)) return {};
    return std::find(origins_.begin(), origins_.end(), origin) == origins_.end() ? std::string_view() : origin;
}

bool Guard::is_preflight(const RequestHead& head) const
{
    return head.method == "OPTIONS" && head.headers.count("Access-Control-Request-Method") == 1 &&
           !listed_origin(head).empty();
}

// Only a browser sends these. Each is needed: a rebound page has no Origin, an image has no Origin but Sec-Fetch-Site.
// A listed origin says by itself that it is another site's.
std::optional<Refusal> Guard::check_page(const RequestHead& head, const Peer& peer, bool listed) const
{
    constexpr std::string_view no_pages = "no web page may call this address (proxy.allowed_origins)";
    const bool own = !peer.local_socket && is_own_origin(head); // no page is served over a Unix socket
    if (head.headers.count("Origin") && !own && !listed) return Refusal{403, no_pages};
    if (head.headers.count("Sec-Purpose") || head.headers.count("Purpose")) return Refusal{403, no_pages};
    if (listed) return std::nullopt;
    const bool foreign = head.headers.any(
        "Sec-Fetch-Site", [](std::string_view site) { return site != "same-origin" && site != "none"; });
    if (foreign && !(is_visit_of_page(head) && !peer.local_socket)) return Refusal{403, no_pages};
    return std::nullopt;
}

std::optional<Refusal> Guard::check_host(const RequestHead& head, const Peer& peer) const
{
    if (head.headers.count("Host") != 1) return malformed("a request has exactly one Host");
    const auto host = read_authority(head.headers.first("Host"));
    if (!host) return malformed("the Host of the request is not a host");
    bool allowed = is_allowed(*host, peer) || is_liveness_probe(head);
    if (const auto authority = http::target_authority(head.target)) {
        const auto named = read_authority(*authority);
        if (!named) return malformed("the target of the request names no host");
        allowed = allowed && is_allowed(*named, peer);
    }
    if (!allowed) return Refusal{421, "this is not the host that was asked for (proxy.allowed_hosts)"};
    return std::nullopt;
}

Decision Guard::check_key(const RequestHead& head, const Moment& now) const
{
    const auto keys = head.headers.count("API-KEY"), authorizations = head.headers.count("Authorization");
    if (keys + authorizations > 1) return *malformed("a request carries one key");
    constexpr std::string_view bearer = "bearer ";
    std::string_view given = head.headers.first("API-KEY");
    if (const auto value = head.headers.first("Authorization"); lower_case(value.substr(0, bearer.size())) == bearer)
        given = trimmed(value.substr(bearer.size()));
    if (auto grant = find_grant(given)) {
        if (!grant->is_expired(now.wall)) return grant;
        return Refusal{401, token_expired};
    }
    // Only wrong keys count: requests without a key do not use up the limit.
    if (!given.empty() && !failed_auth_.take(std::chrono::steady_clock::now()))
        return Refusal{429, "too many wrong keys were tried; the right one is served"};
    return Refusal{401, "a key is needed: the upstream key or a token, in API-KEY or as Bearer"};
}

// A key; without one, a session, for our own page only, because a browser sends the cookie for any page.
Decision Guard::check_credentials(const RequestHead& head, bool listed, const Moment& now) const
{
    const bool has_key = head.headers.count("API-KEY") || head.headers.count("Authorization");
    if (has_key || listed || !browser_sessions_ || head.headers.count("Cookie") != 1) return check_key(head, now);
    if (!opens_to_sessions(head.method, path_of(head), operations_)) return check_key(head, now);
    const std::string_view given =
        find_cookie(head.headers.first("Cookie"), session_cookie(head.headers.first("Host")));
    auto session = given.empty() ? nullptr : browser_sessions_->find(given, now);
    if (!session) return check_key(head, now);
    if (!is_safe(head.method) && !comes_from_own_page(head))
        return Refusal{403, "with a session, only the page itself may change anything"};
    return session;
}

// A Host without a port is that of the scheme, which a reverse proxy in front may have been asked by.
bool Guard::is_allowed(const Authority& host, const Peer& peer) const
{
    const auto fits = [&](const Authority& allowed) {
        if (peer.local_socket || host.port) return peer.local_socket || *host.port == allowed.port.value_or(peer.port);
        return allowed.port.value_or(peer.port) == 80 || allowed.port == 443;
    };
    return std::any_of(hosts_.begin(), hosts_.end(),
                       [&](const Authority& allowed) { return allowed.host == host.host && fits(allowed); });
}

// Compares every key: constant time.
std::shared_ptr<const Grant> Guard::find_grant(std::string_view key) const
{
    const Digest digest = sha256(key);
    const std::shared_ptr<const Keys> keys = keys_.load();
    std::shared_ptr<const Grant> found;
    for (const Key& known : *keys)
        if (same_digest(digest, known.token.hash)) found = known.grant;
    return found;
}

} // namespace alli::proxy
