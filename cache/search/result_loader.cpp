// SPDX-License-Identifier: Apache-2.0
#include "cache/search/result_loader.hpp"

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
    const auto read = [](const Row& row) {
        return ContextChat{std::string(row.text(0)), std::string(row.text(1)), message_of_chat(row.text(2)),
                           row.optional_instant(3)};
    };
    return db.all(read,
                  "SELECT id, sender, raw, sent_at FROM chat WHERE conversation = ?1 AND ordinal >= ?2"
                  " AND ordinal < ?3 ORDER BY ordinal",
                  conversation, from, to);
}

} // namespace

std::optional<SearchHit> load_chat_hit(Reader& db, std::int64_t pk, const std::vector<Phrase>& wanted, int context)
{
    Rows rows = db.query("SELECT v.id, c.id, v.title, c.sender, v.user_name, v.user_id, c.sent_at, c.raw,"
                         " c.conversation, c.ordinal FROM chat c JOIN conversation v ON v.pk = c.conversation"
                         " WHERE c.pk = ?1",
                         pk);
    if (!rows.step()) return std::nullopt;
    const Row row = rows.row();
    SearchHit hit;
    hit.conversation_id = row.text(0);
    hit.chat_id = std::string(row.text(1));
    hit.title = row.text(2);
    hit.sender = row.text(3);
    hit.user = person(row, 4, 5);
    hit.sent_at = row.optional_instant(6);
    const ChatWords words = words_of_chat(row.text(7));
    hit.snippet = best_snippet({words.text, words.citations}, wanted);
    if (context > 0) {
        const std::int64_t conversation = row.integer(8), ordinal = row.integer(9);
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
