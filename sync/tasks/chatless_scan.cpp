// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/chatless_scan.hpp"

#include "alli/error.hpp"
#include "cache/lists/daily_counts.hpp"
#include "cache/rows/suppression_list.hpp"
#include "sync/pages/retry.hpp"
#include "sync/tasks/tasks.hpp"

#include <algorithm>
#include <numeric>

namespace alli::sync {
namespace {

using cache::ChatlessPlace;
using std::chrono::days;
using upstream::ListOrder;

constexpr days longest_by_counts{30}; // then the whole list once

// Others go their own ways, and the whole list is left.
bool is_no_way(const Error& error)
{
    return error.fault() == Fault::refused || error.fault() == Fault::bad_reply;
}

std::unordered_set<ConversationId> load_held(SyncContext context)
{
    const auto held = context.store.read([](cache::Reader& db) { return cache::ids_without_chat(db); });
    return {held.begin(), held.end()};
}

// By the sum of the days, wherever a day begins.
std::int64_t count_missing(SyncContext context, const DayCounts& theirs, Day from, Day through)
{
    const auto ours = context.store.read([&](cache::Reader& db) { return cache::count_daily(db, from, through); });
    std::int64_t missing = 0;
    for (const auto& [day, count] : theirs)
        if (day >= from && day <= through) missing += count;
    return missing - std::accumulate(ours.begin(), ours.end(), std::int64_t{0});
}

bool is_unreadable(cache::Reader& db, const ConversationId& id)
{
    return cache::find_problem(db, cache::problem_key(id)).has_value();
}

cache::Progress load_progress(SyncContext context)
{
    return context.store.read([](cache::Reader& db) { return cache::load_progress(db); });
}

} // namespace

ChatlessScan::ChatlessScan(SyncContext context, Deletions deletions, upstream::Priority priority)
    : context_(context), deletions_(deletions), started_(context.clock.now()),
      known_(context.store.read([](cache::Reader& db) { return cache::load_chatless_places(db); })),
      held_before_(load_held(context))
{
    options_.priority = priority;
}

// Only those without a chat are kept: the others belong to the windows, which know what they hold.
Task<> ChatlessScan::take_chatless(ListPage page)
{
    std::vector<Conversation> chatless;
    for (Conversation& conversation : page.conversations)
        if (!conversation.last_chat_at) chatless.push_back(std::move(conversation));
    co_await take(std::move(chatless), page.fence);
}

Task<> ChatlessScan::take(std::vector<Conversation> conversations, Fence fence)
{
    for (const Conversation& conversation : conversations)
        if (!conversation.last_chat_at) seen_.insert(conversation.id);
    if (conversations.empty())
        context_.follower->committed({});
    else
        co_await ingest(context_, std::move(conversations), std::move(fence), options_);
    co_await context_.follower->pause();
}

// --- the ends --------------------------------------------------------------------------------------------------------

bool ChatlessScan::take_front(const Front& front)
{
    newest_ = front.sightings;
    seen_.insert(front.chatless.begin(), front.chatless.end());
    whole_ = front.whole;
    started_ = std::min(started_, front.asked_at);
    return whole_;
}

Task<bool> ChatlessScan::read_ends()
{
    const bool told = newest_ && newest_->begins_with_chat();
    const bool may_be_first =
        known_.newest_first == ChatlessPlace::first || known_.newest_first == ChatlessPlace::unknown;
    if (!told && may_be_first && known_.oldest_first != ChatlessPlace::first)
        if (co_await read_end(ListOrder::newest)) co_return true;
    if (known_.newest_first != ChatlessPlace::first)
        if (co_await read_end(ListOrder::oldest)) co_return true;
    co_return false;
}

Task<bool> ChatlessScan::read_end(ListOrder order)
{
    const bool newest_first = order == ListOrder::newest;
    upstream::ListQuery query;
    query.order = order;
    ListPages pages(context_, query, options_.priority);
    Sightings sightings(newest_first);
    bool all = false;
    try {
        all = co_await follow_front(pages, sightings, newest_first);
    } catch (const NoAdvance&) {
        if (newest_first) throw; // neither would the whole list
        co_return false;
    } catch (const Error& error) {
        if (!is_no_way(error)) throw;
        co_return false;
    }
    (newest_first ? newest_ : oldest_) = sightings;
    co_return all;
}

// Down to the first that has a chat.
Task<bool> ChatlessScan::follow_front(ListPages& pages, Sightings& sightings, bool newest_first)
{
    while (pages.more() && !sightings.front_is_over()) {
        ListPage page = co_await pages.next();
        sightings.see(page.conversations);
        co_await take_chatless(std::move(page));
    }
    if (!pages.more()) {
        whole_ = whole_ || newest_first;
        co_return true;
    }
    const ChatlessPlace known = newest_first ? known_.newest_first : known_.oldest_first;
    const bool none_left = sightings.begins_with_chat() && known == ChatlessPlace::first && held_before_.empty();
    co_return none_left || sightings.shows_all_in_front();
}

// --- the daily counts ------------------------------------------------------------------------------------------------

// Nobody knows whether they count conversations without a chat while none is held, or whether their days are ours: then
// they will do until the next scan, which reads the whole list.
bool ChatlessScan::counts_prove_it() const
{
    const cache::Progress progress = load_progress(context_);
    if (!progress.chatless_at || !held_before_.empty()) return true;
    return progress.listed_whole_at && started_ - *progress.listed_whole_at < longest_by_counts;
}

bool ChatlessScan::is_read_sooner_by_creation(Day since) const
{
    if (known_.newest_first == ChatlessPlace::nowhere) return true;
    const auto [young, all] = context_.store.read([&](cache::Reader& db) {
        const auto counts = cache::count_daily(db, since, last_counted);
        return std::pair(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}),
                         cache::load_totals(db).conversations);
    });
    return young < all / 2;
}

