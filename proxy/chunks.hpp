// SPDX-License-Identifier: Apache-2.0
// The framing of a chunked body, strictly: sizes of at most 16 digits, line ends of CR LF, little room for extensions
// and trailers, which are checked and dropped. Pure: no I/O, any thread.
#pragma once

#include "proxy/head_scan.hpp"

#include <cstdint>
#include <string_view>

namespace alli::proxy {

class ChunkReader {
  public:
    enum class Result { more, data, done, refused };
    struct Piece {
        Result result = Result::more;
        std::size_t framing = 0; // bytes at the front that are no data
        std::size_t data = 0;    // bytes of the body behind them
    };

    /// Looks at what is to come. With `data` the bytes behind the framing belong to the body; `more`: all were framing.
    /// The next call gets what follows both. After `done` the rest is the next request.
    Piece read(std::string_view bytes);

  private:
    enum class State { size, extension, size_lf, data, data_cr, data_lf, trailer };

    bool take(char byte);
    bool take_size(char byte);
    bool take_extension(char byte);
    bool take_trailer(char byte);
    void begin_data();

    State state_ = State::size;
    At trailer_ = At::line;
    std::uint64_t left_ = 0; // of the chunk
    int digits_ = 0;
    std::size_t extension_ = 0, extensions_ = 0, trailer_bytes_ = 0, trailer_lines_ = 0;
};

} // namespace alli::proxy
