// SPDX-License-Identifier: Apache-2.0
// What counts in the figures of a range, as it is stored for a day: a row a conversation and in it a cell for each
// quarter of an hour (UTC), with a byte of facts for each message. Whatever is asked of figures is added up of these
// cells, whichever conversations are chosen. Counts are exact, medians those of a histogram. Knows no SQL. Pure.
#pragma once

#include "cache/insights/counted_chats.hpp"
#include "cache/insights/histogram.hpp"
#include "cache/insights/insight_types.hpp"

#include <array>
#include <span>
#include <stdexcept>
#include <string>
#include <unordered_map>

namespace alli::cache {

using Quarter = std::chrono::duration<std::int64_t, std::ratio<900>>; // since 1970

/// A group of a conversation, but for days and users. Numbers of groups: cache/insights/group_keys.hpp.
struct Membership {
    InsightGroup group;
    std::int64_t number;
};

struct GroupNumbers {
    std::vector<Membership> shared; // with other conversations: app, channel, categories
    std::int64_t user = 0;          // 0: none
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

/// What a conversation has in a quarter of an hour.
struct RollupCell {
    std::optional<Quarter> quarter; // none: what has no time
    bool created;                   // the conversation was, in it
    std::string_view facts;         // of each message, as in cache/chats/packed_facts.hpp without the length
    // Of each answer a bucket of Histogram, in bytes: characters, and milliseconds from its question.
    std::string_view lengths_low, lengths_high, waits_low, waits_high;

    std::size_t answers() const { return lengths_low.size(); }
    std::size_t length(std::size_t answer) const { return join(lengths_low[answer], lengths_high[answer]); }
    std::optional<std::size_t> wait(std::size_t answer) const
    {
        const std::size_t bucket = join(waits_low[answer], waits_high[answer]);
        return bucket == no_wait ? std::nullopt : std::optional(bucket);
    }
    RollupCounts counts() const;
    std::size_t bad_answers() const;

    static constexpr std::size_t no_wait = 0xffff;

  private:
    static std::size_t join(char low, char high)
    {
        return static_cast<std::size_t>(static_cast<unsigned char>(low)) |
               static_cast<std::size_t>(static_cast<unsigned char>(high)) << 8;
    }
};

struct RollupOwner {
    std::int64_t conversation;
    std::size_t shared; // which of Rollup::shared()
    std::int64_t user;
};

struct RollupRow : RollupOwner {
    std::span<const RollupCell> cells; // by time
};

struct RollupSize : RollupOwner {
    std::int64_t messages;
};

struct RollupColumn { // in the order in which they are stored
    enum : std::size_t {
        conversations,
        shared,
        users,
        cells,
        heads,
        quarters,
        facts,
        lengths_low,
        lengths_high,
        waits_low,
        waits_high,
        count
    };
};

class RollupBuilder {
  public:
    using GroupsOf = std::function<const GroupNumbers&(std::int64_t conversation)>;
    explicit RollupBuilder(GroupsOf groups_of) : groups_of_(std::move(groups_of)) {}

    /// In any order, all before the first chat.
    void add_conversation(std::int64_t conversation, const std::optional<Instant>& created_at);
    /// By conversation, ascending.
    void add_chat(const CountedChat& chat);
    std::string finish();

  private:
    struct Created {
        std::int64_t conversation;
        std::optional<Quarter> quarter;
        bool operator<(const Created& other) const { return conversation < other.conversation; }
    };
    struct Message {
        std::optional<Quarter> quarter;
        char facts;
        std::uint16_t length, wait;
    };
    void write_pending();
    void write_created_before(std::int64_t conversation);
    void write_row(std::int64_t conversation, const Created* created, std::span<Message> messages);
    void write_cell(const std::optional<Quarter>& quarter, bool created, std::span<const Message> messages);
    void write_message(const Message& message);
    std::uint64_t shared_index(const std::vector<Membership>& groups);

    GroupsOf groups_of_;
    std::vector<Created> created_;
    std::size_t next_created_ = 0; // of them that no row has yet
    bool sorted_ = false;
    std::int64_t pending_ = 0, last_conversation_ = 0;
    std::vector<Message> messages_; // of the pending conversation, which has some
    Quarter last_quarter_{};
    std::array<std::string, RollupColumn::count> columns_;
    std::string shared_;                                   // as they are stored
    std::unordered_map<std::string, std::uint64_t> known_; // of these
    std::uint64_t rows_ = 0;
};

/// A range's figures, as views into what RollupBuilder made. Throws DamagedRollup where it is none of its making.
class Rollup {
  public:
    explicit Rollup(std::string_view stored);
    Rollup(const Rollup&) = delete; // the lists are views of it
    Rollup& operator=(const Rollup&) = delete;
    Rollup(Rollup&&) = default;

    /// Which groups, but for users, conversations are in together.
    const std::vector<std::span<const Membership>>& shared() const { return shared_; }
    /// By conversation, ascending.
    void visit(const std::function<void(const RollupRow&)>& take) const;
    /// The same rows, without a look at what their messages are.
    void visit_sizes(const std::function<void(const RollupSize&)>& take) const;

  private:
    using Columns = std::array<std::string_view, RollupColumn::count>;

    RollupOwner take_owner(Columns& left, std::int64_t& conversation) const;

    std::uint64_t rows_ = 0;
    std::vector<Membership> members_; // of all lists, one behind the other
    std::vector<std::span<const Membership>> shared_;
    Columns columns_;
};

} // namespace alli::cache
