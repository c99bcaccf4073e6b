// SPDX-License-Identifier: Apache-2.0
#include "sandbox/compression.hpp"

#include <zlib.h>

#include <array>
#include <new>

namespace alli::sandbox {
namespace {

constexpr std::size_t worth_it = 200; // bytes

class Gzip {
  public:
    Gzip()
    {
        constexpr int gzip = 16; // zlib: added to the window's size
        if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + gzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::bad_alloc{};
    }
    ~Gzip() { deflateEnd(&stream_); }
    Gzip(const Gzip&) = delete;
    Gzip& operator=(const Gzip&) = delete;

    void add(std::string text, int flush)
    {
        stream_.next_in = reinterpret_cast<Bytef*>(text.data());
        stream_.avail_in = static_cast<uInt>(text.size());
        do {
            std::array<char, 16 * 1024> block;
            stream_.next_out = reinterpret_cast<Bytef*>(block.data());
            stream_.avail_out = static_cast<uInt>(block.size());
            deflate(&stream_, flush);
            out.append(block.data(), block.size() - stream_.avail_out);
        } while (stream_.avail_out == 0);
    }

    std::string out;

  private:
    z_stream stream_{};
};

std::string compressed(std::string_view body, bool by_line)
{
    Gzip gzip;
    for (auto end = body.find('\n'); by_line && end != body.npos; end = body.find('\n')) {
        gzip.add(std::string{body.substr(0, end + 1)}, Z_SYNC_FLUSH);
        body.remove_prefix(end + 1);
    }
    gzip.add(std::string{body}, Z_FINISH);
    return std::move(gzip.out);
}

} // namespace

void compress(Answer& answer, const Call& call)
{
    if (answer.body.size() < worth_it || call.header("Accept-Encoding").find("gzip") == std::string_view::npos) return;
    answer.body = compressed(answer.body, answer.chunked);
    answer.headers.add("Content-Encoding", "gzip");
    answer.headers.add("Vary", "Accept-Encoding");
}

} // namespace alli::sandbox
