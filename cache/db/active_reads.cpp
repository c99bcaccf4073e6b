// SPDX-License-Identifier: Apache-2.0
#include "cache/db/active_reads.hpp"

#include <algorithm>

namespace alli::cache {

ActiveReads::Entry::Entry(ActiveReads* reads, Connection& db, const char* what) : reads_(reads), db_(db), what_(what)
{
    if (reads_ == nullptr) return;
    const std::lock_guard hold(reads_->mutex_);
    reads_->entries_.push_back(this);
}

ActiveReads::Entry::~Entry()
{
    if (reads_ == nullptr) return;
    const std::lock_guard hold(reads_->mutex_);
    std::erase(reads_->entries_, this);
}

bool ActiveReads::Entry::was_ended() const noexcept
{
    if (reads_ == nullptr) return false;
    const std::lock_guard hold(reads_->mutex_);
    return ended_;
}

std::optional<ActiveReads::Oldest> ActiveReads::find_oldest() const
{
    const std::lock_guard hold(mutex_);
    const auto oldest = std::min_element(entries_.begin(), entries_.end(),
                                         [](const Entry* a, const Entry* b) { return a->since_ < b->since_; });
    if (oldest == entries_.end()) return std::nullopt;
    return Oldest{(*oldest)->what_, std::chrono::steady_clock::now() - (*oldest)->since_};
}

void ActiveReads::end_older_than(std::chrono::steady_clock::duration age) noexcept
{
    const Steady bound = std::chrono::steady_clock::now() - age;
    const std::lock_guard hold(mutex_);
    for (Entry* one : entries_) {
        if (one->since_ > bound) continue;
        one->ended_ = true;
        one->db_.interrupt();
    }
}

} // namespace alli::cache
