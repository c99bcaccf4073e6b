// SPDX-License-Identifier: Apache-2.0
// A look-alike of the service, in memory: every operation of the contract, each changing its state as the real one
// would; what the contract leaves open is an option, faults are scripted, and a log of requests and applied writes can
// be read. Owns its thread; all members may be called from any thread.
#pragma once

#include "alli/instant.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alli::sandbox {

enum class CursorKind { key, position };
enum class TimeStyle { milliseconds_fraction, milliseconds, seconds };

struct FaultRule {
    enum class Kind {
        latency,
        too_many,
        too_many_retry_after,
        unavailable_html,
        reset_before,
        reset_after,
        cut_body,
        not_json
    };

    Kind kind = Kind::latency;
    std::string route = "*"; // an operationId of the contract ("listConversations"), or "*"
    int skip = 0;            // leave the first ones alone
    int count = -1;          // then strike this often; -1: always
    std::int64_t amount = 0; // latency: ms; too_many_retry_after: seconds

    // Latency, 429, 5xx and reset_before strike before anything is applied; reset_after, cut_body and not_json after
    // it. Of several rules that fit, one strikes a request, in their order; latency adds to it.
};

struct Options {
    std::string listen = "127.0.0.1:0"; // port 0: any free one
    std::string api_key = "sandbox";
    std::uint64_t seed = 1;
    int conversations = 0;   // 0: 200 of its own, or each of the corpus once; more than that: several times over
    std::string corpus = {}; // JSONL, plain or gzip; empty: its own dialogues
    TimeStyle time_style = TimeStyle::milliseconds_fraction;
    CursorKind cursor = CursorKind::key;
    bool bounds_inclusive = false;
    int embedded_chats = 20;       // in a list item: 0 to 20
    bool empty_pages = false;      // now and then a page without items that still carries a cursor
    bool refuse_orders = false;    // any order but the default gets 400
    std::int64_t date_skew_ms = 0; // of its Date header against the true time
    bool send_date = true;
    std::vector<FaultRule> faults = {};
    std::function<Instant()> clock = {}; // what it takes for the true time; called from any thread; empty: the system's
};

/// "kind[:route[:count[:amount]]]", as --fault takes it. Throws Error{usage} that lists the kinds.
FaultRule parse_fault(std::string_view text);

struct RequestRecord {
    std::string operation; // operationId, or "unknown"
    std::string method, target;
    int status = 0;                                           // 0: reset
    std::vector<std::pair<std::string, std::string>> headers; // as they came
    std::string body;                                         // its first 64 KiB

    std::string_view header(std::string_view name) const; // empty: none
};

struct WriteRecord {
    std::string operation, conversation_id, body;
};

class Sandbox {
  public:
    /// Builds its data and listens. Throws Error{settings} for a corpus it cannot read, Error{busy} for a port in use.
    explicit Sandbox(Options options);
    ~Sandbox();

    std::string url() const; // "http://127.0.0.1:PORT"
    std::uint16_t port() const;

    // For tests: what it holds and what it saw.
    std::vector<std::string> conversation_ids() const;
    std::int64_t chat_total() const;
    std::vector<std::string> chat_ids(const std::string& conversation_id) const; // oldest first
    std::vector<std::string> app_ids() const;
    std::vector<std::string> user_ids() const;
    std::string conversation_json(const std::string& conversation_id) const; // as a get answers it; empty: unknown
    std::vector<RequestRecord> requests() const;                             // the last 20,000
    std::size_t request_count(std::string_view operation) const;             // of all; "*": any operation
    std::vector<WriteRecord> writes() const;
    void clear_log();

    // For tests: change things as people and apps would. An unknown conversation throws Error{usage}.
    std::string add_conversation(int chats); // now; with 0 chats its last chat time is null
    std::string add_chat(const std::string& conversation_id, std::string sender, std::string text);
    void edit_title(const std::string& conversation_id, std::string title); // moves no clock
    void erase(const std::string& conversation_id);
    std::string begin_answer(const std::string& conversation_id, std::string text); // a BOT's chat that still grows
    void grow_answer(const std::string& conversation_id, std::string_view more);    // moves no clock
    void finish_answer(const std::string& conversation_id);                         // moves no clock
    void set_faults(std::vector<FaultRule> faults);
    void set_api_key(std::string key);

    void stop(); // stops listening and drops every connection; what it holds stays

  private:
    struct Core;
    std::unique_ptr<Core> core_;
};

} // namespace alli::sandbox
