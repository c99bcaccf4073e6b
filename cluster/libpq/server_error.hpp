// SPDX-License-Identifier: Apache-2.0
// What PostgreSQL answers to a statement or a connection that it refuses: by SQLSTATE the fault, and with it who must
// act.
#pragma once

#include "alli/error.hpp"

#include <string>

namespace alli::cluster {

class ServerError : public Error {
  public:
    /// `said` is the primary message alone: details quote rows.
    ServerError(std::string state, const std::string& said);
    const std::string& state() const noexcept { return state_; }

  private:
    std::string state_;
};

/// Of a connection that did not come about: libpq's own words, in which the server's SQLSTATE stands where it refused.
Error connect_error(const std::string& host, std::string_view said);

} // namespace alli::cluster
