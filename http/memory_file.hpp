// SPDX-License-Identifier: Apache-2.0
// Bodies in a file in memory (memfd_create), which sendfile hands to a socket without a copy. The kernel reads a body's
// pages after sendfile has returned, until the peer has taken them. So no byte is ever written twice: each body gets
// pages of its own behind all others, and one that is no longer needed is punched out of the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace alli::http {

class MemoryFile {
    struct Descriptor;

  public:
    /// One body in the file. Its space is given back when it goes, on any thread.
    class Extent {
      public:
        Extent(std::shared_ptr<const Descriptor> file, std::uint64_t offset, std::size_t size);
        ~Extent();
        Extent(const Extent&) = delete;
        Extent& operator=(const Extent&) = delete;

        int descriptor() const noexcept;
        std::uint64_t offset() const noexcept { return offset_; }
        std::size_t size() const noexcept { return size_; }
        std::string text() const; // a copy

      private:
        std::shared_ptr<const Descriptor> file_;
        std::uint64_t offset_;
        std::size_t size_;
    };

    /// The memory that a body of that size takes: whole pages.
    static std::size_t footprint(std::size_t size) noexcept;

    /// Null: the system has no memory, no descriptor or no such files left. One thread at a time.
    std::shared_ptr<const Extent> put(std::string_view body);

    /// The memory in use by all bodies that live. For tests.
    std::uint64_t allocated() const;

  private:
    std::shared_ptr<const Descriptor> file_;
    std::uint64_t end_ = 0; // where the next body begins
};

} // namespace alli::http
