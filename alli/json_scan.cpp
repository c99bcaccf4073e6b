// SPDX-License-Identifier: Apache-2.0
#include "alli/json_scan.hpp"

#include "alli/json_string.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace alli {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool ends_word(char c)
{
    return is_blank(c) || c == ',' || c == ':' || c == '"' || c == '{' || c == '}' || c == '[' || c == ']';
}

std::size_t skip_between(std::string_view text, std::size_t at) // members or items
{
    while (at < text.size() && (is_blank(text[at]) || text[at] == ',')) ++at;
    return at;
}

std::size_t end_of_word(std::string_view text, std::size_t at)
{
    while (at < text.size() && !ends_word(text[at])) ++at;
    return at;
}

// Behind the closing quote. A quote closes when an even number of backslashes stands before it.
std::size_t end_of_string(std::string_view text, std::size_t open)
{
    for (std::size_t from = open + 1; from < text.size();) {
        const auto* quote = static_cast<const char*>(std::memchr(text.data() + from, '"', text.size() - from));
        if (quote == nullptr) return npos;
        const auto at = static_cast<std::size_t>(quote - text.data());
        std::size_t slashes = 0;
        while (at - slashes > from && text[at - slashes - 1] == '\\') ++slashes;
        if (slashes % 2 == 0) return at + 1;
        from = at + 1;
    }
    return npos;
}

/// Which kinds of brackets are open: a bit each.
class Open {
  public:
    void push(bool curly)
    {
        if (depth_ % 64 == 0 && depth_ > 0) below_.push_back(std::exchange(top_, 0));
        top_ = top_ << 1 | static_cast<std::uint64_t>(curly);
        ++depth_;
    }
    bool pop(bool curly) // false: another kind is open
    {
        const bool same = (top_ & 1) == static_cast<std::uint64_t>(curly);
        top_ >>= 1;
        if (--depth_ % 64 == 0 && depth_ > 0) {
            top_ = below_.back();
            below_.pop_back();
        }
        return same;
    }
    std::size_t depth() const { return depth_; }

  private:
    std::uint64_t top_ = 0;
    std::size_t depth_ = 0;
    std::vector<std::uint64_t> below_; // 64 each
};

std::size_t end_of_brackets(std::string_view text, std::size_t at)
{
    Open open;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = end_of_string(text, at);
            if (at == npos) return npos;
            continue;
        }
        ++at;
        if (c == '{' || c == '[') open.push(c == '{');
        if (c != '}' && c != ']') continue;
        if (!open.pop(c == '}')) return npos;
        if (open.depth() == 0) return at;
    }
    return npos;
}

} // namespace

static bool has_any(JsonValue object, std::span<const std::string_view> names)
{
    for (JsonMembers member(object); member.next();)
        if (std::find(names.begin(), names.end(), member.key) != names.end()) return true;
    return false;
}

std::size_t skip_blanks(std::string_view text, std::size_t at)
{
    while (at < text.size() && is_blank(text[at])) ++at;
    return at;
}

std::size_t end_of_value(std::string_view text, std::size_t at)
{
    if (at >= text.size()) return npos;
    if (text[at] == '"') return end_of_string(text, at);
    if (text[at] == '{' || text[at] == '[') return end_of_brackets(text, at);
    return end_of_word(text, at);
}

JsonValue whole_value(std::string_view text)
{
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    const std::size_t begin = skip_blanks(text, 0), end = end_of_value(text, begin);
    if (end == npos || skip_blanks(text, end) != text.size()) return {};
    return {text.substr(begin, end - begin)};
}

bool is_deeper_than(std::string_view text, std::size_t most)
{
    std::size_t depth = 0;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '"') {
            at = std::min(end_of_string(text, at), text.size());
            continue;
        }
        ++at;
        if (c == '{' || c == '[') {
            if (++depth > most) return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            --depth;
        }
    }
    return false;
}

bool JsonMembers::next()
{
    for (;;) {
        at_ = skip_between(text_, at_);
        if (at_ + 1 >= text_.size()) return false; // the closing bracket is all that is left
        const std::size_t begin = at_;
        const bool quoted = text_[begin] == '"';
        const std::size_t end = quoted ? end_of_value(text_, begin) : end_of_word(text_, begin);
        if (end == begin || end == npos) { // a mark that does not belong there, or a value without a name
            const std::size_t behind = text_[begin] == ':' ? begin + 1 : end_of_value(text_, begin);
            at_ = behind == npos ? text_.size() : std::max(behind, begin + 1);
            continue;
        }
        name_begin = text_.data() + begin;
        key = raw_key = quoted ? text_.substr(begin + 1, end - begin - 2) : text_.substr(begin, end - begin);
        if (key.find('\\') != npos) key = decoded_ = decode_text(raw_key).text;
        at_ = skip_blanks(text_, end);
        value = {};
        if (text_[at_] != ':') return true; // a name without a value
        at_ = skip_blanks(text_, at_ + 1);
        const std::size_t value_end = end_of_value(text_, at_);
        if (value_end == npos) return false;
        value.text = text_.substr(at_, value_end - at_);
        at_ = value_end;
        return true;
    }
}

bool JsonItems::next()
{
    for (;;) {
        at_ = skip_between(text_, at_);
        if (at_ + 1 >= text_.size()) return false;
        const std::size_t end = end_of_value(text_, at_);
        if (end == npos) return false;
        value.text = text_.substr(at_, end - at_);
        at_ = std::max(end, at_ + 1);
        if (!value.text.empty()) return true;
    }
}

JsonValue find_member(JsonValue object, std::string_view name)
{
    JsonValue found;
    for (JsonMembers members(object); members.next();)
        if (members.key == name) found = members.value;
    return found;
}

JsonValue find_content(JsonValue root, std::span<const std::string_view> names)
{
    if (has_any(root, names)) return root;
    const JsonValue inner = find_member(root, "result");
    return inner.is_object() && has_any(inner, names) ? inner : JsonValue();
}

std::string with_part(std::string_view whole, std::string_view part, std::string_view instead)
{
    const auto at = static_cast<std::size_t>(part.data() - whole.data());
    std::string made;
    made.reserve(whole.size() - part.size() + instead.size());
    return made.append(whole.substr(0, at)).append(instead).append(whole.substr(at + part.size()));
}

std::string array_of(std::span<const std::string> items)
{
    std::string made = "[";
    for (const std::string& item : items) made.append(made.size() > 1 ? "," : "").append(item);
    return made += ']';
}

} // namespace alli
