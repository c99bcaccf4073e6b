// SPDX-License-Identifier: Apache-2.0
// What stands around the content of an answer: nothing where it is as the contract shows it, else one step of
// {"result": ...}. Read through for our own use, kept, and put back around what is served. Pure: any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace alli {

/// The answers of the contract that are served from the mirror.
enum class Content { list, conversation, chats, chat };
inline constexpr std::array<std::string_view, 4> content_names{"list", "conversation", "chats", "chat"};

struct Envelope {
    std::string before, after; // both empty: none

    bool is_none() const noexcept { return before.empty(); }
    bool operator==(const Envelope&) const = default;
};

/// That of an answer; none where its content cannot be found. One that is long holds more than an envelope does: then
/// it is the plain {"result":...}.
std::optional<Envelope> find_envelope(std::string_view body, Content content);

std::string enveloped(const Envelope& envelope, std::string body);

} // namespace alli
