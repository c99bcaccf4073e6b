// SPDX-License-Identifier: Apache-2.0
// The parameters of mirrored reads that the mirror can evaluate. An unknown one may narrow the response (the vendor
// adds filters over time, api/NOTES.md), so a read that has one is forwarded. Pure.
#pragma once

#include "proxy/request/list_query.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

/// How often a parameter may occur in one request.
enum class Occurs {
    once, // repeated with another value, it is ambiguous
    each, // once for each value; a value with a comma is ambiguous
    list, // once, values separated by commas
};

struct KnownParameter {
    std::string_view name;
    Occurs occurs = Occurs::once;
};

/// What the contract shows for each mirrored read.
struct SupportedParameters {
    static std::span<const KnownParameter> list, conversation, chats, chat, daily_count, categories;
};

/// The first parameter that the mirror cannot evaluate, because `known` lacks it or its values are ambiguous; none: it
/// can evaluate all. Those in `ignored` do not count.
std::optional<std::string> find_unsupported(const Parameters& parameters, std::span<const KnownParameter> known,
                                            std::span<const std::string> ignored);

/// Likewise of a list, where an order that the contract does not name counts too, and a filter by running apps.
std::optional<std::string> find_unsupported_in_list(const Parameters& parameters, std::span<const std::string> ignored);

/// True if one of them is in `ignored`.
bool has_ignored(const Parameters& parameters, std::span<const std::string> ignored);

} // namespace alli::proxy
