// SPDX-License-Identifier: Apache-2.0
#include "sandbox/service.hpp"

#include "alli/clock.hpp"
#include "sandbox/compression.hpp"
#include "sandbox/encoding.hpp"
#include "sandbox/errors.hpp"
#include "sandbox/seeding.hpp"
#include "sandbox/spoil.hpp"

#include <array>

namespace alli::sandbox {
namespace {

struct Refusal {
    Fault fault;
    Answer (*answer)(const Error&);
};

constexpr auto refusals = std::to_array<Refusal>({
    {Fault::usage, [](const Error& error) { return api_error(400, 7003, error.what()); }},
    {Fault::refused, [](const Error& error) { return api_error(404, 7003, error.what()); }},
    {Fault::bad_reply, [](const Error&) { return not_deserializable(); }},
});

Answer refuse(const Error& error)
{
    for (const Refusal& refusal : refusals)
        if (refusal.fault == error.fault()) return refusal.answer(error);
    return api_error(500, 7000, error.what());
}

std::function<Instant()> clock_of(const Options& options)
{
    if (options.clock) return options.clock;
    return [] { return SystemClock{}.now(); };
}

} // namespace

Service::Service(Options options)
    : options_(std::move(options)), api_key_(options_.api_key),
      faults_(options_.faults, options_.seed, clock_of(options_)()),
      world_(options_.time_style, clock_of(options_), options_.seed, options_.categories_hold), lag_(options_.read_lag),
      life_(options_.life, options_.seed)
{
    populate(world_, options_);
}

bool Service::authorized(const Call& call) const
{
    constexpr std::string_view scheme = "Bearer ";
    const std::string_view bearer = call.header("Authorization");
    if (bearer.size() > scheme.size() && folded(bearer.substr(0, scheme.size())) == "bearer ")
        return bearer.substr(scheme.size()) == api_key_;
    return call.header("API-KEY") == api_key_;
}

Strike Service::strike(const Call& call)
{
    const std::lock_guard lock{mutex_};
    return faults_.strike(match_route(call.method, call.path()).operation(), clock_of(options_)());
}

Answer Service::work_out(const Match& match, const Call& call)
{
    if (!authorized(call)) return invalid_token();
    if (match.kind == Match::Kind::wrong_method)
        return {.status = 405, .body = "Method not allowed", .type = "text/html"};
    if (match.kind == Match::Kind::no_path) return api_error(404, 7003, "no such path");
    try {
        attributed_user(world_, call);
        Desk desk{world_, journal_, options_, lag_, runs_};
        std::optional<ReadLag::View> lagging;
        if (match.route->methods == "GET" && match.route->lags) lagging.emplace(lag_, world_, world_.now());
        Answer answer = match.route->answer(desk, call);
        if (options_.envelope && match.route->about_one_thing) answer.body = R"({"result":)" + answer.body + '}';
        return answer;
    } catch (const Error& error) {
        return refuse(error);
    }
}

std::pair<Answer, RequestRecord> Service::answer_alone(Call call, const Strike& strike)
{
    runs_.advance(world_, lag_);
    Match match = match_route(call.method, call.path());
    call.ids = std::move(match.ids);
    std::optional<Answer> early;
    if (strike.fault) early = answer_instead(*strike.fault, header_time());
    Answer answer = early ? std::move(*early) : work_out(match, call);
    if (strike.fault) spoil(answer, call, strike);
    if (options_.compress) compress(answer, call);
    if (!early) life_.go_on(world_);
    RequestRecord record{std::string{match.operation()},
                         std::move(call.method),
                         std::move(call.target),
                         answer.status,
                         std::move(call.headers),
                         std::move(call.body),
                         call.arrived};
    return {std::move(answer), std::move(record)};
}

Answer Service::answer(Call call, const Strike& strike)
{
    std::unique_lock lock{mutex_};
    auto [answer, record] = answer_alone(std::move(call), strike);
    const auto hook = hook_;
    if (hook) {
        journal_.saw(record);
        lock.unlock(); // it may call whatever it likes
        (*hook)(record);
    } else {
        journal_.saw(std::move(record));
    }
    return std::move(answer);
}

Instant Service::header_time() const
{
    return clock_of(options_)() + std::chrono::milliseconds{options_.date_skew_ms};
}

std::string Service::date() const
{
    if (!options_.send_date) return "";
    return to_http_date(header_time());
}

void Service::set_faults(std::vector<FaultRule> rules)
{
    const std::lock_guard lock{mutex_};
    faults_ = Faults{std::move(rules), options_.seed, clock_of(options_)()};
}

void Service::set_life(std::vector<LifeRule> rules)
{
    const std::lock_guard lock{mutex_};
    life_ = Life{std::move(rules), options_.seed};
}

void Service::on_answer(std::function<void(const RequestRecord&)> hook)
{
    const std::lock_guard lock{mutex_};
    hook_ = hook ? std::make_shared<const std::function<void(const RequestRecord&)>>(std::move(hook)) : nullptr;
}

void Service::set_read_lag(std::chrono::milliseconds lag)
{
    const std::lock_guard lock{mutex_};
    lag_.set(lag);
}

void Service::set_api_key(std::string key)
{
    const std::lock_guard lock{mutex_};
    api_key_ = std::move(key);
}

} // namespace alli::sandbox
