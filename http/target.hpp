// SPDX-License-Identifier: Apache-2.0
// Takes the target of a request apart: path segments, which are split before they are decoded and decoded once, and the
// parameters of the query. Pure. Throws Error{usage}, whose text quotes no input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::http {

struct Parameter {
    std::string name, value;
};

/// Percent-decoding of RFC 3986, where '+' is a plus. None for a broken escape.
std::optional<std::string> percent_decoded(std::string_view text);

/// The segments between slashes, not decoded: "/a/b" is {"a", "b"}, "/" is {""}.
std::vector<std::string_view> split_path(std::string_view path);

/// A segment decoded once. Throws for a broken '%', control characters, invalid UTF-8 and dot segments.
std::string decode_segment(std::string_view segment);

/// The parameters in their order. A plus in a value is a blank, as form encoding has it, except in `cursor`, which is
/// opaque.
std::vector<Parameter> read_query(std::string_view query);

struct SplitTarget {
    std::string_view path, query; // query without its '?'
};
SplitTarget split_target(std::string_view target);

/// The part of a target behind the authority: "/x?y" of "http://host/x?y", the same of "/x?y".
std::string_view origin_form(std::string_view target) noexcept;
/// The authority of an absolute target: "host:1" of "http://host:1/x"; none: it is not absolute.
std::optional<std::string_view> target_authority(std::string_view target) noexcept;

} // namespace alli::http
