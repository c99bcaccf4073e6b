// SPDX-License-Identifier: Apache-2.0
// The outbox for its command: read from the file, or asked of the daemon where this user may not see the file; changed
// by the daemon where one runs, else here, under the lock.
#pragma once

#include "cache/outbox/outbox.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/paths.hpp"

#include <memory>
#include <string>
#include <vector>

namespace alli::cache {
class Store;
}

namespace alli::daemon {

enum class Deed { retry, discard };

class OutboxAccess {
  public:
    explicit OutboxAccess(const Context& context);
    ~OutboxAccess();
    OutboxAccess(const OutboxAccess&) = delete;
    OutboxAccess& operator=(const OutboxAccess&) = delete;

    /// {"entries":[...],"next":...}, newest first, each with "change": what it would change, in words. `state`: empty:
    /// any. `before`: "next" of the page before.
    Json list(const std::string& state, int limit, const std::string& before = "") const;
    /// Every entry in that state, oldest first.
    std::vector<Json> list_all(const std::string& state) const;
    /// With its request, response and conflict. Throws Error{refused}: there is none.
    Json load(std::int64_t id) const;

    cache::OperatorResult steer(Deed deed, std::int64_t id);

  private:
    Json ask(const std::string& target) const;
    cache::OperatorResult steer_here(Deed deed, std::int64_t id);

    Context context_;
    MirrorLocation place_;
    bool asks_daemon_, is_hidden_;
    std::unique_ptr<cache::Store> store_; // opened by the first change without a daemon
};

[[noreturn]] void fail_absent(std::int64_t id);

} // namespace alli::daemon
