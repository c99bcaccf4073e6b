// SPDX-License-Identifier: Apache-2.0
#include "cache/chats/chat_texts.hpp"

#include "alli/error.hpp"
#include "cache/chats/segment.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/db/meta.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace alli::cache {
namespace {

// A larger text would be packed anew with each change of its neighbours.
constexpr std::size_t most_packed = 64 * 1024;

std::int64_t first_of_segment(std::int64_t ordinal)
{
    return ordinal - ordinal % chats_a_segment;
}

UnpackedSegment unpack(Reader& db, std::string_view packed)
{
    try {
        return UnpackedSegment(packed);
    } catch (const DamagedSegment& damage) {
        throw Error(Fault::damaged, "restart the program (serve, or sync): a damaged file is set aside and made anew",
                    "{} is damaged: {}", db.path(), damage.what());
    }
}

/// The texts of [from, to) that stand in a row of their own, in the order of their keys.
class SingleTexts {
  public:
    SingleTexts(Reader& db, std::int64_t from, std::int64_t to)
        : rows_(db.query("SELECT t.place, i.id, t.raw FROM chat_text t LEFT JOIN chat_text_id i ON i.place = t.place"
                         " WHERE t.place >= ?1 AND t.place < ?2 ORDER BY t.place",
                         from, to)),
          more_(rows_.step())
    {}

    void take_before(std::int64_t key, const TakeText& take)
    {
        for (; more_ && rows_.row().integer(0) < key; more_ = rows_.step()) {
            const Row row = rows_.row();
            take({ordinal_of_key(row.integer(0)), row.text(1), row.text(2)});
        }
    }

  private:
    Rows rows_;
    bool more_;
};

struct KeyRange { // [from, to)
    std::int64_t from, to;
};

// Calls `take` with the key of each chat of the range that the segment has, and the chat. `key`: of the segment.
template <class Take>
void visit_segment(std::int64_t key, const UnpackedSegment& segment, KeyRange range, const Take& take)
{
    for (const PackedChat& chat : segment.chats()) {
        if (key >= range.from && key < range.to && !chat.raw.empty()) take(key, chat);
        ++key;
    }
}

/// The texts of [from, to), packed and single ones. A text stands in one of the two: the single ones are looked for
/// where a packed one is missing, and not at all where none is.
class TextsInOrder {
  public:
    TextsInOrder(Reader& db, std::int64_t from, std::int64_t to, const TakeText& take)
        : db_(db), next_(from), end_(to), take_(take)
    {}

    void take(std::int64_t key, const PackedChat& chat)
    {
        take_singles_before(key);
        take_({ordinal_of_key(key), chat.id, chat.raw});
        next_ = key + 1;
    }
    void take_rest() { take_singles_before(end_); }

  private:
    void take_singles_before(std::int64_t key)
    {
        if (next_ >= key) return;
        if (!singles_) singles_.emplace(db_, next_, end_);
        singles_->take_before(key, take_);
    }

    Reader& db_;
    std::int64_t next_; // all before it were handed over
    const std::int64_t end_;
    const TakeText& take_;
    std::optional<SingleTexts> singles_;
};

ChatText copy_of(const ChatTextView& text)
{
    return {text.ordinal, std::string(text.id), std::string(text.raw)};
}

std::optional<ChatText> find_packed(Reader& db, std::int64_t conversation, std::string_view id)
{
    for (const Row row : db.query("SELECT place, body FROM chat_segment WHERE place >= ?1 AND place < ?2"
                                  " ORDER BY place DESC",
                                  chat_text_key(conversation, 0), chat_text_key(conversation + 1, 0))) {
        const UnpackedSegment segment = unpack(db, row.text(1));
        const std::span<const PackedChat> chats = segment.chats();
        const auto found = std::find_if(chats.begin(), chats.end(),
                                        [&](const PackedChat& chat) { return chat.id == id && !chat.raw.empty(); });
        if (found != chats.end())
            return ChatText{ordinal_of_key(row.integer(0)) + (found - chats.begin()), std::string(id),
                            std::string(found->raw)};
    }
    return std::nullopt;
}

std::string list_keys(std::span<const OrdinalRange> ranges)
{
    std::string json = "[";
    for (const OrdinalRange& range : ranges)
        json += fmt::format("{}[{},{},{}]", json.size() > 1 ? "," : "",
                            chat_text_key(range.conversation, first_of_segment(range.from)),
                            chat_text_key(range.conversation, range.from), chat_text_key(range.conversation, range.to));
    return json + "]";
}

KeyRange keys_of(const OrdinalRange& range)
{
    return {chat_text_key(range.conversation, range.from), chat_text_key(range.conversation, range.to)};
}

} // namespace

