// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/json_sniffer.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

std::optional<std::string> unescaped(const std::string& text)
{
    const auto json = nlohmann::json::parse('"' + text + '"', nullptr, false);
    if (!json.is_string() || json.get_ref<const std::string&>().empty()) return std::nullopt;
    return json.get<std::string>();
}

} // namespace

void JsonSniffer::feed(std::string_view piece)
{
    piece = piece.substr(0, left_);
    left_ -= piece.size();
    for (const char c : piece) {
        if (quoted_)
            take_in_string(c);
        else
            take(c);
    }
}

void JsonSniffer::take_in_string(char c)
{
    if (c == '"' && !escaped_) return end_string();
    escaped_ = c == '\\' && !escaped_;
    if (text_.size() <= longest) text_ += c;
}

void JsonSniffer::end_string()
{
    quoted_ = false;
    has_text_ = text_.size() <= longest;
    if (!has_text_) return;
    if (listed_ > 0 && depth_ == listed_ && conversations_.size() < most_listed)
        if (auto id = unescaped(text_)) conversations_.push_back(std::move(*id));
    if (key_.empty()) return;
    const bool names = key_ == "conversationId" || (key_ == "id" && inside_ > 0 && depth_ == inside_);
    if (names && !conversation_) conversation_ = unescaped(text_);
    if (key_ == "mode" && text_ == "background") background_ = true;
}

void JsonSniffer::take(char c)
{
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') return;
    if (c == '"') {
        quoted_ = true;
        escaped_ = has_text_ = false;
        text_.clear();
        return;
    }
    if (c == ':' && has_text_ && key_.empty())
        key_ = text_;
    else if (c == '{' || c == '[')
        open(c);
    else if (c == '}' || c == ']')
        close();
    else if (c == ',')
        key_.clear();
    has_text_ = false;
}

void JsonSniffer::open(char c)
{
    ++depth_;
    if (inside_ == 0 && c == '{' && key_ == "conversation") inside_ = depth_;
    if (listed_ == 0 && c == '[' && key_ == "conversationIds") listed_ = depth_;
    key_.clear();
}

void JsonSniffer::close()
{
    if (depth_ == inside_) inside_ = 0;
    if (depth_ == listed_) listed_ = 0;
    if (depth_ > 0) --depth_;
    key_.clear();
}

std::optional<std::string> find_conversation_id(std::string_view json)
{
    JsonSniffer sniffer;
    sniffer.feed(json);
    return sniffer.conversation();
}

} // namespace alli::proxy
