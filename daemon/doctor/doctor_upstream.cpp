// SPDX-License-Identifier: Apache-2.0
#include "alli/clock.hpp"
#include "alli/sync_wait.hpp"
#include "daemon/doctor/doctor.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/egress.hpp"
#include "upstream/curl/authorities.hpp"
#include "upstream/curl/curl_transport.hpp"
#include "upstream/curl/origin.hpp"
#include "upstream/reply.hpp"

#include <boost/asio/io_context.hpp>

namespace alli::daemon {
namespace {

upstream::Reply ask(const Config& config, const upstream::ForwardProxy& proxy, const std::string& key)
{
    asio::io_context loop(1);
    upstream::CurlTransport transport(loop.get_executor(), curl_options(config, proxy));
    upstream::Request request;
    request.target = "/webapi/v2/conversations?pageSize=1";
    if (!key.empty()) request.headers.add("API-KEY", key);
    return sync_wait(loop, transport.send(std::move(request)));
}

std::string find_key(const DoctorContext& cx)
{
    try {
        return load_api_key(cx.settings, cx.context.environment);
    } catch (const Error&) {
        return ""; // which the key's own check says
    }
}

void check_clock(const upstream::Reply& reply, Instant now, CheckResults& results)
{
    constexpr std::chrono::seconds much{30};
    const std::string* date = reply.header("Date");
    const auto theirs = date ? from_http_date(*date) : std::nullopt;
    if (!theirs)
        return results.warn("it does not tell its time: this machine's clock is relied on", "keep it right with NTP");
    const auto apart = std::chrono::floor<std::chrono::seconds>(now - *theirs);
    if (std::chrono::abs(apart) < much) return results.ok("its clock and this machine's agree");
    results.warn(fmt::format("this machine's clock is {} seconds {} of upstream's", std::chrono::abs(apart).count(),
                             apart.count() > 0 ? "ahead" : "behind"),
                 "keep it right with NTP: ages and times in the log are told by it");
}

} // namespace

// The daemon may be started with another environment than this process.
void check_network(const DoctorContext& cx, CheckResults& results)
{
    if (cx.place.sandbox) return results.ok("a sandbox is asked directly");
    const Config& config = cx.settings.config;
    const upstream::ForwardProxy proxy = load_forward_proxy(cx.settings, cx.context.environment);
    const upstream::Authorities company(config.ca_file);
    std::string said = proxy ? fmt::format("upstream is asked through the proxy {}", proxy.name)
                             : std::string("upstream is asked directly");
    if (company.size() > 0)
        said += fmt::format("; {} of {} trusted besides the system's",
                            company.size() == 1 ? "1 authority" : fmt::format("{} authorities", company.size()),
                            config.ca_file);
    const auto unheeded = find_unheeded_proxy(config, cx.context.environment);
    if (unheeded)
        results.warn(fmt::format("{}, though {} is set", said, *unheeded),
                     "if it should be heeded: upstream.proxy = \"environment\"");
    else
        results.ok(said);
    for (const std::string& name : company.expired())
        results.warn(fmt::format("the authority {} of {} has expired", name, config.ca_file),
                     "ask whoever runs the network for the new one");
}

void check_upstream(const DoctorContext& cx, CheckResults& results)
{
    if (cx.offline) return results.ok("was not asked");
    if (cx.place.sandbox) return results.ok("is a sandbox, in the daemon itself");
    const std::string key = find_key(cx);
    const std::string host = upstream::read_origin(cx.settings.config.upstream_url).host;
    const upstream::ForwardProxy proxy = load_forward_proxy(cx.settings, cx.context.environment);
    const std::string way = proxy ? fmt::format("{} through the proxy {}", host, proxy.name) : host;
    SystemClock clock;
    const auto started = clock.steady();
    const upstream::Reply reply = ask(cx.settings.config, proxy, key);
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(clock.steady() - started);
    const bool unasked = key.empty() && (reply.status == 401 || reply.status == 403);
    if (!unasked) upstream::require_answer(reply, "the list of conversations");
    results.ok(unasked ? fmt::format("{} answers in {} ms; there was no key to try", way, took.count())
                       : fmt::format("{} answers in {} ms, and takes the key", way, took.count()));
    check_clock(reply, clock.now(), results);
}

} // namespace alli::daemon
