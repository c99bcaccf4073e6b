// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/spool.hpp"

#include "alli/error.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace alli::daemon {

[[noreturn]] static void fail()
{
    const int why = errno;
    throw Error(why == ENOSPC ? Fault::disk_full : Fault::io, "see whether there is room where temporary files lie",
                "cannot keep a long conversation until it is written: {}", std::strerror(why));
}

void Spool::write(std::string_view text)
{
    text_ += text;
    if (text_.size() > most_) spill();
}

void Spool::spill()
{
    if (!file_) file_.reset(std::tmpfile());
    if (!file_ || std::fwrite(text_.data(), 1, text_.size(), file_.get()) != text_.size()) fail();
    text_.clear();
}

void Spool::pour(const std::function<void(std::string_view)>& sink)
{
    if (const auto file = std::exchange(file_, nullptr)) {
        if (std::fflush(file.get()) != 0) fail();
        std::rewind(file.get());
        std::array<char, 65536> piece{};
        for (std::size_t size = 0; (size = std::fread(piece.data(), 1, piece.size(), file.get())) > 0;)
            sink({piece.data(), size});
        if (std::ferror(file.get()) != 0) fail();
    }
    sink(text_);
    text_.clear();
}

} // namespace alli::daemon
