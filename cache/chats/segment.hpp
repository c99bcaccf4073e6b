// SPDX-License-Identifier: Apache-2.0
// Several chats of a conversation as one compressed value of a row: packed by the committing thread, unpacked by every
// reader (docs/decisions/0028). The format is stored, so it has a version; each segment carries a checksum of what it
// unpacks to. Knows no SQL. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace alli::cache {

inline constexpr std::int64_t chats_a_segment = 20;

/// A chat as it is packed: its id, which its JSON need not have, and the JSON itself, byte for byte.
struct PackedChat {
    std::string_view id, raw; // an empty raw: there is no chat
};

/// One chat for each of a segment's ordinals, up to the last that there is.
std::string pack_segment(std::span<const PackedChat> chats);

/// A segment that is cut short or altered.
struct DamagedSegment : std::runtime_error {
    DamagedSegment() : std::runtime_error("a segment of chats cannot be unpacked") {}
};

/// The chats of a segment, as views into a buffer of its own.
class UnpackedSegment {
  public:
    /// Throws DamagedSegment.
    explicit UnpackedSegment(std::string_view packed);
    UnpackedSegment(const UnpackedSegment&) = delete;
    UnpackedSegment& operator=(const UnpackedSegment&) = delete;

    ~UnpackedSegment();

    std::span<const PackedChat> chats() const noexcept { return std::span(chats_).first(count_); }

  private:
    std::unique_ptr<char[]> plain_;
    std::size_t room_ = 0; // of plain_
    std::array<PackedChat, chats_a_segment> chats_{};
    std::size_t count_ = 0;
};

/// What a segment that begins with these bytes unpacks to, whatever follows it, and as far as it goes; empty: none
/// begins there. For the proof that nothing is left of one in a file.
std::string unpack_remains(std::string_view bytes);

} // namespace alli::cache
