// SPDX-License-Identifier: Apache-2.0
// The file that holds the tokens of local apps: read with the care of a key's file, written whole (a temporary file,
// synced, renamed), one change after the other, whichever process makes it. Any thread.
#pragma once

#include "daemon/settings.hpp"
#include "daemon/token_lines.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::daemon {

/// Where it lies.
struct TokensPlace {
    std::string path;
    bool required = false; // named by proxy.tokens_file: then it has to be there
};
/// proxy.tokens_file, else `tokens` in the directory of the mirror.
TokensPlace find_tokens_place(const Config& config, const std::string& mirror_path);

/// While it lives nobody else changes a file in the directory of `path`. Waits, 5 s at most: Error{busy}. Where the
/// directory cannot be opened it holds nothing.
class TokensLock {
  public:
    explicit TokensLock(const std::string& path);
    ~TokensLock();
    TokensLock(const TokensLock&) = delete;
    TokensLock& operator=(const TokensLock&) = delete;

  private:
    int directory_;
};

/// What is in it. Throws Error{settings}: it cannot be read, others can read it, or a line is wrong (token_lines.hpp).
std::vector<TokenLine> load_token_lines(const TokensPlace& place, const Environment& environment);
std::vector<proxy::Token> tokens_of(const std::vector<TokenLine>& lines);

/// Gets the lines and gives the text that is to be there; throws to leave the file as it is.
using TokensEdit = std::function<std::string(const std::vector<TokenLine>& lines, std::string text)>;
/// `then` gets what was written, before the next change begins. Throws as load_token_lines, and Error that names the
/// file: it is a credential of the service manager's, or cannot be written.
void change_tokens(const TokensPlace& place, const Environment& environment, const TokensEdit& edit,
                   const std::function<void(const std::vector<TokenLine>&)>& then);

} // namespace alli::daemon
