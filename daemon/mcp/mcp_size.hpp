// SPDX-License-Identifier: Apache-2.0
// Limits the size of a tool's result: assistants refuse or truncate results above some 25,000 tokens. Pure.
#pragma once

#include "cache/lists/summaries.hpp"
#include "daemon/service/status.hpp"

namespace alli::daemon {

inline constexpr int usual_answer = 40'000, least_answer = 4'000, longest_answer = 4'000'000; // bytes

/// The bytes of a result in the response line, which contains it twice: as structured content and as text.
std::size_t size_of(const Json& part);
/// The largest result for a response line of `most` bytes.
std::size_t room_in(int most);

/// The part of a text from byte `from`, at most `most` bytes and at least one character. Both ends are moved to
/// character boundaries.
struct Excerpt {
    std::string_view text;
    std::size_t end = 0; // where the rest begins
};
Excerpt cut_text(std::string_view text, std::size_t from, std::size_t most);

/// Truncates titles and names above 400 bytes, with "…" appended.
void shorten_names(Json& object);

/// The requested range of chats.
struct ChatPage {
    int offset = 0, limit = 50;
    std::size_t text_offset = 0, text_limit = 4'000; // bytes: of the first one's text, of each one's
};
/// As many chats from `offset` on, oldest first, as fit into `room`: {"chats", "next"}. A truncated chat carries the
/// position of its rest. `read` returns at most `count` chats from an ordinal on.
using ReadChats = std::function<std::vector<cache::ReadableChat>(int first, int count)>;
Json fit_chats(const ChatPage& page, std::int64_t total, std::size_t room, const ReadChats& read);

/// Removes items from the end of the list `name` until the result fits, and returns their number.
std::size_t drop_last(Json& result, const char* name, std::size_t room);

} // namespace alli::daemon
