// SPDX-License-Identifier: Apache-2.0
// THE table of the documented views (docs/sql.md): names, columns, types and meaning, the same for `query` and for an
// export as a SQLite file. New columns may come, behind those that are there; none goes, changes its type or its
// meaning. Pure.
#pragma once

#include "cache/export/export_row.hpp"

#include <array>
#include <span>
#include <variant>

namespace alli::cache {

/// Rises whenever a view or a column is added.
inline constexpr int views_version = 1;

using ViewValue = std::variant<std::monostate, std::int64_t, std::string>; // null, INTEGER, TEXT

struct ViewColumn {
    std::string_view name, type, meaning;
};
struct View {
    std::string_view name, meaning;
    std::span<const ViewColumn> columns;
    std::string_view sql; // what it is made of; empty: it holds rows of its own
};
std::span<const View> view_table();
const View* find_view(std::string_view name);

/// A chat as v_chat shows it; what has to be worked out of its JSON is worked out once, when it is asked for.
class ViewChat {
  public:
    ViewChat(const std::string& conversation, std::int64_t ordinal, ReadableChat chat)
        : conversation_(&conversation), ordinal_(ordinal), chat_(std::move(chat)), has_message_(!chat_.text.empty())
    {}

    const std::string& conversation() const noexcept { return *conversation_; } // outlives it
    std::int64_t ordinal() const noexcept { return ordinal_; }
    const ReadableChat& chat() const noexcept { return chat_; } // its text may be missing
    const std::string& message() const;
    const ChatRow& row() const;

  private:
    const std::string* conversation_;
    std::int64_t ordinal_;
    mutable ReadableChat chat_;
    mutable bool has_message_;
    mutable std::optional<ChatRow> row_;
};

struct ViewCitation {
    std::int64_t position = 0;
    std::string title, source, url;
    std::optional<std::int64_t> page;
};
std::vector<ViewCitation> read_citations(const ViewChat& chat);

inline constexpr std::size_t conversation_columns = 14, chat_columns = 12, citation_columns = 8;
ViewValue conversation_value(const ConversationRow& row, std::size_t column);
ViewValue chat_value(const ViewChat& chat, std::size_t column);
ViewValue citation_value(const ViewChat& chat, const ViewCitation& citation, std::size_t column);

/// Whether the column is in a chat's row already, so that its text need not be unpacked.
bool is_beside_text(std::size_t chat_column);

/// "2026-01-31T09:30:00.250000Z": always as long, so that times sort as texts.
std::string view_time(Instant when);

} // namespace alli::cache
