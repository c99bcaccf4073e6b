// SPDX-License-Identifier: Apache-2.0
#include "cache/export/export_format.hpp"

#include "alli/json_text.hpp"
#include "alli/printable.hpp"
#include "cache/conversations.hpp"
#include "cache/export/markdown.hpp"
#include "cache/export/mask_json.hpp"
#include "cache/text/mask.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace alli::cache {

// {"conversation": as upstream sends it alone, "chats": all of them, oldest first}; the inner JSON byte for byte where
// it is JSON, but for line breaks between its tokens, which would end the line.
static std::string on_one_line(const std::string& raw)
{
    std::string json = readable_json(raw);
    for (char& letter : json)
        if (letter == '\n' || letter == '\r') letter = ' ';
    return json;
}

static ExportHead begin_jsonl(Reader& db, const Summary& summary, const ExportStyle& style)
{
    std::string conversation = find_conversation(db, ConversationId{summary.id}).value_or("null");
    if (style.mask) conversation = mask_json_text(conversation);
    return {R"({"conversation":)" + on_one_line(conversation) + R"(,"chats":[)", {}};
}

static std::string write_jsonl(const ExportHead&, const ReadableChat& chat, std::int64_t ordinal, const Zone&)
{
    return (ordinal > 0 ? "," : "") + on_one_line(chat.raw);
}

static std::string write_deleted_jsonl(const ConversationId& id, const ExportStyle& style)
{
    const std::string shown = quoted_text(style.mask ? mask_id(id.value) : id.value);
    return R"({"conversation":{"id":)" + shown + R"(},"chats":[],"deleted":true})" + '\n';
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
    const bool plain = !formula && text.find_first_of(",;\t\"\r\n") == text.npos; // other programs part at other signs
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

constexpr std::string_view csv_head =
    "conversationId,title,userId,userName,appId,appName,category,state,assignee,channel,createdAt,chatId,ordinal,"
    "sender,time,message,rating,agentRating,feedbackSelection,suggestedAnswer,citations\r\n";
constexpr std::string_view deletion_column = ",deleted";

static std::string csv_line(std::initializer_list<std::string_view> fields)
{
    std::string line;
    for (const std::string_view field : fields) line += csv_field(field) + ',';
    return line;
}

// What all rows of a conversation begin with.
static ExportHead begin_csv(Reader& db, const Summary& summary, const ExportStyle& style)
{
    ConversationRow c = find_conversation_row(db, ConversationId{summary.id}).value_or(ConversationRow());
    if (style.mask) mask(c);
    return {"",
            csv_line({c.id, c.title, c.user_id, c.user_name, c.app_id, c.app_name, c.categories, c.state, c.assignee,
                      c.channel, csv_time(c.created_at, style.zone)}),
            style.deletions ? "," : ""};
}

static std::string write_csv(const ExportHead& head, const ReadableChat& chat, std::int64_t ordinal, const Zone& zone)
{
    const ChatRow row = read_chat_row(chat.raw);
    std::string line = head.repeated + csv_line({chat.id, std::to_string(ordinal), chat.sender,
                                                 csv_time(chat.sent_at, zone), chat.text, row.rating, row.agent_rating,
                                                 row.feedback_selection, row.suggested_answer, row.citations});
    line.pop_back();
    return line + std::string(head.behind) + "\r\n";
}

// A row of the id alone.
static std::string write_deleted_csv(const ConversationId& id, const ExportStyle&)
{
    const auto others = static_cast<std::size_t>(std::count(csv_head.begin(), csv_head.end(), ','));
    return csv_field(id.value) + std::string(others, ',') + ",true\r\n";
}

std::string markdown_head(const Summary& summary)
{
    const std::string title = markdown_line(summary.title);
    return fmt::format("# {}\n\n- id: {}\n- user: {}\n- chats: {}\n", title.empty() ? "(no title)" : title,
                       markdown_code(summary.id), markdown_line(summary.user), summary.chats);
}

std::string markdown_chat(const ReadableChat& chat, const Zone& zone)
{
    return fmt::format("\n## {}, {}\n\n{}\n", markdown_line(chat.sender), say_time(chat.sent_at, zone),
                       markdown_quote(chat.text));
}

static ExportHead begin_markdown(Reader&, const Summary& summary, const ExportStyle& style)
{
    Summary shown = summary;
    if (style.mask) mask(shown);
    return {markdown_head(shown), {}};
}

static std::string write_markdown(const ExportHead&, const ReadableChat& chat, std::int64_t, const Zone& zone)
{
    return markdown_chat(chat, zone);
}

bool write_chats(Reader& db, const ExportFormat& format, const ExportHead& head, const ConversationId& id,
                 std::int64_t first, const ExportStyle& style, std::string& out)
{
    auto chats = read_chats(db, id, first, chats_a_piece);
    for (std::size_t at = 0; at < chats.size(); ++at) {
        if (style.mask) mask(chats[at]);
        out += format.write(head, chats[at], first + static_cast<std::int64_t>(at), style.zone);
    }
    return std::ssize(chats) == chats_a_piece;
}

std::string head_of(const ExportFormat& format, const ExportStyle& style)
{
    std::string head(format.head);
    if (style.deletions && format.head == csv_head) head.insert(head.size() - 2, deletion_column);
    return head;
}

const ExportFormat* find_export_format(std::string_view name)
{
    static constexpr auto formats = std::to_array<ExportFormat>({
        {"jsonl", "application/x-ndjson", "", "]}\n", false, &begin_jsonl, &write_jsonl, &write_deleted_jsonl},
        {"csv", "text/csv; charset=utf-8", csv_head, "", true, &begin_csv, &write_csv, &write_deleted_csv},
        {"markdown", "text/markdown; charset=utf-8", "", "\n", false, &begin_markdown, &write_markdown, nullptr},
    });
    for (const ExportFormat& format : formats)
        if (format.name == name) return &format;
    return nullptr;
}

} // namespace alli::cache
