// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/catch_up.hpp"

#include "alli/error.hpp"
#include "alli/wire_field.hpp"
#include "upstream/authenticity.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

constexpr std::int64_t most_chats = std::int64_t{1} << 24; // what the mirror has places for: a count beyond is none

std::int64_t embedded_count(const Conversation& listed)
{
    return static_cast<std::int64_t>(listed.chats.size());
}

std::optional<std::int64_t> count_of(const Conversation& listed)
{
    const auto& count = listed.chat_count;
    return count && *count >= 0 && *count < most_chats ? count : std::nullopt;
}

// Where the item's own chats are, by its count.
std::int64_t embedded_start(const Conversation& listed)
{
    return std::max<std::int64_t>(0, count_of(listed).value_or(0) - embedded_count(listed));
}

Missing everything()
{
    Missing missing;
    missing.to_the_end = true;
    missing.last_page = 1;
    return missing;
}

// Upstream knows nobody of that name, and cannot be asked for more.
Missing what_it_carries()
{
    Missing missing;
    missing.embedded_at = 0;
    return missing;
}

// The held chats from where the embedded ones begin must be the embedded ones: else some were removed or reordered.
bool tails_agree(const Conversation& listed, const std::vector<ChatId>& held_tail)
{
    return held_tail.size() <= listed.chats.size() &&
           std::equal(held_tail.begin(), held_tail.end(), listed.chats.begin(),
                      [](const ChatId& id, const Chat& chat) { return id == chat.id; });
}

// Those that the item counts behind all that is held, and that are held already: it counts some twice.
bool is_held_before(const Conversation& listed, const std::vector<ChatId>& held_tail)
{
    return std::any_of(listed.chats.begin(), listed.chats.end(), [&](const Chat& chat) {
        return std::find(held_tail.begin(), held_tail.end(), chat.id) != held_tail.end();
    });
}

// By its item, which may not count them.
std::int64_t least_count(const Conversation& listed)
{
    const std::int64_t any = listed.last_chat_at ? 1 : 0;
    return std::max({any, embedded_count(listed), count_of(listed).value_or(0)});
}

// Upstream has no such page. Only the conversation can tell whether it is gone with its chats: to believe it of the
// page would leave it out and mark verified its time all the same. True: the chats end here. Throws what does not go
// together.
Task<bool> ends_at(upstream::Client& client, ConversationId id, std::int64_t ordinal, std::int64_t least,
                   upstream::Priority priority)
{
    const auto found = co_await client.find_conversation(id, priority);
    if (found && ordinal < least)
        throw Error(Fault::bad_reply, "upstream has the conversation, but not its chats; it is tried again by itself",
                    "upstream has no chats of it from number {} on, and shows more", ordinal + 1);
    co_return found.has_value();
}

// A page of chats, or what is left of it: how many there must be is known from the item.
Task<std::optional<std::vector<Chat>>> mended_chats(upstream::Client& client, const Conversation& listed, int page,
                                                    upstream::Priority priority, const KnownElsewhere& elsewhere)
{
    const std::int64_t first = (std::int64_t{page} - 1) * chats_a_page;
    const std::int64_t expected = std::clamp<std::int64_t>(count_of(listed).value_or(0) - first, 0, chats_a_page);
    auto chats = co_await client.salvage_chats(listed.id, page, static_cast<std::size_t>(expected), priority);
    if (chats && elsewhere && elsewhere(*chats))
        throw Error(Fault::bad_reply, upstream::foreign_hint,
                    "what is left of a page of chats belongs to another conversation");
    co_return chats;
}

// How many are held that need not be looked at again: the last one may have grown before the next one came.
std::int64_t whole_of(const cache::Held& held)
{
    return held.last_completed ? held.chats : std::max<std::int64_t>(held.chats - 1, 0);
}

bool looks_unchanged(const Conversation& listed, const cache::Held& held)
{
    return held.last_completed && listed.last_chat_at == held.last_chat_at;
}

} // namespace

std::int64_t tail_start(const Conversation& listed, const std::optional<cache::Held>& held)
{
    const std::int64_t start = embedded_start(listed);
    return held && held->chats == start ? std::max<std::int64_t>(0, start - embedded_count(listed)) : start;
}

Missing find_missing(const Conversation& listed, const std::optional<cache::Held>& held,
                     const std::vector<ChatId>& held_tail)
{
    if (is_made_up(listed.id.value)) return what_it_carries();
    const std::int64_t have = held ? held->chats : 0;
    if (!count_of(listed)) return everything();
    const std::int64_t count = *count_of(listed), start = embedded_start(listed);
    if (count < embedded_count(listed) || have > count) return everything();

    Missing missing;
    missing.embedded_at = start;
    if (have > start && !tails_agree(listed, held_tail)) return everything();
    if (have == start && is_held_before(listed, held_tail)) return everything();
    const std::int64_t done = held ? whole_of(*held) : 0;
    if (done < start) {
        missing.first_page = page_of(done);
        missing.last_page = page_of(start - 1);
    } else if (listed.chats.empty() && count > 0 && held && !looks_unchanged(listed, *held)) {
        // As many as before, yet something moved, and the item shows none of them: look at the last page.
        missing.first_page = missing.last_page = page_of(count - 1);
    }
    return missing;
}