// The oldest day of which some are missing; last_counted: of none. No value: it cannot be told.
Task<std::optional<Day>> ChatlessScan::find_first_missing()
{
    const bool covered = context_.store.read([](cache::Reader& db) {
        return cache::is_covered(db, cache::beginning_of_time, std::nullopt) &&
               cache::load_progress(db).counts_differed == 0 && !cache::load_progress(db).counts_disagree &&
               cache::load_purged_days(db).days.empty() && !cache::load_purged_days(db).before;
    });
    if (!covered) co_return std::nullopt;
    const auto oldest = context_.store.read([](cache::Reader& db) { return cache::first_day(db); });
    const Day from = std::max(std::min(oldest.value_or(counted_from), counted_from), first_counted);
    const Day tomorrow = std::chrono::floor<days>(started_) + days(1); // wherever it is another day already
    const Day through = std::clamp(tomorrow, from, last_counted);
    std::function<Task<std::optional<DayCounts>>()> ask = [&] { return ask_counts(context_, from, through); };
    counts_ = co_await with_retries(context_.clock, context_.random, ask);
    counted_ = {from, through};
    if (!counts_) {
        auto save = [&](cache::Writer& db) { note_no_counts(db, context_.clock.now()); };
        co_await context_.store.write(save);
        co_return std::nullopt;
    }
    const auto differing = find_differing(context_, *counts_, from, through);
    const auto last_scan = load_progress(context_).chatless_at;
    if (!last_scan) { // all that is held was read just now
        const bool none = differing.empty() || count_missing(context_, *counts_, from, through) == 0;
        co_return none ? last_counted : differing.front();
    }
    // One that came since then, and another that is gone and still held, make the same count.
    const Day since = std::chrono::floor<days>(*last_scan) - days(1);
    co_return differing.empty() ? since : std::min(since, differing.front());
}

Task<bool> ChatlessScan::read_by_counts()
{
    std::optional<Day> missing;
    try {
        missing = co_await find_first_missing();
    } catch (const Error& error) {
        if (!is_no_way(error)) throw;
    }
    if (!missing || !counts_prove_it()) co_return false;
    if (*missing == last_counted) co_return true;
    if (!is_read_sooner_by_creation(*missing)) co_return false;
    co_return co_await read_created_since(*missing);
}

// Of the days before it nobody is missing.
Task<bool> ChatlessScan::read_created_since(Day day)
{
    upstream::ListQuery query;
    query.order = ListOrder::newest_created;
    ListPages pages(context_, query, options_.priority);
    try {
        co_await follow_created(pages, Instant(day));
    } catch (const Error& error) {
        if (!is_no_way(error)) throw;
        co_return false;
    }
    co_return true;
}

// To the end where the pages are in another order.
Task<> ChatlessScan::follow_created(ListPages& pages, Instant since)
{
    bool in_order = true;
    std::optional<Instant> lowest;
    while (pages.more() && !(in_order && lowest && *lowest < since)) {
        ListPage page = co_await pages.next();
        for (const Conversation& conversation : page.conversations) {
            in_order = in_order && conversation.created_at && (!lowest || *conversation.created_at <= *lowest);
            lowest = conversation.created_at;
            const bool old = lowest && *lowest < started_ - std::chrono::hours(1);
            left_out_ = left_out_ || (whole_ && old && !conversation.last_chat_at);
        }
        co_await take(std::move(page.conversations), page.fence); // those with a chat too: polls may not be there yet
    }
}

