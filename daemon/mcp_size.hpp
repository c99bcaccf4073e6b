// SPDX-License-Identifier: Apache-2.0
// How long an answer to an assistant becomes, and how to keep it within what one takes: assistants refuse, or cut, what
// is longer than some 25,000 tokens. Pure.
#pragma once

#include "cache/summaries.hpp"
#include "daemon/status.hpp"

namespace alli::daemon {

inline constexpr int usual_answer = 40'000, least_answer = 4'000, longest_answer = 4'000'000; // bytes

/// The bytes of a result in the line that goes out, where it stands twice: as itself, and as text.
std::size_t size_of(const Json& part);
/// What a result may take of a line of `most` bytes.
std::size_t room_in(int most);

/// Text from `from` bytes on, at most `most` bytes of it and at least one character; characters stay whole, so both
/// are moved to the next one's start or to the last one's.
struct Excerpt {
    std::string_view text;
    std::size_t end = 0; // where the rest begins
};
Excerpt cut_text(std::string_view text, std::size_t from, std::size_t most);

/// Members that hold longer strings are cut, with "…" behind: titles and names, of which nobody needs 400 bytes.
void shorten_names(Json& object);

/// How the chats of a conversation are asked for.
struct ChatPage {
    int offset = 0, limit = 50;
    std::size_t text_offset = 0, text_limit = 4'000; // bytes: of the first one's text, of each one's
};
/// Chats from `offset` on, oldest first, as many as `room` has: {"chats", "next"}. What a chat's text is cut short of
/// is said beside it. `read` gives the chats from an ordinal on, so many at most.
using ReadChats = std::function<std::vector<cache::ReadableChat>(int first, int count)>;
Json fit_chats(const ChatPage& page, std::int64_t total, std::size_t room, const ReadChats& read);

/// Takes items off the end of the list `name` until the result fits; how many it took.
std::size_t drop_last(Json& result, const char* name, std::size_t room);

} // namespace alli::daemon
