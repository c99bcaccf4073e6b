// SPDX-License-Identifier: Apache-2.0
// What the sandbox saw: requests, counted without end and remembered for a while, and the writes that it applied.
// Not safe for several threads: the sandbox's core guards it.
#pragma once

#include "sandbox/records.hpp"

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace alli::sandbox {

class Journal {
  public:
    void saw(RequestRecord record);
    void wrote(std::string_view operation, std::string_view conversation_id, std::string_view body);
    void clear();

    std::vector<RequestRecord> requests() const { return {requests_.begin(), requests_.end()}; }
    std::vector<WriteRecord> writes() const { return {writes_.begin(), writes_.end()}; }
    std::size_t count(std::string_view operation) const;
    std::size_t busiest(std::chrono::nanoseconds span, std::string_view operation) const;

  private:
    std::deque<RequestRecord> requests_;
    std::deque<WriteRecord> writes_;
    std::map<std::string, std::size_t, std::less<>> counts_;
    std::map<std::string, int, std::less<>> equal_writes_;
};

} // namespace alli::sandbox
