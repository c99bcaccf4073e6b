// SPDX-License-Identifier: Apache-2.0
#include "sandbox/model.hpp"

#include "sandbox/encoding.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cassert>
#include <tuple>

namespace alli::sandbox {
namespace {

std::string nullable(const std::optional<std::string>& text)
{
    return text ? json_text(*text) : "null";
}

std::string user_json(const User* user)
{
    if (user == nullptr) return "null";
    std::string out = fmt::format(R"({{"userId":{},"firstName":{},"lastName":{})", nullable(user->id),
                                  nullable(user->first_name), nullable(user->last_name));
    if (user->email) out += R"(,"email":)" + json_text(*user->email);
    return out + '}';
}

std::string app_json(const App* app)
{
    if (app == nullptr) return "null";
    return fmt::format(R"({{"id":{},"name":{},"description":{}}})", json_text(app->id), json_text(app->name),
                       json_text(app->description));
}

std::string list_json(const std::vector<std::string>& texts)
{
    std::string out = "[";
    for (const std::string& text : texts) {
        if (out.size() > 1) out.push_back(',');
        append_json(out, text);
    }
    return out + ']';
}

std::string chat_text(const ChatDraft& draft, std::string_view id, std::string_view time)
{
    std::string_view rating = "null";
    if (draft.rating) rating = *draft.rating ? "true" : "false";
    std::string out = fmt::format(R"({{"id":"{}","sender":"{}","message":)", id, draft.sender);
    append_json(out, draft.message);
    out += fmt::format(R"(,"timestamp":{},"source":{},"citations":{},"rating":{},"agentRating":null,"type":"text",)"
                       R"("completed":{}{}}})",
                       time, draft.source, draft.citations, rating, draft.completed, draft.extra);
    return out;
}

void insert_sorted(Index& index, IndexEntry entry)
{
    index.insert(std::upper_bound(index.begin(), index.end(), entry), entry);
}

struct Detached {
    StoredChat chat;
    std::string json;
};

// The chats from `index` on, taken off the end.
std::vector<Detached> detach(Conversation& conversation, std::size_t index)
{
    std::vector<Detached> taken;
    for (std::size_t i = index; i < conversation.chats.size(); ++i)
        taken.push_back({conversation.chats[i], std::string{conversation.chat_json(i)}});
    if (taken.empty()) return taken;
    conversation.chats.resize(index);
    const std::size_t start = taken.front().chat.start;
    conversation.chats_json.resize(start > 0 ? start - 1 : 0); // with the comma before it
    return taken;
}

void attach(Conversation& conversation, std::vector<Detached> chats)
{
    for (Detached& one : chats) {
        if (!conversation.chats_json.empty()) conversation.chats_json.push_back(',');
        one.chat.start = conversation.chats_json.size();
        conversation.chats_json += one.json;
        conversation.chats.push_back(std::move(one.chat));
    }
}

void erase_sorted(Index& index, IndexEntry entry)
{
    const auto at = std::lower_bound(index.begin(), index.end(), entry);
    assert(at != index.end() && at->conversation == entry.conversation);
    index.erase(at);
}

} // namespace

bool operator<(const IndexEntry& left, const IndexEntry& right)
{
    return std::tie(left.at, left.conversation->id) < std::tie(right.at, right.conversation->id);
}

std::string_view Conversation::chat_json(std::size_t index) const
{
    const std::size_t start = chats[index].start;
    const std::size_t end = index + 1 < chats.size() ? chats[index + 1].start - 1 : chats_json.size();
    return std::string_view{chats_json}.substr(start, end - start);
}

std::string_view Conversation::last_chats(std::size_t count) const
{
    if (count == 0 || chats.empty()) return {};
    const std::size_t first = chats.size() > count ? chats.size() - count : 0;
    return std::string_view{chats_json}.substr(chats[first].start);
}

std::optional<std::size_t> Conversation::find_chat(std::string_view chat_id) const
{
    for (std::size_t i = 0; i < chats.size(); ++i)
        if (chats[i].id == chat_id) return i;
    return std::nullopt;
}

World::World(TimeStyle style, std::function<Instant()> clock, std::uint64_t seed, CategoriesHold shown)
    : scale_(style), clock_(std::move(clock)), random_(seed), shown_(shown)
{}

std::string World::new_id(std::string_view noun)
{
    const std::uint32_t number = ids_made_++;
    std::string typed = fmt::format("{}:{:016x}{:08x}", noun, random_.next(), number);
    // Three bytes on a base64 boundary that read "+/+/", where the random digits are: still unique by its number.
    if (number % 8 == 3) typed.replace((noun.size() + 3) / 3 * 3, 3, "\xfb\xff\xbf");
    return base64(typed);
}

Conversation* World::find(std::string_view id)
{
    const auto found = conversations_.find(std::string{id});
    return found == conversations_.end() ? nullptr : found->second.get();
}

const User* World::add_user(User user)
{
    users_.push_back(std::make_unique<User>(std::move(user)));
    if (users_.back()->id) user_of_id_[*users_.back()->id] = users_.back().get();
    return users_.back().get();
}

User* World::find_user(std::string_view id)
{
    const auto found = user_of_id_.find(std::string{id});
    return found == user_of_id_.end() ? nullptr : found->second;
}

const App* World::add_app(std::string name, std::string description)
{
    apps_.push_back(std::make_unique<App>(App{new_id("LLMApp"), std::move(name), std::move(description)}));
    return apps_.back().get();
}

const App* World::find_app(std::string_view id) const
{
    const auto found = std::find_if(apps_.begin(), apps_.end(), [&](const auto& app) { return app->id == id; });
    return found == apps_.end() ? nullptr : found->get();
}

// Not of the random numbers: the data of a seed are the same whatever categories there are.
const Category& World::add_category(std::string name)
{
    std::string id = base64(fmt::format("ConversationCategory:{:024x}", 0x9e3779b97f4a7c15 * ++categories_made_));
    return categories_.emplace_back(Category{std::move(id), std::move(name)});
}

void World::erase_category(const std::string& id)
{
    std::erase_if(categories_, [&](const Category& one) { return one.id == id; });
    for (auto& [_, conversation] : conversations_)
        if (std::erase(conversation->categories, id) > 0) refresh(*conversation);
}

const Category* World::find_category(std::string_view id) const
{
    const auto found =
        std::find_if(categories_.begin(), categories_.end(), [&](const auto& one) { return one.id == id; });
    return found == categories_.end() ? nullptr : &*found;
}

std::string World::category_id(std::string_view name) const
{
    const auto found =
        std::find_if(categories_.begin(), categories_.end(), [&](const auto& one) { return one.name == name; });
    return found == categories_.end() ? std::string{name} : found->id;
}

std::string World::categories_json(const Conversation& conversation) const
{
    std::vector<std::string> shown = conversation.categories;
    for (std::string& one : shown)
        if (const Category* known = find_category(one); known != nullptr && shown_ == CategoriesHold::names)
            one = known->name;
    return list_json(shown);
}

void World::add(std::vector<std::unique_ptr<Conversation>> conversations)
{
    for (auto& conversation : conversations) {
        refresh(*conversation);
        const auto last = conversation->last_chat_at();
        (last ? by_last_chat_ : without_chat_).push_back({last.value_or(Instant{}), conversation.get()});
        by_created_.push_back({conversation->created, conversation.get()});
        std::string id = conversation->id;
        conversations_[std::move(id)] = std::move(conversation);
    }
    for (Index* index : {&by_last_chat_, &without_chat_, &by_created_}) std::sort(index->begin(), index->end());
}

Conversation& World::add(std::unique_ptr<Conversation> conversation)
{
    Conversation& added = *conversation;
    refresh(added);
    list_by_last_chat(added);
    insert_sorted(by_created_, {added.created, &added});
    conversations_[added.id] = std::move(conversation);
    return added;
}

std::unique_ptr<Conversation> World::take(Conversation& conversation)
{
    unlist_by_last_chat(conversation);
    erase_sorted(by_created_, {conversation.created, &conversation});
    return std::move(conversations_.extract(conversation.id).mapped());
}

void World::write_chat(Conversation& conversation, const ChatDraft& draft, Instant at)
{
    std::string id = new_id("Chat");
    std::string& all = conversation.chats_json;
    if (!all.empty()) all.push_back(',');
    const std::size_t start = all.size();
    all += chat_text(draft, id, scale_.text(at));
    conversation.chats.push_back(StoredChat{std::move(id), at, start, draft.has_steps});
}

Instant World::next_chat_time(const Conversation& conversation) const
{
    const auto last = conversation.last_chat_at();
    if (!last) return now();
    // Only microseconds can tell all chats of a burst apart without running ahead of the clock.
    return std::max(now(), scale_.style() == TimeStyle::milliseconds_fraction ? *last + scale_.step() : *last);
}

std::string World::append_chat(Conversation& conversation, const ChatDraft& draft)
{
    const Instant at = next_chat_time(conversation);
    unlist_by_last_chat(conversation);
    write_chat(conversation, draft, at);
    list_by_last_chat(conversation);
    refresh(conversation);
    return conversation.chats.back().id;
}

std::string World::insert_chat(Conversation& conversation, const ChatDraft& draft, Instant at)
{
    at = scale_.cut(at);
    unlist_by_last_chat(conversation);
    const auto& chats = conversation.chats;
    const auto later = std::find_if(chats.begin(), chats.end(), [at](const StoredChat& chat) { return chat.at > at; });
    std::vector<Detached> behind = detach(conversation, static_cast<std::size_t>(later - chats.begin()));
    write_chat(conversation, draft, at);
    std::string id = conversation.chats.back().id;
    attach(conversation, std::move(behind));
    list_by_last_chat(conversation);
    refresh(conversation);
    return id;
}

void World::erase_chat(Conversation& conversation, std::size_t index)
{
    unlist_by_last_chat(conversation);
    std::vector<Detached> behind = detach(conversation, index);
    behind.erase(behind.begin());
    attach(conversation, std::move(behind));
    list_by_last_chat(conversation);
    refresh(conversation);
}

void World::replace_chat(Conversation& conversation, std::size_t index, std::string_view json)
{
    const std::size_t old_size = conversation.chat_json(index).size();
    conversation.chats_json.replace(conversation.chats[index].start, old_size, json);
    for (std::size_t i = index + 1; i < conversation.chats.size(); ++i)
        conversation.chats[i].start = conversation.chats[i].start + json.size() - old_size;
}

void World::refresh(Conversation& c) const
{
    const auto last = c.last_chat_at();
    c.head =
        fmt::format(R"({{"id":"{}","title":{},"user":{},"createdAt":{},"lastChatTime":{},"isEnd":{},"categories":{},)"
                    R"("memo":{},"llmApp":{},"state":{},"assignee":{}{},"chats":[)",
                    c.id, nullable(c.title), user_json(c.user), scale_.text(c.created),
                    last ? scale_.text(*last) : "null", c.is_end, categories_json(c), nullable(c.memo), app_json(c.app),
                    nullable(c.state), nullable(c.assignee), c.extra);
    c.tail = fmt::format(R"(],"chatCount":{})", c.chats.size());
    c.searched = c.title.value_or("") + '\n';
    if (c.user != nullptr) c.searched += c.user->first_name.value_or("") + ' ' + c.user->last_name.value_or("");
    c.searched = folded(c.searched);
}

void World::refresh_user(const User& user)
{
    for (auto& [id, conversation] : conversations_)
        if (conversation->user == &user) refresh(*conversation);
}

void World::unlist_by_last_chat(const Conversation& conversation)
{
    const auto last = conversation.last_chat_at();
    erase_sorted(last ? by_last_chat_ : without_chat_, {last.value_or(Instant{}), &conversation});
}

void World::list_by_last_chat(const Conversation& conversation)
{
    const auto last = conversation.last_chat_at();
    insert_sorted(last ? by_last_chat_ : without_chat_, {last.value_or(Instant{}), &conversation});
}

} // namespace alli::sandbox
