// SPDX-License-Identifier: Apache-2.0
#include "daemon/mcp/mcp_size.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

constexpr std::size_t around = 400; // the envelope of an answer, with an id of a usual length
constexpr std::size_t longest_name = 400;
constexpr int at_once = 10; // chats read

bool is_inside(char byte) // of a character in UTF-8
{
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}

std::size_t start_at_or_after(std::string_view text, std::size_t at)
{
    while (at < text.size() && is_inside(text[at])) ++at;
    return std::min(at, text.size());
}

Json chat_json(const cache::ReadableChat& chat, int ordinal, std::size_t from, std::size_t most)
{
    const Excerpt excerpt = cut_text(chat.text, from, most);
    Json json;
    json["id"] = chat.id;
    json["ordinal"] = ordinal;
    json["sender"] = chat.sender;
    json["time"] = time_json(chat.sent_at);
    json["text"] = excerpt.text;
    json["textBytes"] = chat.text.size();
    if (excerpt.end < chat.text.size()) json["textNext"] = excerpt.end;
    shorten_names(json["sender"]);
    return json;
}

// The first chat is truncated until it fits, so that a reader can always advance.
Json fit_first(const cache::ReadableChat& chat, const ChatPage& page, std::size_t room)
{
    std::size_t most = page.text_limit;
    Json json = chat_json(chat, page.offset, page.text_offset, most);
    while (size_of(json) > room && most > 1) {
        most /= 2;
        json = chat_json(chat, page.offset, page.text_offset, most);
    }
    return json;
}

} // namespace

std::size_t size_of(const Json& part)
{
    const std::string text = dump(part);
    return text.size() + dump(Json(text)).size();
}

std::size_t room_in(int most)
{
    return static_cast<std::size_t>(most) - around;
}

Excerpt cut_text(std::string_view text, std::size_t from, std::size_t most)
{
    const std::size_t start = start_at_or_after(text, from);
    std::size_t end = start + std::min(most, text.size() - start);
    while (end > start && end < text.size() && is_inside(text[end])) --end;
    if (end == start) end = start_at_or_after(text, std::min(start + 1, text.size()));
    return {text.substr(start, end - start), end};
}

void shorten_names(Json& object)
{
    if (object.is_string()) {
        const auto& text = object.get_ref<const std::string&>();
        if (text.size() > longest_name) object = std::string(cut_text(text, 0, longest_name).text) + "…";
        return;
    }
    for (const char* name : {"title", "user", "sender"})
        if (const auto found = object.find(name); found != object.end()) shorten_names(*found);
}

Json fit_chats(const ChatPage& page, std::int64_t total, std::size_t room, const ReadChats& read)
{
    Json result;
    Json chats = Json::array();
    bool full = false;
    for (int left = page.limit; left > 0 && !full;) {
        const int first = page.offset + static_cast<int>(chats.size());
        const auto found = read(first, std::min(left, at_once));
        for (const cache::ReadableChat& chat : found) {
            Json json = chats.empty()
                            ? fit_first(chat, page, room)
                            : chat_json(chat, page.offset + static_cast<int>(chats.size()), 0, page.text_limit);
            const std::size_t size = size_of(json) + 2; // and the commas
            full = size > room && !chats.empty();
            if (full) break;
            room -= std::min(size, room);
            chats.push_back(std::move(json));
        }
        if (std::ssize(found) < std::min(left, at_once)) break;
        left -= static_cast<int>(found.size());
    }
    const auto next = page.offset + static_cast<std::int64_t>(chats.size());
    result["chats"] = std::move(chats);
    result["next"] = next < total ? Json(next) : Json(nullptr);
    return result;
}

std::size_t drop_last(Json& result, const char* name, std::size_t room)
{
    Json& list = result[name];
    std::size_t dropped = 0;
    std::size_t size = size_of(result);
    for (; size > room && !list.empty(); ++dropped) {
        size -= std::min(size, size_of(list.back())); // about; what is left is looked at again
        list.erase(list.size() - 1);
        if (size <= room) size = size_of(result);
    }
    return dropped;
}

} // namespace alli::daemon
