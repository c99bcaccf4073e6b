// SPDX-License-Identifier: Apache-2.0
#include "cluster/unseen_writes.hpp"

#include "cache/outbox/fifos.hpp"
#include "cluster/ask_refresh.hpp"

#include <algorithm>

namespace alli::cluster {
namespace {

// Beside upstream's lag: for as long as it may take to read a conversation again and to publish it.
constexpr std::chrono::seconds margin{60};
constexpr std::ptrdiff_t most_at_once = 1'000;

} // namespace

UnseenWrites::UnseenWrites(Truth& truth, cache::Store& store, const NodeOptions& options)
    : truth_(truth), store_(store), options_(options)
{
    collect();
}

void UnseenWrites::collect()
{
    const auto find = [this](cache::Reader& db) { return cache::find_sent_last(db, options_.read_lag + margin); };
    for (ConversationId& id : store_.read_outbox(find)) conversations_.insert(std::move(id.value));
}

Task<> UnseenWrites::ask()
{
    while (!conversations_.empty()) {
        const auto first = conversations_.begin();
        const auto last = std::next(first, std::min(most_at_once, std::ssize(conversations_)));
        std::vector<std::string> some(first, last);
        co_await ask_refresh(truth_, std::move(some));
        conversations_.erase(first, last);
    }
}

} // namespace alli::cluster
