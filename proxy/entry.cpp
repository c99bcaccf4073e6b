// SPDX-License-Identifier: Apache-2.0
#include "proxy/entry.hpp"

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

template <class List>
void keep_newest(List& list, std::size_t most)
{
    if (list.size() > most) list.erase(list.begin(), list.end() - static_cast<std::ptrdiff_t>(most));
}

} // namespace

Entry::Entry() : table_(std::make_shared<const Table>()) {}

// Until nobody else changed it meanwhile; so a link is redeemed once, whoever asks at the same time.
template <class Change>
auto Entry::change(Change function)
{
    std::shared_ptr<const Table> known = table_.load();
    for (;;) {
        auto next = std::make_shared<Table>(*known);
        auto result = function(*next);
        if (table_.compare_exchange_strong(known, std::move(next))) return result;
    }
}

bool Entry::is_alive(const Session& session, Steady now) noexcept
{
    const Steady used{Steady::duration(session.used.load(std::memory_order_relaxed))};
    return now < session.ends && now < used + idle_life;
}

std::string Entry::make_link(Steady now)
{
    std::string secret = make_secret();
    const Link link{sha256(secret), now + link_life};
    return change([&](Table& table) {
        std::erase_if(table.links, [&](const Link& old) { return now >= old.ends; });
        table.links.push_back(link);
        keep_newest(table.links, most_links);
        return secret;
    });
}

std::optional<std::string> Entry::redeem(std::string_view link, Steady now)
{
    const Digest hash = sha256(link);
    const std::string secret = make_secret();
    const auto session = std::make_shared<Session>();
    session->hash = sha256(secret);
    session->ends = now + whole_life;
    session->used = now.time_since_epoch().count();
    return change([&](Table& table) -> std::optional<std::string> {
        const auto valid = [&](const Link& known) { return now < known.ends && same_digest(known.hash, hash); };
        if (std::erase_if(table.links, valid) == 0) return std::nullopt;
        std::erase_if(table.sessions, [&](const auto& old) { return !is_alive(*old, now); });
        table.sessions.push_back(session);
        keep_newest(table.sessions, most_sessions);
        return secret;
    });
}

// All are compared, so that the time says nothing about which was nearly right.
bool Entry::admits(std::string_view session, Steady now) const
{
    const Digest hash = sha256(session);
    const std::shared_ptr<const Table> table = table_.load();
    Session* found = nullptr;
    for (const auto& known : table->sessions)
        if (same_digest(known->hash, hash) && is_alive(*known, now)) found = known.get();
    if (found) found->used.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    return found != nullptr;
}

void Entry::sign_out(std::string_view session)
{
    const Digest hash = sha256(session);
    change([&](Table& table) {
        return std::erase_if(table.sessions, [&](const auto& known) { return same_digest(known->hash, hash); });
    });
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
