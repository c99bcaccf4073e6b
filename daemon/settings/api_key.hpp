// SPDX-License-Identifier: Apache-2.0
// The project's API key: from the service manager's credential, else the environment, else a file. It is kept out of
// argv, logs and messages; the variable is wiped from our own environment once read.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

/// The first of these sources that exists. Reads nothing.
struct KeySource {
    enum class Kind { none, credential, variable, file } kind = Kind::none;
    std::string name; // for people: a path, or the variable's name
};
KeySource find_key_source(const Settings& settings, const Environment& environment);

/// Throws Error{settings} that names the sources tried: there is no key, others can read its file, or its content is
/// not a key (key_text.hpp).
std::string load_api_key(const Settings& settings, const Environment& environment);

/// The password of the proxy's user: the credential alli-proxy-password, else the first line of
/// upstream.proxy_password_file, unchanged. Empty if there is neither. Throws as load_api_key.
std::string load_proxy_password(const Settings& settings, const Environment& environment);

/// The password of the cluster's database, likewise: the credential alli-database-password, else cluster.password_file.
std::string load_cluster_password(const Settings& settings, const Environment& environment);

/// The fault of the configured key. None if there is no key or this user may not read it: the daemon may get it from
/// elsewhere.
std::optional<Error> find_key_fault(const Settings& settings, const Environment& environment);

/// Wipes the variable: for processes that run without the key.
void forget_api_key();

/// The content of a webhook's secret_file, read with the same checks as the key's file.
std::string load_webhook_secret(const std::string& path, const Environment& environment);

/// The content of the tokens file (token_file.hpp), read with the same checks as the key's file. A credential of the
/// service manager may have another mode, but must not be readable by everybody. None if the file is absent, unless it
/// is required.
std::optional<std::string> read_tokens_file(const std::string& path, const Environment& environment, bool required);
/// True if the path is a credential of the service manager, which is read-only.
bool is_credential(const std::string& path, const Environment& environment);
/// A path as messages show it. A relative one is not shown: it may be the key itself, entered in the wrong place.
std::string shown_path(const std::string& path);

/// Disables core dumps and inspection by other processes, and creates files with mode 0600. Call it before the key is
/// read.
void harden_process();

} // namespace alli::daemon
