// SPDX-License-Identifier: Apache-2.0
#include "sandbox/sandbox.hpp"

#include "sandbox/life.hpp"
#include "sandbox/operations.hpp"
#include "sandbox/seeding.hpp"
#include "sandbox/server.hpp"
#include "sandbox/service.hpp"

namespace alli::sandbox {
namespace {

Conversation& load(World& world, const std::string& id)
{
    Conversation* found = world.find(id);
    if (found == nullptr)
        throw Error(Fault::usage, "ask conversation_ids()", "the sandbox holds no conversation {}", id);
    return *found;
}

std::size_t place_of(const Conversation& conversation, const std::string& chat_id)
{
    const auto found = conversation.find_chat(chat_id);
    if (!found)
        throw Error(Fault::usage, "ask chat_ids()", "conversation {} holds no chat {}", conversation.id, chat_id);
    return *found;
}

// The last chat of a running conversation, with `more` behind its message.
void grow(World& world, Conversation& conversation, std::string_view more)
{
    if (!conversation.running)
        throw Error(Fault::usage, "begin_answer() first", "conversation {} is not running", conversation.id);
    const std::size_t last = conversation.chats.size() - 1;
    Json chat = Json::parse(conversation.chat_json(last));
    chat["message"] = chat.at("message").get<std::string>() + std::string{more};
    world.replace_chat(conversation, last, chat.dump());
}

} // namespace

struct Sandbox::Core {
    explicit Core(Options options) : listen(options.listen), service(std::move(options)), server(listen, service) {}

    std::string listen;
    Service service;
    Server server;

