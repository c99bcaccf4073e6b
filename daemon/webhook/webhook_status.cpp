// SPDX-License-Identifier: Apache-2.0
#include "daemon/webhook/webhook_status.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::daemon {
namespace {

using Life = cache::WebhookState::Life;

Json time_or_null(std::optional<Instant> at)
{
    return at ? Json(to_rfc3339(*at)) : Json(nullptr);
}

Json make_answer(const cache::WebhookState& webhook)
{
    if (!webhook.answered_at) return nullptr;
    Json answer;
    answer["at"] = time_or_null(webhook.answered_at);
    answer["status"] = webhook.last_status ? Json(*webhook.last_status) : Json(nullptr);
    answer["error"] = webhook.last_error ? Json(*webhook.last_error) : Json(nullptr);
    return answer;
}

Json make_webhook(const cache::WebhookState& webhook, cache::Reader& mirror, cache::Reader& outbox)
{
    const std::int64_t waiting = cache::count_changes(mirror, webhook.position, webhook.kinds, most_counted + 1);
    Json json;
    json["url"] = webhook.address;
    json["state"] = webhook_state_name(webhook);
    json["position"] = webhook.position;
    json["waiting"] = std::min(waiting, most_counted);
    json["waitingExact"] = waiting <= most_counted;
    json["held"] = cache::count_webhook_holds(outbox, webhook.id);
    json["delivered"] = webhook.delivered;
    json["failures"] = webhook.failures;
    json["givenUp"] = webhook.given_up;
    json["lastDeliveredAt"] = time_or_null(webhook.delivered_at);
    json["lastAnswer"] = make_answer(webhook);
    json["failingSince"] = time_or_null(webhook.failing_since);
    json["nextAttemptAt"] = time_or_null(webhook.retry_at);
    return json;
}

Json make_problem(const cache::WebhookState& webhook, std::string what, std::string hint)
{
    Json problem;
    problem["what"] = std::move(what);
    problem["since"] = time_or_null(webhook.failing_since);
    problem["hint"] = std::move(hint);
    return problem;
}

} // namespace

std::string_view webhook_state_name(const cache::WebhookState& webhook) noexcept
{
    if (webhook.life != Life::alive) return name_of(webhook.life);
    return webhook.tries > 0 ? "failing" : "delivering";
}

Json make_webhooks(cache::Reader& mirror, cache::Reader& outbox)
{
    Json all = Json::array();
    for (const cache::WebhookState& webhook : cache::load_webhooks(outbox))
        all.push_back(make_webhook(webhook, mirror, outbox));
    return all;
}

void add_webhook_problems(Json& problems, cache::Reader& outbox, Instant now)
{
    constexpr std::chrono::hours tolerated{1};
    for (const cache::WebhookState& webhook : cache::load_webhooks(outbox)) {
        const std::string error = webhook.last_error.value_or("no answer");
        if (webhook.life == Life::gone)
            problems.push_back(
                make_problem(webhook, fmt::format("the webhook {} is not called any more: {}", webhook.address, error),
                             "take it out of the settings; or, where its receiver is back, alli-mirror webhook wake"));
        else if (webhook.life == Life::dead)
            problems.push_back(
                make_problem(webhook,
                             fmt::format("the webhook {} is not called any more: it took nothing for a week: {}",
                                         webhook.address, error),
                             "when its receiver is well again: alli-mirror webhook wake; it goes on where it was"));
        else if (webhook.failing_since && now - *webhook.failing_since > tolerated)
            problems.push_back(make_problem(
                webhook, fmt::format("the webhook {} does not take events, which wait: {}", webhook.address, error),
                "look at its receiver; alli-mirror webhook test sends one event now"));
    }
}

} // namespace alli::daemon
