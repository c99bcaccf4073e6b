// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/categories.hpp"

#include "alli/error.hpp"
#include "cache/rows/categories.hpp"
#include "sync/pages/failure_scope.hpp"

namespace alli::sync {
namespace {

constexpr auto priority = upstream::Priority::increment; // a poll waits for it
constexpr std::chrono::seconds least_pause{30};          // between two reads, whoever asks
constexpr std::chrono::minutes first_pause{1};           // while one that conversations bear stays unknown

} // namespace

bool Categories::is_unknown_borne() const
{
    return context_.store.read([](cache::Reader& db) { return cache::has_unknown_category(db); });
}

bool Categories::due() const
{
    if (!tried_at_) return true;
    const auto since = context_.clock.steady() - *tried_at_;
    if (since >= interval_) return true;
    if (asked_ && since >= least_pause) return true;
    return since >= pause_ && pause_.count() > 0 && is_unknown_borne();
}

Task<> Categories::refresh()
{
    tried_at_ = context_.clock.steady();
    asked_ = false;
    const Instant now = context_.clock.now();
    std::optional<upstream::ListedCategories> listed;
    std::optional<Error> trouble;
    try {
        listed = co_await context_.client.list_categories(priority);
    } catch (const Error& error) {
        trouble = error;
    }
    if (trouble) {
        tried_at_.reset();
        const bool own = co_await is_its_own(context_, trouble->fault(), priority);
        if (own) throw Error(Fault::bad_reply, trouble->hint(), "{}", trouble->what()); // nothing else waits for it
        throw Error(*trouble);
    }
    if (listed) {
        const auto put = [&](cache::Writer& db) { cache::put_category_list(db, listed->raw, listed->categories, now); };
        co_await context_.store.write(put);
    }
    const auto longest = std::max<std::chrono::nanoseconds>(interval_, first_pause);
    pause_ = is_unknown_borne() ? std::clamp<std::chrono::nanoseconds>(pause_ * 2, first_pause, longest) : first_pause;
}

} // namespace alli::sync
