// SPDX-License-Identifier: Apache-2.0
// Bytes that were received and are not consumed yet, contiguous.
#pragma once

#include <boost/asio/buffer.hpp>

#include <string_view>
#include <vector>

namespace alli::http {

class ReadBuffer {
  public:
    std::string_view view() const noexcept { return {bytes_.data() + begin_, end_ - begin_}; }
    bool empty() const noexcept { return begin_ == end_; }
    std::size_t capacity() const noexcept { return bytes_.size(); }

    /// Room for `count` more bytes. Invalidates views.
    boost::asio::mutable_buffer prepare(std::size_t count)
    {
        if (bytes_.size() - end_ < count) compact();
        if (bytes_.size() - end_ < count) bytes_.resize(end_ + count);
        return boost::asio::buffer(bytes_.data() + end_, count);
    }
    /// So many bytes were written to that room.
    void commit(std::size_t count) noexcept { end_ += count; }
    void consume(std::size_t count) noexcept { begin_ += count; }
    void clear() noexcept { begin_ = end_ = 0; }

  private:
    void compact()
    {
        const std::string_view left = view();
        left.copy(bytes_.data(), left.size());
        begin_ = 0;
        end_ = left.size();
    }

    std::vector<char> bytes_;
    std::size_t begin_ = 0, end_ = 0;
};

} // namespace alli::http
