// SPDX-License-Identifier: Apache-2.0
// Upstream's bytes in columns of text, which hold UTF-8 without NUL and nothing else: whether they fit, ids escaped so
// that they can be read back, texts for people with U+FFFD for what does not fit. Pure: any thread.
#pragma once

#include <string>
#include <string_view>

namespace alli::cluster {

bool fits_text(std::string_view bytes);

/// Each byte that does not fit as \xHH, a backslash as \\; almost always the id itself. unescape_id() is its inverse.
std::string escape_id(std::string_view id);
std::string unescape_id(std::string_view escaped);

/// For reading only: what does not fit becomes U+FFFD.
std::string readable_text(std::string_view bytes);

/// JSON in which every operator of PostgreSQL reads every value: no word that JSON does not have, nothing nested
/// deeper than its parser goes, no U+0000, no half of a surrogate pair.
bool is_plain_json(std::string_view bytes);

} // namespace alli::cluster
