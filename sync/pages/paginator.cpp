// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/paginator.hpp"

#include "alli/error.hpp"
#include "alli/page_sizes.hpp"
#include "alli/wire_field.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

constexpr std::chrono::seconds first_stride{1};
constexpr Instant beyond_all_times = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);
constexpr int most_looks_below = 3; // the end of a scan: one is enough unless another is in the way there

// A time that was guessed may lie anywhere: a scan must not go by it.
bool told_time(const Conversation& conversation)
{
    return conversation.last_chat_at && !conversation.last_chat_guessed;
}

} // namespace

Paginator::Paginator(upstream::Client& client, std::optional<Instant> from, std::optional<Instant> bound,
                     upstream::Priority priority)
    : client_(client), from_(from), bound_(bound), priority_(priority), page_size_(conversations_a_page),
      stride_(first_stride)
{
    // A poll's end moves on with each: it would make one problem each of what is in the way there.
    if (from) lowest_ = std::chrono::floor<std::chrono::hours>(*from);
}

// An inclusive bound brings the edge again.
Paginator::Paginator(upstream::Client& client, cache::Span span, upstream::Priority priority)
    : Paginator(client, span.from > cache::beginning_of_time ? std::optional(span.from) : std::nullopt,
                span.through < Instant::max() ? std::optional(span.through + std::chrono::seconds(1)) : std::nullopt,
                priority)
{
    lowest_ = span.from;
}

// The finest step that upstream can tell apart in a window.
std::chrono::microseconds Paginator::grain() const
{
    return client_.time_unit() == TimeUnit::seconds ? std::chrono::seconds(1) : std::chrono::milliseconds(1);
}

std::optional<Instant> Paginator::oldest_of(const std::vector<Conversation>& page) const
{
    // The last one's, as lists are in that order: one among them that tells a time of long ago is not believed.
    for (auto it = page.rbegin(); it != page.rend(); ++it)
        if (told_time(*it) && !misplaced_.contains(it->id)) return it->last_chat_at;
    return std::nullopt;
}

std::vector<Conversation> Paginator::unmet(std::vector<Conversation>& page, Instant now)
{
    std::vector<Conversation> fresh;
    for (Conversation& conversation : page) {
        if (!met_.insert(conversation.id).second) continue;
        const Instant where = told_time(conversation) ? *conversation.last_chat_at : Instant::min();
        met_at_.push_back({where, now, conversation.id});
        fresh.push_back(std::move(conversation));
    }
    return fresh;
}

// Only what lies at the edge can come again.
void Paginator::forget_above(Instant bound)
{
    std::erase_if(met_at_, [&](const auto& met) {
        const bool above = met.last_chat_at > bound;
        if (above) met_.erase(met.id);
        return above;
    });
}

// Who was met before is not looked at again, so what is complete now is only as young as the first sight of each.
Instant Paginator::earliest_sight(Instant now, bool last) const
{
    for (const Met& met : met_at_)
        if (last || !reached_ || met.last_chat_at > *reached_) now = std::min(now, met.seen_at);
    return now;
}

void Paginator::follow(const std::optional<std::string>& cursor)
{
    cursors_.follow(cursor);
    cursor_ = cursor;
    chained_ = true;
}

// A chain of cursor pages is believed when two scans of it in a row saw the same.
bool Paginator::is_settled()
{
    auto before = std::exchange(chain_before_, std::exchange(chain_, {}));
    return before == chain_before_;
}

void Paginator::leave_chain()
{
    cursor_.reset();
    chain_.clear();
    chain_before_.reset();
    cursors_.leave(); // its length counts until a page is lower than before
    chained_ = false;
}

// To the window below this page; by the cursor where that is no lower than before. True at the end of the scan.
bool Paginator::descend(const std::optional<std::string>& cursor, std::optional<Instant> oldest)
{
    const bool lower = oldest && (!bound_ || *oldest + grain() < *bound_);
    if (cursor && !lower) {
        follow(cursor);
        return false;
    }
    cursor_.reset();
    if (chained_ && !is_settled()) {
        cursors_.begin_again();
        return false;
    }
    leave_chain();
    cursors_.forget();
    if (oldest && (!reached_ || *oldest < *reached_)) reached_ = oldest;
    if (!cursor) return true;
    bound_ = *oldest + grain(); // the next page shows the time of this edge again
    return false;
}

