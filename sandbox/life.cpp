// SPDX-License-Identifier: Apache-2.0
#include "sandbox/life.hpp"

#include "alli/error.hpp"
#include "sandbox/dialogues.hpp"
#include "sandbox/fields.hpp"
#include "sandbox/seeding.hpp"

#include <array>

namespace alli::sandbox {
namespace {

using Kind = LifeRule::Kind;

Conversation* anyone(World& world, Random& random)
{
    const Index& all = world.by_created();
    return all.empty() ? nullptr : world.find(all[random.below(all.size())].conversation->id);
}

ChatDraft some_chat(World& world, Random& random)
{
    const std::string sender = random.below(2) == 0 ? "USER" : "BOT";
    return ChatDraft{.sender = sender, .message = make_line(world.random(), sender, random.below(1000))};
}

void touch(World& world, Random& random, std::int64_t)
{
    Conversation* one = anyone(world, random);
    if (one != nullptr && !one->running) world.append_chat(*one, some_chat(world, random));
}

void come_late(World& world, Random& random, std::int64_t most_ms)
{
    Conversation* one = anyone(world, random);
    if (one == nullptr || one->running) return;
    const auto back = std::chrono::milliseconds{random.below(static_cast<std::uint64_t>(most_ms) + 1)};
    world.insert_chat(*one, some_chat(world, random), world.now() - back);
}

void begin(World& world, Random& random, std::int64_t)
{
    begin_conversation(world, static_cast<int>(1 + random.below(6)));
}

std::string some_text(Random& random)
{
    return "\"edited " + std::to_string(random.below(1'000'000)) + '"';
}

void edit(World& world, Random& random, std::int64_t)
{
    constexpr std::array members{"title", "state", "memo", "assignee", "categories", "rating", "message"};
    Conversation* one = anyone(world, random);
    if (one == nullptr) return;
    const std::string member = members[random.below(members.size())];
    if (member == "categories") return edit_member(world, *one, member, '[' + some_text(random) + ']');
    if (member != "rating" && member != "message") return edit_member(world, *one, member, some_text(random));
    if (one->chats.empty()) return;
    const std::string rating = random.below(2) == 0 ? "true" : "false";
    edit_chat_member(world, *one, random.below(one->chats.size()), member,
                     member == "rating" ? rating : some_text(random));
}

void erase(World& world, Random& random, std::int64_t)
{
    if (Conversation* one = anyone(world, random)) world.erase(*one);
}

struct Event {
    std::string_view name;
    Kind kind;
    void (*happen)(World&, Random&, std::int64_t amount);
};

constexpr auto events = std::to_array<Event>({
    {"touch", Kind::touch, &touch},
    {"late", Kind::late, &come_late},
    {"add", Kind::add, &begin},
    {"edit", Kind::edit, &edit},
    {"erase", Kind::erase, &erase},
});

std::string life_hint()
{
    return "kind[:chance[:amount]], where kind is one of " + life_kinds() +
           "; chance is from 0 to 1, after each answer; amount is how many milliseconds late at most";
}

[[noreturn]] void refuse_member(std::string_view member)
{
    throw Error(Fault::usage, "title, state, memo, assignee, categories or isEnd; of a chat, any but id and timestamp",
                "{} cannot be edited so", member);
}

struct TextMember {
    std::string_view name;
    std::optional<std::string> Conversation::*text;
};

constexpr auto text_members = std::to_array<TextMember>({
    {"title", &Conversation::title},
    {"state", &Conversation::state},
    {"memo", &Conversation::memo},
    {"assignee", &Conversation::assignee},
});

bool edit_text(Conversation& conversation, std::string_view member, const Json& value)
{
    for (const TextMember& one : text_members) {
        if (one.name != member || (!value.is_null() && !value.is_string())) continue;
        conversation.*one.text = value.is_null() ? std::nullopt : std::optional{value.get<std::string>()};
        return true;
    }
    return false;
}

bool edit_categories(const World& world, Conversation& conversation, const Json& value)
{
    const auto is_text = [](const Json& item) { return item.is_string(); };
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) return false;
    conversation.categories.clear();
    for (const Json& one : value) conversation.categories.push_back(world.category_id(one.get<std::string>()));
    return true;
}

} // namespace

std::string life_kinds()
{
    return joined_names(events);
}

LifeRule parse_life(std::string_view text)
{
    Fields fields("event", text, &life_hint);
    const std::string_view name = fields.next();
    const auto event =
        std::find_if(events.begin(), events.end(), [&](const Event& known) { return known.name == name; });
    if (event == events.end()) throw Error(Fault::usage, life_hint(), "there is no event \"{}\"", name);
    LifeRule rule{.kind = event->kind};
    if (!fields.empty()) rule.chance = fields.number(fields.next(), 0.0);
    if (!fields.empty()) rule.amount = fields.number<std::int64_t>(fields.next(), 0);
    if (!fields.empty()) fields.refuse(fields.next());
    return rule;
}

Life::Life(std::vector<LifeRule> rules, std::uint64_t seed) : rules_(std::move(rules)), random_(seed) {}

void Life::go_on(World& world)
{
    for (const LifeRule& rule : rules_) {
        if (random_.unit() >= rule.chance) continue;
        for (const Event& event : events)
            if (event.kind == rule.kind) event.happen(world, random_, rule.amount);
    }
}

void edit_member(World& world, Conversation& conversation, std::string_view member, std::string_view json)
{
    const Json value = Json::parse(json, nullptr, false);
    if (member == "isEnd" && value.is_boolean())
        conversation.is_end = value.get<bool>();
    else if (!edit_text(conversation, member, value) &&
             !(member == "categories" && edit_categories(world, conversation, value)))
        refuse_member(member);
    world.refresh(conversation);
}

void edit_chat_member(World& world, Conversation& conversation, std::size_t index, std::string_view member,
                      std::string_view json)
{
    Json value = Json::parse(json, nullptr, false);
    if (member == "id" || member == "timestamp" || value.is_discarded()) refuse_member(member);
    Json chat = Json::parse(conversation.chat_json(index));
    chat[std::string{member}] = std::move(value);
    world.replace_chat(conversation, index, chat.dump());
}

} // namespace alli::sandbox
