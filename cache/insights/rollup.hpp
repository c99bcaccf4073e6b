// SPDX-License-Identifier: Apache-2.0
// Figures of a range added up, as they are stored for a day: by quarter of an hour (UTC), by app, category, user and
// channel, with a sample of its questions. RollupCounts are exact, medians those of a histogram. Knows no SQL. Pure.
#pragma once

#include "cache/insights/counted_chats.hpp"
#include "cache/insights/histogram.hpp"
#include "cache/insights/insight_types.hpp"
#include "cache/insights/insight_words.hpp"

#include <array>
#include <map>
#include <span>
#include <stdexcept>
#include <string>

namespace alli::cache {

/// A group of a conversation, but for days. Numbers of groups: cache/insights/group_keys.hpp.
struct Membership {
    InsightGroup group;
    std::int64_t number;
};

struct RollupCounts {
    std::int64_t conversations = 0, messages = 0, good = 0, bad = 0, unrated = 0, without_citations = 0;

    void add(const RollupCounts& more)
    {
        conversations += more.conversations, messages += more.messages, good += more.good, bad += more.bad;
        unrated += more.unrated, without_citations += more.without_citations;
    }
};

struct DamagedRollup : std::runtime_error {
    DamagedRollup() : std::runtime_error("stored figures cannot be read") {}
};

class RollupBuilder {
  public:
    void add_conversation(const std::optional<Instant>& created_at, std::span<const Membership> groups);
    void add_chat(const CountedChat& chat, std::span<const Membership> groups);
    std::string finish();

  private:
    struct Tally {
        RollupCounts counts;
        std::vector<std::uint16_t> lengths, waits; // a bucket of Histogram for each answer
    };
    template <class Add>
    void each(const std::optional<Instant>& when, std::span<const Membership> groups, const Add& add);
    static void write(std::string& out, Tally& tally);
    static void write(std::string& out, std::map<std::int64_t, Tally>& tallies);
    static void write(std::string& out, const KeySample& sample);

    std::map<std::int64_t, Tally> quarters_; // since 1970
    Tally timeless_;
    std::array<std::map<std::int64_t, Tally>, insight_groups> groups_; // none of days
    KeySample questions_, bad_questions_;
};

/// A tally as it is stored.
struct TallyView {
    RollupCounts counts;
    std::string_view lengths, waits;
};
void add_to(Histogram& histogram, std::string_view stored);

/// A range's figures, as views into what RollupBuilder made. Throws DamagedRollup where it is none of its making.
class Rollup {
  public:
    explicit Rollup(std::string_view stored);

    /// Calls `take` with the start of each quarter of an hour that holds something, in order, and its tally.
    void quarters(const std::function<void(Instant, const TallyView&)>& take) const;
    TallyView timeless() const;
    /// With the number of each of its groups, ascending.
    void groups(InsightGroup group, const std::function<void(std::int64_t, const TallyView&)>& take) const;
    void questions(KeySample& sample) const;
    void bad_questions(KeySample& sample) const;

  private:
    std::array<std::string_view, insight_groups + 3> sections_;
};

} // namespace alli::cache