// Where conversations without a chat come first, a window leaves them out: the scan for them is another one.
bool Paginator::leap_over_chatless(const upstream::Listed& listed)
{
    const auto& page = listed.page.conversations;
    const bool windowed = client_.time_unit() != TimeUnit::unknown;
    if (bound_ || chained_ || !windowed || page.empty() || !listed.page.cursor) return false;
    const auto is_chatless = [](const Conversation& it) { return !it.last_chat_at && !it.last_chat_guessed; };
    if (!std::all_of(page.begin(), page.end(), is_chatless)) return false;
    bound_ = beyond_all_times;
    return true;
}

// While upstream's unit of time is not known, a window cannot be asked for, and the page reaches below it.
bool Paginator::drop_older(std::vector<Conversation>& page) const
{
    if (!from_) return false;
    const Instant from = *from_ - grain();
    return std::erase_if(page, [&](const Conversation& it) { return told_time(it) && *it.last_chat_at < from; }) > 0;
}

// One whose item is broken was held as far as it goes, and an overlapping window shows it again.
bool Paginator::is_spoilt_here() const
{
    return spoilt_ && bound_ && *bound_ == *spoilt_ + grain();
}

// It must not lead the scan astray: neither above its window, nor to the end for want of a cursor.
void Paginator::look_at_mended(const upstream::Listed& listed)
{
    const auto& page = listed.page.conversations;
    const bool partial = !page.empty() && page[0].partial;
    if (!partial && !listed.page.cursor_lost) return;
    const Instant at = *page.at(0).last_chat_at;
    const bool above = bound_ && at > *bound_ + grain();
    if (above || (listed.page.cursor_lost && bound_ && at + grain() >= *bound_))
        throw Error(Fault::bad_reply, "it is tried again by itself", "a conversation's item in a list is broken");
    spoilt_ = at;
}

// The last two that tell a time, and the first, of those that are believed: the last lies far below all others.
static const Conversation* find_outlier(const std::vector<Conversation>& page,
                                        const std::unordered_set<ConversationId>& misplaced)
{
    constexpr std::chrono::hours far{24};
    const Conversation *first = nullptr, *before = nullptr, *last = nullptr;
    for (const Conversation& it : page) {
        if (!told_time(it) || misplaced.contains(it.id)) continue;
        if (!first) first = &it;
        before = std::exchange(last, &it);
    }
    if (!before) return nullptr;
    const auto gap = *before->last_chat_at - *last->last_chat_at;
    return gap > far && gap > *first->last_chat_at - *before->last_chat_at ? last : nullptr;
}

// A time that is not where upstream has it in the list (0, or another unit) would lead past all between.
Task<> Paginator::doubt_last(const upstream::Listed& listed)
{
    constexpr int most = 3;
    if (!listed.page.cursor || cursor_ || client_.time_unit() == TimeUnit::unknown) co_return;
    for (int doubted = 0; doubted < most; ++doubted) {
        const Conversation* const last = find_outlier(listed.page.conversations, misplaced_);
        if (!last) co_return;
        const bool listed_there = co_await is_listed_at(last->id, *last->last_chat_at);
        if (listed_there) co_return;
        misplaced_.insert(last->id);
    }
}

Task<bool> Paginator::is_listed_at(ConversationId id, Instant at)
{
    upstream::ListQuery query;
    query.end_at = at + grain();
    query.page_size = 1;
    const upstream::Listed found = co_await client_.list_conversations(std::move(query), priority_);
    const auto& page = found.page.conversations;
    co_return !page.empty() && (page[0].id == id || page[0].last_chat_at == at);
}

void Paginator::note_edge(const std::vector<Conversation>& page, Instant oldest)
{
    edge_ = oldest;
    edge_ids_.clear();
    for (const Conversation& it : page)
        if (told_time(it) && *it.last_chat_at == oldest && !it.partial && !is_made_up(it.id.value))
            edge_ids_.insert(it.id);
}

