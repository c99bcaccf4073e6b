// SPDX-License-Identifier: Apache-2.0
// A string of JSON, both ways. Whatever was sent, what comes out is UTF-8. Pure: any thread.
#pragma once

#include <string>
#include <string_view>

namespace alli {

struct DecodedText {
    std::string text;  // U+FFFD in the place of each part that says nothing
    bool whole = true; // there is none
};

/// What stands between the quotes: escapes resolved. Half surrogates, escapes that JSON does not know, and bytes that
/// are no UTF-8 cannot be decoded.
DecodedText decode_text(std::string_view inside);

/// A text as a JSON string with its quotes; what is no UTF-8 in it becomes U+FFFD.
std::string quoted_text(std::string_view text);

} // namespace alli
