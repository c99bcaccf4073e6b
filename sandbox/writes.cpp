// SPDX-License-Identifier: Apache-2.0
// Every write reads and checks its whole body before it changes anything, and is noted once it is applied.
#include "sandbox/encoding.hpp"
#include "sandbox/operations.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace alli::sandbox {
namespace {

using Text = std::optional<std::string>;

// The members of a ConversationInfo that were sent; an inner nothing is a null.
struct Edit {
    std::optional<Text> state, assignee, title;
    std::optional<std::vector<std::string>> categories;
};

std::optional<Text> read_text(const Json& body, const char* name)
{
    const auto found = body.find(name);
    if (found == body.end()) return std::nullopt;
    if (found->is_null()) return Text{};
    if (!found->is_string()) bad_parameter("{} must be a string or null", name);
    return Text{found->get<std::string>()};
}

std::optional<std::vector<std::string>> read_texts(const Json& body, const char* name)
{
    const auto found = body.find(name);
    if (found == body.end() || found->is_null()) return std::nullopt;
    const bool texts = found->is_array() &&
                       std::all_of(found->begin(), found->end(), [](const Json& item) { return item.is_string(); });
    if (!texts) bad_parameter("{} must be a list of strings", name);
    return found->get<std::vector<std::string>>();
}

Edit read_edit(const Json& body)
{
    return {read_text(body, "state"), read_text(body, "assignee"), read_text(body, "title"),
            read_texts(body, "categoryIds")};
}

void apply_edit(World& world, Conversation& conversation, const Edit& edit)
{
    if (edit.state) conversation.state = *edit.state;
    if (edit.assignee) conversation.assignee = *edit.assignee;
    if (edit.title) conversation.title = *edit.title;
    if (edit.categories) conversation.categories = *edit.categories;
    world.refresh(conversation);
}

// One kind of a bulk update's filters: any of its values; all, where it is not given or empty.
struct Choice {
    std::vector<std::string> values;

    bool given() const { return !values.empty(); }
    bool takes(const std::string* value) const
    {
        return !given() || (value != nullptr && std::find(values.begin(), values.end(), *value) != values.end());
    }
};

struct Selection {
    Choice users, apps, categories, conversations;

    bool given() const { return users.given() || apps.given() || categories.given() || conversations.given(); }

    bool takes(const Conversation& c) const
    {
        const auto in_categories = [&](const std::string& one) { return categories.takes(&one); };
        return users.takes(c.user != nullptr && c.user->id ? &*c.user->id : nullptr) &&
               apps.takes(c.app != nullptr ? &c.app->id : nullptr) && conversations.takes(&c.id) &&
               (!categories.given() || std::any_of(c.categories.begin(), c.categories.end(), in_categories));
    }
};

Selection read_selection(const Json& body)
{
    const auto choice = [&](const char* name) {
        return Choice{read_texts(body, name).value_or(std::vector<std::string>{})};
    };
    return {choice("userIds"), choice("llmAppIds"), choice("categoryIds"), choice("conversationIds")};
}

std::vector<Conversation*> select(World& world, const Selection& selection)
{
    std::vector<Conversation*> chosen;
    for (const IndexEntry& entry : world.by_created())
        if (selection.takes(*entry.conversation)) chosen.push_back(world.find(entry.conversation->id));
    return chosen;
}

} // namespace

Json read_object(const Call& call)
{
    Json body = Json::parse(call.body, nullptr, false);
    if (body.is_discarded()) throw Error(Fault::bad_reply, "", "the body is no JSON");
    if (!body.is_object()) bad_parameter("the body must be an object");
    return body;
}

Answer update_conversation(Desk& desk, const Call& call)
{
    Conversation& conversation = load_conversation(desk, call);
    const Edit edit = read_edit(read_object(call));
    desk.will_write(conversation);
    apply_edit(desk.world, conversation, edit);
    desk.journal.wrote("updateConversation", conversation.id, call.body);
    return answer_conversation(conversation, {});
}

Answer set_title(Desk& desk, const Call& call)
{
    Conversation& conversation = load_conversation(desk, call);
    const auto title = read_text(read_object(call), "title");
    if (!title || !*title) bad_parameter("title must be a string");
    desk.will_write(conversation);
    conversation.title = **title;
    desk.world.refresh(conversation);
    desk.journal.wrote("setConversationTitle", conversation.id, call.body);
    return answer_conversation(conversation, {});
}

Answer bulk_update_conversations(Desk& desk, const Call& call)
{
    const Json body = read_object(call);
    const Selection selection = read_selection(body);
    const auto info = body.find("conversationInfo");
    if (!selection.given()) bad_parameter("a filter is required");
    if (info == body.end() || !info->is_object()) bad_parameter("conversationInfo must be an object");
    const Edit edit = read_edit(*info);
    for (Conversation* conversation : select(desk.world, selection)) {
        desk.will_write(*conversation);
        apply_edit(desk.world, *conversation, edit);
    }
    desk.journal.wrote("bulkUpdateConversations", "", call.body);
    return {};
}

Answer delete_conversation(Desk& desk, const Call& call)
{
    Conversation& conversation = load_conversation(desk, call);
    desk.journal.wrote("deleteConversation", conversation.id, call.body);
    desk.will_write(conversation);
    desk.world.erase(conversation);
    return {};
}

void finish_answer(World& world, Conversation& conversation)
{
    conversation.running = false;
    if (conversation.chats.empty()) return;
    const std::size_t last = conversation.chats.size() - 1;
    Json chat = Json::parse(conversation.chat_json(last));
    if (chat.value("completed", true)) return;
    chat["completed"] = true;
    world.replace_chat(conversation, last, chat.dump());
}

Answer stop_conversation(Desk& desk, const Call& call)
{
    Conversation& conversation = load_conversation(desk, call);
    desk.will_write(conversation);
    finish_answer(desk.world, conversation);
    desk.journal.wrote("stopConversation", conversation.id, call.body);
    return {};
}

Answer rate_chat(Desk& desk, const Call& call)
{
    Conversation& conversation = load_conversation(desk, call);
    const std::size_t index = load_chat(conversation, call);
    const Json body = read_object(call);
    const auto rating = body.find("rating");
    if (rating != body.end() && !rating->is_boolean() && !rating->is_null())
        bad_parameter("rating must be true, false or null");
    for (const char* name : {"feedbackSelection", "suggestedAnswer"}) read_text(body, name);

    Json chat = Json::parse(conversation.chat_json(index));
    for (const char* name : {"rating", "feedbackSelection", "suggestedAnswer"})
        if (const auto sent = body.find(name); sent != body.end()) chat[name] = *sent;
    desk.will_write(conversation);
    desk.world.replace_chat(conversation, index, chat.dump());
    desk.journal.wrote("rateChat", conversation.id, call.body);
    return {.body = std::string{conversation.chat_json(index)}};
}

} // namespace alli::sandbox
