// SPDX-License-Identifier: Apache-2.0
#include "cache/overlay_answer.hpp"

#include "cache/overlay_rows.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;
using Edits = std::vector<EditRow>;

// Those that upstream's answer may lack.
Edits edits_since(Reader& db, const ConversationId& id, Clock::Steady asked_at)
{
    Edits edits = load_edits(db, id);
    const auto asked = static_cast<std::int64_t>(asked_at.time_since_epoch().count());
    std::erase_if(edits, [&](const EditRow& edit) { return edit.confirmed_at && *edit.confirmed_at < asked; });
    return edits;
}

// Discarded: not JSON, or so deep that writing it again would need too much of the stack.
Json parse(std::string_view body)
{
    constexpr int deepest = 500;
    bool deep = false;
    const auto look = [&](int depth, Json::parse_event_t, const Json&) {
        deep = deep || depth > deepest;
        return !deep;
    };
    Json json = Json::parse(body, look, false);
    return deep ? Json(Json::value_t::discarded) : json;
}

std::string id_of(const Json& object)
{
    const auto id = object.find("id");
    return id != object.end() && id->is_string() ? id->get<std::string>() : std::string();
}

void edit(Json& object, const Edits& edits, const std::string& chat)
{
    if (object.is_object() && changes(edits, chat))
        object = Json::parse(under_edits(object.dump(), edits, chat, Which::all));
}

void edit_chats(Json& holder, const Edits& edits)
{
    const auto chats = holder.find("chats");
    if (chats == holder.end() || !chats->is_array()) return;
    for (Json& chat : *chats)
        if (chat.is_object()) edit(chat, edits, id_of(chat));
}

void edit_conversation(Json& conversation, const Edits& edits)
{
    edit(conversation, edits, "");
    edit_chats(conversation, edits);
}

bool edit_list(Reader& db, Json& page, Clock::Steady asked_at)
{
    const auto items = page.find("conversations");
    if (items == page.end() || !items->is_array()) return false;
    bool edited = false;
    Json shown = Json::array();
    for (Json& item : *items) {
        const Edits edits = item.is_object() ? edits_since(db, {id_of(item)}, asked_at) : Edits();
        edited = edited || !edits.empty();
        if (removes(edits)) continue;
        edit_conversation(item, edits);
        shown.push_back(std::move(item));
    }
    *items = std::move(shown);
    return edited;
}

} // namespace

bool has_edits(Reader& db)
{
    Rows rows = db.query("SELECT 1 FROM edit LIMIT 1");
    return rows.step();
}

UnderEdits under_edits(Reader& db, Shape shape, const ConversationId& id, const ChatId& chat, std::string_view body,
                       Clock::Steady asked_at)
{
    const Edits edits = shape == Shape::list ? Edits() : edits_since(db, id, asked_at);
    if (removes(edits)) return {true, std::nullopt};
    if (shape != Shape::list && edits.empty()) return {};
    Json json = parse(body);
    if (!json.is_object()) return {};
    if (shape == Shape::list && !edit_list(db, json, asked_at)) return {};
    if (shape == Shape::conversation) edit_conversation(json, edits);
    if (shape == Shape::chats) edit_chats(json, edits);
    if (shape == Shape::chat) edit(json, edits, chat.value);
    return {false, json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

} // namespace alli::cache
