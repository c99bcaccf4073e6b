// SPDX-License-Identifier: Apache-2.0
#include "cache/export/mask_json.hpp"

#include "alli/json_text.hpp"
#include "cache/text/mask.hpp"

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

bool is_id(std::string_view key)
{
    return key == "id" || key == "cursor" || key == "next" || key.ends_with("Id") || key.ends_with("Ids");
}

// A name may be the id of somebody who has none.
std::string mask_name(const std::string& name)
{
    const std::string id = mask_id(name);
    return id == name ? mask_text(name) : id;
}

void mask_under(std::string_view key, Json& value)
{
    if (value.is_object()) {
        for (auto& [name, member] : value.items()) mask_under(name, member);
    } else if (value.is_array()) {
        for (Json& item : value) mask_under(key, item);
    } else if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        value = is_id(key)         ? mask_id(text)
                : key == "user"    ? mask_name(text)
                : key == "snippet" ? mask_snippet(text)
                                   : mask_text(text);
    }
}

} // namespace

void mask_json(Json& json)
{
    mask_under("", json);
}

std::string mask_json_text(std::string_view raw)
{
    Json json = Json::parse(readable_json(raw), nullptr, false);
    if (json.is_discarded()) return mask_text(raw);
    mask_json(json);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void mask(Summary& summary)
{
    summary.title = mask_text(summary.title);
    summary.user = mask_name(summary.user);
}

void mask(ConversationRow& row)
{
    for (std::string ConversationRow::*text :
         {&ConversationRow::title, &ConversationRow::app_name, &ConversationRow::categories, &ConversationRow::state,
          &ConversationRow::assignee, &ConversationRow::channel})
        row.*text = mask_text(row.*text);
    row.user_id = mask_id(row.user_id);
    row.user_name = mask_name(row.user_name);
    row.raw = mask_json_text(row.raw);
}

void mask(ReadableChat& chat)
{
    chat.sender = mask_text(chat.sender); // what upstream says there may be anything
    chat.text = mask_text(chat.text);
    chat.raw = mask_json_text(chat.raw);
}

} // namespace alli::cache
