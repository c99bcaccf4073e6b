// SPDX-License-Identifier: Apache-2.0
// Lines of a descriptor as they come, the last one with an end or without. One that is longer than a message may be is
// told as such, its bytes dropped, and the next one is read.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

namespace alli::daemon {

struct InputLine {
    std::string text; // never empty nor blank, and without the end of the line, unless
    bool too_long = false;
};

class LineInput {
  public:
    LineInput(int descriptor, std::size_t longest) : descriptor_(descriptor), longest_(longest) {}

    /// Takes in what is there, waiting for something where `wait`. False: nothing more will come.
    bool read_some(bool wait, std::deque<InputLine>& lines);

  private:
    void take(char letter, std::deque<InputLine>& lines);
    void end_line(std::deque<InputLine>& lines);

    int descriptor_;
    std::size_t longest_;
    std::string text_;
    bool too_long_ = false;
};

} // namespace alli::daemon
