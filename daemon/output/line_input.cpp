// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/line_input.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace alli::daemon {

bool LineInput::read_some(bool wait, std::deque<InputLine>& lines)
{
    pollfd asked{descriptor_, POLLIN, 0};
    if (::poll(&asked, 1, wait ? -1 : 0) <= 0) return true; // nothing yet, or a signal
    std::array<char, 65536> piece{};
    const ssize_t count = ::read(descriptor_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) return true;
    if (count <= 0) {
        end_line(lines);
        return false;
    }
    for (const char letter : std::string_view(piece.data(), static_cast<std::size_t>(count))) take(letter, lines);
    return true;
}

void LineInput::take(char letter, std::deque<InputLine>& lines)
{
    if (letter != '\n') {
        if (text_.size() < longest_)
            text_ += letter;
        else
            too_long_ = true;
        return;
    }
    end_line(lines);
}

void LineInput::end_line(std::deque<InputLine>& lines)
{
    if (text_.ends_with('\r')) text_.pop_back();
    const bool blank = text_.find_first_not_of(" \t\r") == std::string::npos;
    if (std::exchange(too_long_, false))
        lines.push_back({"", true});
    else if (!blank)
        lines.push_back({std::move(text_), false});
    text_.clear();
}

} // namespace alli::daemon
