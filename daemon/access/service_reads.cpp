// SPDX-License-Identifier: Apache-2.0
#include "daemon/access/service_reads.hpp"

#include "alli/error.hpp"
#include "alli/wire.hpp"
#include "cache/text/words.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "upstream/target.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

constexpr std::chrono::seconds long_read{60}; // a search may wait for others, figures of all years are counted

/// Of any length: what people wrote has none. A part will do where upstream is away, as where the files are read.
DaemonAnswer call(const Context& context, const std::string& target)
{
    std::string body;
    DaemonRequest request{"GET", target, "", long_read};
    request.sink = [&body](std::string_view piece) { body += piece; };
    request.cache_control = "max-stale";
    DaemonAnswer answer = call_daemon(context, request);
    if (answer.status == 200) answer.body = std::move(body);
    return answer;
}

cache::Summary summary_of(const Conversation& conversation)
{
    cache::Summary summary;
    summary.id = conversation.id.value;
    summary.title = conversation.title.value_or("");
    summary.user = conversation.user_name.empty() ? conversation.user_id.value_or("") : conversation.user_name;
    summary.created_at = conversation.created_at;
    summary.last_chat_at = conversation.last_chat_at;
    summary.chats = conversation.chat_count.value_or(std::ssize(conversation.chats));
    return summary;
}

std::string chats_target(const ConversationId& id, int page)
{
    return upstream::conversation_target(id, "/chats?pageNo=" + std::to_string(page));
}

} // namespace

bool must_ask_daemon(const MirrorLocation& place)
{
    return find_owner(place.mirror_path) == hidden_owner;
}

void require_files(const MirrorLocation& place, std::string_view what)
{
    if (!must_ask_daemon(place)) return;
    throw Error(Fault::refused, fmt::format("run it as root: sudo alli-mirror {} ...", what),
                "{} reads the mirror's files, which are for the service's own user and root alone", what);
}

std::string target_of(std::string_view path, const QueryParameters& parameters)
{
    std::string target(path);
    for (const auto& [name, value] : parameters)
        if (!value.empty()) upstream::add_query(target, name, value);
    return target;
}

std::string ask_service(const Context& context, const std::string& target)
{
    DaemonAnswer answer = call(context, target);
    if (answer.status != 200) throw refused_by_daemon(answer);
    return std::move(answer.body);
}

void ask_service(const Context& context, const std::string& target, std::function<void(std::string_view)> sink)
{
    const DaemonAnswer answer = call_daemon(context, {"GET", target, "", long_read, std::move(sink)});
    if (answer.status != 200) throw refused_by_daemon(answer);
}

std::vector<cache::Summary> ask_newest(const Context& context, int limit)
{
    constexpr int largest_page = 50; // of the API
    TimeUnit unit = TimeUnit::unknown;
    std::vector<cache::Summary> all;
    std::string cursor;
    do {
        const int wanted = std::min(limit - static_cast<int>(all.size()), largest_page);
        const ConversationPage page = read_conversation_page(
            ask_service(context, target_of(upstream::conversations_path,
                                           {{"pageSize", std::to_string(wanted)}, {"cursor", cursor}})),
            unit);
        for (const Conversation& one : page.conversations) all.push_back(summary_of(one));
        cursor = page.conversations.empty() ? "" : page.cursor.value_or("");
    } while (!cursor.empty() && std::ssize(all) < limit);
    return all;
}

std::optional<ServiceConversation> ask_conversation(const Context& context, const ConversationId& id)
{
    DaemonAnswer answer = call(context, upstream::conversation_target(id));
    if (answer.status == 404) return std::nullopt;
    if (answer.status != 200) throw refused_by_daemon(answer);
    TimeUnit unit = TimeUnit::unknown;
    ServiceConversation found{summary_of(read_conversation(answer.body, unit)), {}};
    found.raw = std::move(answer.body);
    return found;
}

std::vector<cache::ReadableChat> ask_chats(const Context& context, const ConversationId& id)
{
    TimeUnit unit = TimeUnit::unknown;
    std::vector<cache::ReadableChat> all;
    for (int page = 1;; ++page) {
        const auto chats = read_chat_page(ask_service(context, chats_target(id, page)), unit);
        if (chats.empty()) return all;
        for (const Chat& chat : chats)
            all.push_back({chat.id.value, chat.sender, cache::message_of_chat(chat.raw), chat.sent_at, chat.raw});
    }
}

} // namespace alli::daemon
