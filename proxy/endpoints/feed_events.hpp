// SPDX-License-Identifier: Apache-2.0
// The change feed as Server-Sent Events, one change a message (docs/feed.md). Reads the next ones only when those
// before went out: a slow reader costs nothing but its own delay. Lives on the loop of its feed.
#pragma once

#include "alli/source.hpp"
#include "proxy/access/grant.hpp"
#include "proxy/endpoints/feed.hpp"

namespace alli::proxy {

class FeedEvents final : public Source {
  public:
    /// It ends with the grant that it was opened by; while it is read, that is used.
    FeedEvents(Feed& feed, FeedScope scope, std::int64_t since, std::chrono::milliseconds heartbeat,
               std::shared_ptr<const Grant> grant, const Clock& clock);

    Task<std::optional<std::string>> next() override;
    bool ready() const override { return !greeted_; }
    void wind_up() override { over_ = true; }

  private:
    Task<std::string> start_again();
    std::string sign_of_life();
    std::string unknown_filters(const FeedPage& page);

    Feed& feed_;
    FeedScope scope_;
    std::int64_t since_, looked_through_, told_; // told_: of since_, to the reader
    std::chrono::milliseconds heartbeat_;
    std::shared_ptr<const Grant> grant_;
    const Clock& clock_;
    bool greeted_ = false, over_ = false;
};

} // namespace alli::proxy
