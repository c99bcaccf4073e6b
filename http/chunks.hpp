// SPDX-License-Identifier: Apache-2.0
// Decodes a chunked body strictly: sizes of at most 16 digits, lines that end with CR LF, extensions and trailers of
// bounded length, which are checked and dropped. A trailer about framing is refused: it may not stand there (RFC 9110
// 6.5.1), and who heeds it reads another message. Pure: no I/O, any thread.
#pragma once

#include "http/header_grammar.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace alli::http {

class ChunkReader {
  public:
    enum class Result { more, data, done, refused };
    struct Piece {
        Result result = Result::more;
        std::size_t framing = 0; // bytes at the front that are not data
        std::size_t data = 0;    // bytes of the body behind them
    };

    /// Reads the next part of the message. `data`: the bytes behind the framing belong to the body; `more`: all bytes
    /// were framing. The next call gets the bytes that follow both. After `done` the rest is the next request.
    Piece read(std::string_view bytes);

  private:
    enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer };

    bool take(char byte);
    bool take_size(char byte);
    bool take_extension(char byte);
    bool take_trailer(char byte);
    bool ends_name();
    void begin_data();

    State state_ = State::size;
    HeaderState trailer_ = HeaderState::line;
    std::array<char, 20> name_{}; // of the trailer, in lower case
    std::size_t name_size_ = 0;   // may be longer than what is kept of it
    std::uint64_t left_ = 0;      // of the chunk
    int digits_ = 0;
    std::size_t extension_ = 0, extensions_ = 0, trailer_bytes_ = 0, trailer_lines_ = 0;
};

} // namespace alli::http
