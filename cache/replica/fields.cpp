// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/fields.hpp"

#include "alli/error.hpp"

#include <spdlog/fmt/fmt.h>

#include <charconv>

namespace alli::cache {
namespace {

void append_field(const Field& field, std::string& out)
{
    if (!field)
        out += 'n';
    else if (const auto* number = std::get_if<std::int64_t>(&*field))
        out += fmt::format("i{};", *number);
    else
        out += fmt::format("t{}:{}", std::get<std::string>(*field).size(), std::get<std::string>(*field));
}

std::int64_t take_number(std::string_view& text, char end, std::string_view name)
{
    std::int64_t number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto size = static_cast<std::size_t>(stop - text.data());
    if (error != std::errc() || size >= text.size() || *stop != end) throw_unreadable(name);
    text.remove_prefix(size + 1);
    return number;
}

Field take_field(std::string_view& text, std::string_view name)
{
    const char type = text.front(); // there is one
    text.remove_prefix(1);
    if (type == 'n') return std::nullopt;
    if (type == 'i') return Value(take_number(text, ';', name));
    if (type != 't') throw_unreadable(name);
    const std::int64_t size = take_number(text, ':', name);
    if (size < 0 || size > std::ssize(text)) throw_unreadable(name);
    Value value = std::string(text.substr(0, static_cast<std::size_t>(size)));
    text.remove_prefix(static_cast<std::size_t>(size));
    return value;
}

} // namespace

std::string text_of(const Fields& row)
{
    std::string out;
    for (const Field& field : row) append_field(field, out);
    return out;
}

void throw_unreadable(std::string_view name)
{
    throw Error(Fault::bad_reply, "look whether all nodes run one version",
                "what the leader says of its {} cannot be read", name);
}

std::vector<Fields> rows_of(std::string_view text, std::size_t columns, std::string_view name)
{
    std::vector<Fields> rows;
    while (!text.empty()) {
        Fields& row = rows.emplace_back();
        while (row.size() < columns) {
            if (text.empty()) throw_unreadable(name);
            row.push_back(take_field(text, name));
        }
    }
    return rows;
}

std::string take_text(Field& field, std::string_view name)
{
    auto* const text = field ? std::get_if<std::string>(&*field) : nullptr;
    if (!text) throw_unreadable(name);
    return std::move(*text);
}

std::int64_t take_number(const Field& field, std::string_view name)
{
    const auto* const number = field ? std::get_if<std::int64_t>(&*field) : nullptr;
    if (!number) throw_unreadable(name);
    return *number;
}

} // namespace alli::cache
