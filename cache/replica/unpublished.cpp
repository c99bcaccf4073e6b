// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/unpublished.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/export/export_row.hpp"
#include "cache/outbox/overlay_rows.hpp"
#include "cache/replica/extras.hpp"
#include "cache/replica/state.hpp"
#include "cache/rows/conversation_rows.hpp"
#include "cache/text/words.hpp"

#include <algorithm>
#include <unordered_set>

namespace alli::cache {
namespace {

void describe(const Conversation& read, PublishedConversation& to)
{
    to.item = read.raw;
    to.chats_at.reset();
    if (read.chats_at) to.chats_at = static_cast<std::int64_t>(*read.chats_at);
    to.title = read.title;
    to.user_id = read.user_id;
    to.app_id = read.app_id;
    to.user_name = read.user_name;
    to.is_end = read.is_end;
}

PublishedConversation read_row(const Row& row)
{
    PublishedConversation one;
    one.id = row.text(0);
    one.item = row.text(1);
    one.chats_at = row.optional_integer(2);
    one.held = row.integer(3);
    one.last_chat_at = row.optional_instant(4);
    one.created_at = row.optional_instant(5);
    one.title = row.optional_text(6);
    one.user_id = row.optional_text(7);
    one.app_id = row.optional_text(8);
    one.user_name = row.text(9);
    one.is_end = row.integer(10) != 0;
    return one;
}

PublishedConversation load_conversation(Reader& db, std::int64_t pk)
{
    PublishedConversation one =
        *db.one(&read_row,
                "SELECT id, raw, chats_at, held, last_chat_at, created_at, title, user_id, app_id, user_name, is_end"
                " FROM conversation WHERE pk = ?1",
                pk);
    if (auto raw = find_upstream_raw(db, {one.id}, "")) describe(reread_conversation(db, {one.id}, *raw), one);
    if (const auto row = find_conversation_row(db, {one.id})) one.state = row->state, one.categories = row->categories;
    one.variables = load_variables(db, pk);
    return one;
}

PublishedChat describe_chat(const std::string& conversation, const ChatTextView& text, std::string raw)
{
    PublishedChat one;
    one.conversation = conversation;
    one.ordinal = text.ordinal;
    one.id = text.id;
    one.message = message_of_chat(raw);
    ChatRow row = read_chat_row(raw);
    one.rating = std::move(row.rating);
    one.agent_rating = std::move(row.agent_rating);
    one.feedback = std::move(row.feedback_selection);
    one.suggested_answer = std::move(row.suggested_answer);
    one.chat = std::move(raw);
    return one;
}

void add_senders(Reader& db, std::int64_t pk, std::int64_t from, std::span<PublishedChat> chats)
{
    for (const Row row : db.query("SELECT place, sender, sent_at FROM chat_row WHERE place >= ?1 AND place < ?2"
                                  " ORDER BY place",
                                  chat_text_key(pk, from), chat_text_key(pk + 1, 0))) {
        const std::int64_t ordinal = ordinal_of_key(row.integer(0));
        const auto found = std::lower_bound(chats.begin(), chats.end(), ordinal,
                                            [](const PublishedChat& one, std::int64_t at) { return one.ordinal < at; });
        if (found == chats.end() || found->ordinal != ordinal) continue;
        found->sender = row.text(1);
        found->sent_at = row.optional_instant(2);
    }
}

// Upstream's own copies of chats in which edits show.
std::unordered_map<std::string, std::string> load_copies(Reader& db, const ConversationId& id)
{
    std::unordered_map<std::string, std::string> copies;
    for (const Row row :
         db.query("SELECT chat, raw FROM upstream_raw WHERE conversation = ?1 AND chat <> ''", id.value))
        copies.emplace(row.text(0), row.text(1));
    return copies;
}

void append_chats(Reader& db, std::int64_t pk, const PublishedConversation& of, std::int64_t from, PublishedRows& to)
{
    const std::size_t first = to.chats.size();
    const auto copies = load_copies(db, {of.id});
    visit_texts(db, pk, from, of.held, [&](const ChatTextView& text) {
        const auto copy = copies.empty() ? copies.end() : copies.find(std::string(text.id));
        to.chats.push_back(describe_chat(of.id, text, copy == copies.end() ? std::string(text.raw) : copy->second));
    });
    add_senders(db, pk, from, std::span(to.chats).subspan(first));
    const auto details = load_details(db, pk, from);
    for (PublishedChat& chat : std::span(to.chats).subspan(details.empty() ? to.chats.size() : first))
        if (const auto found = details.find(chat.ordinal); found != details.end()) chat.detail = found->second;
}

// Its deletion waits: upstream has it.
bool append_hidden(Reader& db, const ConversationId& id, PublishedRows& to)
{
    const auto raw = find_upstream_raw(db, id, "");
    if (!raw) return false;
    const Conversation read = reread_conversation(db, id, *raw);
    PublishedConversation one;
    one.id = id.value;
    describe(read, one);
    one.last_chat_at = read.last_chat_at;
    one.created_at = read.created_at;
    for (const Row row :
         db.query("SELECT ordinal, id, raw FROM hidden_chat WHERE conversation = ?1 ORDER BY ordinal", id.value)) {
        const ChatTextView text{row.integer(0), row.text(1), row.text(2)};
        PublishedChat chat = describe_chat(id.value, text, std::string(text.raw));
        const Chat reread = reread_chat(db, {chat.id}, chat.chat);
        chat.sender = reread.sender;
        chat.sent_at = reread.sent_at;
        if (read.last_chat_guessed) one.last_chat_at = std::max(one.last_chat_at, chat.sent_at);
        one.held = chat.ordinal + 1;
        to.chats.push_back(std::move(chat));
    }
    to.conversations.push_back(std::move(one));
    return true;
}

PublishedConversation ended(Reader& db, const std::string& id)
{
    PublishedConversation one;
    one.id = id;
    one.deleted = true;
    one.deleted_at = db.one<Instant>("SELECT deleted_at FROM tombstone WHERE id = ?1", id);
    return one;
}

/// Gathers rows for notes; a conversation that is noted by its row and by its id comes once.
class Gathering {
  public:
    explicit Gathering(Reader& db) : db_(db) {}

