// SPDX-License-Identifier: Apache-2.0
// The [[webhook]] tables of the settings file: read, checked, and made into what is needed to call the receiver
// (docs/webhooks.md). The secret and the query of an address appear in no message.
#pragma once

#include "daemon/settings/settings.hpp"
#include "upstream/curl/curl_options.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::daemon {

/// Puts an entry of one of the tables; `where`: file and line. Returns what is wrong with it.
std::optional<Error> put_webhook_entry(std::vector<WebhookSettings>& webhooks, const TomlEntry& entry,
                                       const std::string& where);

/// The event of a kind of change ("chats"): "conversation.chats". Empty: there is none.
std::string_view webhook_event_of(std::string_view kind) noexcept;

/// What calls the receiver.
struct WebhookEndpoint {
    std::string id;                   // hash of its address
    std::string address;              // for people: without a query
    upstream::CurlOptions connection; // where to, and by which way
    std::string target;               // path and query
    std::vector<std::string> secrets; // the keys of its signatures
    std::string kinds;                // of changes: ",chats,deleted,"
};

/// Throws Error{settings} that begins with file and line.
WebhookEndpoint read_webhook(const WebhookSettings& webhook, const Settings& settings, const Environment& environment);
/// All of them; two of one address are an error too.
std::vector<WebhookEndpoint> read_webhooks(const Settings& settings, const Environment& environment);
/// Everything that is wrong with them.
std::vector<Error> find_webhook_faults(const Settings& settings, const Environment& environment);

/// The address as it may be shown.
std::string webhook_address(const std::string& url);

} // namespace alli::daemon
