// SPDX-License-Identifier: Apache-2.0
// The kanji that were simplified in Japan, and forms of them that names keep: 國 and 国, 邊 and 辺. The table is in
// docs/search.md too. A change is a change of index_version. Pure.
#pragma once

namespace alli::cache {

/// The form in use today; any other character as it is.
char32_t current_form(char32_t code) noexcept;

} // namespace alli::cache
