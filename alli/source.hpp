// SPDX-License-Identifier: Apache-2.0
// A body that comes piece by piece: a request's on its way in, an answer's on its way out. Who takes one waits for each
// piece, so what the pieces come from is held back for as long as nobody takes them. Lives on one loop.
#pragma once

#include "alli/task.hpp"

#include <optional>
#include <string>

namespace alli {

class Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    /// Gives up what did not come yet.
    virtual ~Source() = default;

    /// The next bytes; none: that was all. Throws when the rest will not come. One wait at a time, which cancellation
    /// ends.
    virtual Task<std::optional<std::string>> next() = 0;
    /// Whether next() would not wait.
    virtual bool ready() const { return false; }
    /// The program is about to end: a source that would go on for ever is to end soon. May be called during next().
    virtual void wind_up() {}
};

} // namespace alli
