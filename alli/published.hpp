// SPDX-License-Identifier: Apache-2.0
// A value that any thread reads whole while another replaces it. Not std::atomic<std::shared_ptr>: in libstdc++ 12 its
// load() lets go of the inner lock without an order, so that what a reader read may be freed under it.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace alli {

/// Any thread. The lock is held for the copy of a pointer, never while a value is made, read or destroyed.
template <class T>
class Published {
  public:
    using Value = std::shared_ptr<const T>;

    Published() : value_(std::make_shared<const T>()) {}
    explicit Published(Value value) : value_(std::move(value)) {}

    Value load() const
    {
        const std::lock_guard lock(mutex_);
        return value_;
    }

    void store(Value next)
    {
        const std::lock_guard lock(mutex_);
        value_.swap(next);
    }

    /// Replaces the value by a copy that `change(T&)` has changed. It is called again where another thread was faster:
    /// what it does beside the copy must bear repeating.
    template <class Change>
    void update(Change change)
    {
        for (bool replaced = false; !replaced;) {
            const Value before = load();
            auto next = std::make_shared<T>(*before);
            change(*next);
            replaced = replace(before, std::move(next));
        }
    }

  private:
    bool replace(const Value& before, Value next)
    {
        const std::lock_guard lock(mutex_);
        if (value_ != before) return false;
        value_.swap(next);
        return true;
    }

    mutable std::mutex mutex_;
    Value value_; // never null
};

} // namespace alli
