// SPDX-License-Identifier: Apache-2.0
// Translates the settings into the options of an instance's parts. Pure.
#pragma once

#include "daemon/settings/settings.hpp"
#include "sync/delivery/deliverer.hpp"
#include "sync/engine.hpp"
#include "upstream/client.hpp"
#include "upstream/rate_limiter.hpp"

#include <string>

namespace alli::daemon {

upstream::Client::Options client_options(const Config& config, const std::string& key);
upstream::RateLimiter::Options pace_options(const Config& config);
sync::Options sync_options(const Config& config, bool accept_deletions);
sync::DeliveryOptions delivery_options(const Config& config);

} // namespace alli::daemon
