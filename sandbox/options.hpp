// SPDX-License-Identifier: Apache-2.0
// What a sandbox is made with: its data, what the contract leaves open, scripted faults, and events that happen by
// themselves.
#pragma once

#include "alli/instant.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
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

} // namespace alli::sandbox
