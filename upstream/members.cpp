// SPDX-License-Identifier: Apache-2.0
#include "upstream/members.hpp"

#include <algorithm>
#include <array>

namespace alli::upstream {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

constexpr std::array<bool, 256> make_marks()
{
    std::array<bool, 256> marks{};
    for (const char c : {'"', '{', '[', '}', ']', ','}) marks[static_cast<unsigned char>(c)] = true;
    return marks;
}
constexpr std::array<bool, 256> marks = make_marks(); // all that a value's structure depends on

class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    std::optional<Members> object()
    {
        if (text_.substr(0, byte_order_mark.size()) == byte_order_mark) at_ = byte_order_mark.size();
        if (!take('{')) return std::nullopt;
        Members members;
        if (take('}')) return ends() ? std::optional(members) : std::nullopt;
        do {
            const auto one = member();
            if (!one) return std::nullopt;
            members.push_back(*one);
        } while (take(','));
        if (!take('}') || !ends()) return std::nullopt;
        return members;
    }

  private:
    std::optional<Member> member()
    {
        skip_blanks();
        const auto name = string();
        if (!name || !take(':')) return std::nullopt;
        const auto value = any_value();
        if (value.empty()) return std::nullopt;
        return Member{name->substr(1, name->size() - 2), value};
    }

    std::optional<std::string_view> string()
    {
        if (at_ >= text_.size() || text_[at_] != '"') return std::nullopt;
        const std::size_t from = at_;
        for (;;) { // a message is one long string: by the quote, and the escapes before it
            const std::size_t quote = text_.find('"', at_ + 1);
            if (quote == text_.npos) return std::nullopt;
            const std::size_t before = text_.find_last_not_of('\\', quote - 1);
            at_ = quote;
            if ((quote - 1 - before) % 2 == 0) break;
        }
        return text_.substr(from, ++at_ - from);
    }

    // Up to the comma or bracket that ends it; empty: the text ended before.
    std::string_view any_value()
    {
        skip_blanks();
        const std::size_t from = at_;
        for (std::size_t depth = 0; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (!marks[static_cast<unsigned char>(c)]) continue;
            if (c == '"') {
                if (!string()) return {};
                --at_;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if (depth > 0 && (c == '}' || c == ']')) {
                --depth;
            } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
                const auto value = text_.substr(from, at_ - from);
                return value.substr(0, value.find_last_not_of(blanks) + 1);
            }
        }
        return {};
    }

    void skip_blanks() { at_ = std::min(text_.find_first_not_of(blanks, at_), text_.size()); }
    bool take(char wanted)
    {
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }
    bool ends()
    {
        skip_blanks();
        return at_ == text_.size();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace

std::optional<Members> members_of(std::string_view text)
{
    return Scanner(text).object();
}

std::string_view value_of(const Members& members, std::string_view name) noexcept
{
    const auto found =
        std::find_if(members.rbegin(), members.rend(), [&](const Member& member) { return member.name == name; });
    return found == members.rend() ? std::string_view() : found->value;
}

bool is_object(std::string_view value) noexcept
{
    return value.starts_with('{');
}

bool is_string(std::string_view value) noexcept
{
    return value.starts_with('"');
}

bool is_integer(std::string_view value) noexcept
{
    const auto digits = value.substr(value.starts_with('-') ? 1 : 0);
    return !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
}

std::string_view scalar_text(std::string_view value) noexcept
{
    if (is_integer(value)) return value;
    if (!is_string(value) || value.size() < 2 || value.find('\\') != value.npos) return {};
    return value.substr(1, value.size() - 2);
}

} // namespace alli::upstream
