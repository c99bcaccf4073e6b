// SPDX-License-Identifier: Apache-2.0
#include "proxy/withhold.hpp"

#include "alli/wire.hpp"
#include "alli/wire_field.hpp"
#include "cache/conversations.hpp"
#include "cache/ledger.hpp"
#include "cache/progress.hpp"
#include "proxy/relay.hpp"
#include "upstream/header.hpp"
#include "upstream/target.hpp"

#include <array>
#include <set>

namespace alli::proxy {
namespace {

std::set<std::string> purged_of(const Needs& needs, const std::string& page)
{
    std::set<std::string> purged;
    needs.store.read([&](cache::Reader& db) {
        TimeUnit unit = cache::load_progress(db).unit;
        for (const Conversation& one : read_conversation_page(page, unit).conversations)
            if (cache::keeps_out(db, one)) purged.insert(one.id.value);
    });
    return purged;
}

bool is_purged_one(const Needs& needs, const std::string& body)
{
    return needs.store.read([&](cache::Reader& db) {
        TimeUnit unit = cache::load_progress(db).unit;
        return cache::keeps_out(db, read_conversation(body, unit));
    });
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
    return problem(Surface::contract_read, 404, "there is no such conversation or chat");
}

void put_body(upstream::Reply& reply, std::string body)
{
    reply.body = std::move(body);
    std::erase_if(reply.headers, [](const Header& header) { return upstream::same_name(header.name, "ETag"); });
}

void become_absent(upstream::Reply& reply)
{
    const Response absent = no_such_conversation();
    reply.status = absent.status;
    put_body(reply, std::string(absent.body.view()));
}

bool names_purged(const Needs& needs, std::string_view path, const Match& match)
{
    if (!needs.store.keeps_ledger()) return false;
    auto id = conversation_of(path);
    const bool set_elsewhere = match.route && match.route->surface == Surface::webapi && !match.ids.empty();
    if (set_elsewhere) id = match.ids[0];
    return id && needs.store.read([&](cache::Reader& db) { return cache::is_purged(db, ConversationId{*id}); });
}

std::optional<std::string> target_to_look_at(const Needs& needs, std::string_view target)
{
    if (!needs.store.keeps_ledger()) return std::nullopt;
    const Match match = find_route("GET", split_target(target).path);
    const std::string_view operation = match.route ? match.route->operation : "";
    if (operation != "listChats" && operation != "getChat") return std::nullopt;
    const ConversationId id{match.ids[0]};
    if (needs.store.read([&](cache::Reader& db) { return cache::find_pk(db, id).has_value(); })) return std::nullopt;
    return upstream::conversation_target(id);
}

void withhold_purged(const Needs& needs, std::string_view target, upstream::Reply& reply)
{
    if (!needs.store.keeps_ledger() || reply.status != 200 || reply.body.empty()) return;
    const Match match = find_route("GET", split_target(target).path);
    const std::string_view operation = match.route ? match.route->operation : "";
    if (operation == "listConversations") {
        if (const auto purged = purged_of(needs, reply.body); !purged.empty()) take_out(reply, purged);
    } else if (operation == "getConversation" && is_purged_one(needs, reply.body)) {
        become_absent(reply);
    }
}

} // namespace alli::proxy
