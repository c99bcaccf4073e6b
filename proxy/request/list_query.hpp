// SPDX-License-Identifier: Apache-2.0
// The parameters of the contract's reads, checked. Empty values are as absent ones; what else may be there is for
// supported_parameters.hpp. Pure. Throws Error{usage} that names the parameter and never its value.
#pragma once

#include "alli/page_sizes.hpp"
#include "cache/rows/list_filter.hpp"
#include "proxy/access/http.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::proxy {

using Parameters = std::vector<Parameter>;

/// The last value of that name that is not empty.
std::optional<std::string> find_parameter(const Parameters& parameters, std::string_view name);

/// A whole number within [low, high].
int read_number(const Parameters& parameters, std::string_view name, int fallback, int low, int high);

/// Names between commas, each once, in their order.
std::vector<std::string> read_names(std::string_view list);

/// Of a list: a name each time the parameter is given, each once, in their order.
std::vector<std::string> read_list_variables(const Parameters& parameters);

/// The orders that the contract names; none: upstream may know it.
std::optional<cache::Order> find_order(std::string_view name);

struct ListQuery {
    cache::ListFilter filter;
    int page_size = conversations_a_page;
    std::optional<std::string> cursor;  // ours or upstream's
    std::vector<std::string> variables; // that each item is to name
};

/// Whether many rows may have to be looked through for a page: a term, or filters that may hardly meet.
bool is_slow(const Parameters& parameters);

/// `unit` is how this project writes times; worked out of each value while unknown.
ListQuery read_list_query(const Parameters& parameters, TimeUnit unit);

} // namespace alli::proxy
