// SPDX-License-Identifier: Apache-2.0
#include "cache/search/search_cursor.hpp"

#include "alli/error.hpp"

#include <bit>
#include <charconv>

namespace alli::cache {
namespace {

constexpr std::string_view prefix = "as1.";

std::uint64_t hash(std::string_view bytes, std::uint64_t sum) // FNV-1a: finds mistakes, keeps nobody out
{
    for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return (sum ^ 0xffU) * 0x100000001b3U;
}

// Of all that decides which rows come in which order; not of how many are asked for.
std::uint64_t hash_of(const SearchQuery& query)
{
    const auto micros = [](const std::optional<Instant>& when) {
        return when ? std::to_string(when->time_since_epoch().count()) : std::string("-");
    };
    std::uint64_t sum = hash(query.text, 0xcbf29ce484222325U);
    sum = hash(query.zone.name(), sum);
    for (const auto& filter : {query.user, query.app, query.category, query.sender})
        sum = hash(filter ? *filter : "\xff", sum);
    for (const auto& [name, value] : query.more) sum = hash(value, hash(name, sum));
    for (const auto& when : {query.after, query.before}) sum = hash(micros(when), sum);
    if (!query.visible.is_whole()) sum = hash(binding_of(query.visible), sum);
    return hash(query.sort == SearchSort::newest ? "n" : "r", hash(query.grouped ? "g" : "-", sum));
}

std::string to_hex(std::string_view bytes)
{
    std::string hex;
    for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return hex;
}

std::string body_of(const SearchPosition& position)
{
    return fmt::format("{:x}.{:x}.{:x}.{:x}.{:x}.{}.{}", static_cast<std::uint64_t>(position.total),
                       static_cast<std::uint64_t>(position.newest), static_cast<std::uint64_t>(position.chat),
                       static_cast<std::uint64_t>(position.titled_at), std::bit_cast<std::uint64_t>(position.score),
                       position.chat_was_last ? 1 : 0, to_hex(position.titled));
}

[[noreturn]] void refuse()
{
    throw Error(Fault::usage, "begin again without a cursor", "the cursor is not of this query");
}

/// Reads numbers parted by dots.
class Fields {
  public:
    explicit Fields(std::string_view text) : rest_(text) {}

    std::string_view text()
    {
        const std::size_t end = std::min(rest_.find('.'), rest_.size());
        const std::string_view field = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return field;
    }

    std::uint64_t number()
    {
        const std::string_view field = text();
        std::uint64_t value = 0;
        const auto [end, fault] = std::from_chars(field.data(), field.data() + field.size(), value, 16);
        if (fault != std::errc() || end != field.data() + field.size()) refuse();
        return value;
    }

    std::int64_t whole() { return static_cast<std::int64_t>(number()); }

  private:
    std::string_view rest_;
};

std::string from_hex(std::string_view hex)
{
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(Fields(hex.substr(i, 2)).number() & 0xffU);
    return bytes;
}

} // namespace

std::string write_search_cursor(const SearchPosition& position, const SearchQuery& query)
{
    const std::string body = body_of(position);
    return fmt::format("{}{}.{:x}", prefix, body, hash(body, hash_of(query)));
}

SearchPosition read_search_cursor(std::string_view cursor, const SearchQuery& query)
{
    const std::size_t dot = cursor.rfind('.');
    if (!cursor.starts_with(prefix) || dot == std::string_view::npos || dot < prefix.size()) refuse();
    const std::string_view body = cursor.substr(prefix.size(), dot - prefix.size());
    if (Fields(cursor.substr(dot + 1)).number() != hash(body, hash_of(query))) refuse();

    Fields fields(body);
    SearchPosition position;
    position.total = fields.whole();
    position.newest = fields.whole();
    position.chat = fields.whole();
    position.titled_at = fields.whole();
    position.score = std::bit_cast<double>(fields.number());
    position.chat_was_last = fields.number() != 0;
    position.titled = from_hex(fields.text());
    return position;
}

} // namespace alli::cache
