// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/output_file.hpp"

#include "alli/error.hpp"
#include "alli/part_file.hpp"
#include "daemon/output/terminal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace alli::daemon {

static std::FILE* open_part(const std::string& path, const std::string& part)
{
    if (path.empty()) return stdout;
    struct stat status = {};
    if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        throw Error(Fault::io, "name a file that may be replaced; without --output it goes to stdout",
                    "{} is there, and no file", path);
    const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    std::FILE* file = descriptor < 0 ? nullptr : ::fdopen(descriptor, "wb");
    if (file == nullptr)
        throw Error(errno == ENOSPC ? Fault::disk_full : Fault::io, "the directory must exist and be writable",
                    "cannot write {}: {}", part, std::strerror(errno));
    return file;
}

OutputFile::OutputFile(const std::string& path)
    : path_(path), part_(path.empty() ? "" : begin_part(path)), file_(open_part(path_, part_)),
      terminal_(path_.empty() && ::isatty(STDOUT_FILENO) == 1)
{}

OutputFile::~OutputFile()
{
    if (path_.empty() || file_ == nullptr) return;
    std::fclose(file_);
    ::unlink(part_.c_str());
}

void OutputFile::write(std::string_view text)
{
    if (text.empty()) return; // which may be no text at all, and C's writer takes no null
    const std::string clean = terminal_ ? printable(text) : "";
    const std::string_view out = terminal_ ? std::string_view(clean) : text;
    if (std::fwrite(out.data(), 1, out.size(), file_) != out.size()) fail();
}

void OutputFile::finish()
{
    if (std::fflush(file_) != 0) fail();
    if (path_.empty()) return;
    if (::fsync(::fileno(file_)) != 0) fail();
    std::FILE* done = std::exchange(file_, nullptr);
    const bool closed = std::fclose(done) == 0;
    if (!closed || std::rename(part_.c_str(), path_.c_str()) != 0) {
        const int why = errno;
        ::unlink(part_.c_str());
        throw Error(Fault::io, "see whether the disk is full or read-only", "cannot make {}: {}", path_,
                    std::strerror(why));
    }
}

void OutputFile::fail() const
{
    const int why = errno;
    const std::string name = path_.empty() ? "the output" : path_;
    if (why == EPIPE) throw Error(Fault::io, "", "{} was closed by its reader", name);
    throw Error(why == ENOSPC ? Fault::disk_full : Fault::io, "see whether the disk is full", "cannot write {}: {}",
                name, std::strerror(why));
}

} // namespace alli::daemon
