// SPDX-License-Identifier: Apache-2.0
#include "sandbox/encoding.hpp"
#include "sandbox/list.hpp"
#include "sandbox/operations.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::sandbox {
namespace {

constexpr std::size_t chats_a_page = 100;
constexpr std::size_t embedded_in_one = 20;

std::vector<std::string> split_by_comma(std::string_view text)
{
    std::vector<std::string> names;
    while (!text.empty()) {
        const std::string_view name = text.substr(0, text.find(','));
        text.remove_prefix(std::min(name.size() + 1, text.size()));
        if (!name.empty()) names.emplace_back(name);
    }
    return names;
}

// What getChat alone tells: how the app came to its answer.
std::string_view steps_json()
{
    return R"(,"intermediateSteps":[{"type":"RETRIEVAL","name":"search","status":"DONE","documents":3},)"
           R"({"type":"LLM","name":"answer","status":"DONE","documents":0}])";
}

} // namespace

Conversation& load_conversation(Desk& desk, const Call& call)
{
    Conversation* found = desk.world.find(call.ids.at(0));
    if (found == nullptr) not_found("Conversation");
    return *found;
}

std::size_t load_chat(const Conversation& conversation, const Call& call)
{
    const auto found = conversation.find_chat(call.ids.at(1));
    if (!found) not_found("Chat");
    return *found;
}

Answer answer_conversation(const Conversation& conversation, const std::vector<std::string>& variables)
{
    Answer answer;
    append_conversation(answer.body, conversation, embedded_in_one, variables);
    return answer;
}

Answer list_conversations(Desk& desk, const Call& call)
{
    return {.body = list_page(desk.world, desk.options, call.query())};
}

Answer count_conversations_daily(Desk& desk, const Call& call)
{
    if (!desk.options.daily_count) not_found("Conversation"); // as a service without it reads the path
    return {.body = daily_counts(desk.world, call.query())};
}

Answer get_conversation(Desk& desk, const Call& call)
{
    const auto variables = split_by_comma(call.query().find("variables").value_or(""));
    return answer_conversation(load_conversation(desk, call), variables);
}

Answer list_chats(Desk& desk, const Call& call)
{
    const auto page = static_cast<std::size_t>(call.query().number("pageNo", 1, 1, 1'000'000'000));
    const Conversation& conversation = load_conversation(desk, call);
    const std::size_t first = std::min((page - 1) * chats_a_page, conversation.chats.size());
    const std::size_t end = std::min(first + chats_a_page, conversation.chats.size());

    Answer answer{.body = R"({"chats":[)"};
    for (std::size_t i = first; i < end; ++i) {
        if (i > first) answer.body.push_back(',');
        answer.body += conversation.chat_json(i);
    }
    answer.body += "]}";
    return answer;
}

Answer get_chat(Desk& desk, const Call& call)
{
    const Conversation& conversation = load_conversation(desk, call);
    const std::size_t index = load_chat(conversation, call);
    Answer answer{.body = std::string{conversation.chat_json(index)}};
    if (conversation.chats[index].has_steps) answer.body.insert(answer.body.size() - 1, steps_json());
    return answer;
}

Answer is_running(Desk& desk, const Call& call)
{
    return {.body = fmt::format(R"({{"isRunning":{}}})", load_conversation(desk, call).running)};
}

} // namespace alli::sandbox
