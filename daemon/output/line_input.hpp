// SPDX-License-Identifier: Apache-2.0
// Reads lines from a descriptor; the last one may lack a line end. A line above the limit is reported as too long, and
// reading continues behind it.
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

    /// Reads available input, and waits for some if `wait`. False at the end of input.
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
