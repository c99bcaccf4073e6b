// SPDX-License-Identifier: Apache-2.0
// All that two mirrors have in common when one follows the other: every row, but for numbers that are a file's own.
#pragma once

#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/lists/list.hpp"
#include "cache/replica/extras.hpp"
#include "cache/replica/state.hpp"

#include <spdlog/fmt/fmt.h>

#include <map>

namespace alli::cache {

inline std::string dump_columns(const Row& row, int from, int to)
{
    std::string out;
    for (int column = from; column < to; ++column)
        out += row.is_null(column) ? "|-" : fmt::format("|{}", row.text(column));
    return out + "\n";
}

/// By conversation.
inline std::map<std::string, std::string> dump_conversations(Reader& db)
{
    std::map<std::string, std::string> found;
    for (const Row row :
         db.query("SELECT pk, id, raw, chats_at, title, user_id, user_name, app_id, memo, created_at, first_chat_at,"
                  " last_chat_at, is_end, chat_count, held, (SELECT group_concat(name, ';') FROM (SELECT name FROM"
                  " category WHERE conversation = pk ORDER BY name)), state, assignee, channel"
                  " FROM conversation LEFT JOIN conversation_fact f ON f.conversation = pk")) {
        std::string& one = found[std::string(row.text(1))];
        one = dump_columns(row, 1, 19);
        for (const Row chat : db.query("SELECT place & 0xffffff, sender, sent_at, completed, facts FROM chat_row"
                                       " WHERE place >= ?1 AND place < ?2 ORDER BY place",
                                       chat_text_key(row.integer(0), 0), chat_text_key(row.integer(0) + 1, 0)))
            one += dump_columns(chat, 0, 5);
        for (const Row variable : db.query("SELECT name, value, verified_at FROM variable WHERE conversation = ?1"
                                           " ORDER BY name",
                                           row.integer(0)))
            one += "variable" + dump_columns(variable, 0, 3);
        for (const auto& [ordinal, detail] : load_details(db, row.integer(0), 0))
            one += fmt::format("detail|{}|{}\n", ordinal, detail);
        visit_texts(db, row.integer(0), [&](const ChatTextView& text) {
            one += fmt::format("{}|{}|{}\n", text.ordinal, text.id, text.raw);
        });
    }
    for (const Row row : db.query("SELECT id, deleted_at FROM tombstone"))
        found[std::string(row.text(0))] += "deleted" + dump_columns(row, 1, 2);
    return found;
}

inline std::map<std::string, std::string> dump_state(Reader& db)
{
    std::map<std::string, std::string> found;
    for (const StateTable& table : state_tables())
        if (const auto state = find_state(db, table.name)) found[state->name] = state->value;
    return found;
}

/// Pages of lists in all orders, and with filters that find something.
inline std::map<std::string, std::string> dump_lists(Reader& db)
{
    std::vector<ListFilter> filters(6);
    filters[0].search_term = "about c1";
    filters[1].active_only = true;
    filters[2].user_ids = {"u1", "u2"};
    filters[3].started_at = Instant(std::chrono::seconds(10'100));
    filters[4].first_end_at = Instant(std::chrono::seconds(10'200));
    std::map<std::string, std::string> found;
    for (std::size_t n = 0; n < filters.size(); ++n)
        for (const Order order : {Order::last_chat_desc, Order::last_chat_asc, Order::created_desc, Order::created_asc})
            for (const Extent extent : {Extent::held, Extent::decided}) {
                filters[n].order = order;
                std::optional<ListKey> after;
                std::string& all = found[fmt::format("{}/{}/{}", n, static_cast<int>(order), static_cast<int>(extent))];
                do {
                    const ListPage page = list_conversations(db, filters[n], 7, after, {}, extent);
                    all += page.body + (page.decided ? "\n" : "?\n");
                    after = page.next;
                } while (after);
            }
    return found;
}

} // namespace alli::cache
