// SPDX-License-Identifier: Apache-2.0
// The engine's status towards upstream: the loop changes it, and publishes every change as a value for other threads.
#pragma once

#include "alli/error.hpp"
#include "sync/engine.hpp"
#include "sync/ingest.hpp"

namespace alli::sync {

class SyncStatus {
  public:
    State current; // the loop's own; publish() shows it to the others

    void publish() { std::atomic_store(&published_, std::make_shared<const State>(current)); }
    std::shared_ptr<const State> read() const { return std::atomic_load(&published_); } // any thread

    void count(const Ingested& done);
    void healthy();
    void failed(const Error& error, Instant now);
    void cut_off(const std::string& why, Instant now); // no connection came about, whoever asked for it
    void answered();                                   // the service answered somebody

  private:
    std::shared_ptr<const State> published_; // atomically replaced
};

} // namespace alli::sync
