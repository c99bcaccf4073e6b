// SPDX-License-Identifier: Apache-2.0
#include "cluster/kept_rows.hpp"

#include "cache/replica/unseen.hpp"
#include "cluster/ask_refresh.hpp"

namespace alli::cluster {
namespace {

constexpr std::size_t most_at_once = 100; // upstream is asked for each of them

} // namespace

std::string ask_for_kept(const std::string& conversation)
{
    return '*' + conversation;
}

std::optional<std::string> find_kept(const std::string& asked)
{
    if (asked.size() < 2 || asked.front() != '*') return std::nullopt;
    return asked.substr(1);
}

KeptRows::KeptRows(Truth& truth, cache::Store& store, const Clock& clock, const NodeOptions& options)
    : truth_(truth), store_(store), clock_(clock), options_(options),
      active_(store.read([](cache::Reader& db) { return cache::keeps_unseen(db); }))
{}

Task<> KeptRows::begin()
{
    const auto mark = [](cache::Writer& db) { cache::put_keeps_unseen(db, true); };
    co_await store_.write(mark);
    active_ = true;
}

Task<> KeptRows::end()
{
    ids_.clear();
    if (!active_) co_return;
    const auto mark = [](cache::Writer& db) { cache::put_keeps_unseen(db, false); };
    co_await store_.write(mark);
    active_ = false;
}

// Whoever leads has to be elected first.
Task<> KeptRows::keep_unseen()
{
    ids_.clear();
    for (ConversationId& id : co_await store_.write(&cache::take_unseen)) ids_.insert(std::move(id.value));
    ask_at_ = clock_.steady() + 2 * options_.lease;
    asked_last_.clear();
}

void KeptRows::unclaim(cache::Writer& db) const
{
    if (!ids_.empty()) cache::unclaim(db, ids_);
}

Task<> KeptRows::ask()
{
    if (active_ && ids_.empty()) co_await end();
    if (ids_.empty() || clock_.steady() < ask_at_) co_return;
    std::vector<std::string> some;
    auto next = ids_.upper_bound(asked_last_);
    if (next == ids_.end()) next = ids_.begin();
    for (; next != ids_.end() && some.size() < most_at_once; ++next) some.push_back(ask_for_kept(*next));
    asked_last_ = some.back().substr(1);
    ask_at_ = clock_.steady() + 4 * options_.lease;
    co_await ask_refresh(truth_, std::move(some));
}

} // namespace alli::cluster
