// SPDX-License-Identifier: Apache-2.0
// Users and apps: whom a call is attributed to, and the calls that make conversations.
#include "sandbox/encoding.hpp"
#include "sandbox/operations.hpp"
#include "sandbox/run_request.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>

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

// A new conversation, or the one that is gone on with.
Conversation& conversation_for(Desk& desk, const Call& call, const App& app, const RunRequest& request)
{
    World& world = desk.world;
    if (request.conversation_id) {
        Conversation* found = world.find(*request.conversation_id);
        if (found == nullptr) not_found("Conversation");
        desk.will_write(*found);
        world.append_chat(*found, ChatDraft{.sender = "USER", .message = request.message});
        return *found;
    }
    auto made = std::make_unique<Conversation>();
    made->id = world.new_id("Conversation");
    desk.lag.note_new(made->id, world.now());
    made->title = first_characters(request.message, 40);
    made->user = attributed_user(world, call);
    made->app = &app;
    made->created = world.now();
    made->state = "OPEN";
    world.write_chat(*made, ChatDraft{.sender = "USER", .message = request.message}, made->created);
    return world.add(std::move(made));
}

std::string snapshot(const Conversation& conversation, const std::string& message, bool completed)
{
    Json chat = Json::parse(conversation.chat_json(conversation.chats.size() - 1));
    chat["message"] = message;
    chat["completed"] = completed;
    return fmt::format(R"({{"result":{{"responses":[{}],"conversation":{{"id":{},"state":{}}}}}}})", chat.dump(),
                       json_text(conversation.id), json_text(conversation.state.value_or("OPEN")));
}

// The answer as it grows, a line each.
std::string snapshots(const Conversation& conversation, const std::string& message)
{
    constexpr std::size_t lines = 10;
    std::string all;
    for (std::size_t i = 1; i < lines; ++i)
        all += snapshot(conversation, first_characters(message, message.size() * i / lines), false) + '\n';
    return all + snapshot(conversation, message, true) + '\n';
}

// What a call to run comes to: what is to be said of it, in the end.
struct Outcome {
    Conversation& conversation;
    std::string message;
    bool form;
};

std::string final_line(const std::string& message)
{
    return fmt::format(R"({{"type":"final_replaced_message","response_index":0,"content":{}}})", json_text(message)) +
           '\n';
}

Answer answer_sync(const Desk& desk, const Outcome& outcome)
{
    Answer answer{.body = snapshot(outcome.conversation, outcome.message, true)};
    answer.ending = Answer::Ending::late;
    answer.pause = desk.options.run_time;
    return answer;
}

Answer answer_stream(const Desk& desk, const Outcome& outcome)
{
    std::string body = snapshots(outcome.conversation, outcome.message);
    if (outcome.form) body += final_line(outcome.message);
    return streamed(desk, std::move(body));
}

Answer answer_background(const Desk&, const Outcome& outcome)
{
    return {.body = snapshot(outcome.conversation, "", false)};
}

constexpr std::array answers_by_mode{&answer_sync, &answer_stream, &answer_background}; // as RunRequest::Mode is

Answer run(Desk& desk, const Call& call, bool form_only)
{
    const App& app = load_app(desk, call);
    const RunRequest request = read_run_request(call, form_only);
    Conversation& conversation = conversation_for(desk, call, app, request);
    const std::string message = fmt::format("{}: {}", app.name, request.message);
    desk.world.append_chat(conversation, ChatDraft{.sender = "BOT", .message = "", .completed = false});
    desk.runs.begin(desk.world, conversation, message, desk.options.run_time);
    desk.journal.wrote("runApp", conversation.id, call.body);
    const Outcome outcome{conversation, message, form_only};
    return answers_by_mode[static_cast<std::size_t>(request.mode)](desk, outcome);
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

Answer streamed(const Desk& desk, std::string body)
{
    constexpr int pieces = 20; // as the server sends it
    Answer answer{.body = std::move(body), .type = "application/stream+json"};
    answer.chunked = true;
    answer.ending = Answer::Ending::drip;
    answer.pause = desk.options.run_time / (pieces - 2) + std::chrono::milliseconds(1); // it ends after the run
    return answer;
}

Answer run_app(Desk& desk, const Call& call)
{
    return run(desk, call, false);
}

Answer run_conversation(Desk& desk, const Call& call)
{
    return run(desk, call, true);
}

} // namespace alli::sandbox
