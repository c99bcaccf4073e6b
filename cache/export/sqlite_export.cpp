// SPDX-License-Identifier: Apache-2.0
#include "cache/export/sqlite_export.hpp"

#include "alli/error.hpp"
#include "alli/json_text.hpp"
#include "cache/export/export_format.hpp"
#include "cache/export/mask_json.hpp"

#include <spdlog/fmt/fmt.h>

#include <unistd.h>

#include <filesystem>

namespace alli::cache {
namespace {

constexpr const char* schema = R"(
CREATE TABLE v_conversation (
    conversation_id TEXT PRIMARY KEY, title TEXT, user_id TEXT, user_name TEXT, app_id TEXT, app_name TEXT, category TEXT,
    state TEXT, assignee TEXT, channel TEXT, created_at TEXT, raw TEXT
);
CREATE TABLE v_chat (
    conversation_id TEXT, chat_id TEXT, ordinal INTEGER, sender TEXT, time TEXT, message TEXT, rating TEXT,
    agent_rating TEXT, feedback_selection TEXT, suggested_answer TEXT, citations TEXT, raw TEXT,
    PRIMARY KEY (conversation_id, ordinal)
);
CREATE TABLE v_citation (chat_id TEXT, position INTEGER, title TEXT, source TEXT, url TEXT, page INTEGER);
CREATE INDEX chat_by_time ON v_chat (time);
CREATE VIEW v_feedback AS
    SELECT conversation_id, chat_id, ordinal, sender, time, message, rating, agent_rating, feedback_selection,
           suggested_answer
    FROM v_chat WHERE rating <> '' OR agent_rating <> '' OR feedback_selection <> '' OR suggested_answer <> '';
CREATE VIEW v_daily AS
    WITH part (day, app_id, conversations, messages, good, bad) AS (
        SELECT substr(created_at, 1, 10), app_id, 1, 0, 0, 0 FROM v_conversation
        UNION ALL
        SELECT substr(c.time, 1, 10), v.app_id, 0, 1, c.rating = 'good', c.rating = 'bad'
        FROM v_chat c JOIN v_conversation v USING (conversation_id))
    SELECT day, app_id, sum(conversations) AS conversations, sum(messages) AS messages, sum(good) AS good, sum(bad) AS bad
    FROM part GROUP BY day, app_id;
)";

std::optional<std::string> time_text(const std::optional<Instant>& when)
{
    return when ? std::optional(to_rfc3339(*when)) : std::nullopt;
}

std::optional<std::int64_t> number_of(JsonValue value)
{
    const bool digits =
        !value.text.empty() && value.text.size() < 10 && value.text.find_first_not_of("0123456789") == value.text.npos;
    return digits ? std::optional<std::int64_t>(std::stoll(std::string(value.text))) : std::nullopt;
}

void put_citations(Connection& file, const ReadableChat& chat)
{
    std::int64_t position = 0;
    for (JsonItems item(find_member(whole_value(chat.raw), "citations")); item.next(); ++position) {
        const auto text = [&](std::string_view name) { return text_of(find_member(item.value, name)); };
        file.run("INSERT INTO v_citation (chat_id, position, title, source, url, page) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                 chat.id, position, text("title"), text("source"), text("url"),
                 number_of(find_member(item.value, "pageNo")));
    }
}

void put_chat(Connection& file, const ConversationId& id, const ReadableChat& chat, std::int64_t ordinal)
{
    const ChatRow row = read_chat_row(chat.raw);
    file.run("INSERT INTO v_chat (conversation_id, chat_id, ordinal, sender, time, message, rating, agent_rating,"
             " feedback_selection, suggested_answer, citations, raw)"
             " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
             id.value, chat.id, ordinal, chat.sender, time_text(chat.sent_at), chat.text, row.rating, row.agent_rating,
             row.feedback_selection, row.suggested_answer, row.citations, readable_json(chat.raw));
    put_citations(file, chat);
}

void put_conversation(Connection& file, const ConversationRow& c)
{
    file.run(
        "INSERT INTO v_conversation (conversation_id, title, user_id, user_name, app_id, app_name, category, state,"
        " assignee, channel, created_at, raw) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        c.id, c.title, c.user_id, c.user_name, c.app_id, c.app_name, c.categories, c.state, c.assignee, c.channel,
        time_text(c.created_at), readable_json(c.raw));
}

} // namespace

SqliteExport::SqliteExport(std::string path, bool mask)
    : path_(std::move(path)), part_(fmt::format("{}.part-{}", path_, ::getpid())), mask_(mask)
{
    if (std::filesystem::exists(path_) && !std::filesystem::is_regular_file(path_))
        throw Error(Fault::io, "name a file that may be replaced", "{} is there, and no file", path_);
    file_ = std::make_unique<Connection>(part_, Access::write);
    file_->script(schema);
}

SqliteExport::~SqliteExport()
{
    file_.reset();
    std::error_code absent; // what is not there need not be removed
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(part_ + ending, absent);
}

bool SqliteExport::put(Reader& db, const ConversationId& id)
{
    db.script("BEGIN");
    auto row = find_conversation_row(db, id);
    if (row) {
        if (mask_) mask(*row);
        file_->script("BEGIN");
        put_conversation(*file_, *row);
        put_chats(db, id);
        file_->script("COMMIT");
    }
    db.script("COMMIT");
    return row.has_value();
}

void SqliteExport::put_chats(Reader& db, const ConversationId& id)
{
    for (std::int64_t first = 0;; first += chats_a_piece) {
        auto chats = read_chats(db, id, first, chats_a_piece);
        for (std::int64_t at = 0; at < std::ssize(chats); ++at) {
            ReadableChat& chat = chats[static_cast<std::size_t>(at)];
            if (mask_) mask(chat);
            put_chat(*file_, id, chat, first + at);
        }
        if (std::ssize(chats) < chats_a_piece) return;
    }
}

// Out of WAL the file is one file, complete in itself.
void SqliteExport::finish()
{
    file_->script("PRAGMA synchronous = FULL; PRAGMA journal_mode = DELETE");
    file_.reset();
    std::filesystem::rename(part_, path_);
}

} // namespace alli::cache
