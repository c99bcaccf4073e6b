// SPDX-License-Identifier: Apache-2.0
#include "upstream/authenticity.hpp"

#include "upstream/header.hpp"
#include "upstream/members.hpp"
#include "upstream/reply.hpp"
#include "upstream/same_id.hpp"

#include <algorithm>
#include <array>

namespace alli::upstream {
namespace {

using Names = std::vector<std::string_view>;

bool is_success(int status)
{
    return status >= 200 && status < 300;
}

// Members that only the contract's own bodies have, beside the id; by shape.
const std::array<Names, shapes_of_success> contract_members{
    Names{"conversations"},
    Names{"createdAt", "lastChatTime", "chatCount", "user", "llmApp", "isEnd", "categories", "memo", "title"},
    Names{"chats"},
    Names{"sender", "timestamp", "rating", "agentRating", "citations", "completed"},
    Names{"isRunning"},
    Names{},
};

// What gateways say in JSON consists of these alone, where the service would say more.
constexpr auto gateway_members = std::to_array<std::string_view>(
    {"message", "Message", "statusCode", "status", "requestId", "request_id", "timestamp", "path", "success", "ok"});
constexpr auto intermediary_members = std::to_array<std::string_view>({"cloudflare_error", "ray_id", "error_code"});

// Said by proxies and portals about themselves, whatever the body.
constexpr auto intermediary_statuses = std::to_array<int>({407, 421, 451, 511});
// About what was sent; a gateway that speaks JSON says these of nothing.
constexpr auto content_statuses = std::to_array<int>({400, 409, 422});

template <class List, class Value>
bool contains(const List& list, const Value& value)
{
    return std::find(list.begin(), list.end(), value) != list.end();
}

bool says_something(std::string_view value)
{
    constexpr auto nothing = std::to_array<std::string_view>({"", "null", "false", "[]", "{}", "\"\"", "0"});
    return !contains(nothing, value);
}

// {"code":0,"message":"success"}
bool is_success_code(std::string_view code)
{
    return code == "0" || code == "200";
}

// An error with any status, in the shapes of the contract and those that say no success in so many words.
bool says_error(const Members& members)
{
    if (says_something(value_of(members, "error")) || says_something(value_of(members, "errors"))) return true;
    if (value_of(members, "type") == "\"APIError\"") return true;
    if (value_of(members, "success") == "false" || value_of(members, "ok") == "false") return true;
    const auto code = value_of(members, "code");
    if (is_integer(code) && !is_success_code(code)) return true;
    return is_string(value_of(members, "detail"));
}

// One step: {"result": {...}}.
Members unwrapped(const Members& members)
{
    const auto result = value_of(members, "result");
    if (!is_object(result)) return members;
    return members_of(result).value_or(members);
}

bool shows_contract(const Members& members, Shape shape)
{
    const Names& own = contract_members[static_cast<std::size_t>(shape)];
    const bool problem = !value_of(members, "detail").empty(); // RFC 9457 has a title too
    return std::any_of(members.begin(), members.end(), [&](const Member& member) {
        return contains(own, member.name) && !(problem && member.name == "title");
    });
}

// A conversation has chats too.
bool is_conversation(const Members& members)
{
    return !value_of(members, "createdAt").empty() || !value_of(members, "lastChatTime").empty();
}

enum class Bears { none, same, parent, another };

Bears id_in(const Members& members, const Expected& expected)
{
    const auto id = scalar_text(value_of(members, "id"));
    if (id.empty() || expected.id.empty()) return Bears::none;
    if (is_same_id(id, expected.id)) return Bears::same;
    return !expected.parent.empty() && is_same_id(id, expected.parent) ? Bears::parent : Bears::another;
}

Authenticity authenticity_of_object(const Members& all, const Expected& expected)
{
    const Members members = shows_contract(all, expected.shape) ? all : unwrapped(all);
    if (expected.shape == Shape::chats && is_conversation(members)) return Authenticity::foreign;
    switch (id_in(members, expected)) {
    case Bears::another:
        return Authenticity::foreign;
    case Bears::same:
        return says_error(members) && !shows_contract(members, expected.shape) ? Authenticity::foreign
                                                                               : Authenticity::service;
    case Bears::parent:
        return Authenticity::unproven;
    case Bears::none:
        break;
    }
    if (shows_contract(members, expected.shape)) return Authenticity::service;
    return says_error(all) || says_error(members) ? Authenticity::foreign : Authenticity::unproven;
}

Authenticity authenticity_of_success(const Reply& reply, const Expected& expected)
{
    if (trimmed(reply.body).empty()) return Authenticity::unproven;
    if (is_html(reply)) return Authenticity::foreign;
    if (expected.shape == Shape::list) return Authenticity::service; // long, and the reader finds out by itself
    const auto members = members_of(reply.body);
    return members ? authenticity_of_object(*members, expected) : Authenticity::foreign;
}

bool is_marked(const Members& members)
{
    return std::any_of(members.begin(), members.end(),
                       [](const Member& member) { return contains(intermediary_members, member.name); });
}

bool is_of_gateways(const Members& members)
{
    return is_marked(members) || std::all_of(members.begin(), members.end(), [](const Member& member) {
               return contains(gateway_members, member.name);
           });
}

bool has_error_shape(const Members& members)
{
    if (is_marked(members)) return false;
    const auto error = value_of(members, "error");
    const bool spring = !value_of(members, "path").empty() && !value_of(members, "timestamp").empty();
    return is_object(error) || (is_string(error) && !spring) || says_something(value_of(members, "errors")) ||
           is_integer(value_of(members, "code")) || is_string(value_of(members, "detail"));
}

Authenticity authenticity_of_error(const Reply& reply)
{
    if (reply.status < 400 || contains(intermediary_statuses, reply.status)) return Authenticity::foreign;
    if (reply.status == 405) return Authenticity::service; // the service says it as text/html
    const auto members = members_of(reply.body);
    if (!members) return Authenticity::foreign;
    if (has_error_shape(*members)) return Authenticity::service;
    if (members->empty()) return Authenticity::foreign;
    return contains(content_statuses, reply.status) || !is_of_gateways(*members) ? Authenticity::service
                                                                                 : Authenticity::foreign;
}

std::string server_of(const Reply& reply)
{
    for (const char* name : {"X-Squid-Error", "Via", "Server"}) {
        const std::string* value = reply.header(name);
        if (value == nullptr || value->empty()) continue;
        std::string text;
        for (const char c : value->substr(0, 60))
            if (c >= ' ' && c <= '~' && c != '"') text += c;
        return fmt::format(", by \"{}\"", text);
    }
    return {};
}

std::string what_came(const Reply& reply, const Expected& expected)
{
    if (!is_success(reply.status) || is_html(reply)) return describe_error(reply);
    if (trimmed(reply.body).empty()) return "an empty answer";
    const auto members = members_of(reply.body);
    if (!members) return "an answer that is no JSON object";
    if (id_in(unwrapped(*members), expected) == Bears::another) return "an answer about something else";
    if (says_error(*members)) return "an error with a good status: " + describe_error(reply);
    return "an object without anything that was asked for";
}

std::string media_type_of(const Reply& reply)
{
    const std::string* type = reply.header("Content-Type");
    return type ? std::string(trimmed(std::string_view(*type).substr(0, type->find(';')))) : std::string();
}

} // namespace

const char* const foreign_hint = "is upstream.url right? else a portal, proxy or firewall answers in the service's "
                                 "place: sign in to the network, or "
                                 "have it let the request pass";

bool has_error_shape(std::string_view body)
{
    const auto members = members_of(body);
    return members && has_error_shape(*members);
}

Authenticity authenticity_of(const Reply& reply, const Expected& expected)
{
    return is_success(reply.status) ? authenticity_of_success(reply, expected) : authenticity_of_error(reply);
}

std::string describe_foreign(const Reply& reply, const Expected& expected)
{
    return fmt::format("{} (status {}{}) came instead of the service's answer: a portal, a proxy or a gateway?",
                       what_came(reply, expected), reply.status, server_of(reply));
}

std::string signature_of(const Reply& reply)
{
    std::string text = fmt::format("{} {} ", reply.status, media_type_of(reply));
    for (const char c : describe_error(reply))
        if (c < '0' || c > '9') text += c;
    return text;
}

void refuse_foreign(const Reply& reply, const Expected& expected, std::string_view what)
{
    throw Error(Fault::bad_reply, foreign_hint, "{}: {}", what, describe_foreign(reply, expected));
}

void require_own_success(const Reply& reply, const Expected& expected, std::string_view what)
{
    const Authenticity authenticity = authenticity_of(reply, expected);
    if (authenticity == Authenticity::service) return require_answer(reply, what);
    const bool success = is_success(reply.status);
    const Fault fault = fault_of(reply.status);
    // What is in trouble says so, whoever it is; a redirect has a sentence of its own.
    if (!success && (fault == Fault::unavailable || fault == Fault::bad_reply)) return require_success(reply, what);
    refuse_foreign(reply, expected, what);
}

} // namespace alli::upstream
