// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/list_pages.hpp"

#include "sync/pages/failure_scope.hpp"
#include "sync/pages/retry.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

constexpr int most_refusals = 4; // in all
constexpr std::chrono::milliseconds refused_pause{500};
constexpr int most_empty = 1000;        // pages in a row
constexpr std::size_t most = 1'000'000; // pages

} // namespace

Task<ListPage> ListPages::next()
{
    for (;;) {
        std::optional<Error> failure;
        try {
            co_return co_await ask();
        } catch (const NoAdvance&) {
            throw; // a smaller page leads nowhere else
        } catch (const Error& error) {
            failure = error;
        }
        if (failure->fault() == Fault::refused && query_.cursor && refusals_++ < most_refusals) {
            co_await context_.clock.sleep(refused_pause * refusals_);
            if (refusals_ % 2 == 0) begin_anew();
            continue;
        }
        if (failure->fault() != Fault::bad_reply) throw Error(*failure);
        const bool its_own = co_await answers_lists(context_, priority_);
        if (!its_own) throw concern_all(context_, *failure);
        if (query_.page_size == 1) throw stuck(*failure);
        query_.page_size = std::max(1, query_.page_size / 4);
    }
}

Task<ListPage> ListPages::ask()
{
    std::function<Task<ListPage>()> once = [this] { return ask_once(); };
    std::function<Task<ListPage>()> with_tries = [&] { return with_retries(context_.clock, context_.random, once); };
    co_return co_await with_patience(context_.clock, with_tries);
}

Task<ListPage> ListPages::ask_once()
{
    ListPage page;
    page.fence = context_.fences.take();
    upstream::Listed listed = co_await context_.client.list_conversations(query_, priority_);
    follow(std::move(listed.page.cursor), listed.page.conversations.empty());
    page.conversations = std::move(listed.page.conversations);
    begun_ = true;
    read_ += page.conversations.size();
    co_return page;
}

void ListPages::follow(std::optional<std::string> cursor, bool empty)
{
    if (cursor && !cursors_.insert(*cursor).second) throw NoAdvance();
    idle_ = empty ? idle_ + 1 : 0;
    query_.cursor = std::move(cursor);
    if (!query_.cursor || (idle_ <= most_empty && cursors_.size() <= most)) return;
    throw NoAdvance("a list does not end");
}

void ListPages::begin_anew()
{
    query_.cursor.reset();
    cursors_.clear();
    begun_ = false;
    read_ = 0;
}

Error ListPages::stuck(const Error& why) const
{
    return Error(Fault::bad_reply, "no other way leads past it: who has no chat is found when it can be read again",
                 "behind {} conversations the list cannot be read on: {}", read_, why.what());
}

} // namespace alli::sync
