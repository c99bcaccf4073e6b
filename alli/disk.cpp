// SPDX-License-Identifier: Apache-2.0
#include "alli/disk.hpp"

#include "alli/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace alli {

void sync_to_disk(const std::string& path)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    const int why = errno;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) throw Error(Fault::io, "see the system's log", "cannot sync {}: {}", path, std::strerror(why));
}

} // namespace alli
