// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/own_parameters.hpp"

#include "alli/error.hpp"
#include "alli/nearest.hpp"

#include <algorithm>
#include <vector>

namespace alli::proxy {
namespace {

struct Row {
    OperationId operation;
    std::string_view names;        // separated by blanks
    std::string_view several = {}; // of those: that may come several times
};
// THE table. An operation without a row takes anything.
constexpr auto rows = std::to_array<Row>({
    {OperationId::describe, ""},
    {OperationId::status, ""},
    {OperationId::outbox, "state limit cursor"},
    {OperationId::outbox_entry, ""},
    {OperationId::discard, ""},
    {OperationId::retry, ""},
    {OperationId::sync, "acceptDeletions acceptKey"},
    {OperationId::maintain, ""},
    {OperationId::maintenance, "id"},
    {OperationId::step_down, ""},
    {OperationId::ready, "role"},
    {OperationId::changes, "since limit wait q tz"},
    {OperationId::search, "q tz sort limit cursor context group"},
    {OperationId::export_found, "q format tz bom mask"},
    {OperationId::insights, "from to tz by app user category", "app user category"},
    {OperationId::ratings, ""},
    {OperationId::highlight, ""},
    {OperationId::make_link, ""},
    {OperationId::sign_out, ""},
    {OperationId::principal, ""},
    {OperationId::tokens, ""},
    {OperationId::add_token, ""},
    {OperationId::revoke_token, ""},
});

std::vector<std::string_view> split(std::string_view names)
{
    std::vector<std::string_view> all;
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(' '), names.size());
        all.push_back(names.substr(0, end));
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return all;
}

[[noreturn]] void refuse(const std::string& name, const std::vector<std::string_view>& known)
{
    const std::string_view nearest = find_nearest(name, known);
    std::string hint = "it takes none";
    if (!known.empty()) hint = fmt::format("it takes {}", fmt::join(known, ", "));
    if (!nearest.empty()) hint = fmt::format("did you mean {}?", nearest);
    throw Error(Fault::usage, hint, "a parameter is none of this endpoint's"); // its name may be anything: not repeated
}

// Only one of two values would count. An empty one is as if it were not there.
void require_one_value(const std::vector<http::Parameter>& parameters, std::span<const std::string_view> single)
{
    for (const std::string_view name : single) {
        const http::Parameter* first = nullptr;
        for (const http::Parameter& it : parameters) {
            if (it.name != name || it.value.empty()) continue;
            if (first != nullptr && first->value != it.value)
                throw Error(Fault::usage, "give it once", "{} is given with several values", name);
            first = &it;
        }
    }
}

} // namespace

void require_own_parameters(OperationId operation, std::string_view query, std::span<const std::string> ignored)
{
    if (!query.empty()) require_own_parameters(operation, http::read_query(query), ignored);
}

void require_own_parameters(OperationId operation, const std::vector<http::Parameter>& parameters,
                            std::span<const std::string> ignored)
{
    const auto* row = std::find_if(rows.begin(), rows.end(), [&](const Row& it) { return it.operation == operation; });
    if (row == rows.end()) return;
    const std::vector<std::string_view> known = split(row->names);
    for (const http::Parameter& parameter : parameters) {
        const bool is_known = std::find(known.begin(), known.end(), parameter.name) != known.end() ||
                              std::find(ignored.begin(), ignored.end(), parameter.name) != ignored.end();
        if (!is_known) refuse(parameter.name, known);
    }
    const std::vector<std::string_view> several = split(row->several);
    std::vector<std::string_view> single;
    for (const std::string_view name : known)
        if (std::find(several.begin(), several.end(), name) == several.end()) single.push_back(name);
    require_one_value(parameters, single);
}

} // namespace alli::proxy
