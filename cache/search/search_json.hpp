// SPDX-License-Identifier: Apache-2.0
// The answer to a search as JSON, for the endpoint and the command alike: fields may be added, never renamed. Pure.
#pragma once

#include "cache/rows/coverage.hpp"
#include "cache/search/search.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace alli::cache {

/// A filter that is none, as insights tell of it too.
nlohmann::ordered_json unknown_json(const UnknownFilter& unknown);

std::string search_json(const SearchQuery& query, const SearchResult& result, const Covered& covered);

} // namespace alli::cache
