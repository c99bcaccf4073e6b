// SPDX-License-Identifier: Apache-2.0
#include "alli/clock.hpp"
#include "alli/run_to_end.hpp"
#include "daemon/api_key.hpp"
#include "daemon/doctor.hpp"
#include "upstream/curl_transport.hpp"
#include "upstream/reply.hpp"
#include "upstream/site.hpp"

#include <boost/asio/io_context.hpp>

namespace alli::daemon {
namespace {

upstream::Reply ask(const Config& config, const std::string& key)
{
    asio::io_context loop(1);
    upstream::CurlOptions options;
    options.base_url = config.upstream_url;
    options.connect_timeout = config.connect_timeout;
    options.request_timeout = config.request_timeout;
    upstream::CurlTransport transport(loop.get_executor(), options);
    upstream::Request request;
    request.target = "/webapi/v2/conversations?pageSize=1";
    if (!key.empty()) request.headers.push_back({"API-KEY", key});
    return run_to_end(loop, transport.send(std::move(request)));
}

std::string find_key(const Patient& patient)
{
    try {
        return load_api_key(patient.settings, patient.context.environment);
    } catch (const Error&) {
        return ""; // which the key's own check says
    }
}

void check_clock(const upstream::Reply& reply, Instant now, Findings& found)
{
    constexpr std::chrono::seconds much{30};
    const std::string* date = reply.header("Date");
    const auto theirs = date ? from_http_date(*date) : std::nullopt;
    if (!theirs)
        return found.warn("it does not tell its time: this machine's clock is relied on", "keep it right with NTP");
    const auto apart = std::chrono::floor<std::chrono::seconds>(now - *theirs);
    if (std::chrono::abs(apart) < much) return found.ok("its clock and this machine's agree");
    found.warn(fmt::format("this machine's clock is {} seconds {} of upstream's", std::chrono::abs(apart).count(),
                           apart.count() > 0 ? "ahead" : "behind"),
               "keep it right with NTP: ages and times in the log are told by it");
}

} // namespace

void check_upstream(const Patient& patient, Findings& found)
{
    if (patient.offline) return found.ok("was not asked");
    if (patient.place.sandbox) return found.ok("is a sandbox, in the daemon itself");
    const std::string key = find_key(patient);
    const std::string host = upstream::read_site(patient.settings.config.upstream_url).host;
    SystemClock clock;
    const auto started = clock.steady();
    const upstream::Reply reply = ask(patient.settings.config, key);
    const auto took = std::chrono::ceil<std::chrono::milliseconds>(clock.steady() - started);
    const bool unasked = key.empty() && (reply.status == 401 || reply.status == 403);
    if (!unasked) upstream::require_answer(reply, "the list of conversations");
    found.ok(unasked ? fmt::format("{} answers in {} ms; there was no key to try", host, took.count())
                     : fmt::format("{} answers in {} ms, and takes the key", host, took.count()));
    check_clock(reply, clock.now(), found);
}

} // namespace alli::daemon
