// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/conversation_json.hpp"

#include "alli/json_scan.hpp"
#include "alli/page_sizes.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/rows/edit.hpp"
#include "cache/rows/progress.hpp"

#include <algorithm>

namespace alli::cache {

void append_chats(Reader& db, std::int64_t conversation, std::int64_t from, std::int64_t to, std::string& out)
{
    const std::size_t begin = out.size();
    visit_texts(db, conversation, from, to, [&](const ChatTextView& chat) {
        if (out.size() > begin) out += ',';
        out += chat.raw;
    });
}

void append_conversation(Reader& db, const Row& row, std::int64_t embedded, std::string& out)
{
    const std::string_view raw = row.text(1);
    const auto at = row.optional_integer(2);
    if (!at) {
        out += raw;
        return;
    }
    const auto cut = std::min(static_cast<std::size_t>(*at), raw.size());
    const std::int64_t held = row.integer(3);
    out += raw.substr(0, cut);
    if (embedded > 0) append_chats(db, row.integer(0), std::max<std::int64_t>(0, held - embedded), held, out);
    out += raw.substr(cut);
}

// Something else than an array of chats: as it was sent, then. Where no list embeds any, null is no oddity.
static bool is_sent_oddly(Reader& db, std::string_view raw, std::int64_t held)
{
    for (JsonMembers member(whole_value(raw)); member.next();)
        if (member.key == "chats") return !member.value.is_null() || held == 0 || load_progress(db).list_embeds;
    return false;
}

void append_single(Reader& db, const Row& row, std::string& out)
{
    constexpr std::int64_t embedded = 20; // the contract: a single conversation comes with its most recent 20
    const std::int64_t held = row.integer(3);
    if (!row.is_null(2) || is_sent_oddly(db, row.text(1), held)) return append_conversation(db, row, embedded, out);
    // It came in a list that embeds none, and has no place for them.
    std::string chats = "[";
    append_chats(db, row.integer(0), std::max<std::int64_t>(0, held - embedded), held, chats);
    out += with_patch(row.text(1), {{"chats", chats + "]"}});
}

std::optional<std::string> find_chat_page(Reader& db, const ConversationId& id, int page_no)
{
    const std::int64_t first = (std::int64_t{page_no} - 1) * chats_a_page;
    const auto row =
        db.one<std::tuple<std::int64_t, std::int64_t>>("SELECT pk, held FROM conversation WHERE id = ?1", id.value);
    if (!row) return std::nullopt;
    const auto [pk, held] = *row;
    std::string body;
    body.reserve(6 * 1024); // of most
    body = "{\"chats\":[";
    append_chats(db, pk, first, std::min(first + chats_a_page, held), body);
    return body += "]}";
}

} // namespace alli::cache
