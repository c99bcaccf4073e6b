// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/stop_check.hpp"

#include "alli/error.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

using upstream::Priority;

constexpr std::chrono::seconds grain_of_date{1}; // and so much may their clock be ahead of what is known of it

// None: there is no such read, or its answer says nothing.
Task<std::optional<bool>> ask_running(upstream::Client& client, ConversationId id)
{
    std::optional<bool> running;
    std::optional<Error> trouble;
    try {
        running = co_await client.is_running(std::move(id), Priority::delivery);
    } catch (const Error& error) {
        trouble = error;
    }
    if (trouble && trouble->fault() != Fault::refused && trouble->fault() != Fault::bad_reply) throw Error(*trouble);
    co_return running;
}

// By upstream's clock, as late as it can be.
Instant when_made(const cache::Entry& stop, const upstream::Client& client)
{
    const auto ahead = client.clock_ahead();
    return ahead ? stop.created_at + *ahead + grain_of_date : stop.created_at;
}

// A person asked again: what is being answered now is that.
bool asks_later(const Conversation& conversation, Instant made)
{
    return std::any_of(conversation.chats.begin(), conversation.chats.end(),
                       [&](const Chat& chat) { return chat.sender == "USER" && chat.sent_at && *chat.sent_at > made; });
}

} // namespace

Task<bool> is_run_over(upstream::Client& client, const cache::Entry& stop)
{
    const ConversationId id = stop.conversation.value_or(ConversationId{});
    const auto running = co_await ask_running(client, id);
    if (running == false) co_return true;
    const auto now = co_await client.find_conversation(id, Priority::delivery);
    if (!now) co_return true; // gone, with whatever ran in it
    if (asks_later(*now, when_made(stop, client))) co_return true;
    const bool says_over = !now->chats.empty() && now->chats.back().says_completed && now->chats.back().completed &&
                           now->chats.back().sender != "USER";
    co_return !running && says_over;
}

} // namespace alli::sync
