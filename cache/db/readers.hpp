// SPDX-License-Identifier: Apache-2.0
// Idle read connections of one file, the one that was used last first. One that nobody has used for a while gives the
// memory of its pages back. Any thread.
#pragma once

#include "cache/db/page_cache.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace alli::cache {

class Readers {
  public:
    using Steady = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds rest{10};

    /// `counts`: their steps, for tests.
    Readers(std::string path, bool counts) : path_(std::move(path)), counts_(counts) {}

    std::unique_ptr<Reader> take()
    {
        {
            const std::lock_guard hold(mutex_);
            if (!idle_.empty()) {
                auto reader = std::move(idle_.back().reader);
                idle_.pop_back();
                return reader;
            }
        }
        auto reader = std::make_unique<Reader>(path_, Access::read);
        if (counts_) reader->count_steps();
        return reader;
    }

    void give_back(std::unique_ptr<Reader> reader, Steady now = std::chrono::steady_clock::now())
    {
        const std::lock_guard hold(mutex_);
        for (Idle& one : idle_) { // oldest first
            if (now - one.since < rest) break;
            if (!std::exchange(one.released, true)) release_pages(*one.reader);
        }
        idle_.push_back({std::move(reader), now});
    }

  private:
    struct Idle {
        std::unique_ptr<Reader> reader;
        Steady since;
        bool released = false;
    };

    std::string path_;
    bool counts_;
    std::mutex mutex_;
    std::vector<Idle> idle_;
};

} // namespace alli::cache
