// SPDX-License-Identifier: Apache-2.0
// An outbox whose file or log was taken away while it was open: what it held is written into a new file beside it, by
// the descriptors that are still open, and the next start takes that in.
#pragma once

#include "cache/db/held_file.hpp"

#include <string>
#include <vector>

namespace alli::cache {

/// On the connection's own thread, outside of any transaction. Of the entries, those up to `kept`: later ones were
/// never acknowledged. Says in a sentence what was written where. Throws Error: disk_full, io.
std::string rescue_outbox(Writer& held, const HeldFile::Loss& loss, std::int64_t kept);

/// At a start, before the outbox at `path` is opened: each rescued file, the oldest first, takes its place. What was
/// there is set aside; writes that wait in it and came from another outbox are taken over, behind the rescued ones. A
/// log without its file is set aside too. A sentence for each. Throws Error: disk_full, io.
std::vector<std::string> take_in_rescued(const std::string& path);

} // namespace alli::cache
