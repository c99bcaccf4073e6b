// SPDX-License-Identifier: Apache-2.0
// Root beside a mirror of another user: what it writes there is that user's, and a link that a service which was taken
// over has laid leads it to nothing that the service could not change itself. For a process of one thread.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace alli::daemon {

/// For as long as it lives, root has the rights of the user that the file's directory belongs to, and no more. Of
/// anybody else nothing changes. Throws Error{io}.
class ActingOwner {
  public:
    explicit ActingOwner(const std::string& file);
    ActingOwner(const ActingOwner&) = delete;
    ActingOwner& operator=(const ActingOwner&) = delete;
    ~ActingOwner();

  private:
    bool acts_ = false;
    gid_t group_ = 0;
    std::vector<gid_t> groups_;
};

} // namespace alli::daemon
