// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/progress.hpp"

#include <array>

namespace alli::cache {
namespace {

using Text = std::optional<std::string>;

Text write(const std::optional<Instant>& when)
{
    if (!when) return std::nullopt;
    return std::to_string(when->time_since_epoch().count());
}

void read(const std::string& text, std::optional<Instant>& when)
{
    when = Instant{std::chrono::microseconds{std::stoll(text)}};
}

// A row for each value: its name in the file, and how it is written and read. Absent in the file is absent in the
// struct.
struct Field {
    std::string_view name;
    Text (*write)(const Progress&);
    void (*read)(Progress&, const std::string&);
    bool shapes_lists = false;
};

template <auto Member>
constexpr Field time_field(std::string_view name)
{
    return {name, [](const Progress& p) { return write(p.*Member); },
            [](Progress& p, const std::string& t) { read(t, p.*Member); }};
}

constexpr std::array fields{
    Field{"time_unit",
          [](const Progress& p) {
              return p.unit == TimeUnit::unknown ? Text() : Text(p.unit == TimeUnit::seconds ? "s" : "ms");
          },
          [](Progress& p, const std::string& t) { p.unit = t == "s" ? TimeUnit::seconds : TimeUnit::milliseconds; },
          true},
    Field{"backfill_done", [](const Progress& p) { return p.backfill_done ? Text("1") : Text(); },
          [](Progress& p, const std::string&) { p.backfill_done = true; }},
    Field{"list_embeds",
          [](const Progress& p) { return p.list_embeds ? Text(std::to_string(*p.list_embeds)) : Text(); },
          [](Progress& p, const std::string& t) { p.list_embeds = std::stoi(t); }, true},
    time_field<&Progress::boundary>("boundary"),
    Field{
        "sweep_deleted",
        [](const Progress& p) { return p.reconcile_deleted > 0 ? Text(std::to_string(p.reconcile_deleted)) : Text(); },
        [](Progress& p, const std::string& t) { p.reconcile_deleted = std::stoi(t); }},
    Field{"counts_differed",
          [](const Progress& p) { return p.counts_differed > 0 ? Text(std::to_string(p.counts_differed)) : Text(); },
          [](Progress& p, const std::string& t) { p.counts_differed = std::stoi(t); }},
    Field{"counts_off", [](const Progress& p) { return p.counts_disagree ? Text("1") : Text(); },
          [](Progress& p, const std::string&) { p.counts_disagree = true; }},
    time_field<&Progress::reconcile_started_at>("swept_at"),
    time_field<&Progress::counted_at>("counted_at"),
    time_field<&Progress::chatless_at>("chatless_at"),
    time_field<&Progress::listed_whole_at>("listed_whole_at"),
    time_field<&Progress::verified_at>("verified_at"),
};

} // namespace

Progress load_progress(Reader& db)
{
    Progress progress;
    for (const Row row : db.query("SELECT name, value FROM progress"))
        for (const Field& field : fields)
            if (field.name == row.text(0)) field.read(progress, std::string(row.text(1)));
    return progress;
}

void save_progress(Writer& db, const Progress& progress)
{
    for (const Field& field : fields) {
        const Text value = field.write(progress);
        const bool changed = (value ? db.run("INSERT INTO progress (name, value) VALUES (?1, ?2)"
                                             " ON CONFLICT (name) DO UPDATE SET value = ?2 WHERE value <> ?2",
                                             field.name, *value)
                                    : db.run("DELETE FROM progress WHERE name = ?1", field.name)) > 0;
        if (changed && (field.shapes_lists || !value)) db.change_set().lists();
    }
}

} // namespace alli::cache
