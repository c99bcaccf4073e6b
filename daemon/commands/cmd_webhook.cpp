// SPDX-License-Identifier: Apache-2.0
// `webhook list|test|wake`: what the webhooks have been told, one signed event sent from here, and a receiver that is
// well again.
#include "alli/error.hpp"
#include "daemon/access/maintain.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/webhook_settings.hpp"
#include "daemon/webhook/webhooks.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace alli::daemon {

struct WebhookArguments {
    std::string url;
    bool json = false;
};

static std::string text_of(const Json& json, const char* name)
{
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? printable_line(found->get<std::string>()) : "";
}

static std::string say_answer(const Json& webhook)
{
    const Json answer = webhook.value("lastAnswer", Json());
    if (!answer.is_object()) return "nothing was sent yet";
    const std::string error = text_of(answer, "error");
    const std::string said = error.empty() ? fmt::format("answered {}", answer.value("status", 0)) : error;
    return fmt::format("{}, {}", said, say_time(from_rfc3339(text_of(answer, "at"))));
}

static std::string say_waiting(const Json& webhook)
{
    const auto waiting = webhook.value("waiting", std::int64_t{0});
    std::string text = webhook.value("waitingExact", true) ? fmt::format("{} waiting", waiting)
                                                           : fmt::format("more than {} waiting", waiting);
    if (const auto held = webhook.value("held", std::int64_t{0}); held > 0)
        text += fmt::format(", {} conversation{} held", held, held == 1 ? "" : "s");
    if (const auto lost = webhook.value("givenUp", std::int64_t{0}); lost > 0)
        text += fmt::format(", {} left out", lost);
    return text;
}

static int list(const WebhookArguments& arguments, const Context& context)
{
    const Json status = load_status(context);
    const Json webhooks = status.value("webhooks", Json::array());
    if (arguments.json) {
        print_json(dump(Json{{"webhooks", webhooks}}, 2));
        return 0;
    }
    for (const Json& webhook : webhooks) {
        fmt::print("{}  {}\n", text_of(webhook, "url"), text_of(webhook, "state"));
        fmt::print("  position {}, {}, {} delivered\n", webhook.value("position", std::int64_t{0}),
                   say_waiting(webhook), webhook.value("delivered", std::int64_t{0}));
        fmt::print("  last answer: {}\n", say_answer(webhook));
        if (const std::string since = text_of(webhook, "failingSince"); !since.empty())
            fmt::print("  failing since {}\n", say_time(from_rfc3339(since)));
        if (const std::string at = text_of(webhook, "nextAttemptAt"); !at.empty())
            fmt::print("  tried again at {}\n", say_time(from_rfc3339(at)));
    }
    if (webhooks.empty())
        fmt::print("there are no webhooks: [[webhook]] in the settings makes one, and serve begins to call it\n");
    return 0;
}

static const WebhookSettings& choose(const std::vector<WebhookSettings>& webhooks, const std::string& url)
{
    if (webhooks.empty())
        throw Error(Fault::usage, "[[webhook]] with url and secret_file; see docs/webhooks.md",
                    "the settings name no webhook");
    if (url.empty() && webhooks.size() == 1) return webhooks.front();
    if (url.empty()) throw Error(Fault::usage, "give its url", "there are {} webhooks", webhooks.size());
    for (const WebhookSettings& webhook : webhooks)
        if (webhook.url == url || webhook_address(webhook.url) == url) return webhook;
    throw Error(Fault::usage, "alli-mirror config show lists them", "the settings name no webhook of that url");
}

static int test(const WebhookArguments& arguments, const Context& context)
{
    const Settings settings = context.settings();
    const WebhookEndpoint endpoint =
        read_webhook(choose(settings.config.webhooks, arguments.url), settings, context.environment);
    const WebhookVerdict verdict = send_webhook_test(endpoint);
    const bool taken = verdict.kind == WebhookVerdict::Kind::taken;
    if (arguments.json) {
        Json json;
        json["url"] = endpoint.address;
        json["taken"] = taken;
        json["status"] = verdict.status ? Json(*verdict.status) : Json(nullptr);
        json["error"] = verdict.error.empty() ? Json(nullptr) : Json(verdict.error);
        print_json(dump(json));
    } else if (taken) {
        fmt::print("{} took the test event: it answered {}\n", endpoint.address, *verdict.status);
    }
    if (!taken && arguments.json) return 1;
    if (!taken)
        throw Error(Fault::refused, "its receiver answers 2xx, within 20 s, to what bears a signature that it verified",
                    "{} did not take the test event: {}", endpoint.address, verdict.error);
    return 0;
}

static int wake(const WebhookArguments& arguments, const Context& context)
{
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    require_mirror(place);
    Json request{{"task", "wake_webhook"}};
    if (!arguments.url.empty()) request["url"] = webhook_address(arguments.url);
    const Json report = maintain(context, place, request);
    if (arguments.json)
        print_json(dump(report));
    else
        fmt::print("called again: {}\n", report.value("woken", 0));
    return 0;
}

Action add_webhook(CLI::App& arguments)
{
    auto chosen = std::make_shared<WebhookArguments>();
    auto action = std::make_shared<Action>();
    arguments.require_subcommand(1);
    const auto add = [&](const char* name, const char* help, int (*does)(const WebhookArguments&, const Context&)) {
        CLI::App* sub = arguments.add_subcommand(name, help);
        sub->add_flag("--json", chosen->json, "as JSON");
        sub->callback([=] { *action = [=](const Context& context) { return does(*chosen, context); }; });
        return sub;
    };
    add("list", "how far each was told the change feed, what waits, and its receiver's last answer", &list);
    add("test", "send a signed mirror.test event now, from here, and say what the receiver answers", &test)
        ->add_option("url", chosen->url, "which one, where there are several")
        ->type_name("URL");
    add("wake", "call one that is dead, gone or pausing again at once; it goes on where it was", &wake)
        ->add_option("url", chosen->url, "which one; all without it")
        ->type_name("URL");
    return [action](const Context& context) { return (*action)(context); };
}

} // namespace alli::daemon
