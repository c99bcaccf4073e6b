// SPDX-License-Identifier: Apache-2.0
// What the outbox remembers of answers to a write that were not the service's, over restarts: so that one which nobody
// lets through does not wait for ever. Functions with a Writer belong into Store::write_outbox.
#pragma once

#include "alli/instant.hpp"
#include "cache/db/writer.hpp"

#include <optional>
#include <string>

namespace alli::cache {

struct ForeignAnswers { // the same one, in a row but for failures to get any
    std::int64_t count = 0;
    Instant since;
};

/// Another answer to the entry that was not the service's. `signature`: equal for the same; `counts`: the service
/// answered something else since the last one that counted, so that it is this write which is not let through.
ForeignAnswers note_foreign(Writer& db, std::int64_t id, const std::string& signature, const std::string& said,
                            bool counts, Instant now);

/// The service answered it, or a person said: again.
void forget_foreign(Writer& db, std::int64_t id);

/// A success came that a read did not show; none: forget it.
void put_unproven(Writer& db, std::int64_t id, std::optional<Instant> when);
std::optional<Instant> find_unproven(Reader& db, std::int64_t id);

/// Of the entries that wait.
struct ForeignSummary {
    std::int64_t entries = 0;
    std::string said; // of the oldest entry
    Instant since;
};
ForeignSummary summarize_foreign(Reader& db);

} // namespace alli::cache
