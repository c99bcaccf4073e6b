// SPDX-License-Identifier: Apache-2.0
// The texts of chats as they are stored: in segments (cache/chats/segment.hpp), and one a row where a text is too large
// for one or the file is of an older version and not packed yet. Both are read as one; what is written is packed.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <array>
#include <bitset>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace alli::cache {

/// A chat's JSON with its id, as long as the call lasts that hands it over.
struct ChatTextView {
    std::int64_t ordinal;
    std::string_view id, raw;
};
using TakeText = std::function<void(const ChatTextView&)>;

/// Hands over the texts of the ordinals [from, to) that there are, oldest first. `take` reads no texts itself. Throws
/// Error{damaged} for a segment that cannot be unpacked.
void visit_texts(Reader& db, std::int64_t conversation, std::int64_t from, std::int64_t to, const TakeText& take);
/// All of the conversation's.
void visit_texts(Reader& db, std::int64_t conversation, const TakeText& take);

struct ChatText {
    std::int64_t ordinal = 0;
    std::string id, raw;
};
std::optional<ChatText> find_text_at(Reader& db, std::int64_t key); // cache/db/chat_text_key.hpp
/// By the chat's id. The newest are looked through first.
std::optional<ChatText> find_text(Reader& db, std::int64_t conversation, std::string_view id);

struct OrdinalRange { // of ordinals, [from, to)
    std::int64_t conversation = 0, from = 0, to = 0;
};
/// The ids of the chats of each range, oldest first: two statements for all of them.
std::vector<std::vector<ChatId>> load_text_ids(Reader& db, std::span<const OrdinalRange> ranges);

/// Changes to the texts of one conversation: each segment is unpacked once and packed again by write().
class TextChanges {
  public:
    /// `end`: no chat is held of this ordinal or a higher one.
    TextChanges(Writer& db, std::int64_t conversation, std::int64_t end = std::numeric_limits<std::int64_t>::max())
        : db_(db), conversation_(conversation), end_(end)
    {}

    /// As changed so far; null: there is none.
    const ChatText* find(std::int64_t ordinal);
    void put(ChatText text);
    /// Removes those from an ordinal on, at once. What was put before has been written.
    void remove_from(std::int64_t ordinal);
    /// Packs what stands single from that ordinal on in its segment. Returns how many bytes of JSON the segment has.
    std::size_t pack(std::int64_t ordinal);
    void write();

  private:
    struct Part { // of the texts: those of one segment
        std::array<ChatText, 20> texts;
        std::bitset<20> changed; // those that were put or removed
        bool to_write = false;
    };
    Part& part_of(std::int64_t ordinal);
    void write_singles(std::int64_t key, const Part& part);
    void write_part(std::int64_t first, const Part& part);

    Writer& db_;
    std::int64_t conversation_, end_;
    std::map<std::int64_t, Part> parts_; // by their first ordinal
};

/// Packs some of what an older version wrote. True: there is more to do.
bool pack_texts(Writer& db);

} // namespace alli::cache
