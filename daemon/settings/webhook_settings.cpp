// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/webhook_settings.hpp"

#include "alli/digest.hpp"
#include "alli/nearest.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/assign.hpp"
#include "daemon/settings/egress.hpp"
#include "daemon/settings/path_check.hpp"
#include "proxy/access/base64url.hpp"
#include "upstream/http.hpp"

#include <algorithm>
#include <array>

namespace alli::daemon {
namespace {

constexpr const char* url_hint = "https://host/path, or http:// towards 127.0.0.1, [::1] or localhost";
constexpr const char* secret_hint =
    "a line is whsec_ and 24 to 64 random bytes in base64: (printf whsec_; openssl rand -base64 32)";
constexpr std::size_t shortest_secret = 24, longest_secret = 64;
constexpr std::size_t most_secrets = 4;
constexpr std::size_t longest_answer = std::size_t{64} << 10;

struct EventName {
    std::string_view name, kind; // kind: of a change; empty: it is always sent
};
constexpr auto events = std::to_array<EventName>({
    {"conversation.updated", "conversation"},
    {"conversation.chats", "chats"},
    {"conversation.deleted", "deleted"},
    {"outbox.changed", "outbox"},
    {"mirror.reset", ""},
    {"mirror.test", ""},
});

struct Key {
    std::string_view name;
    std::string WebhookSettings::*member; // null: events
};
constexpr auto keys = std::to_array<Key>({
    {"url", &WebhookSettings::url},
    {"secret_file", &WebhookSettings::secret_file},
    {"events", nullptr},
});

std::optional<Error> put_value(WebhookSettings& webhook, const Key& key, const TomlEntry& entry,
                               const std::string& where)
{
    const auto* text = std::get_if<std::string>(&entry.value);
    const auto* list = std::get_if<std::vector<std::string>>(&entry.value);
    if (key.member != nullptr && text == nullptr)
        return Error(Fault::settings, "url and secret_file are texts", "{}: webhook.{} must be a text in quotes", where,
                     key.name);
    if (key.member == nullptr && list == nullptr)
        return Error(Fault::settings, "leave it out for all events", "{}: webhook.{} must be a list of texts", where,
                     key.name);
    if (key.member != nullptr)
        webhook.*key.member = *text;
    else
        webhook.events = *list;
    return std::nullopt;
}

struct Address {
    std::string base, target;
};

// The origin's own check speaks of upstream.url and of its key.
upstream::Origin read_base(const std::string& base)
{
    try {
        return upstream::read_origin(base);
    } catch (const Error& error) {
        std::string what = error.what();
        constexpr std::string_view name = "upstream.url", key = "send the key";
        if (what.starts_with(name)) what.replace(0, name.size(), "url");
        if (const auto at = what.find(key); at != what.npos) what.replace(at, key.size(), "send the events");
        throw Error(Fault::settings, url_hint, "{}", what);
    }
}

Address read_address(const std::string& url)
{
    if (url.empty()) throw Error(Fault::settings, url_hint, "there is no url");
    const auto scheme = url.find("://");
    const auto end = scheme == url.npos ? url.npos : url.find_first_of("/?#", scheme + 3);
    Address address{read_base(url.substr(0, end)).base, end == url.npos ? "/" : url.substr(end)};
    if (address.target.find('#') != url.npos)
        throw Error(Fault::settings, "a server never sees what stands behind the #", "url holds a fragment");
    if (address.target.starts_with('?')) address.target.insert(0, "/");
    upstream::Request request;
    request.target = address.target;
    try {
        check_request(request);
    } catch (const Error&) {
        throw Error(Fault::settings, "percent-encode what is no part of a path", "the path of url is not one");
    }
    return address;
}

std::string read_key_of(std::string_view line)
{
    constexpr std::string_view prefix = "whsec_";
    if (!line.starts_with(prefix)) throw Error(Fault::settings, secret_hint, "a secret does not begin with whsec_");
    std::string text(line.substr(prefix.size()));
    while (text.ends_with('=')) text.pop_back();
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    const auto key = proxy::from_base64url(text);
    if (!key) throw Error(Fault::settings, secret_hint, "a secret is not base64");
    if (key->size() < shortest_secret || key->size() > longest_secret)
        throw Error(Fault::settings, secret_hint, "a secret has {} bytes, not {} to {}", key->size(), shortest_secret,
                    longest_secret);
    return *key;
}

std::vector<std::string> read_secrets(const std::string& text)
{
    std::vector<std::string> secrets;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        const std::string_view line = trimmed(std::string_view(text).substr(from, end - from));
        if (!line.empty()) secrets.push_back(read_key_of(line));
        from = end + 1;
    }
    if (secrets.empty()) throw Error(Fault::settings, secret_hint, "secret_file holds no secret");
    if (secrets.size() > most_secrets)
        throw Error(Fault::settings, "two are enough to replace one without a gap", "secret_file holds more than {}",
                    most_secrets);
    return secrets;
}

std::vector<std::string> load_secrets(const WebhookSettings& webhook, const Environment& environment)
{
    if (webhook.secret_file.empty())
        throw Error(Fault::settings, secret_hint, "there is no secret_file: nobody could tell whose events they are");
    check_path("secret_file", webhook.secret_file, webhook.where, environment);
    return read_secrets(load_webhook_secret(webhook.secret_file, environment));
}

void require_event(const std::string& name)
{
    std::vector<std::string_view> names;
    for (const EventName& event : events) names.push_back(event.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    const std::string_view nearest = find_nearest(name, names);
    throw Error(Fault::settings,
                nearest.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                : fmt::format("did you mean {}?", nearest),
                "there is no event {}", describe(name));
}

std::string read_kinds(const std::vector<std::string>& wanted)
{
    for (const std::string& name : wanted) require_event(name);
    std::string kinds = ",";
    for (const EventName& event : events) {
        const bool chosen = wanted.empty() || std::find(wanted.begin(), wanted.end(), event.name) != wanted.end();
        if (chosen && !event.kind.empty()) kinds += std::string(event.kind) + ',';
    }
    return kinds;
}

bool is_loopback(const upstream::Origin& site)
{
    try {
        return upstream::read_origin("http://" + site.host).protocols == "http"; // plain http goes nowhere else
    } catch (const Error&) {
        return false;
    }
}

// The way that upstream is reached by; what NO_PROXY names and this very machine are called directly.
upstream::ForwardProxy find_proxy(const upstream::Origin& site, const Settings& settings,
                                  const Environment& environment)
{
    if (is_loopback(site)) return {};
    if (settings.config.upstream_proxy == "environment") {
        upstream::ForwardProxy proxy = find_environment_proxy(environment, site).proxy;
        if (proxy) add_proxy_password(proxy, settings, environment);
        return proxy;
    }
    for (const char* name : {"no_proxy", "NO_PROXY"})
        if (const auto list = environment(name); list && upstream::is_exempt(site.host, *list)) return {};
    return load_forward_proxy(settings, environment);
}

WebhookEndpoint make_endpoint(const WebhookSettings& webhook, const Settings& settings, const Environment& environment)
{
    const Address address = read_address(webhook.url);
    WebhookEndpoint endpoint;
    for (const unsigned char byte : sha256(webhook.url)) endpoint.id += fmt::format("{:02x}", byte);
    endpoint.address = webhook_address(webhook.url);
    endpoint.target = address.target;
    endpoint.kinds = read_kinds(webhook.events);
    endpoint.secrets = load_secrets(webhook, environment);
    endpoint.connection.base_url = address.base;
    endpoint.connection.max_connections = 1;
    endpoint.connection.connect_timeout = settings.config.connect_timeout;
    endpoint.connection.max_reply_bytes = longest_answer;
    endpoint.connection.ca_file = settings.config.ca_file;
    endpoint.connection.proxy = find_proxy(upstream::read_origin(address.base), settings, environment);
    return endpoint;
}

void require_different(const Settings& settings, const WebhookSettings& webhook)
{
    for (const WebhookSettings& other : settings.config.webhooks) {
        if (&other == &webhook) return;
        if (other.url == webhook.url)
            throw Error(Fault::settings, "one webhook may name several events", "{}: webhook: its url stands in {} too",
                        webhook.where, other.where);
    }
}

} // namespace

std::optional<Error> put_webhook_entry(std::vector<WebhookSettings>& webhooks, const TomlEntry& entry,
                                       const std::string& where)
{
    if (entry.item < 0)
        return Error(Fault::settings, "write [[webhook]], with two brackets: there may be several",
                     "{}: webhook is no table of its own", where);
    const auto at = static_cast<std::size_t>(entry.item);
    if (webhooks.size() <= at) webhooks.resize(at + 1);
    if (webhooks[at].where.empty()) webhooks[at].where = where;
    if (entry.key == "webhook") return std::nullopt; // the table itself
    const std::string_view name = std::string_view(entry.key).substr(entry.key.find('.') + 1);
    for (const Key& key : keys)
        if (key.name == name) return put_value(webhooks[at], key, entry, where);
    return Error(Fault::settings, "a webhook has url, secret_file and events", "{}: there is no setting {}", where,
                 entry.key);
}

std::string_view webhook_event_of(std::string_view kind) noexcept
{
    for (const EventName& event : events)
        if (event.kind == kind) return event.name;
    return {};
}

std::string webhook_address(const std::string& url)
{
    const auto query = url.find_first_of("?#");
    return query == url.npos ? url : url.substr(0, query) + "?...";
}

WebhookEndpoint read_webhook(const WebhookSettings& webhook, const Settings& settings, const Environment& environment)
{
    try {
        return make_endpoint(webhook, settings, environment);
    } catch (const Error& error) {
        throw Error(Fault::settings, error.hint(), "{}: webhook: {}", webhook.where, error.what());
    }
}

std::vector<WebhookEndpoint> read_webhooks(const Settings& settings, const Environment& environment)
{
    std::vector<WebhookEndpoint> endpoints;
    for (const WebhookSettings& webhook : settings.config.webhooks) {
        require_different(settings, webhook);
        endpoints.push_back(read_webhook(webhook, settings, environment));
    }
    return endpoints;
}

std::vector<Error> find_webhook_faults(const Settings& settings, const Environment& environment)
{
    std::vector<Error> faults;
    for (const WebhookSettings& webhook : settings.config.webhooks) try {
            require_different(settings, webhook);
            read_webhook(webhook, settings, environment);
        } catch (const Error& error) {
            faults.push_back(error);
        }
    return faults;
}

} // namespace alli::daemon
