// SPDX-License-Identifier: Apache-2.0
// When upstream has too much to do: for a while it tells everybody how long to wait, and it forgets cursors.
#include "tests/simulation/world_answers.hpp"

namespace simulation {

using alli::upstream::Reply;

void World::drift_into_storm()
{
    if (!nature.storms || passed() < storm_until_ || weather_.below(15) != 0) return;
    storm_until_ = passed() + 1000 + static_cast<Ms>(weather_.below(180'000));
}

std::optional<Reply> World::storm()
{
    if (passed() >= storm_until_) return std::nullopt;
    Reply told = weather_.below(2) == 0 ? plain(429, R"({"type":"APIError","code":7000,"message":"slowly"})")
                                        : plain(503, R"({"type":"APIError","code":7000,"message":"busy"})");
    const Ms left = storm_until_ - passed(), shortest = std::min<Ms>(left, 1 + static_cast<Ms>(weather_.below(60'000)));
    told.headers.add("Retry-After", std::to_string((shortest + 999) / 1000));
    return told;
}

// From the moment on in which somebody hears it.
void World::note_told(const Reply& answer)
{
    if (const std::string* seconds = answer.header("Retry-After"))
        told_until_ = std::max(told_until_, passed() + Ms{std::stol(*seconds)} * 1000);
}

std::string World::cursor_of(std::string position) const
{
    return nature.cursor_life > 0 ? fmt::format("{}@{}", passed(), position) : position;
}

std::optional<std::string> World::position_in(const std::string& cursor) const
{
    if (nature.cursor_life == 0 || cursor.empty()) return cursor;
    if (passed() - std::stoll(cursor) > nature.cursor_life) return std::nullopt;
    return cursor.substr(cursor.find('@') + 1);
}

} // namespace simulation
