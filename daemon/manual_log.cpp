// SPDX-License-Identifier: Apache-2.0
#include "alli/event.hpp"
#include "daemon/manual.hpp"

namespace alli::daemon {

static std::string fields_of(const EventRow& row)
{
    std::string text;
    for (std::size_t i = 0; i < field_count(row); ++i) {
        const bool is_id = row.fields[i].starts_with('#');
        text +=
            fmt::format("{}`{}`{}", i == 0 ? "" : ", ", row.fields[i].substr(is_id ? 1 : 0), is_id ? " (hash)" : "");
    }
    return text;
}

static std::string rate_of(const EventRow& row)
{
    const EventRow usual{};
    if (row.burst == usual.burst && row.per_second == usual.per_second && row.cause.empty()) return "";
    return fmt::format("{}, then {} a second{}", row.burst, row.per_second,
                       row.cause.empty() ? "" : fmt::format(", by {}", row.cause));
}

std::string log_markdown()
{
    std::string text = R"(# The log

Made by `alli-mirror manual logs.md` from the table in `alli/event.hpp`; do not edit.

The daemon logs to stderr, a line an event. `log.format = "text"` writes the time, the level, the event, its sentence, and what the
sentence does not say as `key=value`; `"json"` writes an object with `time`, `level`, `event`, `message` and every field. In the
journal each line has its priority, and text leaves time and level to it. `log.level` and `log.format` take effect at a reload.

No line holds the text of a message or a title, a key, a path or a query. Ids of conversations and users are written as keyed hashes:
the same id is the same hash for as long as `outbox.db` lives, and nobody can tell whose it is without that file.

A local request and what it causes upstream carry the same `request_id`: the app's own `X-Request-Id`, or one made here and
sent back. Upstream gets it too, with a write also when that is delivered later. Calls upstream are logged at `debug`.

What repeats is written 10 times at once and then once a second, or as the last column says; the next line says how many were
`suppressed`, or `repeats` does. At `debug` everything is written.

| event | level | says | fields | at most |
|---|---|---|---|---|
)";
    constexpr std::string_view levels[] = {"debug", "info", "warning", "error"};
    for (const EventRow& row : event_table)
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, levels[static_cast<std::size_t>(row.severity)],
                            row.sentence, fields_of(row), rate_of(row));
    return text;
}

} // namespace alli::daemon
