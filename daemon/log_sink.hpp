// SPDX-License-Identifier: Apache-2.0
// Where log lines are written: a descriptor, without ever waiting for whoever reads it. A pipe that is full would
// otherwise hold up every thread that has something to say, and with them the mirror. What finds no room is counted.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace alli::daemon {

class LogSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit LogSink(int descriptor) : descriptor_(descriptor) {}

    /// Lines that nobody will read. Any thread.
    std::uint64_t lost() const noexcept { return lost_; }
    void note_told(std::uint64_t count) noexcept { lost_ -= count; }

  private:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}
    bool write(std::string_view line) const;

    int descriptor_;
    std::atomic<std::uint64_t> lost_{0};
};

} // namespace alli::daemon
