// SPDX-License-Identifier: Apache-2.0
// What upstream answered, kept, to hold against what the proxy answers: the same targets, field for field. Bytes are
// compared first, for the mirror keeps them; where they differ, the JSON decides.
#pragma once

#include "sandbox/sandbox.hpp"
#include "tests/support/http_client.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace alli::scenario {

/// One way through a list: its query but for page size and cursor, and all items in order.
struct ListWalk {
    std::string query; // "order=CREATED_AT_ASC&userIds=u1"
    int page_size = 50;
    std::vector<std::string> pages; // each its items' text; pages without items, which upstream may send, are left out
};

/// Asks one address over a connection that is kept. A failed request throws with what was asked and answered.
class Reader {
  public:
    explicit Reader(std::uint16_t port);
    std::string get(const std::string& target);
    ListWalk walk(const std::string& query, int page_size);

  private:
    std::uint16_t port_;
    std::unique_ptr<support::HttpConnection> connection_;
};

/// Everything that upstream holds, as it answers it.
class Truth {
  public:
    /// Every conversation alone, all their chat pages, the whole list at `page_size`, and one walk for each filter and
    /// order.
    Truth(const sandbox::Sandbox& upstream, const std::vector<int>& page_sizes);

    /// Reads the same through `port` and returns what differs, the first few; empty when all is the same.
    std::vector<std::string> differences(std::uint16_t port) const;

    std::size_t conversations() const noexcept { return conversations_; }
    std::size_t chats() const noexcept { return chats_; }

  private:
    void read_conversation(Reader& reader, const std::string& id);
    void read_lists(Reader& reader, const sandbox::Sandbox& upstream, const std::vector<int>& page_sizes);

    std::vector<std::pair<std::string, std::string>> answers_; // target, body
    std::vector<ListWalk> walks_;
    std::size_t conversations_ = 0, chats_ = 0;
};

/// An id in a path, as careful clients write it: '=', '+' and '/' encoded.
std::string encode(const std::string& id);

} // namespace alli::scenario
