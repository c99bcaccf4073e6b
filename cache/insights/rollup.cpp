// SPDX-License-Identifier: Apache-2.0
// A byte for the version, then sections, each behind its size: quarters in the place of days, the other groups, what
// has no time, and two samples. A section of tallies: their number, then of each the difference of its key to the one
// before, six counts and two histograms, each behind its size: pairs of a bucket's difference and how often it came.
#include "cache/insights/rollup.hpp"

#include "cache/chats/packed_facts.hpp"
#include "cache/db/varint.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

using std::chrono::floor;
using Quarter = std::chrono::duration<std::int64_t, std::ratio<900>>;

constexpr char version = 1;
constexpr std::size_t days = static_cast<std::size_t>(InsightGroup::day); // whose section has the quarters
constexpr std::size_t timeless_section = insight_groups, questions_section = insight_groups + 1,
                      bad_section = insight_groups + 2;

constexpr std::array counts{&RollupCounts::conversations, &RollupCounts::messages, &RollupCounts::good,
                            &RollupCounts::bad,           &RollupCounts::unrated,  &RollupCounts::without_citations};

std::uint64_t zigzag(std::int64_t number)
{
    return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}

std::int64_t from_zigzag(std::uint64_t number)
{
    return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

std::uint64_t take(std::string_view& text)
{
    const auto number = take_varint(text);
    if (!number) throw DamagedRollup();
    return *number;
}

std::string_view take_section(std::string_view& text)
{
    const std::uint64_t size = take(text);
    if (size > text.size()) throw DamagedRollup();
    const std::string_view section = text.substr(0, size);
    text.remove_prefix(size);
    return section;
}

void append_section(std::string& out, std::string_view section)
{
    append_varint(out, section.size());
    out += section;
}

void write_histogram(std::string& out, std::vector<std::uint16_t>& buckets)
{
    std::sort(buckets.begin(), buckets.end());
    std::string pairs;
    std::uint16_t last = 0;
    for (auto at = buckets.begin(); at != buckets.end();) {
        const auto end = std::upper_bound(at, buckets.end(), *at);
        append_varint(pairs, *at - last);
        append_varint(pairs, static_cast<std::uint64_t>(end - at));
        last = *at, at = end;
    }
    append_section(out, pairs);
}

TallyView take_tally(std::string_view& text)
{
    TallyView tally;
    for (const auto count : counts) tally.counts.*count = static_cast<std::int64_t>(take(text));
    tally.lengths = take_section(text);
    tally.waits = take_section(text);
    return tally;
}

template <class Take>
void visit_tallies(std::string_view section, const Take& take_one)
{
    std::int64_t key = 0;
    for (std::uint64_t left = take(section); left > 0; --left) {
        key += from_zigzag(take(section));
        take_one(key, take_tally(section));
    }
}

// In the order of their hashes: what is beyond those of the sample need not be looked at.
void read_sample(std::string_view section, KeySample& sample)
{
    std::int64_t key = 0;
    while (!section.empty()) {
        key += from_zigzag(take(section));
        if (!sample.add(key)) return;
    }
}

RollupCounts counts_of(const CountedChat& chat)
{
    const auto rating = rating_in(chat.facts);
    const bool answer = (chat.facts & fact::answer) != 0;
    RollupCounts one;
    one.messages = 1;
    one.good = rating == true ? 1 : 0;
    one.bad = rating == false ? 1 : 0;
    one.unrated = answer && !rating ? 1 : 0;
    one.without_citations = answer && (chat.facts & fact::citations) == 0 ? 1 : 0;
    return one;
}

std::optional<double> wait_of(const CountedChat& chat) // milliseconds
{
    if (!chat.has_question || !chat.asked_at || !chat.sent_at || *chat.sent_at < *chat.asked_at) return std::nullopt;
    return std::chrono::duration<double, std::milli>(*chat.sent_at - *chat.asked_at).count();
}

} // namespace

