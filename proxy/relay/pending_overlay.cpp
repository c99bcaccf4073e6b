// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/pending_overlay.hpp"

#include "cache/outbox/overlay_answer.hpp"
#include "proxy/relay/suppression_filter.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

struct ReplyShape {
    OperationId operation;
    cache::Shape shape;
};
constexpr std::array shapes{
    ReplyShape{OperationId::list_conversations, cache::Shape::list},
    ReplyShape{OperationId::get_conversation, cache::Shape::conversation},
    ReplyShape{OperationId::list_chats, cache::Shape::chats},
    ReplyShape{OperationId::get_chat, cache::Shape::chat},
};

} // namespace

void apply_pending_edits(cache::Store& store, const ReadSubject& subject, Clock::Steady asked_at,
                         upstream::Reply& reply)
{
    if (reply.status != 200 || !store.read([](cache::Reader& db) { return cache::has_edits(db); })) return;
    const auto* found = std::find_if(shapes.begin(), shapes.end(),
                                     [&](const ReplyShape& one) { return one.operation == subject.operation; });
    if (found == shapes.end()) return;
    const ConversationId id = subject.conversation.value_or(ConversationId{});
    const ChatId chat = subject.chat.value_or(ChatId{});
    cache::EditedAnswer edited = store.read(
        [&](cache::Reader& db) { return cache::apply_edits(db, found->shape, id, chat, reply.body, asked_at); });
    if (edited.removed) become_absent(reply);
    if (edited.body) put_body(reply, std::move(*edited.body));
}

} // namespace alli::proxy
