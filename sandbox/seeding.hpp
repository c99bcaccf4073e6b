// SPDX-License-Identifier: Apache-2.0
// Fills the look-alike: users, apps, and conversations out of dialogues, spread over the past year.
#pragma once

#include "sandbox/model.hpp"
#include "sandbox/options.hpp"

namespace alli::sandbox {

/// Throws Error{settings} for a corpus that cannot be read.
void populate(World& world, const Options& options);

/// A conversation that begins now, with that many chats.
Conversation& begin_conversation(World& world, int chats);

} // namespace alli::sandbox
