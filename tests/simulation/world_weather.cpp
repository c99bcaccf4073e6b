// SPDX-License-Identifier: Apache-2.0
// What comes instead of an answer: faults, and what belongs to nobody. And what came to this world later, from a seed
// of its own: when upstream has too much to do, it tells everybody for a while how long to wait; it forgets cursors;
// conversations are assigned by others than us.
#include "tests/simulation/world_answers.hpp"

#include "alli/error.hpp"
#include "alli/instant.hpp"

namespace simulation {

using alli::Error;
using alli::Fault;
using alli::upstream::Reply;

std::optional<Reply> World::fault()
{
    if (away) throw Error(Fault::unreachable, "", "no route to upstream");
    if (hidden) return plain(200, "<html>Log in to the hotel's network</html>", "text/html");
    if (rejecting) return plain(401, R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})");
    if (!chance(nature.faults)) return std::nullopt;
    switch (random_.below(6)) {
    case 0:
        throw Error(Fault::unreachable, "", "the connection was reset");
    case 1:
        return plain(503, R"({"type":"APIError","code":7000,"message":"busy"})");
    case 2:
        return plain(200, "<html>Log in to the hotel's network</html>", "text/html");
    case 3:
        return plain(200, R"({"conversations":[{"id":)");
    case 4:
        return plain(200, R"({"conversations":7,"chats":"none","cursor":null})");
    default:
        return plain(429, R"({"type":"APIError","code":7000,"message":"slowly"})");
    }
}

// What belongs to nobody: portals, gateways, and what was left of another request. An earlier list, or chats that the
// mirror has never seen, could be told from nothing.
std::optional<Reply> World::stray(const std::string& target)
{
    if (stray_random_.unit() >= nature.strays) return std::nullopt;
    switch (stray_random_.below(6)) {
    case 0:
        return plain(200, "", "");
    case 1:
        return plain(404, "<html><title>404 Not Found</title></html>", "text/html");
    case 2:
        return plain(403, "<html><title>Request blocked</title></html>", "text/html");
    case 3:
        return plain(404, R"({"message":"no Route matched with those values"})");
    case 4:
        return plain(200, R"({"result":[],"errors":"content must be JSON deserializable!"})");
    default:
        if (talks.empty()) return std::nullopt;
        auto other = talks.begin();
        std::advance(other, static_cast<std::ptrdiff_t>(stray_random_.below(talks.size())));
        if (target.find(other->first) != target.npos) return std::nullopt;
        return plain(200, item(other->first, 20).dump());
    }
}

// What upstream says now; whether it arrives is another matter.
void World::trace(const alli::upstream::Request& request, const Reply& answer) const
{
    if (!std::getenv("ALLI_TRACE")) return;
    std::printf("%s %d %s %s %s -> %d %s\n", alli::to_rfc3339(clock_.now()).c_str(), static_cast<int>(request.priority),
                request.method.c_str(), request.target.c_str(), request.body.c_str(), answer.status,
                answer.body.substr(0, std::getenv("ALLI_TRACE_MORE") ? 100000 : 300).c_str());
}

void World::drift_into_storm()
{
    if (!nature.storms || passed() < storm_until_ || weather_.below(15) != 0) return;
    storm_until_ = passed() + 1000 + static_cast<Ms>(weather_.below(180'000));
}

void World::assign_one()
{
    if (talks.empty() || weather_.below(12) != 0) return;
    auto found = talks.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(weather_.below(talks.size())));
    assign(found->first, fmt::format("edited {}", weather_.below(1'000'000'000)));
    show_at_once(found->second, "assignee");
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
