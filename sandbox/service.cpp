// SPDX-License-Identifier: Apache-2.0
#include "sandbox/service.hpp"

#include "alli/clock.hpp"
#include "sandbox/encoding.hpp"
#include "sandbox/seeding.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace alli::sandbox {
namespace {

using Kind = FaultRule::Kind;

constexpr std::string_view gateway_page =
    "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
    "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n";

Answer api_error(int status, int code, std::string_view message)
{
    return {.status = status,
            .body = fmt::format(R"({{"type":"APIError","code":{},"message":{}}})", code, json_text(message))};
}

Answer not_deserializable(const Error&)
{
    return {.status = 400, .body = R"({"result":[],"errors":"content must be JSON deserializable!"})"};
}

struct Refusal {
    Fault fault;
    Answer (*answer)(const Error&);
};

constexpr auto refusals = std::to_array<Refusal>({
    {Fault::usage, [](const Error& error) { return api_error(400, 7003, error.what()); }},
    {Fault::refused, [](const Error& error) { return api_error(404, 7003, error.what()); }},
    {Fault::bad_reply, &not_deserializable},
});

Answer refuse(const Error& error)
{
    for (const Refusal& refusal : refusals)
        if (refusal.fault == error.fault()) return refusal.answer(error);
    return api_error(500, 7000, error.what());
}

Answer invalid_token()
{
    return {.status = 401, .body = R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})"};
}

// Those faults that keep a request from being worked on.
std::optional<Answer> struck_before(const FaultRule& fault)
{
    if (fault.kind == Kind::unavailable_html)
        return Answer{.status = 503, .body = std::string{gateway_page}, .type = "text/html"};
    if (fault.kind == Kind::reset_before) return Answer{.status = 0, .ending = Answer::Ending::reset};
    if (fault.kind != Kind::too_many && fault.kind != Kind::too_many_retry_after) return std::nullopt;
    Answer answer{.status = 429, .body = R"({"type":"APIError","code":7000,"message":"Too many requests"})"};
    if (fault.kind == Kind::too_many_retry_after)
        answer.headers.emplace_back("Retry-After", std::to_string(fault.amount));
    return answer;
}

// Those that spoil the answer on its way back.
void strike_after(Answer& answer, const FaultRule& fault)
{
    if (fault.kind == Kind::reset_after) answer = Answer{.status = 0, .ending = Answer::Ending::reset};
    if (fault.kind == Kind::cut_body) answer.ending = Answer::Ending::cut;
    if (fault.kind == Kind::not_json) answer.body = "upstream connect error or disconnect/reset before headers";
}

std::function<Instant()> clock_of(const Options& options)
{
    if (options.clock) return options.clock;
    return [] { return SystemClock{}.now(); };
}

} // namespace

Service::Service(Options options)
    : options_(std::move(options)), api_key_(options_.api_key), faults_(options_.faults),
      world_(options_.time_style, clock_of(options_), options_.seed)
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
    return faults_.strike(match_route(call.method, call.path()).operation());
}

Answer Service::work_out(const Match& match, const Call& call)
{
    if (!authorized(call)) return invalid_token();
    if (match.kind == Match::Kind::wrong_method)
        return {.status = 405, .body = "Method not allowed", .type = "text/html"};
    if (match.kind == Match::Kind::no_path) return api_error(404, 7003, "no such path");
    try {
        attributed_user(world_, call);
        Desk desk{world_, journal_, options_};
        return match.route->answer(desk, call);
    } catch (const Error& error) {
        return refuse(error);
    }
}

Answer Service::answer(Call call, const Strike& strike)
{
    const std::lock_guard lock{mutex_};
    Match match = match_route(call.method, call.path());
    call.ids = std::move(match.ids);
    std::optional<Answer> early;
    if (strike.fault) early = struck_before(*strike.fault);
    Answer answer = early ? std::move(*early) : work_out(match, call);
    if (strike.fault) strike_after(answer, *strike.fault);
    journal_.saw({std::string{match.operation()}, std::move(call.method), std::move(call.target), answer.status,
                  std::move(call.headers), std::move(call.body)});
    return answer;
}

std::string Service::date() const
{
    if (!options_.send_date) return "";
    return to_http_date(clock_of(options_)() + std::chrono::milliseconds{options_.date_skew_ms});
}

void Service::set_faults(std::vector<FaultRule> rules)
{
    const std::lock_guard lock{mutex_};
    faults_ = Faults{std::move(rules)};
}

void Service::set_api_key(std::string key)
{
    const std::lock_guard lock{mutex_};
    api_key_ = std::move(key);
}

} // namespace alli::sandbox
