// SPDX-License-Identifier: Apache-2.0
// The settings that change what the mirror of all nodes means, and whose mirror it is: the first leader publishes its
// own in the place of the state "settings", and a node whose own differ does not take part. Runs on the node's loop.
#pragma once

#include "cluster/node_options.hpp"
#include "cluster/truth.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::cluster {

inline constexpr const char* settings_name = "settings";

std::string write_settings(const SharedSettings& settings);
/// Whatever is not of that form is passed over.
SharedSettings read_settings(std::string_view text);

/// Throws Error{settings} that names both values of the first that differs. One that only one of both knows, which may
/// be of another version, does not.
void require_same(const SharedSettings& ours, const SharedSettings& shared);

class SettingsGuard {
  public:
    SettingsGuard(Truth& truth, const NodeOptions& options) : truth_(truth), ours_(options.settings) {}

    /// Asks for what is shared unless it is known to be the same. Throws Error{settings} where it differs, or what the
    /// truth throws.
    Task<> check();
    /// What is shared was changed, or may have been. Throws as check().
    void hear(const std::vector<cache::PublishedState>& state);
    Task<> check_again();
    /// Since the last check.
    bool differs() const noexcept { return differs_; }

    /// For a leader: what nobody published yet. Returns the position after it, none where there is nothing.
    Task<std::optional<Position>> publish(Position mine, std::int64_t epoch);

  private:
    Truth& truth_;
    const SharedSettings& ours_;
    SharedSettings shared_;
    bool known_ = false, differs_ = false;
};

} // namespace alli::cluster
