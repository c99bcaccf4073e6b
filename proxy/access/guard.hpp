// SPDX-License-Identifier: Apache-2.0
// Authentication, on the header block alone, before the body is read and before any route: Host, requests made by
// pages, method, key, target. What the principal may do is for the route (scopes.hpp). Any thread.
#pragma once

#include "alli/published.hpp"
#include "http/request_parser.hpp"
#include "proxy/access/authority.hpp"
#include "proxy/access/base64url.hpp"
#include "proxy/access/browser_sessions.hpp"
#include "proxy/access/failed_auth_limiter.hpp"
#include "proxy/access/grant.hpp"
#include "proxy/access/http.hpp"
#include "proxy/access/options.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace alli::proxy {

using http::RequestHead;

/// The name of the principal that a member of the service's group is; no token has it
/// (daemon/settings/token_lines.cpp).
inline constexpr std::string_view group_name = "group";

/// Where a connection comes from.
struct Peer {
    bool local_socket = false;                        // a Unix socket: no port
    bool trusted = false;                             // of the daemon's own user, or root
    bool member = false;                              // of the service's group
    std::uint16_t port = 0;                           // ours, the one it called
    std::optional<std::uint32_t> user = std::nullopt; // over a Unix socket, as the system says
};

/// Why a request is refused, or the grant that admits it.
using Decision = std::variant<Refusal, std::shared_ptr<const Grant>>;

class Guard {
  public:
    /// `sessions`: admitted by their cookie; null: none. Must outlive the guard.
    explicit Guard(const Options& options, const BrowserSessions* sessions = nullptr);

    Decision check(const RequestHead& head, const Peer& peer, Instant now) const;
    /// The Origin, if it is one of proxy.allowed_origins; else empty.
    std::string_view listed_origin(const RequestHead& head) const;
    /// True for the preflight of a page of such an origin. It carries no key.
    bool is_preflight(const RequestHead& head) const;
    /// True if responses depend on the Origin.
    bool lists_origins() const noexcept { return !origins_.empty(); }
    /// Replaces the keys: any thread, one at a time. Grants of unchanged keys stay; those of all others are revoked,
    /// and with them the sessions that they opened.
    void set_keys(const std::string& api_key, const std::vector<Token>& tokens);
    /// How many wrong keys were tried.
    std::uint64_t wrong_keys() const noexcept { return failed_auth_.count(); }

  private:
    std::optional<Refusal> check_host(const RequestHead& head, const Peer& peer) const;
    std::optional<Refusal> check_page(const RequestHead& head, const Peer& peer, bool listed) const;
    Decision admit(const RequestHead& head, const Peer& peer, bool listed, const Moment& now) const;
    Decision check_key(const RequestHead& head, const Moment& now) const;
    Decision check_credentials(const RequestHead& head, bool listed, const Moment& now) const;
    bool is_allowed(const Authority& host, const Peer& peer) const;
    std::shared_ptr<const Grant> find_grant(std::string_view key) const;

    std::vector<Authority> hosts_;     // one without a port: ours
    std::vector<std::string> origins_; // of other sites whose pages may call
    struct Key {
        Token token;
        std::shared_ptr<const Grant> grant;
    };
    using Keys = std::vector<Key>;
    Key make_key(const Token& token, const Keys& before) const;

    Published<Keys> keys_;
    std::shared_ptr<const Grant> socket_, group_, nobody_, unasked_; // that need no key
    const BrowserSessions* browser_sessions_;
    Operations operations_;
    bool require_key_;
    mutable FailedAuthLimiter failed_auth_; // the one thing that changes; of wrong keys alone
};

/// Said only to who has the right one.
inline constexpr std::string_view token_expired = "this token has expired";

/// proxy.allowed_origins, each as a browser writes it. Throws Error{settings}.
std::vector<std::string> read_origins(const std::vector<std::string>& entries);

} // namespace alli::proxy
