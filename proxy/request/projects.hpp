// SPDX-License-Identifier: Apache-2.0
// What Reports may know beside: the other projects of this machine. An interface of its own, for most that report have
// none.
#pragma once

#include <string>

namespace alli::proxy {

class ProjectList {
  public:
    virtual ~ProjectList() = default;
    /// The JSON of GET /mirror/v1/projects. Looks at files: on a thread for long reads.
    virtual std::string projects() = 0;
};

} // namespace alli::proxy
