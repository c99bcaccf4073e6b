// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/range_verifier.hpp"

#include "sync/pages/unreadable_ranges.hpp"

namespace alli::sync {
namespace {

using std::chrono::microseconds;

// What was passed by was not listed: nobody is absent there.
bool is_readable(const std::vector<Unreadable>& passed_by, const cache::Span& part)
{
    return std::none_of(passed_by.begin(), passed_by.end(),
                        [&](const Unreadable& it) { return it.span.overlaps(part); });
}

} // namespace

// Everything above the page's oldest is here now; of that very time some may still be missing.
void RangeVerifier::take(const Page& page)
{
    std::erase_if(seen_, [this](const auto& it) { return it.second >= span_.through; });
    std::erase_if(passed_by_, [this](const Unreadable& it) { return it.span.from >= span_.through; });
    passed_by_.insert(passed_by_.end(), page.unreadable.begin(), page.unreadable.end());
    for (const Conversation& conversation : page.conversations)
        seen_[conversation.id] =
            conversation.last_chat_guessed ? Instant::min() : conversation.last_chat_at.value_or(Instant::min());
    Instant from = span_.from;
    if (!page.last) from = page.reached ? std::max(*page.reached + microseconds(1), span_.from) : span_.through;
    // The very time below which it goes on was passed by too: one problem, not two that meet there.
    for (const Unreadable& it : page.unreadable) from = std::min(from, std::max(it.span.from, span_.from));
    part_ = {std::min(from, span_.through), span_.through};
    span_.through = part_.from;
}

std::vector<ConversationId> RangeVerifier::absent() const
{
    auto held = context_.store.read([&](cache::Reader& db) { return cache::ids_within(db, part_); });
    std::erase_if(held, [&](const ConversationId& id) { return seen_.contains(id); });
    return held;
}

Task<> RangeVerifier::compare(const Page& page)
{
    take(page);
    if (!is_readable(passed_by_, part_)) co_return;
    auto missing = absent();
    co_await confirm_absent(context_, std::move(missing), deletions_, priority_);
}

void RangeVerifier::mark_verified(cache::Writer& db, const Page& page)
{
    const auto known = open_ ? cache::load_windows(db, part_) : take_unreadable(db, part_);
    note_unreadable(db, passed_by_, part_.through, context_.clock.now(), known);
    if (!open_) cache::cover(db, {part_.from, part_.through, page.sent_at}, context_.together);
}

bool SplitPoints::is_at(const Page& page)
{
    if (page.conversations.empty() || !page.reached || page.reached == std::exchange(reached_, page.reached))
        return false;
    return *page.reached + microseconds(1) < through_;
}

} // namespace alli::sync
