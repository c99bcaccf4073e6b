// SPDX-License-Identifier: Apache-2.0
#include "cache/query/view_source.hpp"

#include "alli/quick_hash.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"

#include <algorithm>
#include <utility>

namespace alli::cache {
namespace {

constexpr std::chrono::seconds oldest{2};
constexpr std::int64_t piece = 200;

struct Sent {
    std::string sender;
    std::optional<Instant> at;
};

std::vector<std::pair<std::int64_t, Sent>> load_sent(Reader& db, std::int64_t conversation, std::int64_t from,
                                                     std::int64_t to)
{
    const auto read = [](const Row& row) {
        return std::pair(ordinal_of_key(row.integer(0)), Sent{std::string(row.text(1)), row.optional_instant(2)});
    };
    return db.all(
        read, "SELECT place, sender, sent_at FROM chat_row WHERE place >= ?1 AND place < ?2 ORDER BY place LIMIT ?3",
        chat_text_key(conversation, from), chat_text_key(conversation, to), piece);
}

} // namespace

ViewSource::ViewSource(std::unique_ptr<Reader> mirror, std::function<void()> check)
    : mirror_(std::move(mirror)), check_(std::move(check))
{}

Reader& ViewSource::read()
{
    check_();
    release_old();
    if (!std::exchange(open_, true)) {
        mirror_->script("BEGIN");
        since_ = clock_.steady();
    }
    return *mirror_;
}

void ViewSource::release_old()
{
    if (open_ && clock_.steady() - since_ > oldest) release();
}

void ViewSource::release()
{
    if (std::exchange(open_, false)) mirror_->script("COMMIT");
}

void ViewSource::index_chats()
{
    std::int64_t after = 0;
    for (auto keys = list_keys(read(), after, 500); !keys.empty(); keys = list_keys(read(), after, 500)) {
        for (const Keyed& one : keys)
            visit_texts(read(), one.key, [&](const ChatTextView& text) {
                chats_.emplace_back(quick_hash(text.id), chat_text_key(one.key, text.ordinal));
            });
        after = keys.back().key;
    }
    std::sort(chats_.begin(), chats_.end());
    indexed_ = true;
}

std::vector<ChatRange> ViewSource::find_chats(std::string_view chat_id)
{
    if (!indexed_) index_chats();
    const auto [first, last] =
        std::equal_range(chats_.begin(), chats_.end(), std::pair(quick_hash(chat_id), std::int64_t{0}),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<ChatRange> found;
    for (auto it = first; it != last; ++it) {
        const std::int64_t key = conversation_of_key(it->second), ordinal = ordinal_of_key(it->second);
        if (auto id = read().one<ConversationId>("SELECT id FROM conversation WHERE pk = ?1", std::int64_t{key}))
            found.push_back({{key, std::move(*id)}, ordinal, ordinal + 1});
    }
    return found;
}

std::vector<ViewChat> load_piece(Reader& db, ChatRange& range, bool texts)
{
    auto sent = load_sent(db, range.conversation.key, range.from, range.to);
    std::vector<ViewChat> chats;
    const auto add = [&](std::int64_t ordinal, Sent& it, std::string_view id, std::string_view raw) {
        chats.emplace_back(range.conversation.id.value, ordinal,
                           ReadableChat{std::string(id), std::move(it.sender), "", it.at, std::string(raw)});
    };
    const std::int64_t end = std::ssize(sent) < piece ? range.to : sent.back().first + 1;
    auto next = sent.begin();
    if (texts && !sent.empty())
        visit_texts(db, range.conversation.key, range.from, sent.back().first + 1, [&](const ChatTextView& text) {
            while (next != sent.end() && next->first < text.ordinal) ++next;
            if (next != sent.end() && next->first == text.ordinal) add(text.ordinal, next->second, text.id, text.raw);
        });
    if (!texts)
        for (auto& [ordinal, it] : sent) add(ordinal, it, "", "");
    range.from = end;
    return chats;
}

} // namespace alli::cache
