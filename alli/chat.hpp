// SPDX-License-Identifier: Apache-2.0
// One message of a conversation: upstream's JSON as it was sent, and beside it the few fields that we look at.
#pragma once

#include "alli/ids.hpp"
#include "alli/instant.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli {

struct Chat {
    ChatId id;
    std::string raw; // the JSON object, byte for byte
    std::string sender;
    std::optional<Instant> sent_at;
    bool completed = true;                // false only where upstream says so: its message still grows
    bool says_completed = false;          // whether upstream says so or not at all
    std::vector<std::string_view> unread; // the fields that could not be read: as if nothing had been sent
};

} // namespace alli
