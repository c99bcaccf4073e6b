// SPDX-License-Identifier: Apache-2.0
// Idle read connections of one file. Any thread.
#pragma once

#include "cache/db/sqlite.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace alli::cache {

class Readers {
  public:
    /// `counts`: their steps, for tests.
    Readers(std::string path, bool counts) : path_(std::move(path)), counts_(counts) {}

    std::unique_ptr<Reader> take()
    {
        {
            const std::lock_guard hold(mutex_);
            if (!idle_.empty()) {
                auto reader = std::move(idle_.back());
                idle_.pop_back();
                return reader;
            }
        }
        auto reader = std::make_unique<Reader>(path_, Access::read);
        if (counts_) reader->count_steps();
        return reader;
    }

    void give_back(std::unique_ptr<Reader> reader)
    {
        const std::lock_guard hold(mutex_);
        idle_.push_back(std::move(reader));
    }

  private:
    std::string path_;
    bool counts_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Reader>> idle_;
};

} // namespace alli::cache
