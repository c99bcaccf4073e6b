// SPDX-License-Identifier: Apache-2.0
// What a conversation and a chat carry beside their words: users, apps, categories, variables, sources, citations, the
// older form of rich text, and members that no contract names.
#pragma once

#include "sandbox/dialogues.hpp"
#include "sandbox/model.hpp"

namespace alli::sandbox {

void add_users_and_apps(World& world);
void decorate(World& world, Conversation& conversation, const std::string& topic);
ChatDraft decorated(Random& random, const std::string& lang, const Turn& turn);

} // namespace alli::sandbox
