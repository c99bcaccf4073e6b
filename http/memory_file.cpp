// SPDX-License-Identifier: Apache-2.0
#include "http/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace alli::http {
namespace {

constexpr std::uint64_t longest = std::uint64_t{1} << 40U; // of a file; nearly all of it is holes

std::size_t page_size() noexcept
{
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

int open_file() noexcept
{
    const int file = ::memfd_create("alli-mirror responses", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (file >= 0 || errno != EINVAL) return file;
    return ::memfd_create("alli-mirror responses", MFD_CLOEXEC); // Linux before 6.3
}

// A hole in a huge page is made by zeroing that part of it, which a peer that has not read yet would receive; of pages
// of the ordinary size it only takes them out of the file. A write() could get huge pages, these pages cannot. Nothing
// is touched before the kernel has promised the memory.
bool fill(void* pages, std::size_t size, std::string_view body) noexcept
{
    if (::madvise(pages, size, MADV_NOHUGEPAGE) != 0 && errno != EINVAL) return false;     // EINVAL: it knows no others
    if (::madvise(pages, size, MADV_POPULATE_WRITE) != 0 && errno != EINVAL) return false; // EINVAL: before 5.14
    std::memcpy(pages, body.data(), body.size());
    return true;
}

bool write_at(int file, std::uint64_t offset, std::string_view body) noexcept
{
    const std::size_t size = MemoryFile::footprint(body.size());
    const auto at = static_cast<off_t>(offset);
    if (::ftruncate(file, at + static_cast<off_t>(size)) != 0) return false;
    void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, at);
    if (pages == MAP_FAILED) return false;
    const bool written = fill(pages, size, body);
    ::munmap(pages, size);
    return written;
}

} // namespace

struct MemoryFile::Descriptor {
    explicit Descriptor(int opened) : number(opened) {}
    ~Descriptor() { ::close(number); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    const int number;
};

MemoryFile::Extent::Extent(std::shared_ptr<const Descriptor> file, std::uint64_t offset, std::size_t size)
    : file_(std::move(file)), offset_(offset), size_(size)
{}

// Where that fails the memory is given back with the file.
MemoryFile::Extent::~Extent()
{
    static_cast<void>(::fallocate(file_->number, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                  static_cast<off_t>(offset_), static_cast<off_t>(footprint(size_))));
}

int MemoryFile::Extent::descriptor() const noexcept
{
    return file_->number;
}

std::string MemoryFile::Extent::text() const
{
    std::string copy(size_, '\0');
    std::size_t read = 0;
    while (read < size_) {
        const auto count = ::pread(file_->number, copy.data() + read, size_ - read, static_cast<off_t>(offset_ + read));
        if (count <= 0) break;
        read += static_cast<std::size_t>(count);
    }
    copy.resize(read);
    return copy;
}

std::size_t MemoryFile::footprint(std::size_t size) noexcept
{
    return (size + page_size() - 1) / page_size() * page_size();
}

std::shared_ptr<const MemoryFile::Extent> MemoryFile::put(std::string_view body)
{
    if (body.empty()) return nullptr;
    if (!file_ || end_ > longest) {
        const int opened = open_file();
        if (opened < 0) return nullptr;
        file_ = std::make_shared<const Descriptor>(opened);
        end_ = 0;
    }
    auto extent = std::make_shared<const Extent>(file_, end_, body.size()); // a failed write is punched out as well
    if (!write_at(file_->number, end_, body)) {
        file_.reset(); // the limit of a file's size may not have been the system's
        return nullptr;
    }
    end_ += footprint(body.size());
    return extent;
}

std::uint64_t MemoryFile::allocated() const
{
    struct stat found {};
    if (!file_ || ::fstat(file_->number, &found) != 0) return 0;
    return static_cast<std::uint64_t>(found.st_blocks) * 512;
}

} // namespace alli::http
