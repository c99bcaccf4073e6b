// SPDX-License-Identifier: Apache-2.0
// All webhooks of a running daemon, each a sender of its own, on the engine's loop (docs/webhooks.md).
#pragma once

#include "daemon/webhook/sender.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace alli::daemon {

class Webhooks {
  public:
    Webhooks(std::vector<WebhookEndpoint> endpoints, WebhookTools tools);

    /// Forgets what is not set up any more, and starts the senders. `ended` is called when all have ended.
    void start(std::function<void()> ended);
    /// On the loop: soon all end.
    void stop();
    /// On the loop: as WebhookSender::wake(), of the one with that id; empty: of all.
    void wake(std::string_view id);

  private:
    void sender_ended();

    WebhookTools tools_;
    std::vector<std::shared_ptr<WebhookSender>> senders_; // each lives until its run() ends, too
    std::function<void()> ended_;
    std::size_t running_ = 0;
};

/// One signed `mirror.test`, now. Runs a loop of its own on the calling thread.
WebhookVerdict send_webhook_test(const WebhookEndpoint& endpoint);

} // namespace alli::daemon
