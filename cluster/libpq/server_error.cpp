// SPDX-License-Identifier: Apache-2.0
#include "cluster/libpq/server_error.hpp"

#include <algorithm>
#include <string_view>

namespace alli::cluster {
namespace {

struct Row {
    std::string_view state; // the beginning of it
    Fault fault;
    const char* hint;
};

// Read from the top: the first that matches.
constexpr Row rows[] = {
    {"28", Fault::key_rejected, "are the user, the password file and pg_hba.conf right?"},
    {"42501", Fault::key_rejected, "`alli-mirror cluster init --role USER`, as the tables' owner, grants the rights"},
    {"3D000", Fault::settings, "create it first, with encoding UTF8, then `alli-mirror cluster init`"},
    {"3F000", Fault::settings, "`alli-mirror cluster init` makes the tables"},
    {"42P01", Fault::settings,
     "`alli-mirror cluster init` makes the tables; where they are there, init --role USER or GRANT USAGE lets it in"},
    {"42704", Fault::settings, "CREATE ROLE makes it, where it is a role"},
    {"42703", Fault::settings, "`alli-mirror cluster migrate` brings the tables to this version"},
    {"26000", Fault::settings, "a pooler by transaction lies between: connect directly, or pool by session"},
    {"42P05", Fault::settings, "a pooler by transaction lies between: connect directly, or pool by session"},
    {"08", Fault::unreachable, ""},
    {"25", Fault::unreachable, ""}, // read only: a standby, or a primary that is being replaced
    {"40", Fault::unreachable, ""}, // serialization failures and deadlocks: the same again
    {"53100", Fault::unreachable, "the database's disk is full"},
    {"53", Fault::unreachable, "too many connections, or too little memory, at the database"},
    {"55P03", Fault::unreachable, ""},
    {"58", Fault::unreachable, "the database's machine has trouble: see its log"},
    {"F0", Fault::unreachable, "the database's configuration has trouble: see its log"},
    {"XX", Fault::unreachable, "the database has trouble: see its log"},
    {"57", Fault::unreachable, ""}, // starting up, shutting down, canceled
};

const Row* find_row(std::string_view state)
{
    const auto* const found =
        std::find_if(std::begin(rows), std::end(rows), [&](const Row& row) { return state.starts_with(row.state); });
    return found == std::end(rows) ? nullptr : found;
}

Fault fault_of(std::string_view state)
{
    const Row* const row = find_row(state);
    return row ? row->fault : Fault::refused;
}

std::string hint_of(std::string_view state)
{
    const Row* const row = find_row(state);
    return row ? row->hint : "";
}

bool is_state_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

/// "FATAL:  28P01: password authentication failed": five characters between two colons, whatever the language.
std::string_view find_state(std::string_view said)
{
    for (std::size_t at = said.find(":  "); at != said.npos; at = said.find(":  ", at + 1)) {
        const std::string_view state = said.substr(at + 3, 5);
        if (said.substr(at + 8, 1) == ":" && std::all_of(state.begin(), state.end(), is_state_character)) return state;
    }
    return {};
}

std::string first_line(std::string_view said)
{
    return std::string(said.substr(0, said.find('\n')));
}

} // namespace

ServerError::ServerError(std::string state, const std::string& said)
    : Error(fault_of(state), hint_of(state), "the cluster's database: {} ({})", said, state), state_(std::move(state))
{}

Error connect_error(const std::string& host, std::string_view said)
{
    const std::string line = first_line(said);
    if (const std::string_view state = find_state(said); !state.empty())
        return {fault_of(state), hint_of(state), "the cluster's database at {} refused: {}", host, line};
    if (said.find("certificate") != said.npos)
        return {Fault::key_rejected, "sslrootcert= in cluster.url names the authority's certificate",
                "the cluster's database at {} is not trusted: {}", host, line};
    return {Fault::unreachable, "does it run, and can this machine reach it?",
            "the cluster's database at {} cannot be reached: {}", host, line};
}

} // namespace alli::cluster
