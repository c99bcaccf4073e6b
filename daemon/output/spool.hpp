// SPDX-License-Identifier: Apache-2.0
// Buffers text, a few megabytes in memory and the rest in an unnamed file, so that a read snapshot is released before a
// slow output is waited for. One thread.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace alli::daemon {

class Spool {
  public:
    explicit Spool(std::size_t most_in_memory = 8 * 1024 * 1024) : most_(most_in_memory) {}

    void write(std::string_view text); // throws Error{disk_full, io}
    /// Passes everything on in order, and empties the spool.
    void pour(const std::function<void(std::string_view)>& sink);

  private:
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    void spill();

    std::size_t most_;
    std::string text_; // what came last
    std::unique_ptr<std::FILE, Close> file_;
};

} // namespace alli::daemon