void visit_texts(Reader& db, std::int64_t conversation, std::int64_t from, std::int64_t to, const TakeText& take)
{
    from = std::max<std::int64_t>(from, 0);
    if (from >= to) return;
    const KeyRange range{chat_text_key(conversation, from), chat_text_key(conversation, to)};
    TextsInOrder texts(db, range.from, range.to, take);
    const auto take_packed = [&](std::int64_t key, const PackedChat& chat) { texts.take(key, chat); };
    for (const Row row : db.query("SELECT place, body FROM chat_segment WHERE place >= ?1 AND place < ?2"
                                  " ORDER BY place",
                                  chat_text_key(conversation, first_of_segment(from)), range.to))
        visit_segment(row.integer(0), unpack(db, row.text(1)), range, take_packed);
    texts.take_rest();
}

void visit_texts(Reader& db, std::int64_t conversation, const TakeText& take)
{
    visit_texts(db, conversation, 0, chats_a_conversation, take);
}

std::optional<ChatText> find_text_at(Reader& db, std::int64_t key)
{
    std::optional<ChatText> found;
    const std::int64_t ordinal = ordinal_of_key(key);
    visit_texts(db, conversation_of_key(key), ordinal, ordinal + 1,
                [&](const ChatTextView& text) { found = copy_of(text); });
    return found;
}

std::optional<ChatText> find_text(Reader& db, std::int64_t conversation, std::string_view id)
{
    if (auto found = find_packed(db, conversation, id)) return found;
    const auto read = [](const Row& row) {
        return ChatText{ordinal_of_key(row.integer(0)), std::string(row.text(1)), std::string(row.text(2))};
    };
    return db.one(read,
                  "SELECT t.place, i.id, t.raw FROM chat_text t JOIN chat_text_id i ON i.place = t.place"
                  " WHERE t.place >= ?1 AND t.place < ?2 AND i.id = ?3 ORDER BY t.place DESC LIMIT 1",
                  chat_text_key(conversation, 0), chat_text_key(conversation + 1, 0), id);
}

