// SPDX-License-Identifier: Apache-2.0
// What the look-alike holds: users, apps, conversations and their chats, kept as the JSON that is sent, so that a page
// is assembled by copying. Not safe for several threads: the sandbox's core guards it.
#pragma once

#include "alli/instant.hpp"
#include "alli/random.hpp"
#include "sandbox/options.hpp"
#include "sandbox/times.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace alli::sandbox {

using Json = nlohmann::ordered_json;

struct User {
    std::optional<std::string> id = {}, first_name = {}, last_name = {}, email = {};
};

struct App {
    std::string id, name, description;
};

struct Category {
    std::string id, name;
};

struct StoredChat {
    std::string id;
    Instant at;
    std::size_t start = 0;  // of its JSON within Conversation::chats_json
    bool has_steps = false; // getChat knows more than a page of chats
};

struct Conversation {
    std::string id;
    std::optional<std::string> title, memo, state, assignee;
    const User* user = nullptr;
    const App* app = nullptr;
    Instant created;
    bool is_end = false;
    bool running = false;
    std::vector<std::string> categories; // ids; what names no category is kept as it is
    Json variables = Json::object();
    std::string extra; // members of its JSON that the contract does not name: ,"source":"WEB"

    std::vector<StoredChat> chats; // oldest first
    std::string chats_json;        // their JSON, joined by commas: the last n are one copy

    // Derived by World::refresh:
    std::string head, tail; // the JSON before and after the embedded chats, the closing brace left out
    std::string searched;   // title and names, folded

    std::optional<Instant> first_chat_at() const
    {
        return chats.empty() ? std::nullopt : std::optional{chats.front().at};
    }
    std::optional<Instant> last_chat_at() const
    {
        return chats.empty() ? std::nullopt : std::optional{chats.back().at};
    }
    std::string_view chat_json(std::size_t index) const;
    std::string_view last_chats(std::size_t count) const; // joined by commas
    std::optional<std::size_t> find_chat(std::string_view chat_id) const;
};

/// A chat before it has an id and a time.
struct ChatDraft {
    std::string sender, message;
    std::optional<bool> rating = {};
    std::string source = "null";    // JSON
    std::string citations = "null"; // JSON
    std::string extra = {};         // members that the contract does not name
    bool completed = true;
    bool has_steps = false;
};

/// Sorted by (time, id in bytes).
struct IndexEntry {
    Instant at;
    const Conversation* conversation;
};
using Index = std::vector<IndexEntry>;

class World {
  public:
    World(TimeStyle style, std::function<Instant()> clock, std::uint64_t seed,
          CategoriesHold shown = CategoriesHold::names);

    const TimeScale& scale() const { return scale_; }
    Random& random() { return random_; }
    Instant now() const { return scale_.cut(clock_()); }

    /// base64 of "noun:" and 12 bytes in hexadecimal. Every eighth holds '+' and '/' as well.
    std::string new_id(std::string_view noun);

    Conversation* find(std::string_view id);
    const User* add_user(User user);
    User* find_user(std::string_view id);
    const App* add_app(std::string name, std::string description);
    const App* find_app(std::string_view id) const;

    const Category& add_category(std::string name);
    /// It leaves every conversation too.
    void erase_category(const std::string& id);
    const Category* find_category(std::string_view id) const;
    /// The id of the first category of that name; a text that names none is taken for an id.
    std::string category_id(std::string_view name) const;

    const std::vector<Category>& categories() const { return categories_; }
    const std::vector<std::unique_ptr<App>>& apps() const { return apps_; }
    const std::vector<std::unique_ptr<User>>& users() const { return users_; }

    /// Takes them over; their chats are already in them. Many at once cost one sort.
    void add(std::vector<std::unique_ptr<Conversation>> conversations);
    Conversation& add(std::unique_ptr<Conversation> conversation);
    void erase(Conversation& conversation) { take(conversation); }
    std::unique_ptr<Conversation> take(Conversation& conversation);

    /// Adds at the end, at `at`, without touching an index: for conversations that are not added yet.
    void write_chat(Conversation& conversation, const ChatDraft& draft, Instant at);
    /// When a chat that is written now is stamped: never before the last one.
    Instant next_chat_time(const Conversation& conversation) const;
    /// Adds now to a conversation that is held; moves its last chat time. Returns the chat's id.
    std::string append_chat(Conversation& conversation, const ChatDraft& draft);
    /// The same with a time of its own, behind all that are not later.
    std::string insert_chat(Conversation& conversation, const ChatDraft& draft, Instant at);
    void erase_chat(Conversation& conversation, std::size_t index);
    /// Replaces the JSON of one chat. Moves no clock.
    void replace_chat(Conversation& conversation, std::size_t index, std::string_view json);
    /// After a field has changed. Moves no clock.
    void refresh(Conversation& conversation) const;
    void refresh_user(const User& user);

    const Index& by_last_chat() const { return by_last_chat_; }
    const Index& by_created() const { return by_created_; }
    const Index& without_chat() const { return without_chat_; } // by id

  private:
    void unlist_by_last_chat(const Conversation& conversation);
    void list_by_last_chat(const Conversation& conversation);
    std::string categories_json(const Conversation& conversation) const;

    TimeScale scale_;
    std::function<Instant()> clock_;
    SeededRandom random_;
    std::uint32_t ids_made_ = 0;
    std::vector<std::unique_ptr<User>> users_;
    std::unordered_map<std::string, User*> user_of_id_;
    std::vector<std::unique_ptr<App>> apps_;
    CategoriesHold shown_; // in a conversation
    std::vector<Category> categories_;
    std::uint32_t categories_made_ = 0;
    std::unordered_map<std::string, std::unique_ptr<Conversation>> conversations_;
    Index by_last_chat_, by_created_, without_chat_;
};

bool operator<(const IndexEntry& left, const IndexEntry& right);

} // namespace alli::sandbox
