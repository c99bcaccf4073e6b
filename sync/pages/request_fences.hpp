// SPDX-License-Identifier: Apache-2.0
// Requests run in parallel, and the answer to the first may arrive last: each takes a sequence number before it is
// sent, and a conversation is never put back to what an earlier request saw (TRUST.md I21). On the engine's loop; a
// Sequence is a value for the writer.
#pragma once

#include "cache/rows/request_fence.hpp"

#include <atomic>
#include <memory>
#include <set>

namespace alli::sync {

/// What a write must know of the request that it answers.
struct Sequence {
    std::uint64_t number = 0;
    std::uint64_t oldest = 0; // of those under way: this one, or an earlier one

    bool is_superseded(cache::Writer& db, const ConversationId& id) const
    {
        return cache::is_superseded(db, id, number);
    }
    std::unordered_set<ConversationId> load_superseded(cache::Writer& db) const
    {
        return cache::load_superseded(db, number);
    }
    void note(cache::Writer& db, const ConversationId& id) const
    {
        if (oldest < number) cache::raise_request_fence(db, id, number); // else no older answer can follow
    }
    void end(cache::Writer& db) const
    {
        if (oldest == number) cache::drop_request_fences_before(db, number);
    }
};

class RequestFences {
    using Numbers = std::set<std::uint64_t>;

  public:
    /// A request under way, until its answer is committed or given up.
    class Request {
      public:
        Request(std::shared_ptr<Numbers> all, std::uint64_t number) : all_(std::move(all)), number_(number)
        {
            all_->insert(number_);
        }
        ~Request() { all_->erase(number_); }
        Request(const Request&) = delete;
        Request& operator=(const Request&) = delete;

        Sequence sequence() const { return {number_, *all_->begin()}; }

      private:
        std::shared_ptr<Numbers> all_;
        std::uint64_t number_;
    };

    /// Before the request is sent.
    std::shared_ptr<const Request> take()
    {
        static std::atomic<std::uint64_t> last{0}; // engines may follow one another on one store
        return std::make_shared<const Request>(under_way_, ++last);
    }

  private:
    std::shared_ptr<Numbers> under_way_ = std::make_shared<Numbers>();
};

using Fence = std::shared_ptr<const RequestFences::Request>;

} // namespace alli::sync
