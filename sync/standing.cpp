// SPDX-License-Identifier: Apache-2.0
#include "sync/standing.hpp"

namespace alli::sync {

void Standing::count(const Ingested& done)
{
    current.reachable = current.key_accepted = true;
    current.conversations += done.conversations;
    current.chats += done.chats;
    publish();
}

void Standing::healthy()
{
    current.reachable = current.key_accepted = true;
    current.error.clear();
    current.hint.clear();
    current.failing_since.reset();
    publish();
}

void Standing::failed(const Error& error, Instant now)
{
    if (error.fault() == Fault::disk_full) return; // the store says so itself; of upstream it says nothing
    current.reachable = error.fault() == Fault::key_rejected;
    current.key_accepted = error.fault() != Fault::key_rejected;
    current.error = error.what();
    current.hint = error.hint();
    if (!current.failing_since) current.failing_since = now;
    publish();
}

} // namespace alli::sync
