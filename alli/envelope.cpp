// SPDX-License-Identifier: Apache-2.0
#include "alli/envelope.hpp"

#include "alli/json_scan.hpp"

#include <algorithm>
#include <span>

namespace alli {
namespace {

constexpr std::size_t longest = 1024;

constexpr std::array<std::string_view, 1> of_list{"conversations"}, of_chats{"chats"};
constexpr std::array<std::string_view, 2> first_of_list{"conversations", "cursor"};
constexpr std::array<std::string_view, 4> of_conversation{"id", "createdAt", "lastChatTime", "chatCount"};
constexpr std::array<std::string_view, 3> of_chat{"id", "sender", "timestamp"};
constexpr std::array<std::span<const std::string_view>, 4> members{of_list, of_conversation, of_chats, of_chat};

// Then nothing is around it, and what follows, which may be long, need not be looked at.
bool begins_with_one_of(std::span<const std::string_view> names, std::string_view body)
{
    const std::size_t open = skip_blanks(body, 0);
    const std::size_t name = skip_blanks(body, open + 1);
    if (name >= body.size() || body[open] != '{' || body[name] != '"') return false;
    const std::string_view rest = body.substr(name + 1);
    return std::any_of(names.begin(), names.end(), [&](std::string_view own) {
        return rest.starts_with(own) && rest.substr(own.size()).starts_with('"');
    });
}

} // namespace

std::optional<Envelope> find_envelope(std::string_view body, Content content)
{
    const std::span<const std::string_view> own = members[static_cast<std::size_t>(content)];
    const std::span<const std::string_view> first = content == Content::list ? first_of_list : own;
    if (begins_with_one_of(first, body)) return Envelope{};
    const JsonValue root = whole_value(body);
    const JsonValue inner = find_content(root, own);
    if (inner.text.empty()) return std::nullopt;
    if (inner.text.data() == root.text.data()) return Envelope{};
    const auto at = static_cast<std::size_t>(inner.text.data() - root.text.data());
    Envelope found{std::string(root.text.substr(0, at)), std::string(root.text.substr(at + inner.text.size()))};
    if (found.before.size() + found.after.size() > longest) return Envelope{"{\"result\":", "}"};
    return found;
}

std::string enveloped(const Envelope& envelope, std::string body)
{
    if (envelope.is_none()) return body;
    return envelope.before + body + envelope.after;
}

} // namespace alli
