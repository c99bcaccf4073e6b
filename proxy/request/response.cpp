// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/response.hpp"

#include "alli/log.hpp"

#include <boost/system/system_error.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

// The first alone is of use in a 304.
constexpr auto standard = std::to_array<http::DefaultHeader>({
    {"Cache-Control", own_cache_control},
    {"X-Content-Type-Options", "nosniff"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
});

struct Meaning {
    Fault fault;
    int status;
};
constexpr std::array meanings{
    Meaning{Fault::usage, 400},       Meaning{Fault::settings, 500},    Meaning{Fault::key_rejected, 403},
    Meaning{Fault::unreachable, 503}, Meaning{Fault::unavailable, 503}, Meaning{Fault::bad_reply, 502},
    Meaning{Fault::refused, 502},     Meaning{Fault::busy, 503},        Meaning{Fault::disk_full, 507},
    Meaning{Fault::damaged, 503},     Meaning{Fault::io, 500},          Meaning{Fault::canceled, 503},
};
static_assert(meanings.size() == static_cast<std::size_t>(Fault::canceled) + 1);

int status_of(Fault fault, ErrorFormat error_format)
{
    if (fault == Fault::unreachable && error_format == ErrorFormat::contract_read) return 504;
    const auto* found =
        std::find_if(meanings.begin(), meanings.end(), [&](const Meaning& m) { return m.fault == fault; });
    return found == meanings.end() ? 500 : found->status;
}

int vendor_code(int status)
{
    if (status >= 500) return 7000;
    return status == 403 ? 7001 : 7003;
}

std::string vendor_body(int status, std::string_view detail)
{
    if (status == 401) return R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})";
    nlohmann::json body;
    body["type"] = "APIError";
    body["code"] = vendor_code(status);
    body["message"] = detail;
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string problem_body(int status, std::string_view detail, std::string_view hint)
{
    nlohmann::json body;
    body["type"] = "about:blank";
    body["title"] = http::reason_phrase(status);
    body["status"] = status;
    body["detail"] = detail;
    if (!hint.empty()) body["hint"] = hint;
    return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string with_hint(const Error& error)
{
    return error.hint().empty() ? error.what() : std::string(error.what()) + " (" + error.hint() + ")";
}

} // namespace

ErrorFormat error_format_of(std::string_view path) noexcept
{
    return path.starts_with("/webapi/") ? ErrorFormat::webapi : ErrorFormat::ours;
}

Response text_response(std::string_view type, Body body)
{
    Response response;
    response.headers.reserve(8);
    response.headers.add("Content-Type", std::string(type));
    response.body = std::move(body);
    return response;
}

Response problem(ErrorFormat error_format, int status, std::string_view detail, std::string_view hint)
{
    const bool ours = error_format == ErrorFormat::ours;
    Response response = text_response(ours ? "application/problem+json" : "application/json",
                                      ours ? problem_body(status, detail, hint) : vendor_body(status, detail));
    response.status = status;
    if (status == 401) response.headers.add("WWW-Authenticate", "Bearer realm=\"alli-mirror\"");
    if (status == 503) response.headers.add("Retry-After", "5");
    return response;
}

Response answer_of(const std::exception_ptr& failure, ErrorFormat error_format) noexcept
{
    try {
        std::rethrow_exception(failure);
    } catch (const Refused& refused) {
        Response response = problem(error_format, refused.refusal().status, refused.refusal().detail);
        response.close = refused.refusal().close;
        return response;
    } catch (const Error& error) {
        const int status = status_of(error.fault(), error_format);
        if (error_format == ErrorFormat::ours) return problem(error_format, status, error.what(), error.hint());
        return problem(error_format, status, with_hint(error));
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::asio::error::operation_aborted)
            return problem(error_format, 503, "the program is about to end");
        log_event<Event::request_error>(error.code().message());
    } catch (...) {
        log_event<Event::request_error>(reason_of(failure));
    }
    return problem(error_format, 500, "the request failed for a reason of our own; the log says more");
}

std::span<const http::DefaultHeader> default_headers(int status) noexcept
{
    const std::span<const http::DefaultHeader> all(standard);
    return status == 304 ? all.first(1) : all;
}

const std::string& date_header(Instant now)
{
    using std::chrono::floor, std::chrono::seconds;
    thread_local Instant second = Instant::min();
    thread_local std::string text;
    if (floor<seconds>(now) != second) {
        second = floor<seconds>(now);
        text = to_http_date(second);
    }
    return text;
}

} // namespace alli::proxy
