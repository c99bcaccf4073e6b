// SPDX-License-Identifier: Apache-2.0
// `show ID`: one conversation with all its chats, for reading or as upstream's own JSON.
#include "alli/error.hpp"
#include "alli/json_text.hpp"
#include "cache/conversations.hpp"
#include "cache/export/export_format.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/store.hpp"
#include "daemon/access/service_reads.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

struct ShowArguments {
    std::string id;
    std::string format = "text";
    bool json = false;
};

[[noreturn]] static void fail_absent(const ConversationId& id)
{
    throw Error(Fault::refused, "alli-mirror list shows what there is", "the mirror holds no conversation {}",
                id.value);
}

static std::string title_of(const cache::Summary& summary)
{
    return summary.title.empty() ? "(no title)" : printable_line(summary.title);
}

static void print_text(const cache::Summary& summary, const std::vector<cache::ReadableChat>& chats)
{
    fmt::print("{}\n{}  {} chats  {}\n", title_of(summary), printable_line(summary.user), summary.chats, summary.id);
    for (const cache::ReadableChat& chat : chats)
        fmt::print("\n{}  {}\n{}\n", say_time(chat.sent_at), printable_line(chat.sender), printable(chat.text));
}

static void print_markdown(const cache::Summary& summary, const std::vector<cache::ReadableChat>& chats)
{
    fmt::print("{}", cache::markdown_head(summary));
    for (const cache::ReadableChat& chat : chats) fmt::print("{}", cache::markdown_chat(chat, Zone::of_host()));
}

/// {"conversation": as upstream sends it alone, "chats": all of them, oldest first}; the inner JSON byte for byte where
/// it is JSON.
static void print_raw(std::string_view conversation, const std::vector<cache::ReadableChat>& chats)
{
    std::string json = R"({"conversation":)" + readable_json(conversation) + R"(,"chats":[)";
    std::string_view separator;
    for (const cache::ReadableChat& chat : chats) {
        json.append(separator).append(readable_json(chat.raw));
        separator = ",";
    }
    print_json(json + "]}");
}

struct Shown {
    cache::Summary summary;
    std::string raw;
    std::vector<cache::ReadableChat> chats;
};

// Of a mirror whose files are closed to this user, by its daemon.
static Shown ask_daemon(const Context& context, const ConversationId& id)
{
    auto found = ask_conversation(context, id);
    if (!found) fail_absent(id);
    return {std::move(found->summary), std::move(found->raw), ask_chats(context, id)};
}

static Shown read_files(const std::string& mirror_path, const ConversationId& id)
{
    const auto db = cache::open_mirror(mirror_path);
    auto summary = cache::find_summary(*db, id);
    if (!summary) fail_absent(id);
    return {std::move(*summary), cache::find_conversation(*db, id).value_or("null"), cache::read_chats(*db, id)};
}

static int show(const ShowArguments& arguments, const Context& context)
{
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    const ConversationId id{arguments.id};
    const auto [summary, raw, chats] =
        must_ask_daemon(place) ? ask_daemon(remembering(context), id) : read_files(place.mirror_path, id);
    if (arguments.json || arguments.format == "json")
        print_raw(raw, chats);
    else if (arguments.format == "markdown")
        print_markdown(summary, chats);
    else
        print_text(summary, chats);
    return 0;
}

Action add_show(CLI::App& arguments)
{
    auto chosen = std::make_shared<ShowArguments>();
    arguments.add_option("ID", chosen->id, "id of the conversation")->required()->type_name("CONVERSATION");
    arguments.add_option("--format", chosen->format, "text, markdown or json")
        ->check(CLI::IsMember({"text", "markdown", "json"}));
    arguments.add_flag("--json", chosen->json, "as JSON, like --format json");
    return [chosen](const Context& context) { return show(*chosen, context); };
}

} // namespace alli::daemon
