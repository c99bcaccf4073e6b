// SPDX-License-Identifier: Apache-2.0
// Values by the numbers of groups (cache/insights/group_keys.hpp), of which none is 0: a table that is probed from a
// place that the number gives. Its room grows with how many numbers it has, not with how great they are. Pure.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace alli::cache {

template <class T>
class NumberMap {
  public:
    /// The value of a number, made where there is none.
    T& at(std::int64_t number)
    {
        if ((count_ + 1) * 4 > slots_.size() * 3) grow();
        Slot& slot = slots_[find_slot(slots_, number)];
        if (slot.first == 0) slot.first = number, ++count_;
        return slot.second;
    }

    T find(std::int64_t number) const // or T()
    {
        return slots_.empty() ? T() : slots_[find_slot(slots_, number)].second;
    }

    template <class Take>
    void visit(const Take& take) const
    {
        for (const Slot& slot : slots_)
            if (slot.first != 0) take(slot.first, slot.second);
    }

    std::size_t size() const noexcept { return count_; }
    std::size_t bytes() const noexcept { return slots_.size() * sizeof(Slot); }

  private:
    using Slot = std::pair<std::int64_t, T>; // of no number: 0

    // That of the number, or the empty one that it would get.
    static std::size_t find_slot(const std::vector<Slot>& slots, std::int64_t number)
    {
        const std::uint64_t mixed = static_cast<std::uint64_t>(number) * 0x9e37'79b9'7f4a'7c15U;
        std::size_t at = static_cast<std::size_t>(mixed >> 20) & (slots.size() - 1);
        while (slots[at].first != 0 && slots[at].first != number) at = (at + 1) & (slots.size() - 1);
        return at;
    }

    void grow()
    {
        std::vector<Slot> wider(slots_.empty() ? 64 : slots_.size() * 2);
        for (Slot& slot : slots_)
            if (slot.first != 0) wider[find_slot(wider, slot.first)] = std::move(slot);
        slots_ = std::move(wider);
    }

    std::vector<Slot> slots_; // a power of two, at least a quarter of them empty
    std::size_t count_ = 0;
};

} // namespace alli::cache