    // Runs work(world, conversation) with nobody else at it.
    template <class Work>
    auto with(const std::string& id, Work work)
    {
        return service.alone([&](World& world, Journal&) { return work(world, load(world, id)); });
    }
};

Sandbox::Sandbox(Options options) : core_(std::make_unique<Core>(std::move(options))) {}
Sandbox::~Sandbox() = default;

std::string Sandbox::url() const
{
    return core_->server.url();
}

std::uint16_t Sandbox::port() const
{
    return core_->server.port();
}

std::vector<std::string> Sandbox::conversation_ids() const
{
    return core_->service.alone([](World& world, Journal&) {
        std::vector<std::string> ids;
        for (const IndexEntry& entry : world.by_created()) ids.push_back(entry.conversation->id);
        return ids;
    });
}

std::int64_t Sandbox::chat_total() const
{
    return core_->service.alone([](World& world, Journal&) {
        std::int64_t total = 0;
        for (const IndexEntry& entry : world.by_created()) total += std::ssize(entry.conversation->chats);
        return total;
    });
}

std::vector<std::string> Sandbox::chat_ids(const std::string& conversation_id) const
{
    return core_->with(conversation_id, [](World&, Conversation& conversation) {
        std::vector<std::string> ids;
        for (const StoredChat& chat : conversation.chats) ids.push_back(chat.id);
        return ids;
    });
}

std::vector<std::string> Sandbox::app_ids() const
{
    return core_->service.alone([](World& world, Journal&) {
        std::vector<std::string> ids;
        for (const auto& app : world.apps()) ids.push_back(app->id);
        return ids;
    });
}

std::vector<std::string> Sandbox::user_ids() const
{
    return core_->service.alone([](World& world, Journal&) {
        std::vector<std::string> ids;
        for (const auto& user : world.users())
            if (user->id) ids.push_back(*user->id);
        return ids;
    });
}

std::string Sandbox::conversation_json(const std::string& conversation_id) const
{
    return core_->service.alone([&](World& world, Journal&) {
        const Conversation* found = world.find(conversation_id);
        return found == nullptr ? "" : answer_conversation(*found, {}).body;
    });
}

std::vector<RequestRecord> Sandbox::requests() const
{
    return core_->service.alone([](World&, Journal& journal) { return journal.requests(); });
}

std::size_t Sandbox::request_count(std::string_view operation) const
{
    return core_->service.alone([&](World&, Journal& journal) { return journal.count(operation); });
}

std::size_t Sandbox::busiest(std::chrono::nanoseconds span, std::string_view operation) const
{
    return core_->service.alone([&](World&, Journal& journal) { return journal.busiest(span, operation); });
}

std::vector<WriteRecord> Sandbox::writes() const
{
    return core_->service.alone([](World&, Journal& journal) { return journal.writes(); });
}

void Sandbox::clear_log()
{
    core_->service.alone([](World&, Journal& journal) { journal.clear(); });
}

std::string Sandbox::add_conversation(int chats)
{
    return core_->service.alone([&](World& world, Journal&) { return begin_conversation(world, chats).id; });
}

std::string Sandbox::add_chat(const std::string& conversation_id, std::string sender, std::string text)
{
    return core_->with(conversation_id, [&](World& world, Conversation& conversation) {
        return world.append_chat(conversation, ChatDraft{.sender = sender, .message = text});
    });
}

std::string Sandbox::add_chat_at(const std::string& conversation_id, Instant at, std::string sender, std::string text)
{
    return core_->with(conversation_id, [&](World& world, Conversation& conversation) {
        return world.insert_chat(conversation, ChatDraft{.sender = sender, .message = text}, at);
    });
}

void Sandbox::edit_conversation(const std::string& conversation_id, std::string_view member, std::string_view json)
{
    core_->with(conversation_id,
                [&](World& world, Conversation& conversation) { edit_member(world, conversation, member, json); });
}

void Sandbox::edit_chat(const std::string& conversation_id, const std::string& chat_id, std::string_view member,
                        std::string_view json)
{
    core_->with(conversation_id, [&](World& world, Conversation& conversation) {
        edit_chat_member(world, conversation, place_of(conversation, chat_id), member, json);
    });
}

void Sandbox::erase_chat(const std::string& conversation_id, const std::string& chat_id)
{
    core_->with(conversation_id, [&](World& world, Conversation& conversation) {
        world.erase_chat(conversation, place_of(conversation, chat_id));
    });
}

void Sandbox::edit_title(const std::string& conversation_id, std::string title)
{
    core_->with(conversation_id, [&](World& world, Conversation& conversation) {
        conversation.title = std::move(title);
        world.refresh(conversation);
    });
}

void Sandbox::erase(const std::string& conversation_id)
{
    core_->with(conversation_id, [](World& world, Conversation& conversation) { world.erase(conversation); });
}

std::string Sandbox::begin_answer(const std::string& conversation_id, std::string text)
{
    return core_->with(conversation_id, [&](World& world, Conversation& conversation) {
        conversation.running = true;
        return world.append_chat(conversation, ChatDraft{.sender = "BOT", .message = text, .completed = false});
    });
}

void Sandbox::grow_answer(const std::string& conversation_id, std::string_view more)
{
    core_->with(conversation_id, [&](World& world, Conversation& conversation) { grow(world, conversation, more); });
}

void Sandbox::finish_answer(const std::string& conversation_id)
{
    core_->with(conversation_id,
                [](World& world, Conversation& conversation) { sandbox::finish_answer(world, conversation); });
}

void Sandbox::set_faults(std::vector<FaultRule> faults)
{
    core_->service.set_faults(std::move(faults));
}

void Sandbox::set_life(std::vector<LifeRule> life)
{
    core_->service.set_life(std::move(life));
}

void Sandbox::on_answer(std::function<void(const RequestRecord&)> hook)
{
    core_->service.on_answer(std::move(hook));
}

void Sandbox::set_api_key(std::string key)
{
    core_->service.set_api_key(std::move(key));
}

void Sandbox::set_read_lag(std::chrono::milliseconds lag)
{
    core_->service.set_read_lag(lag);
}

void Sandbox::stop()
{
    core_->server.stop();
}

} // namespace alli::sandbox