    void add(const Note& note)
    {
        found_.notes.push_back(note);
        if (note.kind == 0) return;
        if (const auto* const pk = std::get_if<std::int64_t>(&note.key))
            add_row(*pk, note.from_ordinal);
        else
            add_id(std::get<std::string>(note.key), note.from_ordinal);
    }

    void add_state()
    {
        for (const Note& note : found_.notes)
            if (note.kind == 0)
                if (auto state = find_state(db_, std::get<std::string>(note.key)))
                    found_.rows.state.push_back(std::move(*state));
    }

    void add_unit()
    {
        if (auto unit = find_state(db_, unit_name)) found_.rows.state.push_back(std::move(*unit));
    }

    Unpublished& found() { return found_; }

    /// Of JSON, so far.
    std::size_t bytes()
    {
        const PublishedRows& rows = found_.rows;
        for (; counted_conversations_ < rows.conversations.size(); ++counted_conversations_)
            bytes_ += rows.conversations[counted_conversations_].item.size();
        for (; counted_chats_ < rows.chats.size(); ++counted_chats_) bytes_ += rows.chats[counted_chats_].chat.size();
        return bytes_;
    }

  private:
    void add_row(std::int64_t pk, std::optional<std::int64_t> from)
    {
        const auto id = db_.one<std::string>("SELECT id FROM conversation WHERE pk = ?1", pk);
        if (!id) return; // its end is noted by its id
        if (!added_.insert(*id).second) return;
        const auto other =
            db_.one<std::int64_t>("SELECT from_ordinal FROM unpublished WHERE kind = 1 AND key = ?1", *id);
        if (other) from = std::min(from.value_or(*other), *other);
        PublishedConversation one = load_conversation(db_, pk);
        if (from) append_chats(db_, pk, one, *from, found_.rows);
        found_.rows.conversations.push_back(std::move(one));
    }

    void add_id(const std::string& id, std::optional<std::int64_t> from)
    {
        if (const auto pk = find_pk(db_, {id})) return add_noted_twice(*pk, from);
        if (added_.insert(id).second && !append_hidden(db_, {id}, found_.rows))
            found_.rows.conversations.push_back(ended(db_, id));
    }

    void add_noted_twice(std::int64_t pk, std::optional<std::int64_t> from)
    {
        const auto other =
            db_.one<std::int64_t>("SELECT from_ordinal FROM unpublished WHERE kind = 1 AND key = ?1", pk);
        if (other) from = std::min(from.value_or(*other), *other);
        add_row(pk, from);
    }

    Reader& db_;
    std::unordered_set<std::string> added_;
    std::size_t bytes_ = 0, counted_conversations_ = 0, counted_chats_ = 0;
    Unpublished found_;
};

bool holds(std::span<const Note> notes, const Note& note)
{
    return std::any_of(notes.begin(), notes.end(), [&](const Note& one) {
        return one.kind == note.kind && one.key == note.key && (one.times == any_times || one.times == note.times);
    });
}

} // namespace

Unpublished read_unpublished(Reader& db, std::size_t limit, std::size_t bytes, std::span<const Note> aside)
{
    Gathering gathering(db);
    const std::size_t most = limit + state_tables().size() + aside.size(); // of conversations `limit` at least
    std::vector<Note> notes = load_notes(db, most + 1);
    const bool all = notes.size() <= most;
    std::erase_if(notes, [&](const Note& note) { return holds(aside, note); });
    Unpublished& found = gathering.found();
    for (const Note& note : notes) {
        if (found.rows.size() >= limit || gathering.bytes() >= bytes) break;
        gathering.add(note);
    }
    found.whole = all && found.notes.size() == notes.size();
    // A note may be without a row, so that what was loaded can end amid the state: what is not sent stays noted.
    if (found.whole)
        gathering.add_state();
    else
        std::erase_if(found.notes, [](const Note& note) { return note.kind == 0; });
    if (!found.notes.empty()) gathering.add_unit();
    return std::move(found);
}

} // namespace alli::cache
