// SPDX-License-Identifier: Apache-2.0
// Whether what answers a connection is the same process of the server from one transaction to the next, as a session of
// ours needs it. For `doctor`.
#pragma once

#include "cluster/postgres/session.hpp"

namespace alli::cluster {

/// True if a pooler by transaction lies between. Throws as Session::run.
Task<bool> is_pooled_by_transaction(asio::io_context& loop, SessionOptions options);

} // namespace alli::cluster
