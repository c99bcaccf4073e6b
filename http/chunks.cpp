// SPDX-License-Identifier: Apache-2.0
#include "http/chunks.hpp"

#include <algorithm>

namespace alli::http {
namespace {

constexpr int most_digits = 16;
constexpr std::uint64_t most_data = std::uint64_t{1} << 62;
constexpr std::size_t one_extension = 256, all_extensions = 1024;
constexpr std::array<std::string_view, 2> framing_fields{"transfer-encoding", "content-length"};
constexpr std::size_t most_trailer_bytes = 16 * 1024, most_trailer_lines = 100;

int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_text(char c)
{
    return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

} // namespace

ChunkReader::Piece ChunkReader::read(std::string_view bytes)
{
    Piece piece;
    for (; piece.framing < bytes.size(); ++piece.framing) {
        if (state_ == State::data) {
            piece.data = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - piece.framing));
            left_ -= piece.data;
            if (left_ == 0) state_ = State::data_cr;
            piece.result = Result::data;
            return piece;
        }
        if (!take(bytes[piece.framing])) {
            piece.result = Result::refused;
            return piece;
        }
        if (trailer_ != HeaderState::end) continue;
        ++piece.framing;
        piece.result = Result::done;
        return piece;
    }
    return piece;
}

bool ChunkReader::take(char byte)
{
    switch (state_) {
    case State::size:
        return take_size(byte);
    case State::extension:
        return take_extension(byte);
    case State::size_lf:
        begin_data();
        return byte == '\n';
    case State::data:
        return false; // read() consumes data
    case State::data_cr:
        state_ = State::data_lf;
        return byte == '\r';
    case State::data_lf:
        state_ = State::size;
        return byte == '\n';
    case State::trailer:
        return take_trailer(byte);
    }
    return false;
}

bool ChunkReader::take_size(char byte)
{
    if (const int digit = digit_of(byte); digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        return ++digits_ <= most_digits;
    }
    if (digits_ == 0 || left_ > most_data) return false;
    extension_ = 0;
    if (byte == '\r') state_ = State::size_lf;
    if (byte == ';') state_ = State::extension;
    return byte == '\r' || byte == ';';
}

bool ChunkReader::take_extension(char byte)
{
    if (byte == '\r') {
        state_ = State::size_lf;
        return true;
    }
    return is_text(byte) && ++extension_ <= one_extension && ++extensions_ <= all_extensions;
}

void ChunkReader::begin_data()
{
    state_ = left_ > 0 ? State::data : State::trailer;
    digits_ = 0;
}

bool ChunkReader::ends_name()
{
    const std::string_view name(name_.data(), std::min(name_size_, name_.size()));
    const bool whole = name_size_ <= name_.size();
    name_size_ = 0;
    return !whole || std::find(framing_fields.begin(), framing_fields.end(), name) == framing_fields.end();
}

bool ChunkReader::take_trailer(char byte)
{
    const HeaderState next = next_state(trailer_, byte);
    if (next == HeaderState::name) {
        if (trailer_ == HeaderState::line) ++trailer_lines_;
        if (name_size_ < name_.size())
            name_[name_size_] = static_cast<char>(byte | 0x20); // letters and '-' alone matter
        ++name_size_;
    } else if (trailer_ == HeaderState::name && !ends_name()) {
        return false;
    }
    trailer_ = next;
    return next != HeaderState::bad && ++trailer_bytes_ <= most_trailer_bytes && trailer_lines_ <= most_trailer_lines;
}

} // namespace alli::http
