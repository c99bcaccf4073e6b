// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/token_registry.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "alli/nearest.hpp"
#include "alli/random.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/duration.hpp"
#include "proxy/access/base64url.hpp"

#include <algorithm>
#include <array>

namespace alli::daemon {
namespace {

constexpr auto members = std::to_array<std::string_view>({"name", "scope", "expires", "app", "user", "sha256"});

Error wrong(std::string_view what, std::string_view hint = {})
{
    return Error(Fault::usage, std::string(hint), "{}", what);
}

// Unknown members are refused: one that was meant to narrow a token must not be ignored.
Json read_request(const std::string& request)
{
    const Json json = Json::parse(request, nullptr, false);
    if (!json.is_object()) throw wrong("the body must be a JSON object");
    for (const auto& [name, value] : json.items()) {
        if (std::find(members.begin(), members.end(), name) == members.end()) {
            const std::string_view nearest = find_nearest(name, members);
            throw wrong("there is a member that a token does not have",
                        nearest.empty() ? "" : fmt::format("did you mean {}?", nearest));
        }
        if (!value.is_string() && !value.is_null()) throw wrong(fmt::format("{} must be a text", name));
    }
    return json;
}

// Empty: not given. A member that is there and empty is refused: it would widen the token that it was to narrow.
std::string text_of(const Json& json, const char* name)
{
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return "";
    auto text = found->get<std::string>();
    if (text.empty()) throw wrong(fmt::format("{} is given and empty", name), "leave it out, or give it a value");
    return text;
}

std::optional<Instant> read_end(const std::string& text, Instant now)
{
    if (text.empty()) return std::nullopt;
    const auto span = read_duration(text);
    const auto end = span ? std::optional<Instant>(now + *span) : read_expiry(text, Zone::of_host());
    if (!end) throw wrong("expires must be a day (2027-01-31), a time (2027-01-31T12:00:00Z) or a duration (30d)");
    if (*end <= now) throw wrong("a token that expires in the past opens nothing");
    return std::chrono::ceil<std::chrono::seconds>(*end);
}

Digest read_hash(const std::string& hex)
{
    const auto digest = read_digest(hex);
    if (!digest) throw wrong("sha256 must be the token's, 64 digits of hexadecimal");
    return *digest;
}

proxy::Token read_token(const Json& json, Instant now)
{
    proxy::Token token;
    token.principal.name = text_of(json, "name");
    if (const auto fault = find_name_fault(token.principal.name); !fault.empty())
        throw wrong(fmt::format("the name {}", fault), "a name for people: prometheus, qa-dashboard");
    const auto scope = proxy::find_scope(text_of(json, "scope"));
    if (!scope) throw wrong("scope must be one of metrics, read, write, admin");
    token.principal.scope = *scope;
    token.principal.part = {text_of(json, "app"), text_of(json, "user")};
    if (const auto fault = find_part_fault(token.principal); !fault.empty())
        throw wrong(fmt::format("a token cannot be made that {}", fault));
    token.expires = read_end(text_of(json, "expires"), now);
    return token;
}

Json describe(const TokenLine& line, Instant now)
{
    const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
    const proxy::Principal& who = line.token.principal;
    const bool expired = line.token.expires && *line.token.expires <= now;
    return {{"name", who.name},
            {"scope", proxy::name_of(who.scope)},
            {"expires", time_json(line.token.expires)},
            {"app", text_or_null(who.part.app)},
            {"user", text_or_null(who.part.user)},
            {"state", expired     ? "expired"
                      : line.bare ? "old"
                                  : "valid"}};
}

const TokenLine* find_line(const std::vector<TokenLine>& lines, const std::string& name)
{
    const auto named = [&](const TokenLine& line) { return line.token.principal.name == name; };
    const auto found = std::find_if(lines.begin(), lines.end(), named);
    return found == lines.end() ? nullptr : &*found;
}

std::string with_line(std::string text, const std::string& line)
{
    if (!text.empty() && text.back() != '\n') text += '\n';
    return text + line + '\n';
}

std::string without_line(const std::string& text, std::size_t number)
{
    std::size_t begin = 0;
    for (std::size_t at = 1; at < number; ++at) begin = text.find('\n', begin) + 1;
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    return text.substr(0, begin) + text.substr(std::min(end + 1, text.size()));
}

} // namespace

std::string make_token_secret()
{
    SystemRandom random;
    return proxy::to_base64url(random.bytes(32));
}

TokenRegistry::TokenRegistry(TokensFile place, Environment environment, const Clock& clock, Use use)
    : place_(std::make_shared<const TokensFile>(std::move(place))), environment_(std::move(environment)), clock_(clock),
      use_(std::move(use))
{}

void TokenRegistry::move_to(TokensFile place)
{
    place_.store(std::make_shared<const TokensFile>(std::move(place)));
}

std::string TokenRegistry::list() const
{
    Json tokens = Json::array();
    for (const TokenLine& line : load_token_lines(place(), environment_))
        tokens.push_back(describe(line, clock_.now()));
    return dump(Json{{"tokens", std::move(tokens)}});
}

std::string TokenRegistry::add(const std::string& request) const
{
    const Json json = read_request(request);
    proxy::Token token = read_token(json, clock_.now());
    const std::string hash = text_of(json, "sha256");
    const std::string secret = hash.empty() ? make_token_secret() : "";
    token.hash = hash.empty() ? sha256(secret) : read_hash(hash);
    const auto edit = [&](const std::vector<TokenLine>& lines, std::string text) {
        if (find_line(lines, token.principal.name))
            throw Error(Fault::busy, "revoke it first, or take another name", "there is a token of that name");
        return with_line(std::move(text), write_token_line(token));
    };
    change_tokens(place(), environment_, edit, [&](const std::vector<TokenLine>& lines) { use_(tokens_of(lines)); });
    log_event<Event::token_made>(token.principal.name, proxy::name_of(token.principal.scope));
    Json made = describe({token, 0, false}, clock_.now());
    if (!secret.empty()) made["token"] = secret;
    return dump(made);
}

bool TokenRegistry::revoke(const std::string& name) const
{
    bool found = false;
    const auto edit = [&](const std::vector<TokenLine>& lines, std::string text) {
        const TokenLine* line = find_line(lines, name);
        found = line != nullptr;
        return found ? without_line(text, line->number) : text;
    };
    change_tokens(place(), environment_, edit, [&](const std::vector<TokenLine>& lines) { use_(tokens_of(lines)); });
    if (found) log_event<Event::token_revoked>(name);
    return found;
}

} // namespace alli::daemon
