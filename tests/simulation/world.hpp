// SPDX-License-Identifier: Apache-2.0
// Upstream as a whole world on a fake clock: conversations that come, grow, change silently and go, a network that is
// slow and breaks, clocks that differ. Everything from one seed.
#pragma once

#include "alli/random.hpp"
#include "tests/support/fake_clock.hpp"
#include "upstream/http.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace simulation {

using nlohmann::json;
using Ms = std::int64_t; // milliseconds since 1970

struct Talk {
    json fields; // what the list item shows beside times and counts
    std::vector<json> chats;
    std::optional<Ms> last;     // upstream's stamp
    Ms visible_from = 0;        // our clock: lists and gets show it since then
    Ms changed = 0;             // our clock: the last change that a list shows
    Ms moved = 0;               // our clock: the last that a poll finds by its time
    bool chats_edited = false;  // silently, at some time: no list shows that
    bool being_written = false; // by us: the request or its answer is under way

    /// What we write, by name: title, assignee, or the id of a chat for its suggested answer.
    struct Written {
        std::optional<json> before; // a read may show it until then (time passed)
        Ms lags_until = 0;
        bool before_unknown = false; // one of ours was accepted while the mirror did not know the one before
        bool before_stale = false;   // likewise, while it took another for the one before
    };
    std::map<std::string, Written> written = {};
};

/// A write of ours that was applied, in the order of that.
struct Effect {
    std::string id, what, value; // what: title, feedback, delete, update, bulk; of a bulk update without id: as a whole
    bool answered = false;       // the answer arrived
};

/// How upstream fails for one conversation alone, until it heals: in lists too, or only where it is asked for by
/// itself.
enum class Illness { nonsense, broken, forbidden, broken_chats, absent_chats };

/// Where conversations without a chat stand in an order by last chat time: behind all others, as if they were the
/// oldest or the newest, nowhere, or by their creation.
enum class Chatless { behind, oldest, newest, nowhere, by_creation };

/// What the contract leaves open, and how bad the network is; drawn once a history.
struct Nature {
    bool milliseconds = false, position_cursor = false, inclusive = false, sends_date = true, counts_days = false;
    bool envelope = false; // answers about one conversation come as {"result": ...}
    std::size_t embedded = 20, page_cap = 50;
    Chatless chatless = Chatless::behind;
    bool refuses_orders = false; // but the default
    double standstills = 0;      // of list pages: empty for a while, with the cursor that they are asked with
    std::uint64_t longest_standstill = 9;
    double faults = 0;        // of requests
    double faults_before = 0; // what it was until all was quiet
    double strays = 0;        // of requests: somebody else answers, or it is the answer to another request
    bool strays_to_writes = false;
    Ms latency = 100;           // up to
    Ms skew = 0;                // upstream's clock less ours
    Ms late = 0;                // how long after its stamp a chat may become visible
    Ms read_lag = 0;            // for how long after a write of ours reads may show the state before it
    bool feedback_lags = false; // too
    bool assigned_by_others = false;
    bool storms = false;         // at times everybody is told to wait, and for how long
    Ms cursor_life = 0;          // a list's cursor is refused after that time; 0: never
    std::vector<Ms> gateways{0}; // of those that stamp the Date, in turn: their clocks less upstream's

    bool has_wrong_gateway() const { return gateways != std::vector<Ms>{0}; }
};

class World final : public alli::upstream::Transport {
  public:
    World(support::FakeClock& clock, std::uint64_t seed);

    alli::Task<alli::upstream::Reply> send(alli::upstream::Request request) override;

    /// One thing happens.
    void act();
    /// Before anything did: so many conversations, over up to a year.
    void have_past(int conversations);
    void end_growing();
    /// Whoever was told to wait is no more.
    void forget_told() { told_until_ = 0; }
    /// One with a chat, now.
    void arrive();
    /// A question, and an answer that grows: its id.
    std::string begin_run(const std::string& id);
    /// Its message; none: it is no longer there.
    std::optional<std::string> grow_run(const std::string& id, const std::string& chat, bool ends);
    std::optional<json> find_chat(const std::string& id, const std::string& chat) const;
    void heal_network()
    {
        nature.faults_before += std::exchange(nature.faults, 0) + std::exchange(nature.strays, 0);
        rejecting = away = hidden = false;
    }
    void heal()
    {
        heal_network();
        storm_until_ = 0;
        nature.storms = false;
        show_anew();
        ill.clear();
        nature.longest_standstill = 5; // from now on a page comes by itself
    }

