// SPDX-License-Identifier: Apache-2.0
// Packed: a byte for the version, then a Zstandard frame with its content's size and checksum. Plain: how many chats;
// of each the size of its JSON, where in that its id stands (0: among the ids that follow, else one more) and how long
// it is; the ids that stand in no JSON; the JSON texts one after the other. Numbers: seven bits a byte, lowest first.
#include "cache/chats/segment.hpp"

#include "cache/db/varint.hpp"

#include <zstd.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace alli::cache {
namespace {

constexpr char version = 1;
constexpr std::size_t most_plain = std::size_t{64} << 20; // far more than is ever packed

// What a frame may refer to before its own first byte: the names and marks of the contract's JSON, nothing that anybody
// wrote. Part of version 1, so it never changes.
constexpr std::string_view skeleton =
    R"({"blocks":[{"key":"","text":"","type":"unstyled","depth":0,"inlineStyleRanges":[],"entityRanges":[],"data":{}}])"
    R"(,"entityMap":{}},{"id":"Q2hhdDo=","sender":"BOT","message":"","timestamp":17,"source":null,"citations":[{"titl)"
    R"(e":"","source":"","url":"https://","page":1}],"rating":null,"agentRating":null,"type":"text","completed":true},)"
    R"({"id":"Q2hhdDo=","sender":"USER","message":"{\"blocks\":[{\"key\":\"\",\"text\":\"\",\"type\":\"unstyled\",\"d)"
    R"(epth\":0,\"inlineStyleRanges\":[],\"entityRanges\":[],\"data\":{}}],\"entityMap\":{}}","timestamp":17,"source")"
    R"(:null,"citations":null,"rating":null,"agentRating":null,"type":"text","completed":true})";

/// Reads from the front of a text and takes off what it read. Throws DamagedSegment where there is too little.
class Taker {
  public:
    explicit Taker(std::string_view text) : text_(text) {}

    std::string_view bytes(std::size_t size)
    {
        if (size > text_.size()) throw DamagedSegment();
        const std::string_view taken = text_.substr(0, size);
        text_.remove_prefix(size);
        return taken;
    }
    std::size_t number()
    {
        const auto value = take_varint(text_);
        if (!value) throw DamagedSegment();
        return *value;
    }
    bool is_empty() const noexcept { return text_.empty(); }

  private:
    std::string_view text_;
};

std::string join(std::span<const PackedChat> chats)
{
    std::string heads, ids, plain;
    append_varint(heads, chats.size());
    std::size_t size = 0;
    for (const PackedChat& chat : chats) {
        const std::size_t at = chat.id.empty() ? chat.raw.npos : chat.raw.find(chat.id);
        append_varint(heads, chat.raw.size());
        append_varint(heads, at == chat.raw.npos ? 0 : at + 1);
        append_varint(heads, chat.id.size());
        if (at == chat.raw.npos) ids += chat.id;
        size += chat.raw.size();
    }
    plain.reserve(heads.size() + ids.size() + size);
    plain.append(heads).append(ids);
    for (const PackedChat& chat : chats) plain += chat.raw;
    return plain;
}

struct Head {
    std::size_t size, id_at, id_size;
};

// Returns how many there are.
std::size_t split(std::string_view plain, std::span<PackedChat, chats_a_segment> chats)
{
    Taker taker(plain);
    const std::size_t count = taker.number();
    if (count > static_cast<std::size_t>(chats_a_segment)) throw DamagedSegment();
    std::array<Head, chats_a_segment> heads{};
    for (Head& head : std::span(heads).first(count)) head = {taker.number(), taker.number(), taker.number()};
    for (std::size_t n = 0; n < count; ++n)
        if (heads[n].id_at == 0) chats[n].id = taker.bytes(heads[n].id_size);
    for (std::size_t n = 0; n < count; ++n) {
        chats[n].raw = taker.bytes(heads[n].size);
        if (heads[n].id_at == 0) continue;
        Taker id(chats[n].raw);
        id.bytes(heads[n].id_at - 1);
        chats[n].id = id.bytes(heads[n].id_size);
    }
    if (!taker.is_empty()) throw DamagedSegment();
    return count;
}

struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
    void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
    void operator()(ZSTD_DDict* dictionary) const { ZSTD_freeDDict(dictionary); }
};

ZSTD_CCtx* compressor()
{
    constexpr int level = 4;
    static const std::unique_ptr<ZSTD_CDict, Free> dictionary(
        ZSTD_createCDict(skeleton.data(), skeleton.size(), level));
    thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
    if (!dictionary || !context) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_refCDict(context.get(), dictionary.get());
    return context.get();
}

ZSTD_DCtx* decompressor()
{
    static const std::unique_ptr<ZSTD_DDict, Free> dictionary(ZSTD_createDDict(skeleton.data(), skeleton.size()));
    thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
    if (!dictionary || !context) throw std::bad_alloc();
    ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
    ZSTD_DCtx_refDDict(context.get(), dictionary.get());
    return context.get();
}

/// Not cleared: what is unpacked overwrites it.
struct Buffer {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
};

// Of a page of a list, fifty and more are unpacked one after the other.
constexpr std::size_t least_buffer = 16 * 1024, most_spare = 256 * 1024;
thread_local Buffer spare;

Buffer take_buffer(std::size_t size)
{
    if (spare.size >= size) return {std::move(spare.bytes), std::exchange(spare.size, 0)};
    const std::size_t room = std::max(size, least_buffer);
    return {std::make_unique_for_overwrite<char[]>(room), room};
}

// None: no frame of ours begins there.
std::optional<std::size_t> plain_size(std::string_view frame)
{
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > most_plain) return std::nullopt;
    return static_cast<std::size_t>(size);
}

} // namespace

std::string pack_segment(std::span<const PackedChat> chats)
{
    const std::string plain = join(chats);
    if (plain.size() > most_plain) throw std::length_error("too much for a segment");
    std::string packed(1 + ZSTD_compressBound(plain.size()), version);
    const std::size_t size =
        ZSTD_compress2(compressor(), packed.data() + 1, packed.size() - 1, plain.data(), plain.size());
    if (ZSTD_isError(size)) throw std::bad_alloc(); // there is room for whatever comes
    packed.resize(1 + size);
    return packed;
}

std::string unpack_remains(std::string_view bytes)
{
    if (bytes.empty() || bytes.front() != version) return "";
    const std::string_view frame = bytes.substr(1);
    const auto size = plain_size(frame);
    if (!size) return "";
    std::string plain(*size, '\0');
    ZSTD_outBuffer out{plain.data(), plain.size(), 0};
    ZSTD_inBuffer in{frame.data(), frame.size(), 0};
    ZSTD_DCtx* const context = decompressor();
    for (std::size_t hint = 1; hint != 0 && !ZSTD_isError(hint) && in.pos < in.size && out.pos < out.size;)
        hint = ZSTD_decompressStream(context, &out, &in);
    plain.resize(out.pos);
    return plain;
}

UnpackedSegment::UnpackedSegment(std::string_view packed)
{
    if (packed.empty() || packed.front() != version) throw DamagedSegment();
    const std::string_view frame = packed.substr(1);
    const auto size = plain_size(frame);
    if (!size) throw DamagedSegment();
    Buffer buffer = take_buffer(*size);
    const std::size_t got = ZSTD_decompressDCtx(decompressor(), buffer.bytes.get(), *size, frame.data(), frame.size());
    if (ZSTD_isError(got) || got != *size) throw DamagedSegment();
    count_ = split({buffer.bytes.get(), *size}, chats_);
    plain_ = std::move(buffer.bytes);
    room_ = buffer.size;
}

UnpackedSegment::~UnpackedSegment()
{
    if (room_ <= spare.size || room_ > most_spare) return;
    spare.bytes = std::move(plain_);
    spare.size = room_;
}

} // namespace alli::cache
