// SPDX-License-Identifier: Apache-2.0
// Questions of a range whose words are counted (cache/insights/insight_words.hpp): of some conversations, chosen by
// nothing but their numbers, the same for the same rows. Only the rows of these are read.
#pragma once

#include "cache/insights/counted_chats.hpp"
#include "cache/insights/insight_words.hpp"

namespace alli::cache {

/// Keeps conversations until they have enough between them, each as likely as the other.
class ConversationSample {
  public:
    explicit ConversationSample(std::int64_t enough) : enough_(enough) {}

    /// `count`: what it has of what is wanted; of one that comes again, what more.
    void add(std::int64_t conversation, std::int64_t count);
    /// In an order of their own, the same for the same conversations.
    std::vector<std::int64_t> keys() const;

  private:
    struct Sampled {
        std::uint64_t hash;
        std::int64_t conversation, count;
        bool operator<(const Sampled& other) const { return hash < other.hash; }
    };

    std::int64_t enough_, sum_ = 0;
    std::priority_queue<Sampled> kept_; // the greatest hash first
};

class QuestionSample {
  public:
    void add(std::int64_t conversation, std::int64_t questions, std::int64_t bad_answers);

    struct Keys {
        std::vector<std::int64_t> bad, all; // places of chats; bad: those before badly rated answers
    };
    Keys find(Reader& db, const TimeRange& range) const;

  private:
    // Of all questions more than are kept in the end, so that they are of many conversations.
    ConversationSample all_{1000}, bad_{250};
};

} // namespace alli::cache
