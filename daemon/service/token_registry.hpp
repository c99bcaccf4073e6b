// SPDX-License-Identifier: Apache-2.0
// Creates, lists and revokes tokens: in the daemon for its API, in the command if no daemon runs. Each change is in the
// file and in force when its function returns. Any thread.
#pragma once

#include "alli/clock.hpp"
#include "alli/published.hpp"
#include "daemon/settings/token_file.hpp"
#include "proxy/request/backend.hpp"

#include <functional>
#include <memory>
#include <string>

namespace alli::daemon {

/// 256 random bits, as text for a header.
std::string make_token_secret();

class TokenRegistry final : public proxy::TokenAdmin {
  public:
    /// `use`: applies the tokens; called for one change at a time.
    using Use = std::function<void(std::vector<proxy::Token>)>;
    TokenRegistry(TokensFile place, Environment environment, const Clock& clock, Use use);

    void move_to(TokensFile place); // proxy.tokens_file changed

    /// {"tokens":[{"name","scope","expires","app","user","state"}]}; state: valid, expired, or old for a bare one.
    std::string list() const override;
    /// Creates a token from {"name","scope"[,"expires"][,"app"][,"user"][,"sha256"]} and returns it as list() does,
    /// with "token", shown only once, unless the request has a hash. `expires`: a date, RFC 3339, or a duration. Throws
    /// Error{usage}, and Error{busy} for an existing name.
    std::string add(const std::string& request) const override;
    /// False if there is no token of that name.
    bool revoke(const std::string& name) const override;

  private:
    TokensFile place() const { return *place_.load(); }

    Published<TokensFile> place_;
    Environment environment_;
    const Clock& clock_;
    Use use_;
};

} // namespace alli::daemon
