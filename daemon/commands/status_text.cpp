// SPDX-License-Identifier: Apache-2.0
// The status as text. The JSON may come from a daemon of another version, so every field may be missing.
#include "alli/error.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/duration.hpp"

namespace alli::daemon {

static const Json& part(const Json& json, const char* name)
{
    static const Json nothing;
    const auto found = json.is_object() ? json.find(name) : json.end();
    return json.is_object() && found != json.end() ? *found : nothing;
}

static std::string text_of(const Json& json)
{
    return json.is_string() ? printable_line(json.get<std::string>()) : "";
}

static std::int64_t number_of(const Json& json)
{
    return json.is_number() ? json.get<std::int64_t>() : 0;
}

static std::optional<Instant> time_of(const Json& json)
{
    return from_rfc3339(text_of(json));
}

static std::string say_size(std::int64_t bytes)
{
    if (bytes < 1'000'000) return fmt::format("{} kB", bytes / 1000);
    if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
    return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

static std::string say_coverage(const Json& mirror)
{
    const auto from = time_of(part(mirror, "completeFrom"));
    const auto through = time_of(part(mirror, "completeThrough"));
    if (!from) return "not complete for any time yet";
    const std::string beginning = *from == Instant{} ? "the beginning" : say_time(from);
    return fmt::format("complete from {} to {}", beginning, say_time(through));
}

// The result of comparisons; empty before the first one.
static std::string say_drift(const Json& mirror)
{
    const Json& drift = part(mirror, "drift");
    const auto audited = number_of(part(drift, "audited"));
    if (audited == 0) return "";
    std::string text =
        fmt::format("compared with upstream {} times a conversation, oldest {}: {} differed", audited,
                    say_time(time_of(part(drift, "oldestComparison"))), number_of(part(drift, "differed")));
    std::string fields;
    if (part(drift, "fields").is_object())
        for (const auto& [field, count] : part(drift, "fields").items())
            fields += fmt::format("{}{} {}", fields.empty() ? "" : ", ", printable_line(field), number_of(count));
    if (!fields.empty()) text += " (" + fields + ")";
    return text + fmt::format(", {} deleted", number_of(part(drift, "deleted")));
}

static std::string say_backfill(const Json& mirror)
{
    const Json& backfill = part(mirror, "backfill");
    const Json& done = part(backfill, "done");
    if (done.is_boolean() && done.get<bool>()) return "";
    std::string text = "older conversations are still being fetched";
    const Json& fraction = part(backfill, "fraction");
    if (fraction.is_number() && fraction.get<double>() > 0)
        text += fmt::format(": {:.0f}% done", fraction.get<double>() * 100);
    const Json& eta = part(backfill, "etaSeconds");
    if (eta.is_number()) text += fmt::format(", about {} left", say_duration(std::chrono::seconds(number_of(eta))));
    return text;
}

// Empty where this machine is alone.
static std::string say_cluster(const Json& cluster)
{
    if (!cluster.is_object()) return "";
    const std::string node = text_of(part(cluster, "node")), role = text_of(part(cluster, "role"));
    const std::string leader = text_of(part(cluster, "leader"));
    const Json& reachable = part(cluster, "databaseReachable");
    std::string text = node + (role == "leader"    ? " leads"
                               : role == "joining" ? " is joining"
                               : role == "apart"   ? " cannot follow"
                               : leader.empty()    ? " follows, and nobody leads"
                                                   : " follows " + leader);
    if (const auto lag = number_of(part(cluster, "lag")); lag > 0) text += fmt::format(", {} behind", lag);
    if (reachable.is_boolean() && !reachable.get<bool>()) text += ", its database is out of reach";
    return text;
}

static std::string say_upstream(const Json& upstream, bool asked_by_leader)
{
    const Json& reachable = part(upstream, "reachable");
    const Json& accepted = part(upstream, "keyAccepted");
    if (!reachable.is_boolean()) return asked_by_leader ? "asked by the leader" : "not asked (no daemon answered)";
    if (accepted.is_boolean() && !accepted.get<bool>()) return "reachable, but not with this API key";
    return reachable.get<bool>() ? "reachable, key accepted" : "out of reach";
}

static std::string say_outbox(const Json& outbox)
{
    const auto pending = number_of(part(outbox, "pending"));
    const auto failed = number_of(part(outbox, "failed"));
    const auto conflicts = number_of(part(outbox, "conflicts"));
    if (pending + failed + conflicts == 0) return "nothing waits";
    return fmt::format("{} waiting, {} failed, {} in conflict", pending, failed, conflicts);
}

static std::string say_problems(const Json& problems)
{
    if (!problems.is_array() || problems.empty()) return "problems  none\n";
    std::string text;
    for (const Json& problem : problems) {
        text += fmt::format("problem   {} (since {})\n", text_of(part(problem, "what")),
                            say_time(time_of(part(problem, "since"))));
        const std::string hint = text_of(part(problem, "hint"));
        if (!hint.empty()) text += fmt::format("          hint: {}\n", hint);
    }
    return text;
}

std::string say_status(const Json& status, Instant now)
{
    const Json& mirror = part(status, "mirror");
    const Json& upstream = part(status, "upstream");
    const auto verified = time_of(part(upstream, "lastVerifiedAt"));
    const auto age =
        verified ? std::chrono::duration_cast<std::chrono::seconds>(now - *verified) : std::chrono::seconds{0};
    const std::string backfill = say_backfill(mirror);
    const Json& safe = part(status, "safeToStop");

    std::string text =
        fmt::format("mirror    {} conversations, {} chats, {}\n", number_of(part(mirror, "conversations")),
                    number_of(part(mirror, "chats")), say_size(number_of(part(mirror, "bytes"))));
    text += fmt::format("          {}\n", say_coverage(mirror));
    if (const std::string drift = say_drift(mirror); !drift.empty()) text += fmt::format("          {}\n", drift);
    if (!backfill.empty()) text += fmt::format("          {}\n", backfill);
    text += verified ? fmt::format("          compared with upstream {} ago\n",
                                   say_duration(std::max(age, std::chrono::seconds{0})))
                     : "          never yet compared with upstream\n";
    text += fmt::format("upstream  {}: {}\n", text_of(part(upstream, "url")),
                        say_upstream(upstream, part(status, "cluster").is_object()));
    if (const std::string cluster = say_cluster(part(status, "cluster")); !cluster.empty())
        text += fmt::format("cluster   {}\n", cluster);
    if (const Json& full = part(part(status, "disk"), "full"); full.is_boolean() && full.get<bool>())
        text += fmt::format("disk      full since {}\n", say_time(time_of(part(part(status, "disk"), "since"))));
    text += fmt::format("outbox    {}\n", say_outbox(part(status, "outbox")));
    text += say_problems(part(status, "problems"));
    text += safe.is_boolean() && !safe.get<bool>() ? "stopping now: not yet, see the outbox\n" : "stopping now: safe\n";
    return text;
}

} // namespace alli::daemon
