// SPDX-License-Identifier: Apache-2.0
#include "alli/zone.hpp"

#include "alli/error.hpp"
#include "alli/nearest.hpp"

#include <spdlog/fmt/fmt.h>
#include <unicode/basictz.h>
#include <unicode/strenum.h>
#include <unicode/timezone.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

namespace alli {

using namespace std::chrono;

struct Zone::Rules {
    std::unique_ptr<const icu::BasicTimeZone> zone;
};

namespace {

// ICU knows these of old; people who write BST or IST do not mean Dhaka or Calcutta.
constexpr std::array<std::string_view, 28> ambiguous{
    "ACT", "AET", "AGT", "ART", "AST", "BET", "BST", "CAT", "CNT", "CST", "CTT", "EAT",         "ECT",     "IET",
    "IST", "JST", "MIT", "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST", "Etc/Unknown", "Factory", ""};

constexpr std::array<std::string_view, 8> names_of_utc{"UTC",     "UCT",     "Zulu",     "Universal",
                                                       "Etc/UTC", "Etc/UCT", "Etc/Zulu", "Etc/Universal"};

std::string lower(std::string_view text)
{
    std::string small(text);
    for (char& c : small)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return small;
}

using Names = std::map<std::string, std::string, std::less<>>; // in small letters, and as IANA writes them

Names load_names()
{
    Names names;
    UErrorCode fault = U_ZERO_ERROR;
    const std::unique_ptr<icu::StringEnumeration> all(
        icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, fault));
    while (U_SUCCESS(fault) && all) {
        const char* name = all->next(nullptr, fault);
        if (name == nullptr) break;
        const bool known = std::find(ambiguous.begin(), ambiguous.end(), name) == ambiguous.end();
        if (known && !std::string_view(name).starts_with("SystemV/")) names.emplace(lower(name), name);
    }
    names.emplace("utc", "UTC");
    return names;
}

const Names& zone_names()
{
    static const Names names = load_names();
    return names;
}

std::unique_ptr<const icu::BasicTimeZone> load_rules(const std::string& name)
{
    std::unique_ptr<icu::TimeZone> made(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name)));
    const auto* rules = dynamic_cast<const icu::BasicTimeZone*>(made.get());
    if (rules == nullptr) return nullptr;
    static_cast<void>(made.release());
    return std::unique_ptr<const icu::BasicTimeZone>(rules);
}

// ICU counts in milliseconds.
UDate to_date(Instant when)
{
    return static_cast<UDate>(floor<milliseconds>(when).time_since_epoch().count());
}

// The name that the system gives, or, where only its offset is known, the zone of that offset.
Zone detect_zone()
{
    const std::unique_ptr<icu::TimeZone> host(icu::TimeZone::detectHostTimeZone());
    if (!host) return {};
    icu::UnicodeString id;
    std::string name;
    host->getID(id).toUTF8String(name);
    if (auto found = Zone::find(name)) return *found;
    const auto offset = host->getRawOffset() / 3'600'000;
    return Zone::find(fmt::format("Etc/GMT{:+}", -offset)).value_or(Zone());
}

} // namespace

Zone::Zone() : name_("UTC") {}

Zone::Zone(std::string name, std::shared_ptr<const Rules> rules) : name_(std::move(name)), rules_(std::move(rules)) {}

std::optional<Zone> Zone::find(std::string_view name)
{
    const auto found = zone_names().find(lower(name));
    if (found == zone_names().end()) return std::nullopt;
    if (std::find(names_of_utc.begin(), names_of_utc.end(), found->second) != names_of_utc.end()) return Zone();
    auto rules = load_rules(found->second);
    if (!rules) return std::nullopt;
    return Zone(found->second, std::make_shared<const Rules>(Rules{std::move(rules)}));
}

Zone Zone::load(std::string_view name)
{
    if (auto found = find(name)) return std::move(*found);
    const std::string nearest = find_nearest(name);
    throw Error(Fault::usage, nearest.empty() ? "for example Asia/Seoul" : fmt::format("did you mean {}?", nearest),
                "tz must be the IANA name of a time zone");
}

const Zone& Zone::of_host()
{
    static const Zone zone = detect_zone();
    return zone;
}

// By the whole name, or by the city alone.
std::string Zone::find_nearest(std::string_view name)
{
    std::map<std::string, std::string, std::less<>> candidates{{"kst", "Asia/Seoul"}, {"jst", "Asia/Tokyo"}};
    for (const auto& [small, proper] : zone_names()) {
        candidates.emplace(small, proper);
        if (name.find('/') == std::string_view::npos) candidates.emplace(small.substr(small.rfind('/') + 1), proper);
    }
    std::vector<std::string_view> words;
    for (const auto& [small, proper] : candidates) words.emplace_back(small);
    const auto nearest = candidates.find(alli::find_nearest(lower(name), words));
    return nearest == candidates.end() ? "" : nearest->second;
}

Instant Zone::start_of(local_days day) const
{
    const Instant midnight{day.time_since_epoch()};
    if (!rules_) return midnight;
    UErrorCode fault = U_ZERO_ERROR;
    std::int32_t raw = 0, saving = 0; // of a midnight that comes twice, the first one
    rules_->zone->getOffsetFromLocal(to_date(midnight), UCAL_TZ_LOCAL_FORMER, UCAL_TZ_LOCAL_FORMER, raw, saving, fault);
    if (U_FAILURE(fault)) return midnight;
    const Instant start = midnight - milliseconds{raw + saving};
    icu::TimeZoneTransition leap;
    if (start + offset_at(start) != midnight && rules_->zone->getPreviousTransition(to_date(start), true, leap))
        return Instant{milliseconds{static_cast<std::int64_t>(leap.getTime())}}; // clocks went past it
    return start;
}

seconds Zone::offset_at(Instant when) const
{
    if (!rules_) return seconds{0};
    UErrorCode fault = U_ZERO_ERROR;
    std::int32_t raw = 0, saving = 0;
    rules_->zone->getOffset(to_date(when), false, raw, saving, fault);
    return U_FAILURE(fault) ? seconds{0} : floor<seconds>(milliseconds{raw + saving});
}

std::string to_rfc3339(Instant when, const Zone& zone)
{
    const seconds offset = zone.offset_at(when);
    if (zone.name() == "UTC" || offset % minutes{1} != seconds{0}) return to_rfc3339(when);
    std::string text = to_rfc3339(when + offset);
    text.pop_back();
    const auto minutes_away = std::abs(offset.count()) / 60;
    return fmt::format("{}{}{:02}:{:02}", text, offset.count() < 0 ? '-' : '+', minutes_away / 60, minutes_away % 60);
}

static std::optional<Instant> start_of_day(std::string_view text, const Zone& zone)
{
    constexpr std::size_t length = 10; // 2026-01-31
    const auto midnight = text.size() == length ? from_rfc3339(text) : std::nullopt;
    if (!midnight) return std::nullopt;
    return zone.start_of(local_days{floor<days>(*midnight).time_since_epoch()});
}

std::optional<Instant> read_after(std::string_view text, const Zone& zone)
{
    if (const auto start = start_of_day(text, zone)) return *start - microseconds{1};
    return from_rfc3339(text);
}

std::optional<Instant> read_before(std::string_view text, const Zone& zone)
{
    if (const auto start = start_of_day(text, zone)) return start;
    return from_rfc3339(text);
}

} // namespace alli
