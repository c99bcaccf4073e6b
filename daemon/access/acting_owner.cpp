// SPDX-License-Identifier: Apache-2.0
#include "daemon/access/acting_owner.hpp"

#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "daemon/settings/paths.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace alli::daemon {

static std::vector<gid_t> load_groups()
{
    std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
    groups.resize(static_cast<std::size_t>(std::max(::getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
    return groups;
}

// In a namespace that does not let groups be set, those of root stay: of them the files are not.
static void put_groups(const std::vector<gid_t>& groups)
{
    if (::setgroups(groups.size(), groups.data()) != 0 && errno != EPERM) std::abort();
}

ActingOwner::ActingOwner(const std::string& file)
{
    struct stat status = {};
    if (::geteuid() != 0 || ::stat(parent_directory(file).c_str(), &status) != 0 || status.st_uid == 0) return;
    group_ = ::getegid();
    groups_ = load_groups();
    put_groups({status.st_gid});
    acts_ = ::setegid(status.st_gid) == 0 && ::seteuid(status.st_uid) == 0;
    if (acts_) return;
    const std::string why = std::strerror(errno);
    if (::setegid(group_) != 0) std::abort();
    put_groups(groups_);
    throw Error(Fault::io, "run it as that user", "cannot act as {}, whose {} is: {}", user_name(status.st_uid), file,
                why);
}

// What follows would be done by the wrong user.
ActingOwner::~ActingOwner()
{
    if (!acts_) return;
    if (::seteuid(0) != 0 || ::setegid(group_) != 0) std::abort();
    put_groups(groups_);
}

} // namespace alli::daemon