std::vector<std::vector<ChatId>> load_text_ids(Reader& db, std::span<const OrdinalRange> ranges)
{
    const std::string keys = list_keys(ranges); // in each: of the first segment, from, to
    std::vector<std::vector<std::pair<std::int64_t, ChatId>>> found(ranges.size());
    for (const Row row : db.query("SELECT w.key, s.place, s.body FROM json_each(?1) AS w CROSS JOIN chat_segment AS s"
                                  " ON s.place >= w.value ->> 0 AND s.place < w.value ->> 2",
                                  keys)) {
        const auto n = static_cast<std::size_t>(row.integer(0));
        visit_segment(row.integer(1), unpack(db, row.text(2)), keys_of(ranges[n]),
                      [&](std::int64_t key, const PackedChat& chat) {
                          found[n].emplace_back(key, ChatId{std::string(chat.id)});
                      });
    }
    for (const Row row : db.query("SELECT w.key, i.place, i.id FROM json_each(?1) AS w CROSS JOIN chat_text_id AS i"
                                  " ON i.place >= w.value ->> 1 AND i.place < w.value ->> 2",
                                  keys))
        found[static_cast<std::size_t>(row.integer(0))].emplace_back(row.integer(1), row.get<ChatId>(2));
    std::vector<std::vector<ChatId>> ids(ranges.size());
    for (std::size_t n = 0; n < ranges.size(); ++n) {
        std::sort(found[n].begin(), found[n].end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (auto& [key, id] : found[n]) ids[n].push_back(std::move(id));
    }
    return ids;
}

TextChanges::Part& TextChanges::part_of(std::int64_t ordinal)
{
    static_assert(std::tuple_size_v<decltype(Part::texts)> == chats_a_segment);
    const std::int64_t first = first_of_segment(ordinal);
    const auto [place, is_new] = parts_.try_emplace(first);
    Part& part = place->second;
    if (is_new && first < end_)
        visit_texts(db_, conversation_, first, first + chats_a_segment, [&](const ChatTextView& text) {
            part.texts[static_cast<std::size_t>(text.ordinal - first)] = copy_of(text);
        });
    return part;
}

const ChatText* TextChanges::find(std::int64_t ordinal)
{
    const ChatText& text = part_of(ordinal).texts[static_cast<std::size_t>(ordinal % chats_a_segment)];
    return text.raw.empty() ? nullptr : &text;
}

void TextChanges::put(ChatText text)
{
    Part& part = part_of(text.ordinal);
    const auto at = static_cast<std::size_t>(text.ordinal % chats_a_segment);
    part.to_write = true;
    part.changed.set(at);
    part.texts[at] = std::move(text);
}

void TextChanges::remove_from(std::int64_t ordinal)
{
    const std::int64_t first = first_of_segment(ordinal), end = chat_text_key(conversation_ + 1, 0);
    if (ordinal > first) {
        Part& part = part_of(ordinal);
        for (auto at = static_cast<std::size_t>(ordinal - first); at < part.texts.size(); ++at) {
            part.texts[at] = ChatText();
            part.changed.set(at);
        }
        part.to_write = true;
    }
    const std::int64_t whole = ordinal > first ? first + chats_a_segment : first; // segments that go as a whole
    parts_.erase(parts_.lower_bound(whole), parts_.end());
    db_.run("DELETE FROM chat_segment WHERE place >= ?1 AND place < ?2", chat_text_key(conversation_, whole), end);
    db_.run("DELETE FROM chat_text WHERE place >= ?1 AND place < ?2", chat_text_key(conversation_, ordinal), end);
    db_.run("DELETE FROM chat_text_id WHERE place >= ?1 AND place < ?2", chat_text_key(conversation_, ordinal), end);
    write();
}

std::size_t TextChanges::pack(std::int64_t ordinal)
{
    Part& part = part_of(ordinal);
    part.to_write = true;
    std::size_t bytes = 0;
    for (const ChatText& text : part.texts) bytes += text.raw.size();
    return bytes;
}

void TextChanges::write()
{
    for (auto& [first, part] : parts_) {
        if (part.to_write) write_part(first, part);
        part.changed.reset();
        part.to_write = false;
    }
}

// Those that stay single and did not change are left alone: they are large.
void TextChanges::write_singles(std::int64_t key, const Part& part)
{
    std::bitset<20> stay, come;
    for (std::size_t at = 0; at < part.texts.size(); ++at)
        if (part.texts[at].raw.size() > most_packed) (part.changed[at] ? come : stay).set(at);
    for (const char* sql : {"DELETE FROM chat_text WHERE place >= ?1 AND place < ?2",
                            "DELETE FROM chat_text_id WHERE place >= ?1 AND place < ?2"}) {
        std::int64_t from = key;
        for (std::size_t at = 0; at < part.texts.size(); ++at) {
            if (!stay[at]) continue;
            db_.run(sql, from, key + static_cast<std::int64_t>(at));
            from = key + static_cast<std::int64_t>(at) + 1;
        }
        db_.run(sql, from, key + chats_a_segment);
    }
    for (std::size_t at = 0; at < part.texts.size(); ++at) {
        if (!come[at]) continue;
        const std::int64_t place = key + static_cast<std::int64_t>(at);
        db_.run("INSERT INTO chat_text (place, raw) VALUES (?1, ?2)", place, part.texts[at].raw);
        db_.run("INSERT INTO chat_text_id (place, id) VALUES (?1, ?2)", place, part.texts[at].id);
    }
}

void TextChanges::write_part(std::int64_t first, const Part& part)
{
    const std::int64_t key = chat_text_key(conversation_, first);
    write_singles(key, part);
    std::vector<PackedChat> chats;
    for (const ChatText& text : part.texts)
        chats.push_back(text.raw.size() > most_packed ? PackedChat() : PackedChat{text.id, text.raw});
    while (!chats.empty() && chats.back().raw.empty()) chats.pop_back();
    if (chats.empty())
        db_.run("DELETE FROM chat_segment WHERE place = ?1", key);
    else
        db_.run("INSERT INTO chat_segment (place, body) VALUES (?1, CAST(?2 AS BLOB))"
                " ON CONFLICT (place) DO UPDATE SET body = excluded.body",
                key, pack_segment(chats));
}

bool pack_texts(Writer& db)
{
    constexpr std::size_t step_bytes = 256 * 1024; // some milliseconds
    constexpr int step_segments = 200;
    constexpr std::string_view progress = "packing_from";
    auto from = find_meta<std::int64_t>(db, progress);
    if (!from) return false;
    std::size_t bytes = 0;
    for (int segments = 0; segments < step_segments && bytes < step_bytes; ++segments) {
        const auto next =
            db.one<std::int64_t>("SELECT place FROM chat_text WHERE place >= ?1 ORDER BY place LIMIT 1", *from);
        if (!next) {
            drop_meta(db, progress);
            return false;
        }
        const std::int64_t conversation = conversation_of_key(*next), ordinal = ordinal_of_key(*next);
        TextChanges texts(db, conversation);
        bytes += texts.pack(ordinal);
        texts.write();
        from = chat_text_key(conversation, 0) + first_of_segment(ordinal) + chats_a_segment;
    }
    put_meta(db, progress, *from);
    return true;
}

} // namespace alli::cache
