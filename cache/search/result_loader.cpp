// SPDX-License-Identifier: Apache-2.0
#include "cache/search/result_loader.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/chats/packed_facts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/text/snippet.hpp"
#include "cache/text/words.hpp"

namespace alli::cache {
namespace {

std::string person(const Row& row, int name, int id)
{
    return std::string(row.text(name).empty() ? row.text(id) : row.text(name));
}

// The text that holds the most of what is wanted; of equals the first.
std::string best_snippet(std::initializer_list<std::string_view> texts, const std::vector<Phrase>& wanted)
{
    Snippet best = make_snippet(*texts.begin(), wanted);
    for (const std::string_view text : texts) {
        if (best.matched == wanted.size()) break;
        Snippet other = make_snippet(text, wanted);
        if (other.matched > best.matched) best = std::move(other);
    }
    return best.html;
}

std::vector<ContextChat> load_context(Reader& db, std::int64_t conversation, std::int64_t from, std::int64_t to)
{
    std::vector<ContextChat> chats;
    visit_texts(db, conversation, from, to, [&](const ChatTextView& text) {
        for (const Row row : db.query("SELECT sender, sent_at FROM chat_row WHERE place = ?1",
                                      chat_text_key(conversation, text.ordinal)))
            chats.push_back(
                {std::string(text.id), std::string(row.text(0)), message_of_chat(text.raw), row.optional_instant(1)});
    });
    return chats;
}

} // namespace

std::optional<SearchHit> load_chat_hit(Reader& db, std::int64_t pk, const std::vector<Phrase>& wanted, int context)
{
    Rows rows = db.query("SELECT v.id, c.place, v.title, c.sender, v.user_name, v.user_id, c.sent_at, c.facts"
                         " FROM chat_row c JOIN conversation v ON v.pk = c.place >> 24 WHERE c.pk = ?1",
                         pk);
    if (!rows.step()) return std::nullopt;
    const Row row = rows.row();
    auto text = find_text_at(db, row.integer(1));
    if (!text) return std::nullopt;
    SearchHit hit;
    hit.conversation_id = row.text(0);
    hit.chat_id = std::move(text->id);
    hit.title = row.text(2);
    hit.sender = row.text(3);
    hit.user = person(row, 4, 5);
    hit.sent_at = row.optional_instant(6);
    hit.rating = rating_in(row.integer(7));
    hit.agent_rating = agent_rating_in(row.integer(7));
    const ChatWords words = words_of_chat(text->raw);
    hit.snippet = best_snippet({words.text, words.citations}, wanted);
    if (context > 0) {
        const std::int64_t conversation = conversation_of_key(row.integer(1)), ordinal = text->ordinal;
        hit.before = load_context(db, conversation, ordinal - context, ordinal);
        hit.after = load_context(db, conversation, ordinal + 1, ordinal + 1 + context);
    }
    return hit;
}

std::optional<SearchHit> load_title_hit(Reader& db, std::int64_t pk, const std::vector<Phrase>& wanted)
{
    Rows rows =
        db.query("SELECT id, title, user_name, user_id, last_chat_at, memo FROM conversation WHERE pk = ?1", pk);
    if (!rows.step()) return std::nullopt;
    const Row row = rows.row();
    SearchHit hit;
    hit.conversation_id = row.text(0);
    hit.title = row.text(1);
    hit.user = person(row, 2, 3);
    hit.sent_at = row.optional_instant(4);
    hit.snippet = best_snippet({row.text(1), row.text(5), row.text(2), row.text(3)}, wanted);
    return hit;
}

} // namespace alli::cache