// --- the whole list --------------------------------------------------------------------------------------------------

Task<> ChatlessScan::read_whole()
{
    Sightings sightings(true);
    const upstream::ListQuery query;
    for (ListPages pages(context_, query, options_.priority); pages.more();) {
        ListPage page = co_await pages.next();
        sightings.see(page.conversations);
        co_await take_chatless(std::move(page));
    }
    newest_ = sightings;
    whole_ = true;
}

Task<> ChatlessScan::read_left_out()
{
    if (!counts_ || !newest_ || newest_->any_chatless()) co_return;
    const auto [from, through] = counted_;
    const auto differing = find_differing(context_, *counts_, from, through);
    if (differing.empty() || count_missing(context_, *counts_, from, through) <= 0) co_return;
    co_await read_created_since(differing.front());
}

// --- what comes of it ------------------------------------------------------------------------------------------------

// `any`: there are some without a chat; `any_unlisted`: of those that were held before, one is not in the list.
SeenPlaces ChatlessScan::seen_places(bool any, bool any_unlisted) const
{
    const auto place_of = [any](const std::optional<Sightings>& sightings, ChatlessPlace known, bool whole) {
        if (!sightings) return std::optional<ChatlessPlace>();
        const bool gone = any && known == ChatlessPlace::first && sightings->begins_with_chat();
        const auto place = sightings->place(whole);
        return gone && !place ? std::optional(ChatlessPlace::unknown) : place;
    };
    SeenPlaces seen{place_of(newest_, known_.newest_first, whole_), place_of(oldest_, known_.oldest_first, false)};
    if (newest_) seen.front_clear = newest_->front_clear(whole_);
    if (whole_ && (any_unlisted || left_out_) && newest_ && !newest_->any_chatless())
        seen.newest_first = ChatlessPlace::nowhere;
    return seen;
}

// Who cannot be read keeps the list from being complete: like a time that is not verified.
std::size_t ChatlessScan::note_done(cache::Writer& db) const
{
    const auto missing =
        std::count_if(seen_.begin(), seen_.end(), [&](const ConversationId& id) { return is_unreadable(db, id); });
    cache::Progress progress = cache::load_progress(db);
    progress.chatless_at.reset();
    if (missing == 0) progress.chatless_at = started_;
    if (whole_) progress.listed_whole_at = started_;
    cache::save_progress(db, progress);
    return static_cast<std::size_t>(missing);
}

Task<> ChatlessScan::finish()
{
    const auto held = load_held(context_);
    std::vector<ConversationId> absent;
    for (const ConversationId& id : held)
        if (!seen_.contains(id)) absent.push_back(id);
    const bool any_seen = !seen_.empty();
    auto unlisted = absent;
    seen_.insert(absent.begin(), absent.end());
    co_await confirm_absent(context_, std::move(absent), deletions_);

    const auto left = load_held(context_);
    std::erase_if(unlisted, [&](const ConversationId& id) { return !left.contains(id) || !held_before_.contains(id); });
    const SeenPlaces places = seen_places(any_seen || !left.empty(), !unlisted.empty());
    auto save = [&](cache::Writer& db) {
        keep_places(db, places, context_.clock.now());
        return note_done(db);
    };
    const std::size_t missing = co_await context_.store.write(save);
    if (missing > 0)
        throw Error(Fault::bad_reply, "see the problems of these conversations; each is tried again by itself",
                    "of the conversations without a chat, {} cannot be read", missing);
}

// --- the tasks -------------------------------------------------------------------------------------------------------

Task<> scan_chatless(SyncContext context, Deletions deletions, bool ends_were_read)
{
    ChatlessScan scan(context, deletions, upstream::Priority::reconcile);
    bool known = !ends_were_read && co_await scan.read_ends();
    if (!known) known = co_await scan.read_by_counts();
    if (!known) {
        co_await scan.read_whole();
        co_await scan.read_left_out();
    }
    co_await scan.finish();
}

Task<bool> scan_chatless_ends(SyncContext context, std::optional<Front> front, Deletions deletions)
{
    ChatlessScan scan(context, deletions, upstream::Priority::backfill);
    bool known = front && scan.take_front(*front);
    if (!known) known = co_await scan.read_ends();
    if (known) co_await scan.finish();
    co_return known;
}

} // namespace alli::sync