// A page below an edge that has none of those that stand at it.
bool Paginator::lacks_edge(const upstream::Listed& listed) const
{
    if (!edge_ || edge_ids_.empty() || cursor_ || mending_ || is_spoilt_here()) return false;
    if (client_.time_unit() == TimeUnit::unknown || bound_ != *edge_ + grain()) return false;
    bool is_below = !listed.page.cursor;
    for (const Conversation& it : listed.page.conversations) {
        if (edge_ids_.contains(it.id)) return false;
        is_below = is_below || !told_time(it) || *it.last_chat_at < *edge_;
    }
    return is_below || listed.page.conversations.empty();
}

// False: they moved, or are gone.
Task<bool> Paginator::is_edge_there()
{
    constexpr int most = 3;
    int asked = 0;
    for (const ConversationId& id : edge_ids_) {
        if (asked++ == most) break;
        const auto found = co_await client_.find_conversation(id, priority_);
        if (found && told_time(*found) && *found->last_chat_at == *edge_) co_return true;
    }
    co_return false;
}

Task<Page> Paginator::next(Instant now)
{
    upstream::ListQuery query;
    if (from_) query.started_at = std::min(*from_, bound_.value_or(*from_)) - grain();
    query.end_at = bound_;
    query.cursor = cursor_;
    query.page_size = is_spoilt_here() ? 1 : page_size_;
    query.mend = is_spoilt_here() || mending_;
    const bool windowed = client_.time_unit() != TimeUnit::unknown;
    upstream::Listed listed = co_await client_.list_conversations(query, priority_);
    look_at_mended(listed);
    if (lacks_edge(listed)) {
        const bool is_there = co_await is_edge_there();
        if (is_there) listed = co_await client_.list_conversations(query, priority_);
        refuted_ = is_there && lacks_edge(listed);
    }
    const bool is_empty_end = listed.page.conversations.empty() && !listed.page.cursor;
    if (refuted_ && (lacks_edge(listed) || is_empty_end))
        throw Error(Fault::bad_reply, "it is tried again by itself",
                    "a page of a list lacks a conversation that stands there");
    refuted_ = refuted_ && listed.page.conversations.empty();
    if (listed.page.cursor_lost) listed.page.cursor.emplace(); // there may be more below
    if (!windowed && drop_older(listed.page.conversations)) listed.page.cursor.reset();

    co_await doubt_last(listed);

    Page page;
    const auto oldest = oldest_of(listed.page.conversations);
    for (const Conversation& conversation : listed.page.conversations) chain_.insert(conversation.id);
    page.asked_at = listed.asked_at;
    page.clocks = listed.clocks;
    page.unit = client_.time_unit();
    if (!leap_over_chatless(listed))
        page.last = descend(listed.page.cursor, oldest); // may throw: then the page was not met
    if (!page.last && !chained_ && oldest) note_edge(listed.page.conversations, *oldest);
    page.conversations = unmet(listed.page.conversations, now);
    page.reached = reached_;
    page.sent_at = earliest_sight(now, page.last);
    if (bound_) forget_above(*bound_);
    page.unreadable = std::exchange(passed_by_, {});
    if (oldest) { // else it got no further: a broken cursor behind an empty page must not be followed a second at a
                  // time
        page_size_ = conversations_a_page;
        mending_ = false;
        stride_ = first_stride;
    }
    co_return page;
}

void Paginator::note_passed(cache::Span span, const std::string& why)
{
    if (!passed_by_.empty() && passed_by_.back().span.from <= span.through)
        passed_by_.back().span.from = span.from;
    else
        passed_by_.push_back({span, why});
}

bool Paginator::pass_by(const std::string& why, Instant now)
{
    if (page_size_ > 1 && !is_spoilt_here()) {
        page_size_ = std::max(1, page_size_ / 4);
        return true;
    }
    if (!std::exchange(mending_, true)) return true;
    mending_ = false;
    page_size_ = 1;
    spoilt_.reset();
    const auto bound = bound_ == beyond_all_times ? std::nullopt : bound_;
    const Instant top = bound.value_or(now + std::chrono::hours(24)); // whatever the clocks say
    const Instant below = bound.value_or(now) - stride_;
    stride_ *= 4;
    if (below <= cache::beginning_of_time) return false;
    // All down to the end: a look just below it ends the scan, and shows that lists can be read at all.
    if (from_ && below <= *from_ && ++looks_below_ > most_looks_below) return false;
    leave_chain();
    if (top > lowest_) note_passed({std::max(below, lowest_), top}, why);
    bound_ = reached_ = below;
    return true;
}

} // namespace alli::sync
