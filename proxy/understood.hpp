// SPDX-License-Identifier: Apache-2.0
// Which parameters of a mirrored read the mirror can answer by. What it does not know may narrow the answer (the vendor
// adds filters over time, api/NOTES.md), so a read that names one is upstream's. Pure.
#pragma once

#include "proxy/list_query.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

/// How often the contract shows a parameter in one request.
enum class Occurs {
    once, // given again with another value, nobody knows which of them counts
    each, // once for each value; a comma in one may part it, or not
    list, // once, its values between commas
};

struct KnownParameter {
    std::string_view name;
    Occurs occurs = Occurs::once;
};

/// What the contract shows for each mirrored read.
struct SupportedParameters {
    static std::span<const KnownParameter> list, conversation, chats, chat, daily_count, categories;
};

/// The name of the first parameter that the mirror cannot answer by, for `known` lacks it or its values can be read in
/// more than one way; none: it can. Those in `ignored` do not count.
std::optional<std::string> find_unsupported(const Parameters& parameters, std::span<const KnownParameter> known,
                                            std::span<const std::string> ignored);

/// Of a list: as above; an order that the contract does not name counts too, and a filter by what is running now.
std::optional<std::string> find_unsupported_in_list(const Parameters& parameters, std::span<const std::string> ignored);

/// Whether one of them is in `ignored`.
bool has_ignored(const Parameters& parameters, std::span<const std::string> ignored);

} // namespace alli::proxy
