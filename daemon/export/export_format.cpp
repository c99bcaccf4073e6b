// SPDX-License-Identifier: Apache-2.0
#include "daemon/export/export_format.hpp"

#include "alli/json_text.hpp"
#include "cache/conversations.hpp"
#include "daemon/export/markdown.hpp"
#include "daemon/output/terminal.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
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

static void write_jsonl(cache::Reader& db, const cache::Summary& summary, const Zone&, const Sink& sink)
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

// White space, control and invisible characters: a spreadsheet may drop them before it looks for a formula.
static std::size_t skip_unseen(std::string_view text)
{
    constexpr std::array<std::string_view, 5> unseen{"\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b", "\xe2\x81\xa0",
                                                     "\xef\xbb\xbf"};
    std::size_t at = 0;
    while (at < text.size()) {
        const auto* const wide = std::find_if(unseen.begin(), unseen.end(),
                                              [&](std::string_view one) { return text.substr(at).starts_with(one); });
        const auto letter = static_cast<unsigned char>(text[at]);
        if (wide == unseen.end() && letter > ' ' && letter != 0x7f) break;
        at += wide == unseen.end() ? 1 : wide->size();
    }
    return at;
}

static bool is_formula(std::string_view text)
{
    constexpr std::array<std::string_view, 9> signs{"=", "+", "-", "@", "＝", "＋", "－", "＠", "−"};
    const std::string_view seen = text.substr(skip_unseen(text));
    const bool control = !text.empty() && static_cast<unsigned char>(text[0]) < ' ';
    return control ||
           std::any_of(signs.begin(), signs.end(), [&](std::string_view sign) { return seen.starts_with(sign); });
}

std::string csv_field(std::string_view text)
{
    const bool formula = is_formula(text);
    const bool plain = !formula && text.find_first_of(",\"\r\n") == text.npos;
    if (plain) return std::string(text);
    std::string field = formula ? "\"'" : "\"";
    for (const char letter : text) {
        if (letter == '"') field += '"';
        field += letter;
    }
    return field + '"';
}

static std::string csv_time(std::optional<Instant> when, const Zone& zone)
{
    return when ? to_rfc3339(*when, zone) : "";
}

static void write_csv(cache::Reader& db, const cache::Summary& summary, const Zone& zone, const Sink& sink)
{
    const std::string start =
        fmt::format("{},{},{},", csv_field(summary.id), csv_field(summary.title), csv_field(summary.user));
    for_each_chat(db, ConversationId{summary.id}, [&](const cache::ReadableChat& chat) {
        sink(fmt::format("{}{},{},{},{}\r\n", start, csv_field(chat.id), csv_field(chat.sender),
                         csv_time(chat.sent_at, zone), csv_field(chat.text)));
    });
}

std::string markdown_head(const cache::Summary& summary)
{
    const std::string title = markdown_line(summary.title);
    return fmt::format("# {}\n\n- id: {}\n- user: {}\n- chats: {}\n", title.empty() ? "(no title)" : title,
                       markdown_code(summary.id), markdown_line(summary.user), summary.chats);
}

std::string markdown_chat(const cache::ReadableChat& chat, const Zone& zone)
{
    return fmt::format("\n## {}, {}\n\n{}\n", markdown_line(chat.sender), say_time(chat.sent_at, zone),
                       markdown_quote(chat.text));
}

static void write_markdown(cache::Reader& db, const cache::Summary& summary, const Zone& zone, const Sink& sink)
{
    sink(markdown_head(summary));
    for_each_chat(db, ConversationId{summary.id},
                  [&](const cache::ReadableChat& chat) { sink(markdown_chat(chat, zone)); });
    sink("\n");
}

const ExportFormat* find_export_format(std::string_view name)
{
    static constexpr auto formats = std::to_array<ExportFormat>({
        {"jsonl", "", false, &write_jsonl},
        {"csv", "conversationId,title,user,chatId,sender,timestamp,text\r\n", true, &write_csv},
        {"markdown", "", false, &write_markdown},
    });
    for (const ExportFormat& format : formats)
        if (format.name == name) return &format;
    return nullptr;
}

} // namespace alli::daemon
