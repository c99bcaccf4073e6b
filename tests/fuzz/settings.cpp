// SPDX-License-Identifier: Apache-2.0
// A settings file: any bytes are entries with their lines, or a mistake in the settings that names the file.
#include "alli/error.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/toml_file.hpp"
#include "tests/fuzz/target.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace alli;
using namespace alli::daemon;

namespace {

/// A file in memory that has a path.
class File {
  public:
    File() : file_(::memfd_create("settings", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(file_))
    {
        fuzz::require(file_ >= 0 && ::fchmod(file_, 0600) == 0, "there is memory");
    }
    void write(std::string_view text) const
    {
        fuzz::require(::ftruncate(file_, 0) == 0, "it can be emptied");
        const auto wrote = ::pwrite(file_, text.data(), text.size(), 0);
        fuzz::require(wrote == static_cast<ssize_t>(text.size()), "it can be written");
    }
    const std::string& path() const { return path_; }

  private:
    int file_;
    std::string path_;
};

void check_duration(std::string_view text)
{
    const auto span = read_duration(text);
    if (span) fuzz::require(read_duration(write_duration(*span)) == span, "a duration is read as written");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const File file;
    file.write(fuzz::text_of(data, size));
    try {
        for (const TomlEntry& entry : read_toml(file.path())) {
            fuzz::require(entry.line > 0 && !entry.key.empty(), "an entry has a name and a line");
            if (const auto* text = std::get_if<std::string>(&entry.value)) check_duration(*text);
        }
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::settings, "what is wrong is the file");
    }
    return 0;
}
