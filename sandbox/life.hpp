// SPDX-License-Identifier: Apache-2.0
// What happens by itself while somebody reads: by chance, from the sandbox's seed, after an answer is worked out.
// Not safe for several threads: the sandbox's core guards it.
#pragma once

#include "sandbox/model.hpp"
#include "sandbox/options.hpp"

#include <vector>

namespace alli::sandbox {

class Life {
  public:
    Life(std::vector<LifeRule> rules, std::uint64_t seed);

    void go_on(World& world);

  private:
    std::vector<LifeRule> rules_;
    SeededRandom random_;
};

// Also for tests that do the same by hand. Each moves no clock. They throw Error{usage} for a member that there is not,
// or a value that does not fit it.
void edit_member(World& world, Conversation& conversation, std::string_view member, std::string_view json);
void edit_chat_member(World& world, Conversation& conversation, std::size_t index, std::string_view member,
                      std::string_view json);

} // namespace alli::sandbox
