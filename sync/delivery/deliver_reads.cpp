// SPDX-License-Identifier: Apache-2.0
// What a Deliverer reads of upstream before it sends what waited: nothing where upstream showed the conversation a
// moment ago, a page of the list where many that wait lie side by side, else the conversation itself.
#include "cache/outbox/overlay.hpp"
#include "sync/delivery/deliver_core.hpp"

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

constexpr int recent_writes = 50;
constexpr std::size_t least_of_a_page = 4, most_of_a_page = 50;
constexpr std::size_t most_ahead = 1000;
constexpr std::size_t one_wanted_in = 3; // of a page; what else it shows is read for nothing
constexpr auto after_a_failed_page = 1min;

} // namespace

Known Deliverer::Core::know_all(const Entry& entry, Clock::Steady asked_at, Clock::Steady* lags_until)
{
    Known known = know_before(entry, asked_at, lags_until);
    known.earlier = store.read_outbox(
        [&](cache::Reader& db) { return cache::find_earlier(db, *entry.conversation, entry.place, recent_writes); });
    known.categories = store.read([](cache::Reader& db) { return cache::load_category_names(db); });
    return known;
}

// None: it may be sent, unless `trouble` says that upstream could not be asked.
Task<std::optional<Outcome>> Deliverer::Core::read_back_before(const Entry& entry, bool waited, Verdict* trouble,
                                                               std::optional<Clock::Steady>* held_until)
{
    if (!needs_read_back(entry, waited, options.overwrite)) co_return std::nullopt;
    if (!entry.in_doubt && co_await is_shown_lately(entry)) co_return std::nullopt;
    const auto asked_at = clock.steady();
    Clock::Steady lags_until;
    Known known = know_all(entry, asked_at, &lags_until);
    ReadBack found;
    try {
        found = co_await read_back_first(client, entry, std::move(known));
    } catch (const Error& error) {
        if (error.fault() == Fault::canceled) throw;
        *trouble = judge_read(error);
    }
    if (found.raw) lately_read.put(*entry.conversation, *found.raw, asked_at);
    if (found.finding == ReadBack::Finding::lagging) *held_until = lags_until;
    if (!trouble->why.empty() || held_until->has_value() || found.finding == ReadBack::Finding::send)
        co_return std::nullopt;
    Outcome outcome;
    const bool applied = found.finding == ReadBack::Finding::applied;
    outcome.state = applied ? EntryState::delivered : EntryState::conflict;
    if (!applied) outcome.error = "upstream changed the same fields while it waited";
    if (!applied) outcome.conflict = std::move(found.conflict);
    co_return outcome;
}

// What upstream showed a moment ago may say that nothing was changed; all else is for a read of its own to find.
Task<bool> Deliverer::Core::is_shown_lately(const Entry& entry)
{
    const ConversationId& id = *entry.conversation;
    if (const auto page = find_page_with(id)) {
        while (!page->over) co_await page->wakeup.wait(clock, 1h);
        page->wakeup.notify(); // the next who waits for it
    }
    if (!lately_read.find(id, clock.steady())) co_await read_ahead(id);
    const RecentItems::Item* item = lately_read.find(id, clock.steady());
    if (!item) co_return false;
    Clock::Steady lags_until;
    co_return may_send_over(entry, item->raw, know_all(entry, item->asked_at, &lags_until));
}

std::shared_ptr<Deliverer::Core::Page> Deliverer::Core::find_page_with(const ConversationId& id) const
{
    for (const auto& page : ahead.pages)
        if (page->wanted.contains(id.value)) return page;
    return nullptr;
}

std::size_t Deliverer::Core::count_ahead() const
{
    std::size_t count = ahead.next.size();
    for (const auto& page : ahead.pages) count += page->wanted.size();
    return count;
}

// Whether its head waits, and nothing shows it lately or is about to.
bool Deliverer::Core::is_wanted(const ConversationId& id) const
{
    const auto now = clock.steady();
    return fifos.is_due(id, now) && !lately_read.find(id, now) && !find_page_with(id);
}

