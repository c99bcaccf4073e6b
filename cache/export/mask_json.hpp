// SPDX-License-Identifier: Apache-2.0
// Masking (cache/text/mask.hpp) of all strings of a JSON document but ids, and of what exports read. Pure.
#pragma once

#include "cache/export/export_row.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace alli::cache {

/// Members named id, ...Id, ...Ids, cursor and next are ids, and stay unless they are addresses; "snippet" is HTML.
void mask_json(nlohmann::ordered_json& json);

/// A JSON text likewise; what is none is masked as a text.
std::string mask_json_text(std::string_view raw);

void mask(Summary& summary);
void mask(ConversationRow& row);
void mask(ReadableChat& chat);

} // namespace alli::cache
