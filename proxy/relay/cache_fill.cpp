// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/cache_fill.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "alli/wire.hpp"
#include "alli/wire_field.hpp"
#include "cache/chat_detail.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/categories.hpp"
#include "cache/rows/conversation_json.hpp"
#include "cache/rows/envelopes.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/variables.hpp"
#include "proxy/request/cluster.hpp"

#include <array>

namespace alli::proxy {
namespace {

// What became of a response that was to fill the mirror.
struct FillResult {
    bool stored = false;
    std::vector<ConversationId> to_refetch; // what differs, or cannot be taken as it is
};

// Responses that are in the response cache may lack it until the next change.
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

constexpr std::size_t most_names = 100; // a reply need not be kept whole

bool put_listed_variables(cache::Writer& db, const FillTarget& target, const Conversation& listed, Instant now)
{
    return listed.variables && cache::put_variables_object(db, listed.id, target.names, *listed.variables, now);
}

FillResult put_list(cache::Writer& db, const FillTarget& target, const std::string& body, Instant now)
{
    FillResult put;
    if (target.names.size() > most_names) return put;
    learn_envelope(db, Content::list, body);
    TimeUnit unit = cache::load_progress(db).unit;
    for (const Conversation& conversation : read_conversation_page(body, unit, target.names).conversations) {
        if (is_whole(conversation) && !is_held(db, conversation.id) && put_new(db, conversation)) put.stored = true;
        if (put_listed_variables(db, target, conversation, now)) put.stored = true;
    }
    return put;
}

FillResult put_conversation(cache::Writer& db, const FillTarget& target, const std::string& body, Instant)
{
    learn_envelope(db, Content::conversation, body);
    const auto held = cache::find_conversation(db, target.id);
    if (held && cache::in_envelope(db, Content::conversation, *held) == body) return {};
    TimeUnit unit = cache::load_progress(db).unit;
    Conversation conversation = read_conversation(body, unit);
    if (is_made_up(conversation.id.value)) conversation.id = target.id; // an answer without one
    if (held || conversation.id != target.id || !is_whole(conversation)) return {false, {target.id}};
    return {put_new(db, conversation), {}};
}

FillResult put_chats(cache::Writer& db, const FillTarget& target, const std::string& body, Instant)
{
    learn_envelope(db, Content::chats, body);
    auto held = cache::find_chat_page(db, target.id, target.page_no);
    if (held && cache::in_envelope(db, Content::chats, std::move(*held)) == body) return {};
    return {false, {target.id}}; // a page is not a conversation
}

FillResult put_chat(cache::Writer& db, const FillTarget& target, const std::string& body, Instant)
{
    learn_envelope(db, Content::chat, body);
    TimeUnit unit = cache::load_progress(db).unit;
    Chat chat = read_chat(body, unit);
    if (is_made_up(chat.id.value)) chat.id = target.chat;
    if (chat.id != target.chat || !chat.completed) return {};
    return {cache::put_chat_detail(db, target.id, target.chat, target.of, chat.raw), {}};
}

FillResult put_variables(cache::Writer& db, const FillTarget& target, const std::string& body, Instant now)
{
    if (target.names.size() > most_names) return {};
    if (!is_held(db, target.id)) return {false, {target.id}};
    return {cache::put_variables(db, target.id, target.names, body, now), {}};
}

FillResult put_categories(cache::Writer& db, const FillTarget&, const std::string& body, Instant now)
{
    cache::put_category_list(db, body, read_categories(body), now);
    return {true, {}};
}

using FillFunction = FillResult (*)(cache::Writer&, const FillTarget&, const std::string&, Instant now);
constexpr std::array<FillFunction, 8> fills{nullptr,   &put_list,      &put_conversation, &put_chats,
                                            &put_chat, &put_variables, &put_categories,   nullptr};
static_assert(fills.size() == static_cast<std::size_t>(FillTarget::What::count) + 1);

// Asked for where it is called: gcc 14 crashes on a coroutine that keeps a pointer to a function of this file's own
// types.
FillFunction fill_of(const FillTarget& target)
{
    return fills[static_cast<std::size_t>(target.what)];
}

} // namespace

Task<bool> fill_cache(const Backend& backend, FillTarget target, const std::string& body)
{
    if (!fill_of(target) || follows(backend)) co_return false;
    FillResult put;
    try {
        const Instant now = backend.clock.now();
        auto write = [&](cache::Writer& db) { return fill_of(target)(db, target, body, now); };
        put = co_await backend.store.write(write);
    } catch (const Error& error) {
        log_event<Event::answer_not_kept>(std::string_view(error.what()));
    }
    for (ConversationId& id : put.to_refetch) backend.sync.refresh(std::move(id));
    co_return put.stored;
}

} // namespace alli::proxy