// How many of them a page is worth asking for: as long as those that wait lie close enough to each other. The first is
// in its turn already.
std::size_t Deliverer::Core::count_worth(const std::vector<cache::Neighbour>& near) const
{
    std::size_t wanted = 0, worth = 0;
    for (std::size_t n = 0; n < near.size(); ++n) {
        if (n > 0 && !is_wanted(near[n].id)) continue;
        if (++wanted * one_wanted_in > n && wanted >= least_of_a_page) worth = n + 1;
    }
    return worth;
}

Task<> Deliverer::Core::read_ahead(ConversationId from)
{
    const std::size_t before = count_ahead();
    const bool has_unit = client.time_unit() != TimeUnit::unknown;
    if (before >= ahead.most || !has_unit || policy.is_away() || clock.steady() < ahead.not_before) co_return;
    const auto most = static_cast<int>(std::min(ahead.most - before, most_of_a_page));
    for (const cache::Side side : {cache::Side::older, cache::Side::newer}) {
        auto near = store.read([&](cache::Reader& db) { return cache::find_neighbours(db, from, side, most); });
        near.resize(count_worth(near));
        if (near.empty()) continue;
        co_await read_page(std::move(from), std::move(near));
        co_return;
    }
}

// Where it fails, each is read by itself, and that failure counts.
Task<> Deliverer::Core::read_page(ConversationId from, std::vector<cache::Neighbour> near)
{
    const auto page = std::make_shared<Page>(co_await asio::this_coro::executor);
    for (const cache::Neighbour& one : near)
        if (one.id == from || is_wanted(one.id)) page->wanted.insert(one.id.value);
    struct End {
        Core& core;
        const std::shared_ptr<Page>& page;
        ~End()
        {
            page->over = true;
            page->wakeup.notify();
            core.ahead.pages.remove(page);
        }
    } const end{*this, page};
    ahead.pages.push_back(page);
    const Instant newest = std::max(near.front().last_chat_at, near.back().last_chat_at);
    upstream::ListQuery query;
    query.end_at = newest + (client.time_unit() == TimeUnit::seconds ? 1s : 1ms);
    query.page_size = static_cast<int>(near.size());
    try {
        const upstream::Listed listed =
            co_await client.list_conversations(std::move(query), upstream::Priority::delivery);
        for (const Conversation& one : listed.page.conversations)
            if (!one.partial && one.asked_at && page->wanted.contains(one.id.value))
                lately_read.put(one.id, one.raw, *one.asked_at);
    } catch (const Error& error) {
        if (error.fault() == Fault::canceled) throw;
        ahead.not_before = clock.steady() + after_a_failed_page;
    }
    for (const cache::Neighbour& one : near)
        if (one.id != from && page->wanted.contains(one.id.value) && lately_read.find(one.id, clock.steady()))
            ahead.next.push_back(one.id);
}

// Those that a page showed first; a page of more than could be sent in time is followed by shorter ones.
std::optional<Deliverer::Core::Id> Deliverer::Core::take_next(Clock::Steady now)
{
    while (!ahead.next.empty()) {
        const ConversationId id = std::move(ahead.next.front());
        ahead.next.pop_front();
        if (!lately_read.find(id, now)) {
            ahead.most = std::max(ahead.most / 2, least_of_a_page);
            ahead.next.clear();
            break;
        }
        if (ahead.next.empty()) ahead.most = std::min(ahead.most * 2, most_ahead);
        if (fifos.take(id, now)) return id;
    }
    return fifos.take(now);
}

void Deliverer::Core::note_copy(const Entry& entry, const std::optional<upstream::Reply>& reply, Clock::Steady sent_at)
{
    if (entry.kind != EditKind::update && entry.kind != EditKind::title) return;
    if (auto copy = find_copy(entry, reply)) lately_read.put(*entry.conversation, std::move(*copy), sent_at);
}

} // namespace alli::sync
