// SPDX-License-Identifier: Apache-2.0
// Tokens made, listed and revoked: in the daemon for its API, in the command where no daemon runs. Each change is in
// the file, and in force, when its function returns. Any thread.
#pragma once

#include "alli/clock.hpp"
#include "daemon/token_file.hpp"
#include "proxy/backend.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace alli::daemon {

/// 256 random bits, as text for a header.
std::string make_token_secret();

class TokenRegistry final : public proxy::TokenAdmin {
  public:
    /// `use`: puts the tokens into force; called with one change after the other.
    using Use = std::function<void(std::vector<proxy::Token>)>;
    TokenRegistry(TokensPlace place, Environment environment, const Clock& clock, Use use);

    void move_to(TokensPlace place); // proxy.tokens_file changed

    /// {"tokens":[{"name","scope","expires","app","user","state"}]}; state: valid, expired, or old for a bare one.
    std::string list() const override;
    /// Of {"name","scope"[,"expires"][,"app"][,"user"][,"sha256"]}: what was made, as list() has it; with "token", this
    /// once, where the request brought no hash of one. `expires`: a day, RFC 3339, or a duration. Throws Error{usage},
    /// and Error{busy} for a name that there is.
    std::string add(const std::string& request) const override;
    /// False: there is none of that name.
    bool revoke(const std::string& name) const override;

  private:
    TokensPlace place() const { return *place_.load(); }

    std::atomic<std::shared_ptr<const TokensPlace>> place_;
    Environment environment_;
    const Clock& clock_;
    Use use_;
};

} // namespace alli::daemon
