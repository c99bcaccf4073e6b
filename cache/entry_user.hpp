// SPDX-License-Identifier: Apache-2.0
// For whom a write was made: the user that its headers name. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// Of an entry's headers (JSON) what OWN-USER-ID may mean: the id as it stands, and, since the contract sends ids that
/// are not ASCII as base64:..., what that holds. Empty: nobody is named.
std::vector<std::string> users_named_in(std::string_view headers);

} // namespace alli::cache
