// SPDX-License-Identifier: Apache-2.0
// The target of a request, taken apart once: path segments as they came (matched raw, decoded once afterwards) and the
// parameters of the query. Pure. Throws Error{usage} that names no input but a parameter of the contract.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

struct Parameter {
    std::string name, value;
};

/// Percent-decoding as RFC 3986 has it: '+' is a plus. None for a broken '%'.
std::optional<std::string> percent_decoded(std::string_view text);

/// Views of the path's parts between slashes, undecoded: "/a/b" is {"a", "b"}, "/" is {""}.
std::vector<std::string_view> split_path(std::string_view path);

/// A segment decoded once. Throws for a broken '%', control characters, invalid UTF-8 and dot segments.
std::string decode_segment(std::string_view segment);

/// The parameters in their order. A plus in a value is a blank, as forms write it, but in `cursor`, which is opaque.
std::vector<Parameter> read_query(std::string_view query);

struct SplitTarget {
    std::string_view path, query; // query without its '?'
};
SplitTarget split_target(std::string_view target);

} // namespace alli::proxy
