// SPDX-License-Identifier: Apache-2.0
// Sessions of browsers, which have no key: a link that works once within a minute opens a session, which a cookie names
// and which ends with the grant that made the link. Only hashes are kept, and only in memory. Any thread: a
// change swaps the whole small table.
#pragma once

#include "alli/operation.hpp"
#include "alli/published.hpp"
#include "proxy/access/base64url.hpp"
#include "proxy/access/grant.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

class BrowserSessions {
  public:
    using Steady = Grant::Steady;

    static constexpr std::chrono::seconds link_life{60};
    static constexpr std::chrono::hours idle_life{12}; // of a session that is not used
    static constexpr std::chrono::hours whole_life{24 * 7};
    // Of one opener, and in all: nobody puts out somebody else by signing in often. Of links the oldest gives way, of
    // sessions the one that is not used for longest.
    static constexpr std::size_t most_links = 8, most_sessions = 16, most_links_in_all = 128,
                                 most_sessions_in_all = 512;

    /// The secret of a new link, whose session may do what `opener` may.
    std::string make_link(std::shared_ptr<const Grant> opener, const Moment& now);
    /// Exchanges a link's secret for that of a new session; none: it is not a valid link. `former`: of the session that
    /// the browser had, which the new one replaces; empty: none.
    std::optional<std::string> redeem(std::string_view link, const Moment& now, std::string_view former = {});
    /// The grant of a session; none: there is no such session. Resets its idle time.
    std::shared_ptr<const Grant> find(std::string_view session, const Moment& now) const;
    void sign_out(std::string_view session);

    /// Called on any thread after sessions ended before their time. Set before anything is served.
    void when_ended(std::function<void()> woken) { ended_ = std::move(woken); }

    /// The address for browsers, "127.0.0.1:8787"; empty: there is none. Set before anything is served.
    void set_address(std::string address) { address_ = std::move(address); }
    const std::string& address() const noexcept { return address_; }

  private:
    struct Link {
        Digest hash;
        Steady ends;
        std::shared_ptr<const Grant> opener;
    };
    struct Session {
        Digest hash;
        std::shared_ptr<const Grant> grant;
    };
    struct Table {
        std::vector<Link> links; // oldest first, as the sessions
        std::vector<Session> sessions;
    };

    void end(const std::vector<Session>& sessions) const;

    Published<Table> table_;
    std::string address_;
    std::function<void()> ended_ = [] {};
};

/// The name of the cookie at that Host: browsers keep cookies of all ports of a host together.
std::string session_cookie(std::string_view host);

/// The value of that name in a Cookie header; empty: none.
std::string_view find_cookie(std::string_view cookies, std::string_view name) noexcept;

/// True for what the page needs, where the settings place it: a session admits to nothing else.
bool opens_to_sessions(std::string_view method, std::string_view path, const Operations& operations) noexcept;

} // namespace alli::proxy
