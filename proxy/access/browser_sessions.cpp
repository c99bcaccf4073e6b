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

/// While more than `most` in the list are of these, removes the first in that order; returns those.
template <class List, class Of, class Before>
List keep_within(List& list, std::size_t most, Of is_of_these, Before is_before)
{
    List gone;
    while (static_cast<std::size_t>(std::count_if(list.begin(), list.end(), is_of_these)) > most) {
        auto first = list.end();
        for (auto it = list.begin(); it != list.end(); ++it)
            if (is_of_these(*it) && (first == list.end() || is_before(*it, *first))) first = it;
        gone.push_back(std::move(*first));
        list.erase(first);
    }
    return gone;
}

constexpr auto any = [](const auto&) { return true; };
constexpr auto in_order = [](const auto&, const auto&) { return false; }; // the list's own: oldest first
constexpr auto is_idler = [](const auto& a, const auto& b) { return a.grant->last_use() < b.grant->last_use(); };

/// Whether a path is that of an operation, with one segment in the place of {id}.
bool is_at(std::string_view path, std::string_view pattern) noexcept
{
    constexpr std::string_view id = "{id}";
    const auto at = pattern.find(id);
    if (at == pattern.npos) return path == pattern;
    const std::string_view before = pattern.substr(0, at), behind = pattern.substr(at + id.size());
    if (path.size() <= before.size() + behind.size() || !path.starts_with(before) || !path.ends_with(behind))
        return false;
    return path.substr(before.size(), path.size() - before.size() - behind.size()).find('/') == path.npos;
}

} // namespace

std::string BrowserSessions::make_link(std::shared_ptr<const Grant> opener, const Moment& now)
{
    std::string secret = make_secret();
    const Link link{sha256(secret), now.steady + link_life, std::move(opener)};
    table_.update([&](Table& table) {
        std::erase_if(table.links, [&](const Link& old) { return now.steady >= old.ends; });
        table.links.push_back(link);
        keep_within(
            table.links, most_links, [&](const Link& one) { return one.opener == link.opener; }, in_order);
        keep_within(table.links, most_links_in_all, any, in_order);
    });
    return secret;
}

std::optional<std::string> BrowserSessions::redeem(std::string_view link, const Moment& now, std::string_view former)
{
    const Digest hash = sha256(link), replaced = sha256(former);
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
        const auto is_former = [&](const Session& one) { return !former.empty() && same_digest(one.hash, replaced); };
        displaced = keep_within(table.sessions, 0, is_former, in_order);
        const auto grant = std::make_shared<const Grant>(std::move(opener), now.steady, whole_life, idle_life);
        table.sessions.push_back({sha256(secret), grant});
        const auto is_of_opener = [&](const Session& one) { return one.grant->opener() == grant->opener(); };
        for (Session& one : keep_within(table.sessions, most_sessions, is_of_opener, is_idler))
            displaced.push_back(std::move(one));
        for (Session& one : keep_within(table.sessions, most_sessions_in_all, any, is_idler))
            displaced.push_back(std::move(one));
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
        const auto is_it = [&](const Session& known) { return same_digest(known.hash, hash); };
        gone = keep_within(table.sessions, 0, is_it, in_order);
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

bool opens_to_sessions(std::string_view method, std::string_view path, const Operations& operations) noexcept
{
    constexpr std::string_view contract = "/webapi/v2/conversations";
    if (method == "POST" && path == "/mirror/v1/session") return false; // a session begets no other
    if (path == "/" || path.starts_with("/page/") || path.starts_with("/mirror/v1/") || path == contract) return true;
    if (path.starts_with(contract) && path.substr(contract.size()).starts_with('/')) return true;
    const auto rules = operation_rules();
    return std::any_of(rules.begin(), rules.end(), [&](const OperationRule& rule) {
        const Operation& set = operations.*rule.member;
        return method == set.method && is_at(path, set.path);
    });
}

} // namespace alli::proxy
