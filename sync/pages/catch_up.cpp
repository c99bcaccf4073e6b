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

std::int64_t tail_start(const Conversation& listed)
{
    return std::max<std::int64_t>(0, count_of(listed).value_or(0) - embedded_count(listed));
}

Missing find_missing(const Conversation& listed, const std::optional<cache::Held>& held,
                     const std::vector<ChatId>& held_tail)
{
    if (is_made_up(listed.id.value)) return what_it_carries();
    const std::int64_t have = held ? held->chats : 0;
    if (!count_of(listed)) return everything();
    const std::int64_t count = *count_of(listed), start = tail_start(listed);
    if (count < embedded_count(listed) || have > count) return everything();

    Missing missing;
    missing.embedded_at = start;
    if (have > start && !tails_agree(listed, held_tail)) return everything();
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

Missing find_all(const Conversation& listed)
{
    if (is_made_up(listed.id.value)) return what_it_carries();
    const std::int64_t start = tail_start(listed);
    const auto count = count_of(listed);
    if (!count || *count < embedded_count(listed)) return everything();
    Missing missing;
    missing.embedded_at = start;
    missing.cut_from = count;
    if (start > 0) missing.last_page = page_of(start - 1);
    return missing;
}

Task<std::optional<Update>> catch_up(upstream::Client& client, Conversation listed, Missing missing,
                                     upstream::Priority priority, KnownElsewhere elsewhere, bool mend)
{
    Update update;
    update.partial = mend || listed.partial;
    const std::int64_t least = least_count(listed);
    std::int64_t known = -1; // how many chats upstream has, once a page that is not full has told
    for (int page = missing.first_page; page <= missing.last_page; ++page) {
        Task<std::optional<std::vector<Chat>>> asking =
            mend ? mended_chats(client, listed, page, priority, elsewhere)
                 : list_own_chats(client, listed.id, page, priority, elsewhere);
        auto chats = co_await std::move(asking);
        const std::int64_t first = (std::int64_t{page} - 1) * chats_a_page;
        if (!chats) { // behind pages that were full it is how some say that there are no more
            const bool plain = update.pages > 0 && first >= least;
            const bool ends = plain || co_await ends_at(client, listed.id, first, least, priority);
            if (!ends) co_return std::nullopt;
            known = first;
            break;
        }
        ++update.pages;
        const bool full = std::ssize(*chats) >= chats_a_page;
        if (!full) known = first + std::ssize(*chats);
        ChatRun run;
        run.first_ordinal = first;
        run.chats = std::move(*chats);
        update.runs.push_back(std::move(run));
        if (!full) break;
        if (first >= most_chats)
            throw Error(Fault::bad_reply, "upstream's paging is broken, or this is no conversation",
                        "the pages of a conversation's chats do not end");
        if (missing.to_the_end && page == missing.last_page) ++missing.last_page;
    }
    if (missing.to_the_end) update.cut_from = known;
    if (missing.cut_from) update.cut_from = known >= 0 ? known : *missing.cut_from;
    // Chats may have come or gone since the list was made: pages are the younger truth, and no hole may come to be.
    if (missing.embedded_at && (known < 0 || known >= *missing.embedded_at + embedded_count(listed))) {
        ChatRun run;
        run.first_ordinal = *missing.embedded_at;
        run.chats = std::move(listed.chats);
        update.runs.push_back(std::move(run));
    }
    listed.chats.clear();
    update.conversation = std::move(listed);
    co_return update;
}

} // namespace alli::sync
