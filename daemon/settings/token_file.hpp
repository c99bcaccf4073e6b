// SPDX-License-Identifier: Apache-2.0
// The file with the tokens of local apps: permissions are checked as for the key's file, it is replaced atomically, and
// changes are serialized across processes. Any thread.
#pragma once

#include "daemon/settings/paths.hpp"
#include "daemon/settings/token_lines.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::daemon {

/// Its path.
struct TokensFile {
    std::string path;
    bool required = false; // named by proxy.tokens_file: then it has to be there
};
/// proxy.tokens_file, else `tokens` in the mirror's directory; of a sandbox's mirror always the latter: what the
/// settings name is the service's.
TokensFile find_tokens_file(const Config& config, const MirrorLocation& mirror);

/// A lock on the directory of `path`, held for the object's lifetime. Waits up to 5 s, then throws Error{busy}. Holds
/// nothing if the directory cannot be opened.
class TokensLock {
  public:
    explicit TokensLock(const std::string& path);
    ~TokensLock();
    TokensLock(const TokensLock&) = delete;
    TokensLock& operator=(const TokensLock&) = delete;

  private:
    int directory_;
};

/// Reads the file. Throws Error{settings} if it cannot be read, others can read it, or a line is invalid
/// (token_lines.hpp).
std::vector<TokenLine> load_token_lines(const TokensFile& place, const Environment& environment);
std::vector<proxy::Token> tokens_of(const std::vector<TokenLine>& lines);

/// Receives the current lines and text, and returns the new text; throws to leave the file unchanged.
using TokensEdit = std::function<std::string(const std::vector<TokenLine>& lines, std::string text)>;
/// `then` receives the written lines before the next change begins. Throws as load_token_lines, and Error that names
/// the file if it is a credential of the service manager or cannot be written.
void change_tokens(const TokensFile& place, const Environment& environment, const TokensEdit& edit,
                   const std::function<void(const std::vector<TokenLine>&)>& then);

} // namespace alli::daemon
