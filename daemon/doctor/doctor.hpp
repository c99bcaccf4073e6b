// SPDX-License-Identifier: Apache-2.0
// The checks of `doctor`. Each reports diagnoses with a hint. Read-only; one check requests one conversation from
// upstream.
#pragma once

#include "alli/error.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/paths.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::daemon {

enum class Health { ok, warning, failed };
std::string_view name_of(Health health) noexcept;

struct Diagnosis {
    std::string check;
    Health health = Health::ok;
    std::string what, hint;
    Fault fault = Fault::io; // of a failed one: for the exit code
};

/// What the checks read.
struct DoctorContext {
    const Context& context;
    Settings settings;
    MirrorLocation place;
    std::optional<int> owner; // the process of the daemon
    Json status;              // null: there is no mirror to read, or it cannot be read
    bool offline = false;     // leave upstream alone

    /// A service's files, which this user may not see.
    bool is_hidden() const { return owner == hidden_owner; }
};

/// The diagnoses of one check.
class CheckResults {
  public:
    explicit CheckResults(std::string_view check) : check_(check) {}

    void ok(std::string what) { add(Health::ok, std::move(what), ""); }
    void warn(std::string what, std::string hint) { add(Health::warning, std::move(what), std::move(hint)); }
    void fail(const Error& error) { add(Health::failed, error.what(), error.hint(), error.fault()); }
    std::vector<Diagnosis> list;

  private:
    void add(Health health, std::string what, std::string hint, Fault fault = Fault::io)
    {
        list.push_back({std::string(check_), health, std::move(what), std::move(hint), fault});
    }
    std::string_view check_;
};

/// Every check, in the order of its table. A check that throws Error has failed.
std::vector<Diagnosis> diagnose(const Context& context, bool offline);

// The files: doctor_files.cpp.
void check_directory(const DoctorContext& cx, CheckResults& results);
void check_disk(const DoctorContext& cx, CheckResults& results);
void check_mirror(const DoctorContext& cx, CheckResults& results);
void check_outbox(const DoctorContext& cx, CheckResults& results);
void check_damage(const DoctorContext& cx, CheckResults& results);
void check_tokens(const DoctorContext& cx, CheckResults& results);

// Where it listens: doctor_socket.cpp.
void check_socket(const DoctorContext& cx, CheckResults& results);

// The database that several machines share: doctor_cluster.cpp. Says nothing where this machine is alone.
void check_cluster(const DoctorContext& cx, CheckResults& results);

// The way to upstream, and upstream, its clock too: doctor_upstream.cpp.
void check_network(const DoctorContext& cx, CheckResults& results);
void check_upstream(const DoctorContext& cx, CheckResults& results);

} // namespace alli::daemon
