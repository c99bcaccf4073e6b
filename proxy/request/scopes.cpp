// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/scopes.hpp"

#include "alli/error.hpp"
#include "proxy/access/grant.hpp"
#include "proxy/access/guard.hpp"

namespace alli::proxy {
namespace {

std::string describe(const Request& rq)
{
    const std::string& name = rq.principal->name;
    if (rq.grant && rq.grant->is_session()) return "the session";
    if (name == "key") return "the project's key";
    if (name == group_name) return "a member of the service's group";
    if (name == "nobody") return "a request without a key";
    return "the token \"" + name + '"';
}

constexpr const char* to_be_admin =
    "ask over the Unix socket, as the daemon's user or root (alli-mirror does), or with a "
    "token of scope admin";
constexpr const char* to_have_more = "alli-mirror token new NAME --scope SCOPE makes a token that may";

} // namespace

std::optional<Scope> find_needed_scope(const Match& match, std::string_view method, bool relayed) noexcept
{
    if (match.route) return match.route->needed.scope();
    if (!relayed) return std::nullopt;
    const bool reads = method == "GET" || method == "HEAD" || method == "OPTIONS";
    return reads ? Scope::read : Scope::write;
}

bool is_group_maintenance(const Request& rq) noexcept
{
    const bool is_maintenance = rq.operation == OperationId::maintain || rq.operation == OperationId::maintenance;
    return is_maintenance && rq.principal && rq.principal->name == group_name;
}

bool may(const Request& rq, Scope needed) noexcept
{
    return rq.principal && rq.principal->may(needed);
}

void require_scope(const Request& rq, Scope needed, std::string_view what)
{
    if (may(rq, needed)) return;
    const char* hint = needed == Scope::admin ? to_be_admin : to_have_more;
    if (!rq.principal) throw Error(Fault::key_rejected, hint, "{} needs the scope {}", what, name_of(needed));
    throw Error(Fault::key_rejected, hint, "{} needs the scope {}; {} has {}", what, name_of(needed), describe(rq),
                name_of(rq.principal->scope));
}

} // namespace alli::proxy
