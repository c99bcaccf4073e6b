// SPDX-License-Identifier: Apache-2.0
// What waiting writes do to reads, by one rule: the mirror's own rows hold the effect, and beside them, for as long as
// it lasts, what upstream sent. So lists, filters, search and counts see a waiting write without asking for it, and it
// is taken back by putting upstream's copy in its place. Derived from the outbox, never the other way round. Functions
// with a Writer belong into Store::write.
#pragma once

#include "alli/clock.hpp"
#include "alli/conversation.hpp"
#include "cache/outbox.hpp"
#include "cache/read_lag.hpp"
#include "cache/sqlite.hpp"

#include <span>
#include <string>
#include <vector>

namespace alli::cache {

/// The feed tells that writes of this conversation, or of none, are not what they were.
void note_outbox(Writer& db, const std::optional<ConversationId>& id);

/// A write that waits shows from now on. Again is nothing new.
void show_edit(Writer& db, const Entry& entry);

/// Upstream answered that it applied a write. For `lag` from then on its reads may show the state before.
struct Confirmation {
    // Implicit: a moment alone is a confirmation without a lag.
    Confirmation(Clock::Steady its_at = {}, std::optional<Instant> its_utc = {}, std::chrono::nanoseconds its_lag = {})
        : at(its_at), utc(its_utc), lag(its_lag)
    {}

    Clock::Steady at;
    std::optional<Instant> utc; // the same moment, for the next process; none: it does not outlive this one
    std::chrono::nanoseconds lag;
    std::optional<std::string> base{}; // find_base() from before it was sent, where that was looked up
};

/// It goes on showing over whatever was asked for before, and over what is only lag (read_lag.hpp). `answer`:
/// upstream's own copy, where it sent one.
void confirm_edit(Writer& db, const Entry& entry, const std::optional<std::string>& answer, const Confirmation& when);
bool is_confirmed(Reader& db, std::int64_t entry);

/// It will not be applied: upstream's copy shows again.
void drop_edit(Writer& db, std::int64_t entry);

/// Those whose lag ended before `before`: by now nothing older can still come.
void forget_confirmed(Writer& db, Clock::Steady before);

/// At a start, for reads asked for from now on: what an earlier process confirmed lags for what is left of `lag`, by
/// the wall clock; what is over is forgotten.
void resume_lag(Writer& db, Clock::Steady now, Instant utc, std::chrono::nanoseconds lag);

/// Conversations of which a read showed the state before a write whose lag is over now: what upstream has since then is
/// not known until they are read again. Each is returned once a process.
bool has_covered(Reader& db, Clock::Steady now);
std::vector<ConversationId> take_covered(Writer& db, Clock::Steady now, int limit);

/// The members that a write sets, as upstream has them as far as the mirror knows; none when it does not hold it.
std::optional<std::string> find_base(Reader& db, const ConversationId& id, const Patch& wanted);
std::optional<std::string> find_base(Reader& db, const Entry& entry); // of a chat too; none for a bulk update

/// Whether a write to it, or to a chat of it, was delivered so lately that reads may lag.
bool has_delivered(Reader& db, const ConversationId& id);

/// What a read of this conversation, or of this chat, may lag behind when it is asked for at `asked_at`.
struct Lagging {
    std::vector<Delivered> writes;
    Clock::Steady until{}; // when the last of these lags ends
};
Lagging load_lagging(Reader& db, const ConversationId& id, const std::optional<ChatId>& chat, Clock::Steady asked_at);

/// Conversations in which an entry shows.
std::vector<ConversationId> find_edited(Reader& db, std::int64_t entry, int limit);

/// The entries that wait as far as the mirror shows, and, of the outbox, those that wait: what differs after a start
/// has to be shown again. Ascending.
std::vector<std::int64_t> load_shown(Reader& mirror);
std::vector<std::int64_t> load_waiting(Reader& outbox);

// For conversations.cpp alone:

/// What came from upstream is kept aside where edits show; returns what goes into the mirror's rows instead.
struct Shown {
    bool hidden = false;                 // nothing: its deletion waits
    std::optional<Conversation> instead; // none: as it came
};
Shown overlay_conversation(Writer& db, const Conversation& came);

/// Whether anything changes chats of it; then each goes through overlay_chat.
bool changes_chats(Writer& db, const ConversationId& id);
std::optional<Chat> overlay_chat(Writer& db, const ConversationId& id, const Chat& came,
                                 std::optional<Clock::Steady> asked_at);

/// Whether a waiting or just confirmed write shows in this chat.
bool shows_edit(Reader& db, const ConversationId& id, const ChatId& chat);

bool is_hidden(Reader& db, const ConversationId& id);
void put_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal, std::span<const Chat> chats);
void cut_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal);
std::vector<ChatId> hidden_chat_ids(Reader& db, const ConversationId& id, std::int64_t first_ordinal);

/// Upstream has it no more.
void forget_upstream(Writer& db, const ConversationId& id);

} // namespace alli::cache