Missing find_all(const Conversation& listed, const std::optional<cache::Held>& held)
{
    if (is_made_up(listed.id.value)) return what_it_carries();
    const std::int64_t start = embedded_start(listed);
    const auto count = count_of(listed);
    if (!count || *count < embedded_count(listed) || (held && held->chats > *count)) return everything();
    Missing missing;
    missing.embedded_at = start;
    missing.cut_from = count;
    if (start > 0) missing.last_page = page_of(start - 1);
    return missing;
}

namespace {

std::int64_t bytes_of(const std::vector<Chat>& chats)
{
    std::int64_t bytes = 0;
    for (const Chat& chat : chats) bytes += static_cast<std::int64_t>(chat.raw.size());
    return bytes;
}

/// The pages of one conversation's chats, one after the other. A page that is not full is the end where the item counts
/// no more than was shown by then; else page and item are asked for again, and the pages behind it too.
class ChatWalk {
  public:
    ChatWalk(upstream::Client& client, Conversation listed, Missing missing, upstream::Priority priority,
             KnownElsewhere elsewhere, bool mend)
        : client_(client), listed_(std::move(listed)), missing_(std::move(missing)), priority_(priority),
          elsewhere_(std::move(elsewhere)), mend_(mend), least_(least_count(listed_)),
          at_(first_of(missing_.first_page))
    {}

    /// False: it is gone meanwhile.
    Task<bool> run()
    {
        const bool there = co_await read_pages();
        if (!there || embedded_fit() || (begun_at_ == 0 && known_ >= 0)) co_return there;
        begin_anew(); // chats came or went above what the pages brought
        co_return co_await read_pages();
    }

    Update finish()
    {
        update_.partial = mend_ || listed_.partial;
        update_.contradicted = stands_;
        if (missing_.to_the_end) update_.cut_from = known_;
        if (missing_.cut_from) update_.cut_from = known_ >= 0 ? known_ : *missing_.cut_from;
        if (!embedded_fit()) update_.cut_from = known_; // pages showed all of it, and the item something else
        if (stands_) update_.cut_from.reset();          // what is held beyond may well be there
        put_embedded();
        listed_.chats.clear();
        update_.conversation = std::move(listed_);
        return std::move(update_);
    }

  private:
    static std::int64_t first_of(int page) { return (std::int64_t{page} - 1) * chats_a_page; }

    Task<bool> read_pages()
    {
        for (int page = missing_.first_page; page <= missing_.last_page; ++page) {
            auto chats = co_await ask(page);
            if (chats && contradicts(*chats) && !std::exchange(asked_again_, true)) chats = co_await ask(page);
            if (!chats) co_return co_await ends_here();
            if (repeats(*chats)) co_return end_of_repeats();
            if (goes_on_elsewhere(page, *chats)) {
                begin_anew(), page = 0;
                continue;
            }
            const bool full = std::ssize(*chats) >= chats_a_page, empty = chats->empty();
            take(std::move(*chats));
            if (!full && at_ >= least_) {
                known_ = at_;
                co_return true;
            }
            if (!full) {
                const bool there = co_await look_at_item();
                if (!there || known_ >= 0) co_return there;
                if (mend_ || (empty && is_last_look(page))) co_return stands();
                missing_.to_the_end = true; // its pages are shorter than the contract's, or leave some out
                if (begun_at_ > 0) {
                    begin_anew(), page = 0;
                    continue;
                }
            }
            was_empty_ = empty;
            if (missing_.to_the_end && page == missing_.last_page) ++missing_.last_page;
        }
        co_return true;
    }

    Task<std::optional<std::vector<Chat>>> ask(int page)
    {
        Task<std::optional<std::vector<Chat>>> asking =
            mend_ ? mended_chats(client_, listed_, page, priority_, elsewhere_)
                  : list_own_chats(client_, listed_.id, page, priority_, elsewhere_);
        auto chats = co_await std::move(asking);
        if (chats && std::ssize(*chats) > chats_a_page) refuse_paging("a page of chats has more than a page holds");
        co_return chats;
    }

    [[noreturn]] static void refuse_paging(const char* what)
    {
        throw Error(Fault::bad_reply, "upstream's paging is broken, or this is no conversation", "{}", what);
    }

    bool contradicts(const std::vector<Chat>& chats) const
    {
        return !mend_ && !missing_.doubted && std::ssize(chats) < chats_a_page && at_ + std::ssize(chats) < least_;
    }

    // The same page under the next number: the last one of some who have no such page, or the only one of others.
    bool repeats(const std::vector<Chat>& chats)
    {
        return !chats.empty() && update_.pages > 0 && last_begins_ == chats.front().id;
    }

    bool end_of_repeats()
    {
        const bool is_end = count_of(listed_) && at_ >= least_;
        if (!is_end && !in_doubt_) refuse_paging("the pages of a conversation's chats repeat themselves");
        known_ = at_;
        stands_ = !is_end;
        return true;
    }

