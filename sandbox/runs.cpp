// SPDX-License-Identifier: Apache-2.0
#include "sandbox/runs.hpp"

#include <algorithm>

namespace alli::sandbox {
namespace {

// As much of it as is written by then, cut between characters.
std::string written_by(const std::string& message, double share)
{
    auto size = static_cast<std::size_t>(share * static_cast<double>(message.size()));
    while (size > 0 && size < message.size() && (static_cast<unsigned char>(message[size]) & 0xc0) == 0x80) --size;
    return message.substr(0, size);
}

void put(World& world, Conversation& conversation, std::size_t chat, const std::string& message, bool completed)
{
    Json json = Json::parse(conversation.chat_json(chat));
    json["message"] = message;
    json["completed"] = completed;
    world.replace_chat(conversation, chat, json.dump());
}

} // namespace

void Runs::begin(World& world, Conversation& conversation, std::string message, std::chrono::milliseconds lasts)
{
    conversation.running = true;
    const Instant now = world.now();
    runs_.push_back({conversation.id, conversation.chats.back().id, std::move(message), now, now + lasts});
}

void Runs::advance(World& world, ReadLag& lag)
{
    const Instant now = world.now();
    std::erase_if(runs_, [&](const Run& run) {
        Conversation* conversation = world.find(run.conversation);
        const auto chat = conversation ? conversation->find_chat(run.chat) : std::nullopt;
        if (!chat || !conversation->running) return true;
        const bool over = now >= run.ends;
        if (over) lag.note(*conversation, now);
        const double share = over ? 1.0 : double((now - run.began).count()) / double((run.ends - run.began).count());
        put(world, *conversation, *chat, over ? run.message : written_by(run.message, std::max(share, 0.0)), over);
        if (over) conversation->running = false;
        return over;
    });
}

} // namespace alli::sandbox
