// SPDX-License-Identifier: Apache-2.0
// A look-alike of the service, in memory: every operation of the contract, each changing its state as the real one
// would; what the contract leaves open is an option, faults are scripted, and a log of requests and applied writes can
// be read. Owns its thread; all members may be called from any thread.
#pragma once

#include "alli/instant.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alli::sandbox {

enum class CursorKind { key, position };
/// Where conversations without a chat stand in an order by last chat time: behind all others whichever way it goes, as
/// if they were the oldest (MongoDB, MySQL) or the newest (PostgreSQL), or nowhere: it leaves them out.
enum class Chatless { behind, oldest, newest, nowhere };
enum class TimeStyle { milliseconds_fraction, milliseconds, seconds };
enum class CategoriesHold { names, ids }; // what Conversation.categories is a list of; filters and writes take ids

struct FaultRule {
    enum class Kind {
        latency,
        too_many,
        too_many_retry_after,
        unavailable_html,
        reset_before,
        reset_after,
        cut_body,
        not_json,
        too_many_date,
        bad_gateway_html,
        server_error,
        unauthorized,
        hang,
        stall,
        drip,
        wrong_type,
        same_cursor,
        empty_page,
        unasked,
        unasked_close
    };

    Kind kind = Kind::latency;
    std::string route = "*"; // an operationId of the contract ("listConversations"), or "*"
    int skip = 0;            // leave the first ones alone
    int count = -1;          // then strike this often; -1: always
    std::int64_t amount = 0; // too_many_retry_after and _date: seconds; latency, hang, stall, drip, unasked: ms
    double probability = 1;  // of each one that fits, by the sandbox's seed
    // A period: from so long after the rules were set, for so long.
    std::chrono::milliseconds after{0}, lasts{std::chrono::milliseconds::max()};

    // Latency, 401, 429, 5xx, reset_before and hang strike before anything is applied; the others spoil the answer to
    // what was applied. Of several rules that fit, one strikes a request, in their order; latency adds to it.
};

/// What happens by itself while the sandbox is asked: after an answer, by chance and by its seed.
struct LifeRule {
    enum class Kind {
        touch, // a conversation gets a chat, also one that is just being paged
        late,  // the same, with a time that lies up to `amount` ms back: it was not visible until now
        add,   // a new conversation
        edit,  // a title, state, memo, assignee, category, rating or text changes; no clock moves
        erase, // a conversation goes
    };

    Kind kind = Kind::touch;
    double chance = 0.1; // after each answer
    std::int64_t amount = 60'000;
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
    int embedded_chats = 20;  // in a list item: 0 to 20
    bool empty_pages = false; // now and then a page without items that still carries a cursor
    Chatless chatless = Chatless::behind;
    bool refuse_orders = false;    // any order but the default gets 400
    std::int64_t date_skew_ms = 0; // of its Date header against the true time
    bool send_date = true;
    std::chrono::milliseconds read_lag{0}; // for so long after each write reads show the state before it
    std::vector<FaultRule> faults = {};
    std::vector<LifeRule> life = {};
    std::chrono::milliseconds run_time{2000}; // that an app needs for an answer
    CategoriesHold categories_hold = CategoriesHold::names;
    bool envelope = false;               // answers about one thing come as {"result": ...}
    bool compress = false;               // gzip for who accepts it
    bool daily_count = true;             // false: there is no such path
    std::function<Instant()> clock = {}; // what it takes for the true time; called from any thread; empty: the system's
};

/// "kind[:route[:count[:amount]]]", and behind it any of ":p=0.1", ":skip=3", ":after=MS", ":for=MS", as --fault takes
/// it. Throws Error{usage} that lists the kinds.
FaultRule parse_fault(std::string_view text);
/// "kind[:chance[:amount]]", as --life takes it. Throws Error{usage} that lists the kinds.
LifeRule parse_life(std::string_view text);
std::string fault_kinds(), life_kinds(); // their names, for a help text

struct RequestRecord {
    std::string operation; // operationId, or "unknown"
    std::string method, target;
    int status = 0;                                           // 0: reset
    std::vector<std::pair<std::string, std::string>> headers; // as they came
    std::string body;                                         // its first 64 KiB
    std::chrono::steady_clock::time_point at;                 // when it had come

    std::string_view header(std::string_view name) const; // empty: none
};

/// In the order in which they were applied.
struct WriteRecord {
    std::string operation, conversation_id, body;
    int repeats = 0; // how many equal ones of this conversation were applied before
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
    /// The most requests that came within any span of this length, of the last 20,000.
    std::size_t busiest(std::chrono::nanoseconds span, std::string_view operation = "*") const;
    std::vector<WriteRecord> writes() const;
    void clear_log();

    // For tests: change things as people and apps would. An unknown conversation throws Error{usage}.
    std::string add_conversation(int chats); // now; with 0 chats its last chat time is null
    std::string add_chat(const std::string& conversation_id, std::string sender, std::string text);
    /// As add_chat, with a time of its own, older chats and newer ones around it: one that was not visible until now.
    std::string add_chat_at(const std::string& conversation_id, Instant at, std::string sender, std::string text);
    void edit_title(const std::string& conversation_id, std::string title); // moves no clock
    /// title, state, memo, assignee: a string or null; categories: a list of names or ids; isEnd: true or false. Moves
    /// no clock. Throws Error{usage} for another member or type.
    void edit_conversation(const std::string& conversation_id, std::string_view member, std::string_view json);
    /// Any member of a chat (message, rating, citations, ...) but its id and time. Moves no clock.
    void edit_chat(const std::string& conversation_id, const std::string& chat_id, std::string_view member,
                   std::string_view json);
    void erase_chat(const std::string& conversation_id, const std::string& chat_id);
    void erase(const std::string& conversation_id);
    std::string begin_answer(const std::string& conversation_id, std::string text); // a BOT's chat that still grows
    void grow_answer(const std::string& conversation_id, std::string_view more);    // moves no clock
    void finish_answer(const std::string& conversation_id);                         // moves no clock
    void set_faults(std::vector<FaultRule> faults);
    void set_life(std::vector<LifeRule> life);
    void set_api_key(std::string key);
    void set_read_lag(std::chrono::milliseconds lag);
    /// Called on the sandbox's thread when an answer is worked out and before it is sent: for what has to happen while
    /// a list is being paged. May use everything here but stop(). Empty: none.
    void on_answer(std::function<void(const RequestRecord&)> hook);

    void stop(); // stops listening and drops every connection; what it holds stays

  private:
    struct Core;
    std::unique_ptr<Core> core_;
};

} // namespace alli::sandbox
