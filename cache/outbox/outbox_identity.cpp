// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/outbox_identity.hpp"

#include "alli/error.hpp"
#include "cache/db/meta.hpp"
#include "cache/outbox/overlay.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

struct KnownOutbox {
    std::string id;
    std::int64_t number = 0;
};

std::optional<KnownOutbox> load_known(Connection& mirror)
{
    const auto id = find_meta<std::string>(mirror, "outbox_id");
    const auto number = find_meta<std::int64_t>(mirror, "outbox_number");
    if (!id || !number) return std::nullopt;
    return KnownOutbox{*id, *number};
}

void put_known(Writer& mirror, const KnownOutbox& known)
{
    put_meta(mirror, "outbox_id", known.id);
    put_meta(mirror, "outbox_number", known.number);
}

bool holds(Connection& outbox, std::int64_t id)
{
    return outbox.exists("SELECT 1 FROM entry WHERE id = ?1", id);
}

// Those that waited when the mirror last heard of the outbox.
std::string say_waiting(Connection& mirror, Connection& outbox, bool another)
{
    constexpr std::size_t most_named = 20;
    std::vector<std::int64_t> missing;
    for (const std::int64_t id : load_shown(mirror))
        if (another || !holds(outbox, id)) missing.push_back(id);
    if (missing.empty()) return "as far as the mirror knows none of them waited";
    const std::size_t named = std::min(missing.size(), most_named);
    return fmt::format("at least {} of them waited: {}{}", missing.size(),
                       fmt::join(missing.begin(), missing.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                       named < missing.size() ? " and others" : "");
}

std::string say_range(std::int64_t first, std::int64_t last)
{
    if (first == last) return fmt::format("write {}, which was acknowledged, is not in it", first);
    return fmt::format("{} writes that were acknowledged are not in it, {} to {}", last - first + 1, first, last);
}

std::optional<std::string> compare(Connection& mirror, Connection& outbox, const KnownOutbox& known,
                                   const KnownOutbox& found)
{
    if (known.id != found.id && known.number > 0)
        return fmt::format("outbox.db is not the one that the mirror was last open with: {}; {}",
                           say_range(1, known.number), say_waiting(mirror, outbox, true));
    if (known.id == found.id && found.number < known.number)
        return fmt::format("outbox.db is older than the mirror knows it, or its log was lost: {}; {}",
                           say_range(found.number + 1, known.number), say_waiting(mirror, outbox, false));
    return std::nullopt;
}

} // namespace

void make_outbox_id(Writer& outbox, const std::string& bytes)
{
    outbox.run("INSERT OR IGNORE INTO fact (name, value) VALUES ('outbox_id', lower(hex(?1)))", bytes);
}

std::optional<std::string> find_outbox_id(Connection& db, const std::string& schema)
{
    return db.one<std::string>(fmt::format("SELECT value FROM {}.fact WHERE name = 'outbox_id'", schema));
}

std::int64_t last_outbox_number(Connection& db, const std::string& schema)
{
    return db.one<std::int64_t>(fmt::format("SELECT seq FROM {}.sqlite_sequence WHERE name = 'entry'", schema))
        .value_or(0);
}

void raise_number(Writer& outbox, std::int64_t number)
{
    if (last_outbox_number(outbox) >= number) return;
    outbox.run("DELETE FROM main.sqlite_sequence WHERE name = 'entry'");
    outbox.run("INSERT INTO main.sqlite_sequence (name, seq) VALUES ('entry', ?1)", number);
}

void note_outbox_number(Writer& mirror, std::int64_t number)
{
    mirror.run("UPDATE fact SET value = ?1 WHERE name = 'outbox_number'", number);
}

std::int64_t known_outbox_number(Reader& mirror)
{
    const auto known = load_known(mirror);
    return known ? known->number : 0;
}

bool knows_outbox(Reader& mirror, Reader& outbox)
{
    const auto known = load_known(mirror);
    return known && known->id == find_outbox_id(outbox);
}

std::optional<std::string> find_missing_writes(Reader& mirror, Reader& outbox)
{
    const auto known = load_known(mirror);
    if (!known) return std::nullopt;
    return compare(mirror, outbox, *known, {find_outbox_id(outbox).value_or(""), last_outbox_number(outbox)});
}

void adopt_outbox(Writer& mirror, Writer& outbox, bool older)
{
    const auto known = load_known(mirror);
    const std::string id = find_outbox_id(outbox).value_or("");
    if (older || (known && last_outbox_number(outbox) < known->number))
        in_transaction(outbox, [&] {
            if (older) outbox.run("UPDATE entry SET unclear = 1 WHERE state = 'pending'");
            if (known) raise_number(outbox, known->number);
        });
    const std::int64_t number = last_outbox_number(outbox);
    if (known && known->id == id && known->number == number) return;
    in_transaction(mirror, [&] { put_known(mirror, {id, number}); });
}

} // namespace alli::cache
