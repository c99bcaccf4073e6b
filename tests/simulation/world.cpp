// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/world_answers.hpp"

#include "alli/error.hpp"
#include "alli/instant.hpp"

#include <algorithm>

namespace simulation {

using alli::Error;
using alli::Fault;
using alli::upstream::Reply;

namespace {

std::map<std::string, std::string> params_of(std::string_view query)
{
    std::map<std::string, std::string> params;
    while (!query.empty()) {
        const auto part = query.substr(0, query.find('&'));
        const auto equals = part.find('=');
        params[std::string(part.substr(0, equals))] = decode(part.substr(equals + 1));
        query.remove_prefix(std::min(query.size(), part.size() + 1));
    }
    return params;
}

std::string key_of(const std::pair<Ms, std::string>& place)
{
    return std::to_string(place.first) + ':' + place.second;
}

} // namespace

World::World(support::FakeClock& clock, std::uint64_t seed)
    : clock_(clock), random_(seed), lag_random_(seed + 1), stray_random_(seed * 31 + 7), odds_(~seed),
      paging_(seed * 131 + 17), weather_(seed * 257 + 29)
{
    constexpr std::array<std::size_t, 4> embeds{0, 1, 5, 20};
    constexpr std::array<std::size_t, 4> caps{2, 3, 7, 50};
    nature.milliseconds = chance(0.5);
    nature.position_cursor = chance(0.5);
    nature.inclusive = chance(0.5);
    nature.sends_date = chance(0.9);
    nature.counts_days = chance(0.3);
    nature.embedded = embeds[random_.below(embeds.size())];
    nature.page_cap = caps[random_.below(caps.size())];
    nature.faults = chance(0.5) ? random_.unit() * 0.2 : 0;
    if (stray_random_.unit() < 0.4) nature.strays = stray_random_.unit() * 0.15;
    nature.envelope = alli::SeededRandom(seed * 101 + 5).below(4) == 0;
    nature.latency = 1 + static_cast<Ms>(random_.below(500));
    // Without a Date our clock is all there is, and it must be right.
    if (nature.sends_date && chance(0.5)) nature.skew = static_cast<Ms>(random_.below(1'200'000)) - 600'000;
    // One of the two clocks must be right, or late: ours is not ahead where a gateway's is off.
    const std::array<std::vector<Ms>, 7> gateways{
        {{600'000}, {86'400'000}, {-600'000}, {0, 600'000}, {0, -600'000}, {86'400'000, 0, -900'000}, {-3'600'000}}};
    if (nature.sends_date && nature.skew >= 0 && odds_.below(3) == 0) nature.gateways = gateways[odds_.below(7)];
    nature.chatless = static_cast<Chatless>(paging_.below(5));
    nature.refuses_orders = paging_.below(5) == 0;
    if (paging_.below(3) == 0) nature.standstills = paging_.unit() * 0.15;
}

Ms World::ours() const
{
    return std::chrono::floor<std::chrono::milliseconds>(clock_.now()).time_since_epoch().count();
}

Ms World::theirs() const
{
    return ours() + nature.skew;
}

Ms World::passed() const
{
    return clock_.passed() / std::chrono::milliseconds(1);
}

json World::stamp_json(Ms when) const
{
    return nature.milliseconds ? json(when) : json(static_cast<double>(when) / 1000);
}

std::string World::any()
{
    if (talks.empty()) return "";
    auto found = talks.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(random_.below(talks.size())));
    return found->first;
}

// --- what happens ----------------------------------------------------------------------------------------------------

void World::act()
{
    drift_into_storm();
    if (nature.assigned_by_others) assign_one();
    const std::string id = any();
    away = chance(0.1);
    hidden = odds_.below(12) == 0;
    const double draw = random_.unit();
    if (id.empty() || draw < 0.25) return create();
    if (draw < 0.55) return append(id, 1 + static_cast<int>(random_.below(4)), chance(0.02));
    if (draw < 0.58) return append(id, 60 + static_cast<int>(random_.below(200)), false);
    if (draw < 0.68) return edit_field(id);
    if (draw < 0.74) return edit_chat(id);
    if (draw < 0.77) return remove_last_chat(id);
    if (draw < 0.83) return remove(id);
    if (draw < 0.88) return begin_growing(id);
    if (draw < 0.94) return grow(growing_);
    if (draw < 0.96 && nature.sends_date) return set_clock();
    if (draw > 0.985) rejecting = !rejecting;
    if (draw < 0.98) return fall_ill(id);
}

void World::fall_ill(const std::string& id)
{
    show_anew();
    ill = ill.empty() ? id : "";
    illness = static_cast<Illness>(random_.below(5));
    show_anew();
}

void World::show_anew()
{
    if (const auto talk = talks.find(ill); talk != talks.end() && illness == Illness::nonsense)
        talk->second.changed = std::max(talk->second.changed, ours() + nature.read_lag);
}

void World::arrive()
{
    create();
    const std::string id = fmt::format("c{:03}", made_ - 1);
    if (!talks.at(id).last) append(id, 1, false);
    talks.at(id).visible_from = ours();
}

// Ours is set and upstream's is not; what is noted by ours is so many hours ago as before.
void World::set_our_clock()
{
    const Ms by = static_cast<Ms>(random_.below(7'200'000)) - 3'600'000 + (chance(0.2) ? 30 * 86'400'000LL : 0);
    clock_.set_now(clock_.now() + std::chrono::milliseconds(by));
    nature.skew -= by;
    for (auto& [id, talk] : talks) talk.visible_from += by, talk.changed += by, talk.moved += by;
    for (auto& [id, when] : gone) when += by;
    our_clock_was_set = true;
    set_back += std::max<Ms>(0, -by);
}

void World::set_clock()
{
    if (nature.has_wrong_gateway()) return; // the other one must stay right
    if (chance(0.3)) return set_our_clock();
    const Ms by = static_cast<Ms>(random_.below(7'200'000)) - 3'600'000;
    nature.skew += by;
    clock_was_set = true;
    set_back += std::max<Ms>(0, -by);
}

void World::create()
{
    const int several = chance(0.1) ? 1 + static_cast<int>(random_.below(8)) : 1; // of one time
    const int count = chance(0.1) ? 0 : 1 + static_cast<int>(random_.below(chance(0.1) ? 150 : 6));
    for (int n = 0; n < several; ++n) {
        const std::string id = fmt::format("c{:03}", made_++);
        Talk& talk = talks[id];
        rename(id, "about " + id);
        talk.fields["memo"] = nullptr;
        assign(id, nullptr);
        talk.fields["createdAt"] = stamp_json(theirs() - ago_);
        talk.changed = talk.moved = talk.visible_from = ours();
        if (count > 0) append(id, count, false);
    }
}

// Days before the mirror, some fuller than others.
void World::have_past(int conversations)
{
    const std::uint64_t day = 86'400'000, days = 1 + random_.below(400);
    for (int n = 0; n < conversations; ++n) {
        if (ago_ == 0 || chance(0.3)) ago_ = static_cast<Ms>(random_.below(days * day));
        ago_ += static_cast<Ms>(random_.below(120'000));
        create();
    }
    ago_ = 0;
}

void World::append(const std::string& id, int count, bool future)
{
    Talk& talk = talks.at(id);
    const Ms when = theirs() - ago_ + (future ? 86'400'000 : 0);
    for (int n = 0; n < count; ++n) {
        json chat;
        chat["id"] = fmt::format("{}/{}", id, written_++);
        chat["sender"] = n % 2 == 0 ? "USER" : "BOT";
        chat["message"] = fmt::format("words {}", written_);
        chat["timestamp"] = stamp_json(when);
        chat["completed"] = true;
        talk.chats.push_back(chat);
    }
    talk.last = std::max(when, talk.last.value_or(0));
    // Only what nobody saw before: a conversation that was listed is not hidden again.
    const bool new_here = talk.chats.size() == static_cast<std::size_t>(count) && talk.visible_from == ours();
    const bool late = new_here && nature.late > 0 && ago_ == 0 && chance(0.2);
    if (late) talk.visible_from = ours() + static_cast<Ms>(random_.below(static_cast<std::uint64_t>(nature.late)));
    talk.changed = talk.moved = std::max(ours(), talk.visible_from);
}

void World::edit_field(const std::string& id)
{
    Talk& talk = talks.at(id);
    const bool title = chance(0.5);
    const std::string text = fmt::format("edited {}", written_++);
    if (title)
        rename(id, text);
    else
        talk.fields["memo"] = text;
    if (title) return show_at_once(talk, "title");
    talk.changed = std::max(ours(), talk.visible_from);
}

// What another wrote: it shows, or counts for older than our write: under way, or over what?
void World::show_at_once(Talk& talk, const std::string& name)
{
    talk.changed = std::max(ours(), talk.visible_from);
    Talk::Written& written = talk.written[name];
    written.before.reset();
    const bool may_lag = written.before_unknown && passed() < written.lags_until;
    if (talk.being_written || may_lag) talk.changed += 20'000 + nature.read_lag;
}

void World::edit_chat(const std::string& id)
{
    Talk& talk = talks.at(id);
    if (talk.chats.empty()) return;
    json& chat = talk.chats[random_.below(talk.chats.size())];
    chat["rating"] = written_++;
    talk.chats_edited = true;
}

void World::remove_last_chat(const std::string& id)
{
    Talk& talk = talks.at(id);
    if (talk.chats.size() < 2 || id == growing_) return;
    talk.chats.pop_back();
    const json& left = talk.chats.back()["timestamp"];
    talk.last = nature.milliseconds ? left.get<Ms>() : std::llround(left.get<double>() * 1000);
    talk.changed = std::max(ours(), talk.visible_from);
    talk.chats_edited = true;
}

void World::remove(const std::string& id)
{
    talks.erase(id);
    gone[id] = ours();
    if (id == growing_) growing_.clear();
}

void World::begin_growing(const std::string& id)
{
    end_growing();
    append(id, 1, false);
    talks.at(id).chats.back()["completed"] = false;
    talks.at(id).chats_edited = true;
    growing_ = id;
}

void World::grow(const std::string& id)
{
    if (id.empty() || !talks.contains(id)) return;
    json& chat = talks.at(id).chats.back();
    chat["message"] = chat["message"].get<std::string>() + " more";
    if (chance(0.3)) end_growing();
}

std::string World::begin_run(const std::string& id)
{
    append(id, 2, false);
    Talk& talk = talks.at(id);
    talk.chats.back()["completed"] = false;
    talk.chats_edited = true;
    return talk.chats.back()["id"];
}

std::optional<std::string> World::grow_run(const std::string& id, const std::string& chat, bool ends)
{
    for (json& one : talks.at(id).chats) {
        if (one["id"] != chat) continue;
        one["message"] = one["message"].get<std::string>() + " more";
        if (ends) one["completed"] = true;
        return one["message"].get<std::string>();
    }
    return std::nullopt;
}

std::optional<json> World::find_chat(const std::string& id, const std::string& chat) const
{
    const auto talk = talks.find(id);
    if (talk == talks.end()) return std::nullopt;
    for (const json& one : talk->second.chats)
        if (one["id"] == chat) return one;
    return std::nullopt;
}

void World::end_growing()
{
    if (!growing_.empty() && talks.contains(growing_))
        for (json& chat : talks.at(growing_).chats) chat["completed"] = true;
    growing_.clear();
}

// --- what is answered ------------------------------------------------------------------------------------------------

alli::Task<Reply> World::send(alli::upstream::Request request)
{
    ++requests;
    for (const char letter : request.method + request.target + request.body)
        hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
    const bool reads = request.method == "GET";
    if (request.priority != alli::upstream::Priority::app && passed() < told_until_)
        impatient = request.method + ' ' + request.target;
    alli::Task<Reply> work = reads ? read(std::move(request)) : write(std::move(request));
    Reply answer = co_await std::move(work);
    note_told(answer);
    hash = (hash ^ static_cast<std::uint64_t>(answer.status)) * 1099511628211U;
    co_return answer;
}

alli::Task<Reply> World::read(alli::upstream::Request request)
{
    const Ms half = static_cast<Ms>(random_.below(static_cast<std::uint64_t>(nature.latency))) / 2;
    co_await clock_.sleep(std::chrono::milliseconds(half));
    std::optional<Reply> broken = fault();
    if (!broken) broken = storm();
    if (!broken) broken = stray(request.target);
    Reply whole = broken ? std::move(*broken) : answer(request.target);
    trace(request, whole);
    co_await clock_.sleep(std::chrono::milliseconds(half));
    co_return whole;
}

json World::seen(const std::string& id, std::size_t embed)
{
    json shown = item(id, embed);
    const Talk& talk = talks.at(id);
    for (const auto& [name, written] : talk.written) {
        if (!shows_before(written)) continue;
        if (shown.contains(name)) shown[name] = *written.before;
        for (json& chat : shown["chats"])
            if (chat["id"] == name) chat["suggestedAnswer"] = *written.before;
    }
    return shown;
}

Reply World::reply(const json& body) const
{
    Reply made = plain(200, body.dump());
    const Ms off = nature.gateways[requests % nature.gateways.size()];
    const alli::Instant now{std::chrono::milliseconds(theirs() + off)};
    if (nature.sends_date) made.headers.add("Date", alli::to_http_date(now));
    return made;
}

std::optional<Reply> World::symptom(const std::string& id, bool chats) const
{
    if (id != ill) return std::nullopt;
    if (illness == Illness::nonsense) return plain(200, R"({"chats":"soon","id":7})");
    if (illness == Illness::forbidden) return plain(403, R"({"type":"APIError","code":7001,"message":"not this one"})");
    const bool broken = illness == Illness::broken || (illness == Illness::broken_chats && chats);
    if (broken) return plain(500, R"({"type":"APIError","code":7000,"message":"a bug"})");
    if (!chats || illness != Illness::absent_chats) return std::nullopt;
    return plain(404, R"({"type":"APIError","code":7003,"message":"no such chats"})");
}

Reply World::answer(const std::string& target)
{
    const auto question = target.find('?');
    const std::string path = target.substr(0, question);
    const Params params =
        question == std::string::npos ? Params() : params_of(std::string_view(target).substr(question + 1));
    if (path == root) return list(params);
    if (path == std::string(root) + "/daily_count" && nature.counts_days) return count_days(params);
    const std::string rest = path.substr(std::min(path.size(), root.size() + 1));
    const std::string id = decode(rest.substr(0, rest.find('/')));
    const auto found = talks.find(id);
    if (found == talks.end() || found->second.visible_from > ours())
        return plain(404, R"({"type":"APIError","code":7003,"message":"no such conversation"})");
    if (auto ails = symptom(id, rest.ends_with("/chats"))) return std::move(*ails);
    if (rest.ends_with("/chats"))
        return chats(found->second, params.contains("pageNo") ? std::stoi(params.at("pageNo")) : 1);
    if (const auto at = rest.find("/chats/"); at != rest.npos) {
        const auto chat = find_chat(id, decode(rest.substr(at + 7)));
        return chat ? reply_about_one(seen_chat(found->second, *chat))
                    : plain(404, R"({"type":"APIError","code":7003,"message":"no such chat"})");
    }
    return reply_about_one(seen(id, 20));
}

Reply World::reply_about_one(const json& body) const
{
    if (!nature.envelope) return reply(body);
    json wrapped;
    wrapped["result"] = body;
    return reply(wrapped);
}

json World::item(const std::string& id, std::size_t embed) const
{
    const Talk& talk = talks.at(id);
    json made = talk.fields;
    made["id"] = id;
    made["lastChatTime"] = talk.last ? stamp_json(*talk.last) : json(nullptr);
    made["chatCount"] = talk.chats.size();
    made["chats"] = json::array();
    for (std::size_t i = talk.chats.size() - std::min(embed, talk.chats.size()); i < talk.chats.size(); ++i)
        made["chats"].push_back(talk.chats[i]);
    return made;
}

json World::seen_chat(const Talk& talk, json chat)
{
    const auto written = talk.written.find(chat["id"].get<std::string>());
    if (written != talk.written.end() && shows_before(written->second))
        chat["suggestedAnswer"] = *written->second.before;
    return chat;
}

Reply World::chats(const Talk& talk, int page)
{
    json body;
    body["chats"] = json::array();
    const std::size_t first = static_cast<std::size_t>(page - 1) * 100;
    for (std::size_t i = first; i < std::min(talk.chats.size(), first + 100); ++i) {
        body["chats"].push_back(seen_chat(talk, talk.chats[i]));
    }
    return reply(body);
}

Reply World::count_days(const Params& params) const
{
    using namespace std::chrono;
    const auto day_of = [](const std::string& text) {
        return floor<days>(*alli::from_rfc3339(text.substr(0, 10) + "T00:00:00Z"));
    };
    json body;
    body["counts"] = json::array();
    for (auto day = day_of(params.at("startDate")); day <= day_of(params.at("endDate")); day += days(1)) {
        const auto count = std::count_if(talks.begin(), talks.end(), [&](const auto& it) {
            const double created =
                it.second.fields["createdAt"].template get<double>() * (nature.milliseconds ? 1 : 1000);
            return floor<days>(alli::Instant(milliseconds(std::llround(created)))) == day &&
                   it.second.visible_from <= ours();
        });
        json one;
        one["date"] = alli::to_rfc3339(alli::Instant(day)).substr(0, 10);
        one["count"] = count;
        body["counts"].push_back(one);
    }
    return reply(body);
}

std::vector<std::pair<Ms, std::string>> World::window(const Params& params) const
{
    const auto bound = [&](const char* name) {
        std::optional<double> value;
        if (params.contains(name)) value = std::stod(params.at(name)) * (nature.milliseconds ? 1 : 1000);
        return value;
    };
    const auto from = bound("startedAt"), to = bound("endAt");
    const bool any_window = from || to || params.contains("firstChatStartedAt");
    std::vector<std::pair<Ms, std::string>> places;
    for (const auto& [id, talk] : talks) {
        if (talk.visible_from > ours() || (any_window && !talk.last)) continue;
        const auto last = static_cast<double>(talk.last.value_or(0));
        if (from && (nature.inclusive ? last < *from : last <= *from)) continue;
        if (to && (nature.inclusive ? last > *to : last >= *to)) continue;
        if (const auto key = key_in_order(talk, params)) places.emplace_back(*key, id);
    }
    std::sort(places.rbegin(), places.rend());
    return places;
}

// It falls along the list; none: the list leaves this one out.
std::optional<Ms> World::key_in_order(const Talk& talk, const Params& params) const
{
    constexpr Ms end = Ms{1} << 50;
    const std::string order = params.contains("order") ? params.at("order") : "";
    const Ms created = std::llround(talk.fields["createdAt"].get<double>() * (nature.milliseconds ? 1 : 1000));
    if (order == "CREATED_AT_DESC") return created;
    const Ms sign = order == "LAST_CHAT_TIME_ASC" ? -1 : 1;
    if (talk.last) return sign * *talk.last;
    switch (nature.chatless) {
    case Chatless::behind:
        return -end;
    case Chatless::oldest:
        return -sign * end;
    case Chatless::newest:
        return sign * end;
    case Chatless::by_creation:
        return sign * created;
    case Chatless::nowhere:
        break;
    }
    return std::nullopt;
}

bool World::stands_still(const Params& params)
{
    if (stuck_left_ > 0 && params == stuck_) return stuck_left_-- > 0;
    stuck_left_ = 0;
    if (nature.standstills == 0 || paging_.unit() >= nature.standstills) return false;
    stuck_ = params;
    stuck_left_ = paging_.below(nature.longest_standstill); // and this one
    return true;
}

Reply World::list(const Params& params)
{
    if (nature.refuses_orders && params.contains("order"))
        return plain(400, R"({"type":"APIError","code":7003,"message":"no such order"})");
    const std::size_t asked = params.contains("pageSize") ? std::stoul(params.at("pageSize")) : 50;
    const std::size_t size = std::min(asked, nature.page_cap);
    const auto position = position_in(params.contains("cursor") ? params.at("cursor") : "");
    if (!position) return plain(400, R"({"type":"APIError","code":7003,"message":"this cursor has expired"})");
    const std::string& cursor = *position;
    const std::string beginning = nature.position_cursor ? "0" : std::to_string(Ms{1} << 52) + ":";
    if (stands_still(params)) {
        json body;
        body["conversations"] = json::array();
        body["cursor"] = cursor_of(cursor.empty() ? beginning : cursor);
        return reply(body);
    }
    const auto places = window(params);
    std::size_t at = 0;
    if (!cursor.empty() && nature.position_cursor) at = std::stoul(cursor);
    if (!cursor.empty() && !nature.position_cursor) {
        const std::pair after(Ms(std::stoll(cursor)), cursor.substr(cursor.find(':') + 1));
        while (at < places.size() && places[at] >= after) ++at;
    }

    json body;
    body["conversations"] = json::array();
    const std::size_t end = std::min(places.size(), at + size);
    for (std::size_t i = at; i < end; ++i) {
        json one = seen(places[i].second, nature.embedded);
        if (places[i].second == ill && illness == Illness::nonsense) one["chatCount"] = "many";
        body["conversations"].push_back(one);
    }
    body["cursor"] = nullptr;
    if (end < places.size() && end > at)
        body["cursor"] = cursor_of(nature.position_cursor ? std::to_string(end) : key_of(places[end - 1]));
    return reply(body);
}

} // namespace simulation
