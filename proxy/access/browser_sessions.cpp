// SPDX-License-Identifier: Apache-2.0
#include "proxy/access/browser_sessions.hpp"

#include "alli/random.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

std::string make_secret()
{
    SystemRandom random;
    return to_base64url(random.bytes(32));
}

// Removes the oldest beyond the limit.
template <class List>
List keep_newest(List& list, std::size_t most)
{
    const auto rest = list.size() > most ? list.end() - static_cast<std::ptrdiff_t>(most) : list.begin();
    List gone(list.begin(), rest);
    list.erase(list.begin(), rest);
    return gone;
}

} // namespace

std::string BrowserSessions::make_link(std::shared_ptr<const Grant> opener, const Moment& now)
{
    std::string secret = make_secret();
    const Link link{sha256(secret), now.steady + link_life, std::move(opener)};
    table_.update([&](Table& table) {
        std::erase_if(table.links, [&](const Link& old) { return now.steady >= old.ends; });
        table.links.push_back(link);
        keep_newest(table.links, most_links);
    });
    return secret;
}

std::optional<std::string> BrowserSessions::redeem(std::string_view link, const Moment& now)
{
    const Digest hash = sha256(link);
    const std::string secret = make_secret();
    std::vector<Session> displaced;
    bool made = false;
    table_.update([&](Table& table) {
        displaced.clear();
        std::shared_ptr<const Grant> opener; // all are compared, as in find()
        for (const Link& known : table.links)
            if (same_digest(known.hash, hash) && now.steady < known.ends && known.opener->holds(now))
                opener = known.opener;
        std::erase_if(table.links, [&](const Link& known) { return same_digest(known.hash, hash); });
        made = opener != nullptr;
        if (!opener) return;
        std::erase_if(table.sessions, [&](const Session& old) { return !old.grant->holds(now); });
        const auto grant = std::make_shared<const Grant>(std::move(opener), now.steady, whole_life, idle_life);
        table.sessions.push_back({sha256(secret), grant});
        displaced = keep_newest(table.sessions, most_sessions);
    });
    end(displaced);
    return made ? std::optional(secret) : std::nullopt;
}

// Compares all of them: constant time.
std::shared_ptr<const Grant> BrowserSessions::find(std::string_view session, const Moment& now) const
{
    const Digest hash = sha256(session);
    const std::shared_ptr<const Table> table = table_.load();
    std::shared_ptr<const Grant> found;
    for (const Session& known : table->sessions)
        if (same_digest(known.hash, hash) && known.grant->holds(now)) found = known.grant;
    if (found) found->use(now.steady);
    return found;
}

void BrowserSessions::sign_out(std::string_view session)
{
    const Digest hash = sha256(session);
    std::vector<Session> gone;
    table_.update([&](Table& table) {
        gone.clear();
        gone.clear();
        for (const Session& known : table.sessions)
            if (same_digest(known.hash, hash)) gone.push_back(known);
        std::erase_if(table.sessions, [&](const Session& known) { return same_digest(known.hash, hash); });
    });
    end(gone);
}

// Their streams, too.
void BrowserSessions::end(const std::vector<Session>& sessions) const
{
    for (const Session& session : sessions) session.grant->revoke();
    if (!sessions.empty()) ended_();
}

std::string session_cookie(std::string_view host)
{
    const auto colon = host.rfind(':');
    const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
    return "alli-mirror-" + std::string(has_port ? host.substr(colon + 1) : "80");
}

std::string_view find_cookie(std::string_view cookies, std::string_view name) noexcept
{
    while (!cookies.empty()) {
        std::string_view one = cookies.substr(0, cookies.find(';'));
        cookies.remove_prefix(std::min(cookies.size(), one.size() + 1));
        one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
        if (one.starts_with(name) && one.substr(name.size()).starts_with('=')) return one.substr(name.size() + 1);
    }
    return {};
}

bool opens_to_sessions(std::string_view method, std::string_view path) noexcept
{
    constexpr std::string_view contract = "/webapi/v2/conversations";
    if (method == "POST" && path == "/mirror/v1/session") return false; // a session begets no other
    return path == "/" || path.starts_with("/page/") || path.starts_with("/mirror/v1/") || path == contract ||
           (path.starts_with(contract) && path.substr(contract.size()).starts_with('/'));
}

} // namespace alli::proxy
