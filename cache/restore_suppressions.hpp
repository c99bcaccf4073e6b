// SPDX-License-Identifier: Apache-2.0
// What was purged since a backup was made must not come back with it: the suppression list of the replaced files is
// merged into the backup's outbox, and writes to what it names go. The mirror's rows go at the open that follows, which
// finds its list older than the outbox's.
#pragma once

#include "cache/db/writer.hpp"

#include <string>

namespace alli::cache {

struct ReplacedFiles {
    std::string outbox, mirror; // the list of the outbox counts; where it cannot be read, the mirror's copy
};

/// Inside a transaction of `outbox`, which is the backup's, as `mirror` is. Says in a sentence what it did; `since`:
/// the backup's time in words.
std::string merge_suppressions(Writer& outbox, Writer& mirror, const ReplacedFiles& replaced, const std::string& since);

} // namespace alli::cache
