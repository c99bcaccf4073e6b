// SPDX-License-Identifier: Apache-2.0
#include "proxy/notice.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

using Json = nlohmann::json;

// Stops at the first conversation.id, and needs nothing of what comes after it.
class Finder final : public nlohmann::json_sax<Json> {
  public:
    std::optional<std::string> id;

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool binary(binary_t&) override { return value(); }
    bool string(string_t& text) override
    {
        if (inside_ > 0 && depth_ == inside_ && key_ == "id") id = text;
        value();
        return !id;
    }
    bool start_object(std::size_t) override
    {
        ++depth_;
        if (inside_ == 0 && key_ == "conversation") inside_ = depth_;
        return value();
    }
    bool key(string_t& name) override
    {
        key_ = name;
        return true;
    }
    bool end_object() override
    {
        if (depth_ == inside_) inside_ = 0;
        --depth_;
        return true;
    }
    bool start_array(std::size_t) override
    {
        ++depth_;
        return value();
    }
    bool end_array() override
    {
        --depth_;
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

  private:
    bool value()
    {
        key_.clear();
        return true;
    }

    std::string key_;
    int depth_ = 0, inside_ = 0;
};

std::string_view first_line(std::string_view& text)
{
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
}

} // namespace

// One document, or one a line.
std::optional<std::string> find_conversation_id(std::string_view json)
{
    Finder whole;
    Json::sax_parse(json.begin(), json.end(), &whole, Json::input_format_t::json, false);
    if (whole.id) return whole.id;
    while (!json.empty()) {
        const std::string_view line = first_line(json);
        Finder one;
        Json::sax_parse(line.begin(), line.end(), &one, Json::input_format_t::json, false);
        if (one.id) return one.id;
    }
    return std::nullopt;
}

// A client may leave with the last byte, before the end is seen here.
Notice::~Notice()
{
    if (!id_.empty()) found_(id_);
}

Task<std::optional<std::string>> Notice::next()
{
    std::optional<std::string> piece = co_await body_->next();
    if (piece) look(*piece);
    co_return piece;
}

void Notice::look(std::string_view piece)
{
    if (done_) return;
    seen_.append(piece.substr(0, looked_at - seen_.size()));
    if (const auto id = find_conversation_id(seen_)) {
        id_ = *id;
        found_(id_);
    }
    done_ = !id_.empty() || seen_.size() >= looked_at;
    if (done_) std::string().swap(seen_);
}

} // namespace alli::proxy