    Ms ours() const;   // our clock
    Ms theirs() const; // upstream's
    Ms passed() const; // time, whatever the clocks say
    /// Polls pass over so much time once more: a clock was set back, or a gateway's is behind.
    std::chrono::milliseconds passed_again() const
    {
        const auto behind = std::min<Ms>(0, *std::min_element(nature.gateways.begin(), nature.gateways.end()));
        return std::chrono::milliseconds(set_back - behind);
    }

    json item(const std::string& id, std::size_t embed) const;
    std::string any();

    Nature nature;
    bool rejecting = false; // the key
    bool away = false;      // no answer at all
    bool hidden = false;    // behind a portal
    std::map<std::string, Talk> talks;
    std::map<std::string, Ms> gone; // when they were deleted; our clock
    std::string ill;                // a conversation, or none
    Illness illness = Illness::nonsense;
    std::set<std::string> purged; // at our side: nobody claims to have them
    std::size_t requests = 0;
    std::uint64_t hash = 0; // of all requests, in order, and how each was answered
    std::vector<Effect> effects;
    std::set<std::string> refused; // values of writes of ours that it refused
    /// Each value that there was, in order, by a conversation's id and a name, or a chat's id; none: "null".
    std::map<std::string, std::vector<json>> values;
    std::string impatient; // what was asked for by itself though it had been told to wait; empty: nothing
    Ms set_back = 0;       // its clock, in all
    bool clock_was_set = false, our_clock_was_set = false;

  private:
    using Params = std::map<std::string, std::string>;

    bool chance(double probability) { return random_.unit() < probability; }
    json stamp_json(Ms when) const;

    void set_clock();
    void set_our_clock();
    void fall_ill(const std::string& id);
    void show_anew(); // nonsense in a list is what upstream shows: its beginning and its end are changes
    void create();
    void append(const std::string& id, int count, bool future);
    void edit_field(const std::string& id);
    void edit_chat(const std::string& id);
    void remove_last_chat(const std::string& id);
    void remove(const std::string& id);
    void begin_growing(const std::string& id);
    void grow(const std::string& id);

    alli::Task<alli::upstream::Reply> read(alli::upstream::Request request);
    alli::Task<alli::upstream::Reply> write(alli::upstream::Request request);
    alli::upstream::Reply apply(const alli::upstream::Request& request, const std::string& id);
    alli::upstream::Reply apply_title(const std::string& id, const std::string& title);
    alli::upstream::Reply apply_update(const std::string& id, const json& assignee);
    alli::upstream::Reply apply_bulk(const json& body);
    void assign(const std::string& id, const json& assignee);
    void begin_to_lag(Talk& talk, const std::string& name, json before);
    bool shows_before(const Talk::Written& written);
    alli::upstream::Reply apply_feedback(const std::string& id, const std::string& chat, const json& body);
    alli::upstream::Reply apply_delete(const std::string& id);
    void rename(const std::string& id, const std::string& title);
    std::optional<alli::upstream::Reply> stray_to_write();
    void trace(const alli::upstream::Request& request, const alli::upstream::Reply& answer) const;
    json seen_chat(const Talk& talk, json chat);
    json seen(const std::string& id, std::size_t embed); // as reads show it
    std::optional<alli::upstream::Reply> fault();
    std::optional<alli::upstream::Reply> stray(const std::string& target);
    void drift_into_storm();
    void assign_one(); // at times
    void show_at_once(Talk& talk, const std::string& name);
    std::optional<alli::upstream::Reply> storm();
    void note_told(const alli::upstream::Reply& answer);
    std::string cursor_of(std::string position) const;
    std::optional<std::string> position_in(const std::string& cursor) const; // none: it is too old
    alli::upstream::Reply reply(const json& body) const;
    alli::upstream::Reply reply_about_one(const json& body) const;
    std::optional<alli::upstream::Reply> symptom(const std::string& id, bool chats) const;
    alli::upstream::Reply answer(const std::string& target);
    alli::upstream::Reply list(const Params& params);
    alli::upstream::Reply chats(const Talk& talk, int page);
    alli::upstream::Reply count_days(const Params& params) const;
    std::vector<std::pair<Ms, std::string>> window(const Params& params) const;
    std::optional<Ms> key_in_order(const Talk& talk, const Params& params) const;
    bool stands_still(const Params& params);

    support::FakeClock& clock_;
    // Apart: a history is the same one without what came to this world later.
    alli::SeededRandom random_, lag_random_, stray_random_, odds_, paging_, writes_{1}, weather_{1};
    Params stuck_; // the page that stands still
    std::uint64_t stuck_left_ = 0;
    int made_ = 0, written_ = 0;
    Ms storm_until_ = 0, told_until_ = 0; // time passed
    Ms ago_ = 0;                          // when what is made now is said to have happened
    std::string growing_;
};

} // namespace simulation
