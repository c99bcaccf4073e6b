// SPDX-License-Identifier: Apache-2.0
// The project's API key: from the service manager's credential, else the environment, else a file. It is kept out of
// argv, logs and messages; the variable is wiped from our own environment once read.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

/// Where the key is looked for: the first of these that there is. Nothing is read.
struct KeySource {
    enum class Kind { none, credential, variable, file } kind = Kind::none;
    std::string name; // for people: a path, or the variable's name
};
KeySource find_key_source(const Settings& settings, const Environment& environment);

/// Throws Error{settings} that says where a key was looked for: none there, a file that others can read, or something
/// that is no key (key_text.hpp).
std::string load_api_key(const Settings& settings, const Environment& environment);

/// The password of the proxy's user: the credential alli-proxy-password, else upstream.proxy_password_file, its first
/// line as it stands; empty: neither is there. Throws as load_api_key.
std::string load_proxy_password(const Settings& settings, const Environment& environment);

/// What is wrong with the key that there is. None where there is none, or where this user may not read it: the daemon
/// may have it from elsewhere.
std::optional<Error> find_key_fault(const Settings& settings, const Environment& environment);

/// Wipes the variable: for what runs without the key.
void forget_api_key();

/// What is in the tokens file (token_file.hpp). The same care as for the key's file; one that is a credential of the
/// service manager's may have a mode of its own, but never be open to all. None where there is no file, unless it is
/// required.
std::optional<std::string> read_tokens_file(const std::string& path, const Environment& environment, bool required);
/// Whether the service manager put it there, to be read alone.
bool is_credential(const std::string& path, const Environment& environment);
/// A path as messages show it: one that is not absolute may be the key itself, put where its file's name belongs.
std::string shown_path(const std::string& path);

/// No core dumps, no other process of the user looks in, files for us alone. At the start of what holds the key.
void harden_process();

} // namespace alli::daemon
