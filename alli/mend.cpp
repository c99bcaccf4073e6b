// SPDX-License-Identifier: Apache-2.0
#include "alli/mend.hpp"

#include "alli/json_scan.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

namespace alli {
namespace {

constexpr std::size_t npos = std::string_view::npos;

char at_or_end(std::string_view text, std::size_t at)
{
    return at < text.size() ? text[at] : '\0';
}

/// An object's members by the letter, unlike JsonMembers: it ends at the first thing that does not belong there.
class StrictMembers {
  public:
    StrictMembers(std::string_view text, std::size_t open) : text_(text), at_(open + 1), good_end_(open + 1) {}

    bool next()
    {
        const std::size_t name = skip_blanks(text_, at_);
        if (at_or_end(text_, name) != '"') return ends_at(name);
        const std::size_t name_end = end_of_value(text_, name);
        if (name_end == npos) return false;
        const std::size_t colon = skip_blanks(text_, name_end);
        if (at_or_end(text_, colon) != ':') return false;
        const std::size_t begin = skip_blanks(text_, colon + 1), end = end_of_value(text_, begin);
        if (end == npos || end == begin) return false;
        const std::size_t mark = skip_blanks(text_, end);
        if (at_or_end(text_, mark) != ',' && at_or_end(text_, mark) != '}') return false;
        key = text_.substr(name + 1, name_end - name - 2);
        good_end_ = end;
        at_ = text_[mark] == ',' ? mark + 1 : mark;
        return true;
    }

    std::string_view key;
    bool is_whole() const { return whole_; }
    std::size_t end() const { return at_; }            // behind the closing bracket, once whole
    std::size_t good_end() const { return good_end_; } // behind the last member

  private:
    bool ends_at(std::size_t at)
    {
        whole_ = at_or_end(text_, at) == '}';
        if (whole_) at_ = at + 1;
        return false;
    }

    std::string_view text_;
    std::size_t at_, good_end_;
    bool whole_ = false;
};

struct Item {
    std::size_t begin = 0, end = 0; // of what is left
    bool whole = false, has_id = false, is_marked = false;
    std::vector<std::string_view> keys;
};

Item read_item(std::string_view text, std::size_t open, const PageForm& form)
{
    Item item;
    item.begin = item.end = open;
    StrictMembers member(text, open);
    while (member.next()) {
        item.keys.push_back(member.key);
        item.has_id = item.has_id || member.key == "id";
        item.is_marked =
            item.is_marked || std::find(form.marks.begin(), form.marks.end(), member.key) != form.marks.end();
    }
    item.whole = member.is_whole();
    item.end = item.whole ? member.end() : member.good_end();
    return item;
}

// The next that looks like an item of the page; citations and the like bear none of the marks.
std::size_t find_item(std::string_view text, std::size_t from, const PageForm& form)
{
    for (std::size_t at = text.find('{', from); at != npos; at = text.find('{', at + 1)) {
        const std::size_t before = text.find_last_not_of(" \t\r\n", at - 1);
        if (before == npos || text[before] != ',') continue;
        const Item item = read_item(text, at, form);
        if (item.has_id && item.is_marked) return at;
    }
    return npos;
}

// A member's text, where it stands but once: `"lastChatTime":17`.
std::optional<std::string_view> find_number(std::string_view text, std::string_view name)
{
    const std::string quoted = '"' + std::string(name) + '"';
    const std::size_t at = text.find(quoted);
    if (at == npos || text.find(quoted, at + 1) != npos) return std::nullopt;
    const std::size_t colon = skip_blanks(text, at + quoted.size()), begin = skip_blanks(text, colon + 1);
    const bool is_number = std::isdigit(static_cast<unsigned char>(at_or_end(text, begin))) != 0;
    if (at_or_end(text, colon) != ':' || !is_number) return std::nullopt;
    return text.substr(at, end_of_value(text, begin) - at);
}

std::string close_item(std::string_view text, const Item& item, std::string_view behind, const PageForm& form)
{
    std::string made(text.substr(item.begin, item.end - item.begin));
    if (item.keys.empty()) made = "{";
    for (const std::string_view name : form.scanned) {
        if (std::find(item.keys.begin(), item.keys.end(), name) != item.keys.end()) continue;
        if (const auto found = find_number(behind, name)) made.append(made.size() > 1 ? "," : "").append(*found);
    }
    return made += '}';
}

// The page's own cursor stands behind its items, or before them.
std::optional<std::string_view> find_cursor(std::string_view text)
{
    constexpr std::string_view name = "\"cursor\"";
    const std::size_t at = text.rfind(name);
    if (at == npos) return std::nullopt;
    const std::size_t colon = skip_blanks(text, at + name.size());
    if (at_or_end(text, colon) != ':') return std::nullopt;
    const std::size_t begin = skip_blanks(text, colon + 1), end = end_of_value(text, begin);
    if (end == npos || end == begin) return std::nullopt;
    const char mark = at_or_end(text, skip_blanks(text, end));
    if (mark != ',' && mark != '}') return std::nullopt;
    return text.substr(at, end - at);
}

std::size_t find_array(std::string_view body, std::string_view name)
{
    const std::string quoted = '"' + std::string(name) + '"';
    const std::size_t at = body.find(quoted);
    if (at == npos) return npos;
    const std::size_t colon = skip_blanks(body, at + quoted.size()), open = skip_blanks(body, colon + 1);
    return at_or_end(body, colon) == ':' && at_or_end(body, open) == '[' ? open + 1 : npos;
}

} // namespace

MendedPage mend_page(std::string_view body, const PageForm& form)
{
    MendedPage page;
    page.text = "{\"" + std::string(form.items) + "\":[";
    const std::size_t first = find_array(body, form.items);
    std::size_t at = first == npos ? npos : skip_blanks(body, first), behind = first;
    while (at != npos && at_or_end(body, at) == '{') {
        const Item item = read_item(body, at, form);
        if (page.items > 0) page.text += ',';
        behind = item.end;
        const std::size_t comma = skip_blanks(body, item.end);
        if (item.whole) {
            page.text += body.substr(item.begin, item.end - item.begin);
            at = at_or_end(body, comma) == ',' ? skip_blanks(body, comma + 1) : npos;
        } else {
            page.text += close_item(body, item, body.substr(item.end), form);
            page.partial.push_back(page.items);
            at = find_item(body, item.end, form);
        }
        ++page.items;
    }
    page.text += ']';
    const auto cursor = behind == npos ? std::nullopt : find_cursor(body.substr(behind));
    page.has_cursor = cursor.has_value();
    if (cursor) page.text.append(",").append(*cursor);
    page.text += '}';
    return page;
}

} // namespace alli
