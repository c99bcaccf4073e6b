// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/suppression_filter.hpp"

#include "alli/headers.hpp"
#include "alli/wire.hpp"
#include "alli/wire_field.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/suppression_list.hpp"

#include <array>
#include <set>

namespace alli::proxy {
namespace {

std::set<std::string> purged_of(cache::Store& store, const std::string& page)
{
    std::set<std::string> purged;
    store.read([&](cache::Reader& db) {
        TimeUnit unit = cache::load_progress(db).unit;
        for (const Conversation& one : read_conversation_page(page, unit).conversations)
            if (cache::is_suppressed(db, one)) purged.insert(one.id.value);
    });
    return purged;
}

bool is_purged_one(cache::Store& store, const std::string& body)
{
    return store.read([&](cache::Reader& db) {
        TimeUnit unit = cache::load_progress(db).unit;
        return cache::is_suppressed(db, read_conversation(body, unit));
    });
}

// A write is answered with the conversation as it is after it.
bool brings_conversation(OperationId operation)
{
    return operation == OperationId::get_conversation || operation == OperationId::update_conversation ||
           operation == OperationId::delete_conversation;
}

void take_out(upstream::Reply& reply, const std::set<std::string>& purged)
{
    constexpr std::array<std::string_view, 1> names{"conversations"};
    const JsonValue items = find_member(find_content(whole_value(reply.body), names), names[0]);
    std::vector<std::string> kept;
    for (JsonItems item(items); item.next();)
        if (!purged.contains(id_of_item(item.value))) kept.emplace_back(item.value.text);
    put_body(reply, with_part(reply.body, items.text, array_of(kept)));
}

} // namespace

Response no_such_conversation()
{
    return problem(ErrorFormat::contract_read, 404, "there is no such conversation or chat");
}

void put_body(upstream::Reply& reply, std::string body)
{
    reply.body = std::move(body);
    std::erase_if(reply.headers, [](const Header& header) { return same_name(header.name, "ETag"); });
}

void become_absent(upstream::Reply& reply)
{
    const Response absent = no_such_conversation();
    reply.status = absent.status;
    put_body(reply, std::string(absent.body.view()));
}

bool is_suppressed(cache::Store& store, const std::optional<ConversationId>& id)
{
    if (!id || !store.has_suppressions()) return false;
    return store.read([&](cache::Reader& db) { return cache::is_purged(db, *id); });
}

std::optional<ReadSubject> find_owner(cache::Store& store, const ReadSubject& subject)
{
    if (!store.has_suppressions()) return std::nullopt;
    if (subject.operation != OperationId::list_chats && subject.operation != OperationId::get_chat) return std::nullopt;
    if (store.read([&](cache::Reader& db) { return cache::find_pk(db, *subject.conversation).has_value(); }))
        return std::nullopt;
    return ReadSubject{OperationId::get_conversation, subject.conversation};
}

void suppress_purged(cache::Store& store, OperationId operation, upstream::Reply& reply)
{
    if (!store.has_suppressions() || reply.status != 200 || reply.body.empty()) return;
    if (operation == OperationId::list_conversations) {
        if (const auto purged = purged_of(store, reply.body); !purged.empty()) take_out(reply, purged);
    } else if (brings_conversation(operation) && is_purged_one(store, reply.body)) {
        become_absent(reply);
    }
}

} // namespace alli::proxy
