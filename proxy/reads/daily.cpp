// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "cache/lists/daily_counts.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/progress.hpp"
#include "proxy/reads/read_through.hpp"
#include "proxy/reads/reads.hpp"
#include "proxy/request/list_query.hpp"
#include "proxy/request/view.hpp"

namespace alli::proxy {
namespace {

using Day = std::chrono::sys_days;
constexpr std::chrono::days longest{3700};

Day read_day(const Parameters& parameters, std::string_view name)
{
    const auto text = find_parameter(parameters, name);
    const auto when = text && text->size() == 10 ? from_rfc3339(*text) : std::nullopt;
    if (!when) throw Error(Fault::usage, "", "{} must be a date, YYYY-MM-DD", name);
    return std::chrono::floor<std::chrono::days>(*when);
}

struct Range {
    Day first, last;
};

Range read_range(const Parameters& parameters)
{
    const Range range{read_day(parameters, "startDate"), read_day(parameters, "endDate")};
    if (range.last < range.first) throw Error(Fault::usage, "", "endDate is before startDate");
    if (range.last - range.first > longest)
        throw Error(Fault::usage, "", "startDate and endDate must be at most {} days apart", longest.count());
    return range;
}

// A conversation created on such a day has its last chat later, or has none.
bool is_known(cache::Reader& db, Day first)
{
    const Instant from = std::max<Instant>(first, cache::beginning_of_time);
    return cache::is_covered(db, from, std::nullopt) && cache::load_progress(db).chatless_at;
}

std::string counts_json(const std::vector<std::int64_t>& counts, Day first)
{
    std::string json = "{\"counts\":[";
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::string date = to_rfc3339(first + std::chrono::days{i}).substr(0, 10);
        fmt::format_to(std::back_inserter(json), R"({}{{"date":"{}","count":{}}})", i > 0 ? "," : "", date, counts[i]);
    }
    return json += "]}";
}

} // namespace

Task<Response> count_daily(const Context& cx, const Request& rq)
{
    const Parameters parameters = read_query(rq.query());
    ReadSpec read;
    check_parameters(cx, read, parameters, SupportedParameters::daily_count);
    if (read.unsupported)
        co_return co_await serve_read(cx, rq, read); // its other parameters are upstream's to judge too
    const Range range = read_range(parameters);
    read.find = [&](cache::Reader& db, bool part) -> std::optional<StoredBody> {
        if (!part && !is_known(db, range.first)) return std::nullopt;
        return StoredBody{counts_json(cache::count_daily(db, range.first, range.last, view_of(rq)), range.first)};
    };
    read.fill.what = FillTarget::What::count;
    read.slow = true;
    co_return co_await serve_read(cx, rq, read);
}

} // namespace alli::proxy
