// SPDX-License-Identifier: Apache-2.0
#include "proxy/keep.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "alli/wire.hpp"
#include "alli/wire_field.hpp"
#include "cache/assemble.hpp"
#include "cache/categories.hpp"
#include "cache/conversations.hpp"
#include "cache/detail.hpp"
#include "cache/envelopes.hpp"
#include "cache/progress.hpp"
#include "cache/variables.hpp"

#include <array>

namespace alli::proxy {
namespace {

// Puts what the mirror did not have; of what it has, or cannot take, the ids.
struct Put {
    bool stored = false;
    std::vector<ConversationId> for_the_engine;
};

// What was served by itself until then may lack it: the answers that are kept whole go with the next change.
void learn_envelope(cache::Writer& db, Content content, const std::string& body)
{
    if (const auto found = find_envelope(body, content)) cache::note_envelope(db, content, *found);
}

bool is_whole(const Conversation& conversation)
{
    return conversation.chat_count == static_cast<std::int64_t>(conversation.chats.size());
}

bool is_held(cache::Writer& db, const ConversationId& id)
{
    return cache::find_held(db, id).has_value();
}

bool put_new(cache::Writer& db, const Conversation& conversation)
{
    const bool put = cache::put_conversation(db, conversation); // not where it was purged
    cache::put_chats(db, conversation.id, 0, conversation.chats);
    return put;
}

constexpr std::size_t most_names = 100; // what is asked for need not all be kept

bool put_listed_variables(cache::Writer& db, const Kept& kept, const Conversation& listed, Instant now)
{
    return listed.variables && cache::put_variables_object(db, listed.id, kept.names, *listed.variables, now);
}

Put put_list(cache::Writer& db, const Kept& kept, const std::string& body, Instant now)
{
    Put put;
    if (kept.names.size() > most_names) return put;
    learn_envelope(db, Content::list, body);
    TimeUnit unit = cache::load_progress(db).unit;
    for (const Conversation& conversation : read_conversation_page(body, unit, kept.names).conversations) {
        if (is_whole(conversation) && !is_held(db, conversation.id) && put_new(db, conversation)) put.stored = true;
        if (put_listed_variables(db, kept, conversation, now)) put.stored = true;
    }
    return put;
}

Put put_conversation(cache::Writer& db, const Kept& kept, const std::string& body, Instant)
{
    learn_envelope(db, Content::conversation, body);
    const auto held = cache::find_conversation(db, kept.id);
    if (held && cache::in_envelope(db, Content::conversation, *held) == body) return {};
    TimeUnit unit = cache::load_progress(db).unit;
    Conversation conversation = read_conversation(body, unit);
    if (is_made_up(conversation.id.value)) conversation.id = kept.id; // an answer without one
    if (held || conversation.id != kept.id || !is_whole(conversation)) return {false, {kept.id}};
    return {put_new(db, conversation), {}};
}

Put put_chats(cache::Writer& db, const Kept& kept, const std::string& body, Instant)
{
    learn_envelope(db, Content::chats, body);
    auto held = cache::find_chat_page(db, kept.id, kept.page_no);
    if (held && cache::in_envelope(db, Content::chats, std::move(*held)) == body) return {};
    return {false, {kept.id}}; // a page is not a conversation
}

Put put_chat(cache::Writer& db, const Kept& kept, const std::string& body, Instant)
{
    learn_envelope(db, Content::chat, body);
    TimeUnit unit = cache::load_progress(db).unit;
    Chat chat = read_chat(body, unit);
    if (is_made_up(chat.id.value)) chat.id = kept.chat;
    if (chat.id != kept.chat || !chat.completed) return {};
    return {cache::put_chat_detail(db, kept.id, kept.chat, kept.of, chat.raw), {}};
}

Put put_variables(cache::Writer& db, const Kept& kept, const std::string& body, Instant now)
{
    if (kept.names.size() > most_names) return {};
    if (!is_held(db, kept.id)) return {false, {kept.id}};
    return {cache::put_variables(db, kept.id, kept.names, body, now), {}};
}

Put put_categories(cache::Writer& db, const Kept&, const std::string& body, Instant now)
{
    cache::put_category_list(db, body, read_categories(body), now);
    return {true, {}};
}

using PutFunction = Put (*)(cache::Writer&, const Kept&, const std::string&, Instant now);
constexpr std::array<PutFunction, 8> puts{nullptr,   &put_list,      &put_conversation, &put_chats,
                                          &put_chat, &put_variables, &put_categories,   nullptr};
static_assert(puts.size() == static_cast<std::size_t>(Kept::What::count) + 1);

} // namespace

Task<bool> keep(const Needs& needs, Kept kept, const std::string& body)
{
    const PutFunction function = puts[static_cast<std::size_t>(kept.what)];
    if (!function) co_return false;
    Put put;
    try {
        const Instant now = needs.clock.now();
        auto write = [&](cache::Writer& db) { return function(db, kept, body, now); };
        put = co_await needs.store.write(write);
    } catch (const Error& error) {
        log_event<Event::answer_not_kept>(std::string_view(error.what()));
    }
    for (ConversationId& id : put.for_the_engine) needs.wake_conversation(std::move(id));
    co_return put.stored;
}

} // namespace alli::proxy
