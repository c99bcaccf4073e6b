// SPDX-License-Identifier: Apache-2.0
// Passes run side by side, and what one asked for first may arrive last: each question has a number, and a conversation
// is never put back to what an earlier one saw (TRUST.md I21). On the engine's loop; a Turn is a value for the writer.
#pragma once

#include "cache/arrivals.hpp"

#include <atomic>
#include <memory>
#include <set>

namespace alli::sync {

/// What a write must know of the question it answers.
struct Turn {
    std::uint64_t number = 0;
    std::uint64_t oldest = 0; // that is still under way: this one, or an earlier one

    bool is_outrun(cache::Writer& db, const ConversationId& id) const { return cache::is_outrun(db, id, number); }
    void note(cache::Writer& db, const ConversationId& id) const
    {
        if (oldest < number) cache::note_arrival(db, id, number); // else nobody could put back what we put
    }
    void end(cache::Writer& db) const
    {
        if (oldest == number) cache::forget_arrivals_before(db, number);
    }
};

class Order {
    using UnderWay = std::set<std::uint64_t>;

  public:
    /// A question under way, until its answer is committed or given up.
    class Asked {
      public:
        explicit Asked(std::shared_ptr<UnderWay> all, std::uint64_t number) : all_(std::move(all)), number_(number)
        {
            all_->insert(number_);
        }
        ~Asked() { all_->erase(number_); }
        Asked(const Asked&) = delete;
        Asked& operator=(const Asked&) = delete;

        Turn turn() const { return {number_, *all_->begin()}; }

      private:
        std::shared_ptr<UnderWay> all_;
        std::uint64_t number_;
    };

    /// Before the request is sent.
    std::shared_ptr<const Asked> ask()
    {
        static std::atomic<std::uint64_t> last{0}; // engines may follow one another on one store
        return std::make_shared<const Asked>(under_way_, ++last);
    }

  private:
    std::shared_ptr<UnderWay> under_way_ = std::make_shared<UnderWay>();
};

} // namespace alli::sync
