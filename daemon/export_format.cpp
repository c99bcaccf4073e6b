// SPDX-License-Identifier: Apache-2.0
#include "daemon/export_format.hpp"

#include "alli/json_text.hpp"
#include "cache/conversations.hpp"
#include "daemon/terminal.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>

namespace alli::daemon {

static constexpr std::int64_t page = 100; // chats

template <class Each>
static void for_each_chat(cache::Reader& db, const ConversationId& id, const Each& each)
{
    for (std::int64_t first = 0;; first += page) {
        const auto chats = cache::read_chats(db, id, first, page);
        for (const cache::ReadableChat& chat : chats) each(chat);
        if (std::ssize(chats) < page) return;
    }
}

// {"conversation": as upstream sends it alone, "chats": all of them, oldest first}; the inner JSON byte for byte where
// it is JSON, but for line breaks between its tokens, which would end the line.
static std::string on_one_line(const std::string& raw)
{
    std::string json = readable_json(raw);
    for (char& letter : json)
        if (letter == '\n' || letter == '\r') letter = ' ';
    return json;
}

static void write_jsonl(cache::Reader& db, const cache::Summary& summary, const Sink& sink)
{
    const ConversationId id{summary.id};
    const auto conversation = cache::find_conversation(db, id);
    if (!conversation) return; // gone since it was listed
    sink(R"({"conversation":)" + on_one_line(*conversation) + R"(,"chats":[)");
    std::string_view separator;
    for (int number = 1;; ++number) {
        const auto chats = cache::find_chats(db, id, number);
        if (!chats || chats->empty()) break;
        for (const std::string& chat : *chats) {
            sink(separator);
            sink(on_one_line(chat));
            separator = ",";
        }
    }
    sink("]}\n");
}

std::string csv_field(std::string_view text)
{
    const bool formula = !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
    const bool plain = !formula && text.find_first_of(",\"\r\n") == text.npos;
    if (plain) return std::string(text);
    std::string field = formula ? "\"'" : "\"";
    for (const char letter : text) {
        if (letter == '"') field += '"';
        field += letter;
    }
    return field + '"';
}

static std::string csv_time(std::optional<Instant> when)
{
    return when ? to_rfc3339(*when) : "";
}

static void write_csv(cache::Reader& db, const cache::Summary& summary, const Sink& sink)
{
    const std::string start =
        fmt::format("{},{},{},", csv_field(summary.id), csv_field(summary.title), csv_field(summary.user));
    for_each_chat(db, ConversationId{summary.id}, [&](const cache::ReadableChat& chat) {
        sink(fmt::format("{}{},{},{},{}\r\n", start, csv_field(chat.id), csv_field(chat.sender), csv_time(chat.sent_at),
                         csv_field(chat.text)));
    });
}

// What people wrote is quoted, and cannot become a heading or HTML.
static std::string as_quote(std::string_view text)
{
    std::string out = "> ";
    for (const char letter : text) {
        if (letter == '<')
            out += "&lt;";
        else if (letter == '&')
            out += "&amp;";
        else
            out += letter;
        if (letter == '\n') out += "> ";
    }
    return out;
}

static std::string inline_text(std::string_view text)
{
    return as_quote(printable_line(text)).substr(2);
}

static void write_markdown(cache::Reader& db, const cache::Summary& summary, const Sink& sink)
{
    sink(fmt::format("# {}\n\n- id: `{}`\n- user: {}\n- chats: {}\n",
                     summary.title.empty() ? "(no title)" : inline_text(summary.title), printable_line(summary.id),
                     inline_text(summary.user), summary.chats));
    for_each_chat(db, ConversationId{summary.id}, [&](const cache::ReadableChat& chat) {
        sink(fmt::format("\n## {}, {}\n\n{}\n", inline_text(chat.sender), say_time(chat.sent_at),
                         as_quote(printable(chat.text))));
    });
    sink("\n");
}

const ExportFormat* find_export_format(std::string_view name)
{
    static constexpr auto formats = std::to_array<ExportFormat>({
        {"jsonl", "", &write_jsonl},
        {"csv", "conversationId,title,user,chatId,sender,timestamp,text\r\n", &write_csv},
        {"markdown", "", &write_markdown},
    });
    for (const ExportFormat& format : formats)
        if (format.name == name) return &format;
    return nullptr;
}

} // namespace alli::daemon
