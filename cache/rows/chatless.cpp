// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/chatless.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

constexpr std::array<std::string_view, 4> names{"unknown", "first", "last", "nowhere"};

struct Field {
    std::string_view name; // in the table
    ChatlessPlace ChatlessPlaces::*member;
};
constexpr std::array fields{
    Field{"chatless_newest_first", &ChatlessPlaces::newest_first},
    Field{"chatless_oldest_first", &ChatlessPlaces::oldest_first},
};
constexpr std::string_view front_clear = "chatless_front_clear";

ChatlessPlace read_place(std::string_view text) noexcept
{
    const auto* const found = std::find(names.begin(), names.end(), text);
    return found == names.end() ? ChatlessPlace::unknown : static_cast<ChatlessPlace>(found - names.begin());
}

std::string_view name_of(ChatlessPlace place) noexcept
{
    return names[static_cast<std::size_t>(place)];
}

void put(Writer& db, std::string_view name, std::string_view value) // empty: none
{
    if (value.empty())
        db.run("DELETE FROM progress WHERE name = ?1", name);
    else
        db.run("INSERT INTO progress (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", name,
               value);
    db.change_set().lists();
}

} // namespace

ChatlessPlaces load_chatless_places(Reader& db)
{
    ChatlessPlaces places;
    for (const Row row : db.query("SELECT name, value FROM progress WHERE name IN (?1, ?2, ?3)", fields[0].name,
                                  fields[1].name, front_clear)) {
        if (row.text(0) == front_clear) places.front_clear = true;
        for (const Field& field : fields)
            if (field.name == row.text(0)) places.*field.member = read_place(row.text(1));
    }
    return places;
}

void save_chatless_places(Writer& db, const ChatlessPlaces& places)
{
    const ChatlessPlaces before = load_chatless_places(db);
    for (const Field& field : fields) {
        const ChatlessPlace place = places.*field.member;
        if (place != before.*field.member) put(db, field.name, place == ChatlessPlace::unknown ? "" : name_of(place));
    }
    if (places.front_clear != before.front_clear) put(db, front_clear, places.front_clear ? "yes" : "");
}

} // namespace alli::cache
