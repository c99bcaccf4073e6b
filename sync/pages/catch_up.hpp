// SPDX-License-Identifier: Apache-2.0
// The chats of one conversation that the mirror lacks, for the fewest pages: none where the list item carries them
// already, otherwise only the pages that hold something new.
#pragma once

#include "cache/conversations.hpp"
#include "sync/pages/own_chats.hpp"
#include "upstream/client.hpp"

#include <optional>
#include <vector>

namespace alli::sync {

/// A run of chats to put at an ordinal, in the order of the vector they stand in.
struct ChatRun {
    std::int64_t first_ordinal = 0;
    std::vector<Chat> chats;
    bool only_if_none_held = false;
};

/// A conversation with everything needed to make the mirror's copy whole.
struct Update {
    Conversation conversation;
    std::vector<ChatRun> runs;
    std::optional<std::int64_t> cut_from; // upstream has no chats from this ordinal on
    int pages = 0;                        // that were asked for
    bool partial = false;                 // some of it was broken off: what is left is in it
    bool contradicted = false;            // the item goes on counting more chats than the pages show
};

/// Which pages of chats (1 is the oldest) must be asked for, worked out of the list item and of what is held. Pure.
struct Missing {
    int first_page = 1, last_page = 0;       // none when last < first
    bool to_the_end = false;                 // go on while pages are full: how many there are is not known
    std::optional<std::int64_t> cut_from;    // the item counts no chats from this ordinal on
    std::optional<std::int64_t> embedded_at; // where the item's own chats go; none: leave them out
    std::optional<ChatId> held_there;        // what is held where the first page begins: the same must come again
    bool doubted = false; // that pages show less than the item counts is known: not to be asked again
};
Missing find_missing(const Conversation& listed, const std::optional<cache::Held>& held,
                     const std::vector<ChatId>& held_tail);

/// All but what the item carries: for a comparison with what is held.
Missing find_all(const Conversation& listed, const std::optional<cache::Held>& held);

/// The ordinal from which find_missing wants the held ids: where the embedded chats begin; as many before them where
/// nothing is held from there on.
std::int64_t tail_start(const Conversation& listed, const std::optional<cache::Held>& held);

/// None when the conversation is gone meanwhile; Error{bad_reply} where upstream has it, and not its chats.
/// `elsewhere`: whether chats are known to be another conversation's; empty: nobody knows. `mend`: of pages of chats
/// whose structure is broken what is left will do, where it is as many as the item counts.
Task<std::optional<Update>> catch_up(upstream::Client& client, Conversation listed, Missing missing,
                                     upstream::Priority priority, KnownElsewhere elsewhere = {}, bool mend = false);

} // namespace alli::sync
