// SPDX-License-Identifier: Apache-2.0
// The address of the cluster's database: postgresql://USER@HOST1,HOST2/DATABASE?..., as libpq reads it, and what is
// wrong with one. Does not connect.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace alli::cluster {

/// What libpq is told of one host.
struct Target {
    std::string host; // as it is named in messages
    std::map<std::string, std::string> words;
};

/// A sentence that says what a person must change; none: it is right. A password in it, and a connection that is not
/// verified, are wrong; a host on this machine needs no TLS.
std::optional<std::string> find_url_fault(const std::string& url);

/// The hosts in their order. `url` is right.
std::vector<Target> read_url(const std::string& url, const std::string& password);

/// The URL's database and user, for messages.
std::string database_of(const std::string& url);

} // namespace alli::cluster
