// SPDX-License-Identifier: Apache-2.0
// Replaces what identifies a person in a text by its kind: [email], [phone], [card], [rrn] (Korea's resident
// registration number), [mynumber] (Japan's). By form, and by check digits where there are any; names and addresses
// stay. Full-width digits and signs count as their narrow ones. Pure.
#pragma once

#include <string>
#include <string_view>

namespace alli::cache {

std::string mask_text(std::string_view text);

/// An id that is an address becomes user-HASH, the same for the same address; any other stays.
std::string mask_id(std::string_view id);

/// A snippet (escaped text with <mark>): one in which something is masked loses its marks.
std::string mask_snippet(std::string_view html);

} // namespace alli::cache
