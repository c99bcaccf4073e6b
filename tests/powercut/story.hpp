// SPDX-License-Identifier: Apache-2.0
// What the two files held after each commit of a workload, and how many calls the disk had seen when that was
// acknowledged: what may be found after a power cut is read off it.
#pragma once

#include "cache/store.hpp"

#include <string>
#include <vector>

namespace alli::powercut {

/// The rows of a file that tell of the service: what an opening notes by itself is left out. In order, one a line.
using Content = std::vector<std::string>;
Content content_of_mirror(cache::Reader& db);
Content content_of_outbox(cache::Reader& db);

struct Moment {
    std::size_t calls = 0; // that were logged before it was acknowledged
    Content content;
};

/// The moments of one file, the beginning first.
class Story {
  public:
    /// Nothing where it changed nothing.
    void add(std::size_t calls, Content content);
    std::size_t size() const noexcept { return moments_.size(); }
    const Moment& back() const { return moments_.back(); }

    /// After a cut behind the first `calls` calls. Synced: the last acknowledged one, or that which was under way;
    /// else any of those before too. A sentence when `found` is none of them.
    std::optional<std::string> refute(std::size_t calls, const Content& found, bool synced) const;

  private:
    std::size_t acknowledged(std::size_t calls) const;

    std::vector<Moment> moments_;
};

} // namespace alli::powercut
