// SPDX-License-Identifier: Apache-2.0
// Pending edits in upstream's replies: what a queued write sets is set in them, what it deletes is taken out. Any
// thread.
#pragma once

#include "alli/clock.hpp"
#include "cache/store.hpp"
#include "proxy/request/request.hpp"
#include "upstream/http.hpp"

namespace alli::proxy {

/// `asked_at`: when upstream was asked. A reply to anything but the contract's reads stays as it is, and so does every
/// reply while nothing is pending.
void apply_pending_edits(cache::Store& store, const ReadSubject& subject, Clock::Steady asked_at,
                         upstream::Reply& reply);

} // namespace alli::proxy