template <class Add>
void RollupBuilder::each(const std::optional<Instant>& when, std::span<const Membership> groups, const Add& add)
{
    add(when ? quarters_[floor<Quarter>(when->time_since_epoch()).count()] : timeless_);
    for (const Membership& member : groups) add(groups_[static_cast<std::size_t>(member.group)][member.number]);
}

void RollupBuilder::add_conversation(const std::optional<Instant>& created_at, std::span<const Membership> groups)
{
    each(created_at, groups, [](Tally& tally) { ++tally.counts.conversations; });
}

void RollupBuilder::add_chat(const CountedChat& chat, std::span<const Membership> groups)
{
    const bool answer = (chat.facts & fact::answer) != 0;
    if (!answer) questions_.add(chat.pk);
    if (chat.has_question && rating_in(chat.facts) == false) bad_questions_.add(chat.question);
    const RollupCounts one = counts_of(chat);
    const auto length = Histogram::bucket_of(static_cast<double>(length_in(chat.facts)));
    const auto wait = wait_of(chat);
    const auto wait_bucket = Histogram::bucket_of(wait.value_or(0));
    each(chat.sent_at, groups, [&](Tally& tally) {
        tally.counts.add(one);
        if (answer) tally.lengths.push_back(length);
        if (wait) tally.waits.push_back(wait_bucket);
    });
}

void RollupBuilder::write(std::string& out, Tally& tally)
{
    for (const auto count : counts) append_varint(out, static_cast<std::uint64_t>(tally.counts.*count));
    write_histogram(out, tally.lengths);
    write_histogram(out, tally.waits);
}

void RollupBuilder::write(std::string& out, std::map<std::int64_t, Tally>& tallies)
{
    std::string section;
    append_varint(section, tallies.size());
    std::int64_t last = 0;
    for (auto& [key, tally] : tallies) {
        append_varint(section, zigzag(key - last));
        last = key;
        write(section, tally);
    }
    append_section(out, section);
}

void RollupBuilder::write(std::string& out, const KeySample& sample)
{
    std::string section;
    std::int64_t last = 0;
    for (const std::int64_t key : sample.keys()) {
        append_varint(section, zigzag(key - last));
        last = key;
    }
    append_section(out, section);
}

std::string RollupBuilder::finish()
{
    std::string out(1, version), timeless;
    for (std::size_t group = 0; group < insight_groups; ++group) write(out, group == days ? quarters_ : groups_[group]);
    write(timeless, timeless_);
    append_section(out, timeless);
    write(out, questions_);
    write(out, bad_questions_);
    return out;
}

void add_to(Histogram& histogram, std::string_view stored)
{
    std::size_t bucket = 0;
    while (!stored.empty()) {
        bucket += take(stored);
        histogram.add_to(bucket, static_cast<std::int64_t>(take(stored)));
    }
}

Rollup::Rollup(std::string_view stored)
{
    if (stored.empty() || stored.front() != version) throw DamagedRollup();
    stored.remove_prefix(1);
    for (std::string_view& section : sections_) section = take_section(stored);
}

void Rollup::quarters(const std::function<void(Instant, const TallyView&)>& take_one) const
{
    visit_tallies(sections_[days], [&](std::int64_t quarter, const TallyView& tally) {
        take_one(Instant{std::chrono::duration_cast<Instant::duration>(Quarter(quarter))}, tally);
    });
}

TallyView Rollup::timeless() const
{
    std::string_view section = sections_[timeless_section];
    return take_tally(section);
}

void Rollup::groups(InsightGroup group, const std::function<void(std::int64_t, const TallyView&)>& take_one) const
{
    visit_tallies(sections_[static_cast<std::size_t>(group)], take_one);
}

void Rollup::questions(KeySample& sample) const
{
    read_sample(sections_[questions_section], sample);
}

void Rollup::bad_questions(KeySample& sample) const
{
    read_sample(sections_[bad_section], sample);
}

} // namespace alli::cache
