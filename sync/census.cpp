// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "sync/passes.hpp"
#include "sync/retry.hpp"

#include <algorithm>
#include <unordered_set>

namespace alli::sync {
namespace {

// Only those without a chat are kept: the others belong to the windows, which know what they hold.
std::vector<Conversation> take_chatless(std::vector<Conversation>& page)
{
    std::vector<Conversation> chatless;
    for (Conversation& conversation : page)
        if (!conversation.last_chat_at) chatless.push_back(std::move(conversation));
    return chatless;
}

// The whole list, by upstream's cursor: who has no chat is in no window.
class Pages {
  public:
    explicit Pages(Tools tools) : tools_(tools) { query_.page_size = 50; }

    bool more() const { return !begun_ || query_.cursor; }

    /// Asks for less while a page cannot be read. One item that cannot is the end: what comes after it, its page's
    /// cursor alone could tell. A cursor that is refused is asked again, then the list is begun anew: cursors may be
    /// forgotten, and by then most of it is known.
    Task<std::vector<Conversation>> next()
    {
        for (;;) {
            std::optional<Error> failure;
            try {
                co_return co_await ask();
            } catch (const Error& error) {
                failure = error;
            }
            if (failure->fault() == Fault::refused && query_.cursor && refusals_++ < most_refusals) {
                co_await tools_.clock.sleep(refused_pause * refusals_);
                if (refusals_ % 2 == 0) begin_anew();
                continue;
            }
            if (failure->fault() != Fault::bad_reply || broken_) throw Error(*failure);
            const bool its_own = co_await answers_lists(tools_, upstream::Priority::reconcile);
            if (!its_own) throw concern_all(tools_, *failure);
            if (query_.page_size == 1) throw stuck(*failure);
            query_.page_size = std::max(1, query_.page_size / 4);
        }
    }

  private:
    Task<std::vector<Conversation>> ask()
    {
        std::function<Task<upstream::Listed>()> once = [this] {
            return tools_.client.list_conversations(query_, upstream::Priority::reconcile);
        };
        upstream::Listed listed = co_await with_retries(tools_.clock, tools_.random, once);
        begun_ = true;
        read_ += listed.page.conversations.size();
        idle_ = listed.page.conversations.empty() ? idle_ + 1 : 0;
        query_.cursor = std::move(listed.page.cursor);
        broken_ =
            query_.cursor && (!cursors_.insert(*query_.cursor).second || idle_ > most_empty || cursors_.size() > most);
        if (broken_)
            throw Error(Fault::bad_reply, "upstream's paging is broken; the census is tried again later",
                        "a list's cursor does not advance");
        co_return std::move(listed.page.conversations);
    }

    void begin_anew()
    {
        query_.cursor.reset();
        cursors_.clear();
        begun_ = false;
        read_ = 0;
    }

    Error stuck(const Error& why) const
    {
        return Error(Fault::bad_reply, "no other way leads past it: who has no chat is found when it can be read again",
                     "behind {} conversations the list cannot be read on: {}", read_, why.what());
    }

    static constexpr int most_refusals = 4; // in all
    static constexpr std::chrono::milliseconds refused_pause{500};
    static constexpr int most_empty = 1000;        // pages in a row
    static constexpr std::size_t most = 1'000'000; // pages

    Tools tools_;
    upstream::ListQuery query_;
    std::unordered_set<std::string> cursors_; // each leads on once
    std::size_t read_ = 0;
    int idle_ = 0, refusals_ = 0;
    bool begun_ = false, broken_ = false;
};

std::vector<ConversationId> load_unseen(Tools tools, const std::unordered_set<ConversationId>& seen)
{
    auto held = tools.store.read([](cache::Reader& db) { return cache::ids_without_chat(db); });
    std::erase_if(held, [&](const ConversationId& id) { return seen.contains(id); });
    return held;
}

bool is_unreadable(cache::Reader& db, const ConversationId& id)
{
    return cache::find_problem(db, cache::problem_key(id)).has_value();
}

// Who cannot be read keeps the list from being complete: like a time that is not certified.
std::size_t note_done(cache::Writer& db, Instant started, const std::unordered_set<ConversationId>& chatless)
{
    const auto missing = std::count_if(chatless.begin(), chatless.end(),
                                       [&](const ConversationId& id) { return is_unreadable(db, id); });
    cache::Progress progress = cache::load_progress(db);
    progress.chatless_at.reset();
    if (missing == 0) progress.chatless_at = started;
    cache::save_progress(db, progress);
    return static_cast<std::size_t>(missing);
}

} // namespace

Task<> census(Tools tools, Deletions deletions, Duties duties)
{
    const Instant started = tools.clock.now(); // it only plans the next one
    std::unordered_set<ConversationId> seen;
    How how;
    how.priority = upstream::Priority::reconcile;
    for (Pages pages(tools); pages.more();) {
        const Asked asked = tools.order.ask();
        auto page = co_await pages.next();
        auto chatless = take_chatless(page);
        for (const Conversation& conversation : chatless) seen.insert(conversation.id);
        Ingested done;
        std::function<void(cache::Writer&)> nothing_more = [](cache::Writer&) {};
        if (!chatless.empty()) done = co_await ingest(tools, std::move(chatless), asked, how, nothing_more);
        if (duties.report) duties.report(done);
        if (duties.between) co_await duties.between();
    }

    auto absent = load_unseen(tools, seen);
    seen.insert(absent.begin(), absent.end());
    co_await confirm_absent(tools, std::move(absent), deletions, duties.report);
    auto save = [&](cache::Writer& db) { return note_done(db, started, seen); };
    const std::size_t missing = co_await tools.store.write(save);
    if (missing > 0)
        throw Error(Fault::bad_reply, "see the problems of these conversations; each is tried again by itself",
                    "of the conversations without a chat, {} cannot be read", missing);
}

} // namespace alli::sync
