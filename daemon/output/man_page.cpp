// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/man_page.hpp"

#include <spdlog/fmt/fmt.h>

#include <vector>

namespace alli::daemon {
namespace {

/// Backslash and minus sign mean something to troff, and so does a point or an apostrophe at the start of a line. An
/// asterisk in `code` is itself.
std::string inline_text(std::string_view text)
{
    std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
    bool code = false, variable = false;
    for (const char letter : text) {
        if (letter == '`')
            out += (code = !code) ? "\\fB" : "\\fR";
        else if (letter == '*' && !code)
            out += (variable = !variable) ? "\\fI" : "\\fR";
        else if (letter == '\\' || letter == '-')
            out += letter == '-' ? "\\-" : "\\e";
        else
            out += letter;
    }
    return out;
}

std::vector<std::string_view> split_cells(std::string_view row) // "| a | b |"
{
    constexpr std::string_view between = " | ";
    std::vector<std::string_view> cells;
    row = row.substr(2, row.size() - 4);
    for (auto end = row.find(between); end != row.npos; end = row.find(between)) {
        cells.push_back(row.substr(0, end));
        row.remove_prefix(end + between.size());
    }
    cells.push_back(row);
    return cells;
}

std::string entry(const std::vector<std::string_view>& columns, const std::vector<std::string_view>& cells)
{
    std::string text;
    for (std::size_t i = 1; i < cells.size(); ++i)
        if (!cells[i].empty() && cells[i] != "``")
            text += i == 1 ? std::string(cells[i])
                           : fmt::format("{}{}: {}", text.empty() ? "" : ". ", columns[i], cells[i]);
    return fmt::format(".TP\n{}\n{}\n", inline_text(cells.front()), inline_text(text));
}

} // namespace

std::string write_man_page(std::string_view header, std::string_view summary, std::string_view markdown)
{
    std::string text = fmt::format(".TH {}\n.SH NAME\n{}\n.SH DESCRIPTION\n", header, inline_text(summary));
    std::vector<std::string_view> columns; // of the table that is being read
    for (std::size_t end = 0; !markdown.empty(); markdown.remove_prefix(std::min(end + 1, markdown.size()))) {
        end = std::min(markdown.find('\n'), markdown.size());
        const std::string_view line = markdown.substr(0, end);
        if (line.starts_with("# ") || line.starts_with("<!--") || line.starts_with("|--")) continue;
        if (line.starts_with("| ")) {
            const auto cells = split_cells(line);
            if (columns.empty())
                columns = cells;
            else
                text += entry(columns, cells);
            continue;
        }
        columns.clear();
        if (line.starts_with("##"))
            text +=
                fmt::format("{} {}\n", line[2] == '#' ? ".SS" : ".SH", inline_text(line.substr(line.find(' ') + 1)));
        else
            text += line.empty() ? ".PP\n" : inline_text(line) + "\n";
    }
    return text;
}

} // namespace alli::daemon
