// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/story.hpp"

#include "alli/digest.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

namespace alli::powercut {
namespace {

std::vector<std::string> tables_of(cache::Reader& db, const std::set<std::string_view>& without)
{
    std::vector<std::string> tables;
    for (const cache::Row row :
         db.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"))
        if (!without.contains(row.text(0))) tables.emplace_back(row.text(0));
    return tables;
}

// A row's values one after the other, each with its length: texts, numbers and blobs as bytes.
std::string line_of(const cache::Row& row, int columns)
{
    std::string line;
    for (int n = 0; n < columns; ++n)
        line += row.is_null(n) ? "-|" : fmt::format("{}:{}|", row.text(n).size(), row.text(n));
    return line;
}

void add_rows(Content& content, cache::Reader& db, const std::string& table, std::string_view order)
{
    int columns = 0;
    for (const cache::Row row : db.query("SELECT count(*) FROM pragma_table_info(?1)", table))
        columns = static_cast<int>(row.integer(0));
    for (const cache::Row row : db.query(fmt::format("SELECT * FROM \"{}\" {}", table, order)))
        content.push_back(table + ' ' + line_of(row, columns));
}

std::string shorten(const std::string& line)
{
    constexpr std::size_t most = 200;
    std::string text;
    for (const char c : line.substr(0, most)) text += c >= ' ' && c <= '~' ? c : '.';
    return text;
}

std::string name_difference(const Content& expected, const Content& found)
{
    const std::set<std::string> before(expected.begin(), expected.end()), now(found.begin(), found.end());
    std::string text;
    int named = 0;
    for (const std::string& line : before)
        if (!now.contains(line) && ++named <= 3) text += "\n  missing: " + shorten(line);
    named = 0;
    for (const std::string& line : now)
        if (!before.contains(line) && ++named <= 3) text += "\n  instead: " + shorten(line);
    return text;
}

} // namespace

// The feed begins anew after a cut, problems tell of it, and the ledger is brought up to the outbox's.
Content content_of_mirror(cache::Reader& db)
{
    Content content;
    for (const std::string& table :
         tables_of(db, {"fact", "problem", "change", "sqlite_sequence", "purged", "purged_day", "sqlite_stat1"}))
        add_rows(content, db, table, "");
    return content;
}

Content content_of_outbox(cache::Reader& db)
{
    Content content;
    for (const std::string& table : tables_of(db, {"fact", "entry", "sqlite_stat1"})) add_rows(content, db, table, "");
    add_rows(content, db, "entry", "ORDER BY place, id");
    return content;
}

void Story::add(std::size_t calls, Content content)
{
    if (!moments_.empty() && moments_.back().content == content) return;
    moments_.push_back({calls, std::move(content)});
}

std::size_t Story::acknowledged(std::size_t calls) const
{
    std::size_t last = 0;
    while (last + 1 < moments_.size() && moments_[last + 1].calls <= calls) ++last;
    return last;
}

std::optional<std::string> Story::refute(std::size_t calls, const Content& found, bool synced) const
{
    const std::size_t last = acknowledged(calls), end = std::min(last + 2, moments_.size());
    for (std::size_t n = end; n-- > (synced ? last : 0);)
        if (moments_[n].content == found) return std::nullopt;
    for (std::size_t n = 0; n < last; ++n)
        if (moments_[n].content == found)
            return fmt::format("it is commit {} of {} that were acknowledged{}", n, last,
                               name_difference(moments_[last].content, found));
    return fmt::format("it is no state that a commit had; beside commit {}, the last acknowledged:{}", last,
                       name_difference(moments_[last].content, found));
}

} // namespace alli::powercut
