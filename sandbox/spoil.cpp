// SPDX-License-Identifier: Apache-2.0
#include "sandbox/spoil.hpp"

#include "sandbox/cursor.hpp"
#include "sandbox/errors.hpp"
#include "sandbox/model.hpp"

#include <array>

namespace alli::sandbox {
namespace {

using Kind = FaultRule::Kind;
using Ending = Answer::Ending;

Answer too_many(std::string retry_after)
{
    Answer answer = api_error(429, 7000, "Too many requests");
    if (!retry_after.empty()) answer.headers.add("Retry-After", std::move(retry_after));
    return answer;
}

Answer silence(Ending ending, std::int64_t pause)
{
    return {.status = 0, .ending = ending, .pause = std::chrono::milliseconds{pause}};
}

struct Instead {
    Kind kind;
    Answer (*answer)(const FaultRule&, Instant now);
};

constexpr auto instead = std::to_array<Instead>({
    {Kind::too_many, [](const FaultRule&, Instant) { return too_many(""); }},
    {Kind::too_many_retry_after, [](const FaultRule& f, Instant) { return too_many(std::to_string(f.amount)); }},
    {Kind::too_many_date,
     [](const FaultRule& f, Instant now) { return too_many(to_http_date(now + std::chrono::seconds{f.amount})); }},
    {Kind::unavailable_html, [](const FaultRule&, Instant) { return gateway_page(503); }},
    {Kind::bad_gateway_html, [](const FaultRule&, Instant) { return gateway_page(502); }},
    {Kind::server_error, [](const FaultRule&, Instant) { return api_error(500, 7000, "Internal server error"); }},
    {Kind::unauthorized, [](const FaultRule&, Instant) { return invalid_token(); }},
    {Kind::reset_before, [](const FaultRule&, Instant) { return silence(Ending::reset, 0); }},
    {Kind::hang, [](const FaultRule& f, Instant) { return silence(Ending::hang, f.amount); }},
});

void end_as(Answer& answer, Ending ending, std::int64_t pause)
{
    answer.ending = ending;
    answer.pause = std::chrono::milliseconds{pause};
}

// The member that tells what the answer is about, or the whole of it, of another type than it should have.
void mistype(Answer& answer, std::uint64_t dice)
{
    Json json = Json::parse(answer.body, nullptr, false);
    const std::array<Json, 4> others{Json(7), Json("seven"), Json(true), Json::object()};
    Json wrong = others[dice % others.size()];
    for (const char* member : {"conversations", "chats", "counts", "isRunning", "apps", "id"}) {
        const auto found = json.is_object() ? json.find(member) : json.end();
        if (found == json.end()) continue;
        while (found->type() == wrong.type()) wrong = others[++dice % others.size()];
        *found = wrong;
        answer.body = json.dump();
        return;
    }
    answer.body = "[7]";
}

// The cursor leads to this very page again.
void stand_still(Answer& answer, const Call& call)
{
    Json json = Json::parse(answer.body, nullptr, false);
    if (!json.is_object() || !json.contains("cursor")) return;
    const Query query = call.query();
    const auto cursor = query.find("cursor");
    const bool by_creation = query.find("order").value_or("").starts_with("CREATED");
    const bool ascending = query.find("order").value_or("").ends_with("ASC");
    const char letter = by_creation ? (ascending ? 'd' : 'c') : (ascending ? 'b' : 'a');
    json["cursor"] = cursor && !cursor->empty() ? *cursor : Cursor{.order = letter}.text();
    answer.body = json.dump();
}

// Nor is there anything on it.
void stand_still_empty(Answer& answer, const Call& call)
{
    stand_still(answer, call);
    Json json = Json::parse(answer.body, nullptr, false);
    if (!json.is_object() || !json.contains("cursor")) return;
    json["conversations"] = Json::array();
    answer.body = json.dump();
}

// What balancers and the like say on connections that they find idle.
constexpr auto strays = std::to_array<std::string_view>({
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 408 Request Time-out\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"
    "<html><body><h1>408 Request Time-out</h1>\nYour browser didn't send a complete request in time.\n</body></html>\n",
    "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"id\":",
});

void add_unasked(Answer& answer, const Strike& strike, Ending ending)
{
    end_as(answer, ending, strike.fault->amount);
    answer.unasked = strays[strike.dice % strays.size()];
}

struct Spoiling {
    Kind kind;
    void (*spoil)(Answer&, const Call&, const Strike&);
};

constexpr auto spoilings = std::to_array<Spoiling>({
    {Kind::reset_after, [](Answer& a, const Call&, const Strike&) { a = silence(Ending::reset, 0); }},
    {Kind::cut_body, [](Answer& a, const Call&, const Strike&) { a.ending = Ending::cut; }},
    {Kind::stall, [](Answer& a, const Call&, const Strike& s) { end_as(a, Ending::stall, s.fault->amount); }},
    {Kind::drip, [](Answer& a, const Call&, const Strike& s) { end_as(a, Ending::drip, s.fault->amount); }},
    {Kind::not_json, [](Answer& a, const Call&,
                        const Strike&) { a.body = "upstream connect error or disconnect/reset before headers"; }},
    {Kind::wrong_type, [](Answer& a, const Call&, const Strike& s) { mistype(a, s.dice); }},
    {Kind::same_cursor, [](Answer& a, const Call& call, const Strike&) { stand_still(a, call); }},
    {Kind::empty_page, [](Answer& a, const Call& call, const Strike&) { stand_still_empty(a, call); }},
    {Kind::unasked, [](Answer& a, const Call&, const Strike& s) { add_unasked(a, s, Ending::whole); }},
    {Kind::unasked_close, [](Answer& a, const Call&, const Strike& s) { add_unasked(a, s, Ending::closed); }},
});

} // namespace

std::optional<Answer> answer_instead(const FaultRule& fault, Instant now)
{
    for (const Instead& row : instead)
        if (row.kind == fault.kind) return row.answer(fault, now);
    return std::nullopt;
}

void spoil(Answer& answer, const Call& call, const Strike& strike)
{
    for (const Spoiling& row : spoilings)
        if (row.kind == strike.fault->kind) row.spoil(answer, call, strike);
}

} // namespace alli::sandbox
