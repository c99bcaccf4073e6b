// SPDX-License-Identifier: Apache-2.0
// Users and apps: whom a call is attributed to, and the calls that make conversations.
#include "sandbox/encoding.hpp"
#include "sandbox/operations.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::sandbox {
namespace {

constexpr std::string_view encoded_mark = "base64:"; // before ids that are not ASCII

std::string read_user_id(std::string_view header)
{
    const bool encoded = header.starts_with(encoded_mark);
    const auto id = encoded ? from_base64(header.substr(encoded_mark.size())) : std::string{header};
    if (!id || !Json::accept(json_text(*id))) bad_parameter("OWN-USER-ID is neither ASCII nor base64 of UTF-8");
    return *id;
}

std::string read_message(const Json& body)
{
    const auto chat = body.find("chat");
    const Json& holder = chat != body.end() && chat->is_object() ? *chat : body;
    const auto message = holder.find("message");
    if (message == holder.end()) return "Hello";
    if (!message->is_string()) bad_parameter("message must be a string");
    return message->get<std::string>();
}

} // namespace

const User* attributed_user(World& world, const Call& call)
{
    const std::string_view header = call.header("OWN-USER-ID");
    if (header.empty()) return nullptr;
    const std::string id = read_user_id(header);
    if (world.find_user(id) == nullptr) world.add_user(User{.id = id});
    User* user = world.find_user(id);
    const std::string_view email = call.header("USER-EMAIL");
    if (!email.empty() && user->email != email) {
        user->email = email;
        world.refresh_user(*user);
    }
    return user;
}

Answer run_app(Desk& desk, const Call& call)
{
    World& world = desk.world;
    const App* app = world.find_app(call.ids.at(0));
    if (app == nullptr) not_found("App");
    const std::string message = read_message(read_object(call));

    auto made = std::make_unique<Conversation>();
    made->id = world.new_id("Conversation");
    made->title = first_characters(message, 40);
    made->user = attributed_user(world, call);
    made->app = app;
    made->created = world.now();
    made->state = "OPEN";
    world.write_chat(*made, ChatDraft{.sender = "USER", .message = message}, made->created);
    const std::string reply = fmt::format("{}: {}", app->name, message);
    world.write_chat(*made, ChatDraft{.sender = "BOT", .message = reply}, world.next_chat_time(*made));
    const Conversation& conversation = world.add(std::move(made));
    desk.journal.wrote("runApp", conversation.id, call.body);
    return {.body = fmt::format(R"({{"result":{{"responses":[{}]}},"conversation":{{"id":"{}"}}}})",
                                conversation.chat_json(1), conversation.id)};
}

} // namespace alli::sandbox
