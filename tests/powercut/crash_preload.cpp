// SPDX-License-Identifier: Apache-2.0
// Loaded before the program (LD_PRELOAD), which knows nothing of it: what the process does to the files of
// $ALLI_CRASH_DIRECTORY is counted by operation and file, and at one of these calls it is killed. See crash_run.hpp.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

struct Plan {
    const char* directory = std::getenv("ALLI_CRASH_DIRECTORY");
    const char* log = std::getenv("ALLI_CRASH_LOG");     // each call, a line
    const char* armed = std::getenv("ALLI_CRASH_ARMED"); // nothing counts before this file is there
    const char* at = std::getenv("ALLI_CRASH_AT");       // "sync mirror.db-wal"
    long number = number_in("ALLI_CRASH_NUMBER");        // of these calls, from 1
    bool after = number_in("ALLI_CRASH_AFTER") == 1;     // rather than before it

    static long number_in(const char* name)
    {
        const char* text = std::getenv(name);
        return text != nullptr ? std::atol(text) : 0;
    }
};

const Plan& plan()
{
    static const Plan it;
    return it;
}

template <class F>
F* next(const char* name)
{
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

// A time or a number that differs from run to run is one name.
std::string generic(const std::string& name)
{
    std::string text;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t end = std::min(name.find_first_not_of("0123456789abcdefTZ:.-", at), name.size());
        const bool varies = end - at >= 8;
        text += varies ? "#" : name.substr(at, std::max<std::size_t>(end - at, 1));
        at = std::max(end, at + 1);
    }
    return text;
}

std::string absolute(const char* path)
{
    if (path[0] == '/') return path;
    char here[PATH_MAX];
    return std::string(::getcwd(here, sizeof here) != nullptr ? here : "") + '/' + path;
}

std::string path_of(int fd)
{
    char path[PATH_MAX];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string();
}

void append(const char* path, const std::string& line)
{
    static auto* const write_it = next<ssize_t(int, const void*, std::size_t)>("write");
    const int fd = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    write_it(fd, line.data(), line.size());
    ::close(fd);
}

bool is_armed()
{
    static std::atomic<bool> seen{false};
    if (plan().armed == nullptr || seen) return true;
    if (::access(plan().armed, F_OK) == 0) seen = true;
    return seen;
}

/// One call: killed before or after it, where it is the one.
class Call {
  public:
    Call(const char* operation, const std::string& path) : hit_(is_hit(operation, path)) { end_if(!plan().after); }
    ~Call() { end_if(plan().after); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

  private:
    static bool is_hit(const char* operation, const std::string& path)
    {
        static std::atomic<long> count{0};
        if (plan().directory == nullptr) return false;
        const std::string within = std::string(plan().directory) + '/';
        if (path.compare(0, within.size(), within) != 0 || path.find("-shm") != path.npos) return false;
        if (!is_armed()) return false;
        const std::string name = std::string(operation) + ' ' + generic(path.substr(within.size()));
        if (plan().log != nullptr) append(plan().log, name + '\n');
        return plan().at != nullptr && name == plan().at && ++count == plan().number;
    }
    void end_if(bool now) const
    {
        if (hit_ && now) ::kill(::getpid(), SIGKILL);
    }

    bool hit_;
};

} // namespace

extern "C" {

int fsync(int fd)
{
    const Call call("sync", path_of(fd));
    return next<int(int)>("fsync")(fd);
}

int fdatasync(int fd)
{
    const Call call("sync", path_of(fd));
    return next<int(int)>("fdatasync")(fd);
}

ssize_t pwrite64(int fd, const void* bytes, std::size_t size, off64_t at)
{
    const Call call("write", path_of(fd));
    return next<ssize_t(int, const void*, std::size_t, off64_t)>("pwrite64")(fd, bytes, size, at);
}

ssize_t pwrite(int fd, const void* bytes, std::size_t size, off_t at)
{
    const Call call("write", path_of(fd));
    return next<ssize_t(int, const void*, std::size_t, off_t)>("pwrite")(fd, bytes, size, at);
}

ssize_t write(int fd, const void* bytes, std::size_t size)
{
    const Call call("write", path_of(fd));
    return next<ssize_t(int, const void*, std::size_t)>("write")(fd, bytes, size);
}

int ftruncate64(int fd, off64_t size) noexcept
{
    const Call call("truncate", path_of(fd));
    return next<int(int, off64_t)>("ftruncate64")(fd, size);
}

int ftruncate(int fd, off_t size) noexcept
{
    const Call call("truncate", path_of(fd));
    return next<int(int, off_t)>("ftruncate")(fd, size);
}

int rename(const char* from, const char* to) noexcept
{
    const Call call("rename", absolute(from));
    return next<int(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* path) noexcept
{
    const Call call("remove", absolute(path));
    return next<int(const char*)>("unlink")(path);
}

int unlinkat(int directory, const char* path, int flags) noexcept
{
    const Call call("remove", path[0] == '/' ? path : path_of(directory) + '/' + path);
    return next<int(int, const char*, int)>("unlinkat")(directory, path, flags);
}

int remove(const char* path) noexcept
{
    const Call call("remove", absolute(path));
    return next<int(const char*)>("remove")(path);
}

int mkdir(const char* path, mode_t mode) noexcept
{
    const Call call("make", absolute(path));
    return next<int(const char*, mode_t)>("mkdir")(path, mode);
}
}