    // Chats were removed before what is held up to there, or pages are of another size than the contract's.
    bool goes_on_elsewhere(int page, const std::vector<Chat>& chats) const
    {
        return page == missing_.first_page && begun_at_ > 0 && missing_.held_there && !chats.empty() &&
               chats.front().id != *missing_.held_there;
    }

    void take(std::vector<Chat> chats)
    {
        constexpr std::int64_t most_bytes = std::int64_t{64} << 20;
        bytes_ += bytes_of(chats);
        if (bytes_ > most_bytes || at_ >= most_chats)
            throw Error(Fault::refused, "it is not mirrored: upstream answers for it",
                        "the chats of a conversation do not end, or are too many");
        ++update_.pages;
        if (!chats.empty()) last_begins_ = chats.front().id;
        ChatRun run;
        run.first_ordinal = at_;
        at_ += std::ssize(chats);
        run.chats = std::move(chats);
        update_.runs.push_back(std::move(run));
    }

    void begin_anew()
    {
        const int pages = update_.pages;
        const bool doubted = missing_.doubted;
        update_ = Update();
        update_.pages = pages;
        missing_ = everything();
        missing_.doubted = doubted;
        at_ = begun_at_ = bytes_ = 0;
        known_ = -1;
        last_begins_ = {};
    }

    // Behind pages that were full it is how some say that there are no more.
    Task<bool> ends_here()
    {
        const bool plain = in_doubt_ || (update_.pages > 0 && at_ >= least_);
        const bool ends = plain || co_await ends_at(client_, listed_.id, at_, least_, priority_);
        if (!ends) co_return false;
        known_ = at_;
        stands_ = at_ < least_;
        co_return true;
    }

    // The page shows less than the item that was listed: the chats may have gone meanwhile.
    Task<bool> look_at_item()
    {
        if (mend_ || std::exchange(in_doubt_, true) || missing_.doubted) co_return true;
        const auto found = co_await client_.find_conversation(listed_.id, priority_);
        if (!found) co_return false;
        if (least_count(*found) > at_) co_return true;
        known_ = at_;
        co_return true;
    }

    bool stands()
    {
        known_ = at_;
        stands_ = true;
        return true;
    }

    // Two empty pages in a row, or one behind all that the item counts.
    bool is_last_look(int page) { return std::exchange(was_empty_, true) || page > page_of(least_ - 1); }

    // Of the chats that came in a page and in the item too.
    bool embedded_fit() const
    {
        if (!missing_.embedded_at) return true;
        const std::int64_t from = *missing_.embedded_at;
        for (const ChatRun& run : update_.runs)
            for (std::int64_t n = std::max(run.first_ordinal, from); n < run.first_ordinal + std::ssize(run.chats);
                 ++n) {
                if (n - from >= embedded_count(listed_)) break;
                if (run.chats[static_cast<std::size_t>(n - run.first_ordinal)].id !=
                    listed_.chats[static_cast<std::size_t>(n - from)].id)
                    return false;
            }
        return true;
    }

    // Chats may have come or gone since the list was made: pages are the younger truth, and no hole may come to be.
    void put_embedded()
    {
        ChatRun run;
        const bool nothing_shown = stands_ && at_ == 0;
        if (nothing_shown) {
            run.only_if_none_held = true;
        } else {
            if (!missing_.embedded_at || !embedded_fit()) return;
            const std::int64_t from = *missing_.embedded_at, through = from + embedded_count(listed_);
            const std::int64_t shown = update_.runs.empty() ? from : std::max(from, at_);
            if ((known_ >= 0 && known_ < through) || shown >= through) return;
            listed_.chats.erase(listed_.chats.begin(), listed_.chats.begin() + (shown - from));
            run.first_ordinal = shown;
        }
        run.chats = std::move(listed_.chats);
        if (!run.chats.empty()) update_.runs.push_back(std::move(run));
    }

    upstream::Client& client_;
    Conversation listed_;
    Missing missing_;
    upstream::Priority priority_;
    KnownElsewhere elsewhere_;
    bool mend_;
    std::int64_t least_; // that the item shows
    std::int64_t at_;    // the ordinal of what the next page brings
    std::int64_t begun_at_ = at_, bytes_ = 0;
    std::int64_t known_ = -1; // how many chats upstream has, once a page that is not full has told
    ChatId last_begins_;      // the page before
    bool asked_again_ = false, in_doubt_ = false, was_empty_ = false;
    bool stands_ = false; // the pages end before what the item counts, whoever is asked
    Update update_;
};

} // namespace

Task<std::optional<Update>> catch_up(upstream::Client& client, Conversation listed, Missing missing,
                                     upstream::Priority priority, KnownElsewhere elsewhere, bool mend)
{
    ChatWalk walk(client, std::move(listed), std::move(missing), priority, std::move(elsewhere), mend);
    const bool there = co_await walk.run();
    if (!there) co_return std::nullopt;
    co_return walk.finish();
}

} // namespace alli::sync
