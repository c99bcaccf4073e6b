// SPDX-License-Identifier: Apache-2.0
#include "cache/db/change_set.hpp"

#include "cache/db/chat_text_key.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::size_t most = 1000;

} // namespace

// A chat's row never changes without its text, a category without its conversation.
void ChangeSet::row(std::string_view table, std::int64_t rowid)
{
    const bool own = table == "conversation";
    const bool text = table == "chat_segment" || table == "chat_text";
    if (!own && !text && table != "purged_day") return;
    lists_ = true;
    if (table != "purged_day") conversation(own ? rowid : conversation_of_key(rowid));
}

void ChangeSet::conversation(std::int64_t pk)
{
    if (!conversations_.empty() && conversations_.back() == pk) return;
    if (conversations_.size() < most)
        conversations_.push_back(pk);
    else
        all_ = true;
}

void ChangeSet::clear() noexcept
{
    conversations_.clear();
    lists_ = all_ = false;
}

void InvalidationVersions::publish(const ChangeSet& change_set, std::uint64_t number) noexcept
{
    for (const std::int64_t pk : change_set.conversations_)
        of_[static_cast<std::uint64_t>(pk) % places].store(number, std::memory_order_release);
    if (change_set.all_) all_.store(number, std::memory_order_release);
    if (change_set.lists_) lists_.store(number, std::memory_order_release);
}

std::uint64_t InvalidationVersions::of(std::int64_t pk) const noexcept
{
    return std::max(of_[static_cast<std::uint64_t>(pk) % places].load(std::memory_order_acquire),
                    all_.load(std::memory_order_acquire));
}

} // namespace alli::cache
