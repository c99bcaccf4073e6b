// SPDX-License-Identifier: Apache-2.0
// Starts the program anew in the same process, as after a restore: with its arguments, its environment, the key where
// that came in the environment, and the service manager's sockets, which stay open meanwhile.
#pragma once

#include <string>
#include <vector>

namespace alli::daemon {

class Restart {
  public:
    /// `passed`: the service manager's sockets, before anybody takes them over. `key`: that of the environment, which
    /// was wiped there; empty: it came from elsewhere.
    Restart(const std::vector<int>& passed, std::string key);
    ~Restart();
    Restart(const Restart&) = delete;
    Restart& operator=(const Restart&) = delete;

    /// After everything is closed and every thread has ended. Throws Error{io} if it cannot.
    [[noreturn]] void run() const;

  private:
    std::vector<int> kept_; // copies, closed on exec
    std::string key_;
};

} // namespace alli::daemon
