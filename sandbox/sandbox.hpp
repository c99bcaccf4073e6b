// SPDX-License-Identifier: Apache-2.0
// A look-alike of the service, in memory: every operation of the contract, each changing its state as the real one
// would; what the contract leaves open is an option, faults are scripted, and a log of requests and applied writes can
// be read. Owns its thread; all members may be called from any thread.
#pragma once

#include "sandbox/options.hpp"
#include "sandbox/records.hpp"

#include <memory>

namespace alli::sandbox {

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
