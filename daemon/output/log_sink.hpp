// SPDX-License-Identifier: Apache-2.0
// Writes log lines to a descriptor without blocking: a full pipe would stall every thread that logs. Lines that do not
// fit are dropped and counted.
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

    /// The number of dropped lines. Any thread.
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
