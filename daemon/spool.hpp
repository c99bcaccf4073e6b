// SPDX-License-Identifier: Apache-2.0
// Holds text until it may be written: a few megabytes in memory, more in a file without a name. So that a snapshot of
// the mirror is given back before an output that may stand still is waited for. One thread.
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
    /// Everything, in order; it is empty then.
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
