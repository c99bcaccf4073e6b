// SPDX-License-Identifier: Apache-2.0
// Looks at the files without being asked: at their pages where the opening did not, at everything once a week. Beside
// other work, as verify() does. A damaged page makes the store give up; what disagrees is kept as a problem.
#pragma once

#include "cache/store.hpp"

#include <functional>
#include <string_view>

namespace alli::cache {

using Stopping = std::function<bool()>; // asked on several threads: then they end early

/// The pages of what was left open by a crash, or was too large to be read while opening.
Task<> inspect_unread(Store& store, Stopping stopping);

/// Everything, where that is a week ago or the clock was set back; a new mirror has a week. Throws what verify() does.
Task<> inspect_when_due(Store& store, Instant now, Stopping stopping);

} // namespace alli::cache
