// SPDX-License-Identifier: Apache-2.0
#include "cache/query/time_functions.hpp"

#include "cache/export/views.hpp"

#include <sqlite3.h>

#include <chrono>

namespace alli::cache {
namespace {

std::optional<std::string_view> text_of(sqlite3_value* value)
{
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    if (text == nullptr) return std::nullopt;
    return std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

void give(sqlite3_context* context, const std::string& text)
{
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

const Zone& zone_of(sqlite3_context* context)
{
    return *static_cast<const Zone*>(sqlite3_user_data(context));
}

// A day, "2026-01-31 09:30[:05]" of the zone, or RFC 3339 with Z or an offset.
std::optional<Instant> read_time(std::string_view text, const Zone& zone)
{
    if (const auto day_or_instant = read_before(text, zone)) return day_or_instant;
    if (text.size() == 16) return read_time(std::string(text) + ":00", zone);
    const auto as_utc = from_rfc3339(std::string(text) + 'Z');
    if (!as_utc) return std::nullopt;
    // An offset that held shortly before is right but for the hours of a change; those are asked once more.
    const Instant guess = *as_utc - zone.offset_at(*as_utc);
    return *as_utc - zone.offset_at(guess);
}

template <class F>
void guarded(sqlite3_context* context, sqlite3_value* value, F convert) noexcept
{
    try {
        const auto text = text_of(value);
        if (!text) return sqlite3_result_null(context);
        const std::optional<std::string> result = convert(*text);
        if (!result)
            sqlite3_result_error(context, "utc_time and local_time take a time, as '2026-01-31' or '2026-01-31 09:30'",
                                 -1);
        else
            give(context, *result);
    } catch (...) {
        sqlite3_result_error_nomem(context);
    }
}

void utc_time(sqlite3_context* context, int, sqlite3_value** values)
{
    guarded(context, values[0], [&](std::string_view text) {
        const auto when = read_time(text, zone_of(context));
        return when ? std::optional(view_time(*when)) : std::nullopt;
    });
}

void local_time(sqlite3_context* context, int, sqlite3_value** values)
{
    guarded(context, values[0], [&](std::string_view text) {
        const auto when = from_rfc3339(text);
        return when ? std::optional(to_rfc3339(*when, zone_of(context))) : std::nullopt;
    });
}

bool is_date(std::string_view text)
{
    constexpr std::string_view shape = "0000-00-00";
    if (text.size() < shape.size()) return false;
    for (std::size_t at = 0; at < shape.size(); ++at) {
        const bool digit = text[at] >= '0' && text[at] <= '9';
        if (shape[at] == '0' ? !digit : text[at] != shape[at]) return false;
    }
    return true;
}

} // namespace

int register_time_functions(sqlite3* db, const Zone& zone)
{
    constexpr int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    auto* const data = const_cast<Zone*>(&zone); // which is handed back as it was given
    if (const int code =
            sqlite3_create_function_v2(db, "utc_time", 1, flags, data, &utc_time, nullptr, nullptr, nullptr))
        return code;
    return sqlite3_create_function_v2(db, "local_time", 1, flags, data, &local_time, nullptr, nullptr, nullptr);
}

std::string find_bare_date(std::string_view sql)
{
    if (sql.find("utc_time") != sql.npos || sql.find("local_time") != sql.npos) return {};
    for (std::size_t at = sql.find('\''); at != sql.npos; at = sql.find('\'', at + 1))
        if (is_date(sql.substr(at + 1))) return std::string(sql.substr(at + 1, 10));
    return {};
}

} // namespace alli::cache
