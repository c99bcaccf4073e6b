// SPDX-License-Identifier: Apache-2.0
#include "alli/json_text.hpp"

#include <simdjson.h>

#include <charconv>
#include <utility>
#include <vector>

namespace alli {
namespace {

constexpr std::size_t deepest = 100; // of what is written anew: every parser goes so far

// As JSON has them, and no larger than a double.
bool is_number(std::string_view text)
{
    const bool negative = text.starts_with('-');
    const std::string_view digits = text.substr(negative ? 1 : 0);
    if (digits.empty() || digits.front() < '0' || digits.front() > '9') return false;
    if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9') return false;
    if (digits.ends_with('.') || digits.find(".e") != digits.npos || digits.find(".E") != digits.npos) return false;
    double number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc() && end == text.data() + text.size();
}

bool is_plain(std::string_view text) // neither string nor in brackets
{
    return text == "true" || text == "false" || text == "null" || is_number(text);
}

bool is_json(std::string_view raw)
{
    thread_local simdjson::dom::parser parser;
    return parser.parse(raw.data(), raw.size()).error() == simdjson::SUCCESS;
}

/// Writes a value anew, without recursion.
class Rewriter {
  public:
    std::string write(JsonValue root)
    {
        put(root);
        while (!open_.empty()) step();
        return std::move(out_);
    }

  private:
    struct Frame {
        bool object, first = true;
        JsonMembers members;
        JsonItems items;
        explicit Frame(JsonValue value) : object(value.is_object()), members(value), items(value) {}
    };

    void put(JsonValue value)
    {
        const bool nested = value.is_object() || value.is_array();
        if (nested && open_.size() < deepest) {
            out_ += value.text.front();
            open_.emplace_back(value);
        } else if (value.is_string()) {
            out_ += quoted_text(text_of(value));
        } else {
            out_ += is_plain(value.text) ? value.text : std::string_view("null");
        }
    }

    void step()
    {
        Frame& top = open_.back();
        if (!(top.object ? top.members.next() : top.items.next())) {
            out_ += top.object ? '}' : ']';
            open_.pop_back();
            return;
        }
        if (!std::exchange(top.first, false)) out_ += ',';
        if (top.object) out_ += quoted_text(decode_text(top.members.raw_key).text) + ':';
        put(top.object ? top.members.value : top.items.value);
    }

    std::string out_;
    std::vector<Frame> open_;
};

} // namespace

std::string text_of(JsonValue value)
{
    return value.is_string() ? decode_text(value.inside()).text : std::string();
}

std::string readable_json(std::string_view raw)
{
    if (is_json(raw)) return std::string(raw);
    const JsonValue value = whole_value(raw);
    return value.text.empty() ? "null" : Rewriter().write(value);
}

} // namespace alli
