// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/overlay_answer.hpp"

#include "alli/wire_field.hpp"
#include "cache/outbox/overlay_lag.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

using Edits = std::vector<EditRow>;

// Those that upstream's answer may lack.
Edits edits_since(Reader& db, const ConversationId& id, Clock::Steady asked_at)
{
    Edits edits = load_edits(db, id);
    std::erase_if(edits, [&](const EditRow& edit) { return edit.confirmed_at && !may_lag(edit, asked_at); });
    return edits;
}

std::string edit(std::string_view object, const Edits& edits, const std::string& chat, Clock::Steady asked_at)
{
    if (!changes(edits, chat)) return std::string(object);
    SeenThrough seen = see_through_lag(std::string(object), edits, chat, asked_at);
    return with_waiting(std::move(seen.raw), edits, chat);
}

// Whatever holds `chats`, under the edits of each.
std::string edit_chats(JsonValue holder, const Edits& edits, Clock::Steady asked_at)
{
    const JsonValue chats = find_member(holder, "chats");
    if (!chats.is_array()) return std::string(holder.text);
    std::vector<std::string> shown;
    for (JsonItems chat(chats); chat.next();)
        shown.push_back(edit(chat.value.text, edits, id_of_item(chat.value), asked_at));
    return with_part(holder.text, chats.text, array_of(shown));
}

std::string edit_conversation(JsonValue conversation, const Edits& edits, Clock::Steady asked_at)
{
    if (!conversation.is_object()) return std::string(conversation.text);
    return edit(edit_chats(conversation, edits, asked_at), edits, "", asked_at);
}

// None: nothing in it is changed.
std::optional<std::string> edit_list(Reader& db, JsonValue page, Clock::Steady asked_at)
{
    const JsonValue items = find_member(page, "conversations");
    bool edited = false;
    std::vector<std::string> shown;
    for (JsonItems item(items); item.next();) {
        const Edits edits = edits_since(db, {id_of_item(item.value)}, asked_at);
        edited = edited || !edits.empty();
        if (!removes(edits)) shown.push_back(edit_conversation(item.value, edits, asked_at));
    }
    if (!edited) return std::nullopt;
    return with_part(page.text, items.text, array_of(shown));
}

// What an answer tells of, inside its envelope.
JsonValue content_of(std::string_view body, Shape shape)
{
    constexpr std::array<std::string_view, 1> list{"conversations"}, chats{"chats"}, one{"id"};
    const JsonValue root = whole_value(body);
    if (shape == Shape::list) return find_content(root, list);
    return find_content(root, shape == Shape::chats ? std::span<const std::string_view>(chats) : one);
}

} // namespace

bool has_edits(Reader& db)
{
    return db.exists("SELECT 1 FROM edit LIMIT 1");
}

EditedAnswer apply_edits(Reader& db, Shape shape, const ConversationId& id, const ChatId& chat, std::string_view body,
                         Clock::Steady asked_at)
{
    const Edits edits = shape == Shape::list ? Edits() : edits_since(db, id, asked_at);
    if (removes(edits)) return {true, std::nullopt};
    if (shape != Shape::list && edits.empty()) return {};
    const JsonValue content = content_of(body, shape);
    if (content.text.empty()) return {};
    std::optional<std::string> shown;
    if (shape == Shape::list) shown = edit_list(db, content, asked_at);
    if (shape == Shape::conversation) shown = edit_conversation(content, edits, asked_at);
    if (shape == Shape::chats) shown = edit_chats(content, edits, asked_at);
    if (shape == Shape::chat) shown = edit(content.text, edits, chat.value, asked_at);
    if (!shown) return {};
    return {false, with_part(body, content.text, *shown)};
}

} // namespace alli::cache
