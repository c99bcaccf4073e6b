// SPDX-License-Identifier: Apache-2.0
// Whose answer is it? Between us and the service stand portals, proxies, firewalls and gateways that answer in its
// place, and a reused connection may hold an answer to another request. The one place that decides, for reads and
// writes alike, by status, type, shape and id. Pure.
#pragma once

#include "alli/error.hpp"
#include "upstream/http.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::upstream {

/// What the contract shows as the body of a success.
enum class Shape { list, conversation, chats, chat, running, nothing };
inline constexpr std::size_t shapes_of_success = 6;

/// What a request's answer has to be.
struct Expected {
    Shape shape = Shape::nothing;
    std::string_view id = {};     // that the body bears, where it bears one; empty: any
    std::string_view parent = {}; // of a chat: the conversation, which some answer with instead
};

enum class Authenticity {
    service,  // status, type, shape and id say so
    unproven, // a success that shows neither the service nor an error: empty, or an object of nothing known
    foreign,  // a portal's, proxy's or gateway's, another request's, or a success that says error
};

/// Of a reply of any status. A 404 or 410 counts as foreign by what every error has to be; whether it is the service's
/// own word that something does not exist only absence.hpp can tell.
Authenticity authenticity_of(const Reply& reply, const Expected& expected);

/// Whether a body is one of the shapes in which the contract says that the service reports errors.
bool has_error_shape(std::string_view body);

/// One sentence without its end: "an HTML page titled "Sign in" (status 403, by "squid") came instead of the service's
/// answer: a portal or a proxy?". Never quotes more than a title, the service's own words and the server's name.
std::string describe_foreign(const Reply& reply, const Expected& expected);

/// Equal for answers that say the same, whatever numbers (times, request ids) they hold.
std::string signature_of(const Reply& reply);

/// What a person can do about such answers.
extern const char* const foreign_hint;

/// Throws the Error{bad_reply} for one. `what` names the call ("a conversation").
[[noreturn]] void refuse_foreign(const Reply& reply, const Expected& expected, std::string_view what);

/// The answer to a read: throws the Error for what is not a success of the service's; bad_reply for a foreign one.
void require_own_success(const Reply& reply, const Expected& expected, std::string_view what);

} // namespace alli::upstream
