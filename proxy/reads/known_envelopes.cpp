// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/known_envelopes.hpp"

#include "cache/rows/envelopes.hpp"

namespace alli::proxy {

// A change of an envelope counts as one of lists, and that is published before its commit can be seen. So if the
// version is still the same after the snapshot was taken, the snapshot shows no other envelopes than these.
std::string KnownEnvelopes::put_around(std::string body, Content content, cache::Reader& db,
                                       const cache::InvalidationVersions& latest, std::uint64_t before)
{
    if (version_ != latest.of_lists()) {
        for (std::size_t one = 0; one < all_.size(); ++one)
            all_[one] = cache::find_envelope(db, static_cast<Content>(one));
        version_ = before;
    }
    const auto& envelope = all_[static_cast<std::size_t>(content)];
    return envelope ? enveloped(*envelope, std::move(body)) : body;
}

} // namespace alli::proxy
