// SPDX-License-Identifier: Apache-2.0
// The envelopes that the mirror has noted, read again once a commit may have changed one. One for each loop.
#pragma once

#include "alli/envelope.hpp"
#include "cache/store.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace alli::proxy {

class KnownEnvelopes {
  public:
    /// As cache::in_envelope() in the snapshot of `db`. `before`: latest.of_lists(), read before that was taken.
    std::string put_around(std::string body, Content content, cache::Reader& db,
                           const cache::InvalidationVersions& latest, std::uint64_t before);

  private:
    std::optional<std::uint64_t> version_; // that they are known to be of, or newer
    std::array<std::optional<Envelope>, content_names.size()> all_;
};

} // namespace alli::proxy
