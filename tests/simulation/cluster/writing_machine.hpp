// SPDX-License-Identifier: Apache-2.0
// A machine of a cluster that takes writes: its files stay, its process comes and goes, and may be frozen for a while.
// What a leader does is the delivery of writes alone; upstream is one for all.
#pragma once

#include "cache/replica/notes.hpp"
#include "cluster/node.hpp"
#include "daemon/node/shared_writes.hpp"
#include "tests/simulation/cluster/sim_node.hpp"
#include "tests/support/make.hpp"
#include "tests/support/model_truth.hpp"
#include "tests/support/pass_time.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/sync/deliver_fixture.hpp"
#include "upstream/rate_limiter.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

namespace simulation {

using namespace alli;
using namespace std::chrono_literals;

/// What became of an app's write.
struct Written {
    std::int64_t id = 0; // as it was accepted; 0: it was not, for all that the app knows
    std::string key; // the upstream key of what was accepted, which is an earlier one's where the app repeats itself
    cache::Acceptance::Kind kind = cache::Acceptance::Kind::fresh;
    bool done = false;
    std::optional<upstream::Reply> reply; // none: 202
    std::optional<Fault> failure;
};

class WritingMachine {
  public:
    WritingMachine(int number, support::ModelDatabase& shared, sync::WritableUpstream& upstream,
                   support::FakeClock& clock, boost::asio::io_context& loop, cluster::NodeOptions options = {})
        : number_(number), shared_(shared), upstream_(upstream), time_(clock), clock_(clock, 0ms), loop_(loop),
          options_(options)
    {
        options_.shares_writes = true;
        options_.name = fmt::format("node {}", number);
        open();
    }
    ~WritingMachine()
    {
        if (process_) kill();
    }

    void start()
    {
        if (!store_) open();
        process_ = std::make_unique<Process>(*this);
        process_->truth.link.delay = 5ms;
        auto ended = [process = process_.get()](const std::exception_ptr&) { process->ended = true; };
        asio::co_spawn(loop_, process_->node.run(), asio::bind_cancellation_slot(process_->cancel.slot(), ended));
    }
    void stop() // in order
    {
        clock_.frozen = false;
        process_->node.stop();
        run_until([this] { return has_ended(); });
        process_.reset();
    }
    /// As the kernel would: nothing goes out any more, nothing is written down.
    void kill()
    {
        clock_.frozen = false;
        process_->truth.link.cut = true;
        process_->is_dead = true;
        if (process_->delivers) process_->cancel_delivery.emit(asio::cancellation_type::terminal);
        process_->writes.stop(); // what is under way belongs to it
        if (!process_->ended) process_->cancel.emit(asio::cancellation_type::terminal);
        run_until([this] { return has_ended(); });
        process_.reset();
        store_.reset();
    }

    void freeze() { clock_.frozen = true; }
    bool is_frozen() const { return clock_.frozen; }
    void thaw() // or it was ended meanwhile by the timer of its lease
    {
        if (process_->deadline && time_.steady() >= *process_->deadline) return kill();
        clock_.frozen = false;
    }
    /// Both files, from now on: no room for more than they have, or room again.
    void limit_disk(bool full)
    {
        const std::string pages = fmt::format("PRAGMA max_page_count = {}", full ? 1 : 1'000'000);
        const auto set = [pages](cache::Writer& db) { db.run(pages); };
        asio::co_spawn(loop_, store_->write_outbox(set), asio::detached);
        asio::co_spawn(loop_, store_->write(set), asio::detached);
        support::run_until_idle(loop_);
    }

    /// A person decides here, as the proxy does it.
    void decide(std::int64_t id, bool retries)
    {
        ++process_->apps;
        auto ended = [process = process_.get()](const std::exception_ptr&) { --process->apps; };
        asio::co_spawn(loop_, steer(process_->writes, id, retries), std::move(ended));
    }

    /// An app writes here, as the proxy does it.
    std::shared_ptr<Written> write(cache::NewEntry entry, std::chrono::milliseconds patience = 10s)
    {
        auto written = std::make_shared<Written>();
        ++process_->apps;
        auto ended = [written, process = process_.get()](const std::exception_ptr& why) {
            --process->apps;
            written->done = true;
            if (why) written->failure = failure_of(why);
        };
        asio::co_spawn(loop_, ask(process_->writes, std::move(entry), patience, written), std::move(ended));
        return written;
    }

    bool runs() const { return process_ != nullptr; }
    bool leads() const { return process_ && process_->delivers; }
    support::ModelTruth& truth() { return process_->truth; }
    cluster::Node& node() { return process_->node; }
    daemon::SharedWrites& writes() { return process_->writes; }
    cache::Store& store() { return *store_; }

    std::optional<cache::Entry> entry(std::int64_t id)
    {
        return store_->read_outbox([id](cache::Reader& db) { return cache::find_entry(db, id); });
    }
    std::vector<std::string> entries() // "id state", in their order
    {
        return store_->read_outbox([](cache::Reader& db) {
            return db.all<std::string>("SELECT id || ' ' || state FROM entry ORDER BY place");
        });
    }
    /// As far as all nodes have the same of them. Without `keys`: of two with one Idempotency-Key, of which the
    /// database lost the first, the second may be without it where the first is.
    std::vector<std::string> whole_entries(bool keys = true)
    {
        return store_->read_outbox([keys](cache::Reader& db) {
            return db.all<std::string>("SELECT id || ' ' || place || ' ' || state || ' ' || attempts || ' ' || unclear"
                                       " || forced || crashes || ' ' || coalesce(last_status, '-') || ' '"
                                       " || coalesce(last_error, '-') || ' ' || upstream_key || ' '"
                                       " || CASE WHEN ?1 THEN coalesce(client_key, '-') ELSE '' END || body"
                                       " || coalesce(response, '-') FROM entry ORDER BY place",
                                       keys);
        });
    }
    std::ptrdiff_t count_entries(const std::function<bool(const std::string& body)>& test) const
    {
        return store_->read_outbox([&](cache::Reader& db) {
            const auto bodies = db.all<std::string>("SELECT body || coalesce(response, '') FROM entry");
            return std::count_if(bodies.begin(), bodies.end(), test);
        });
    }
    std::string title(const std::string& id)
    {
        const auto raw = store_->read([&](cache::Reader& db) { return cache::find_conversation(db, {id}); });
        return raw ? nlohmann::json::parse(*raw)["title"].get<std::string>() : "(gone)";
    }

  private:
    struct Process {
        explicit Process(WritingMachine& own)
            : transport(own.upstream_, own.clock_, is_dead), pace(own.clock_, {0, 16}),
              client(transport, pace, own.clock_, {"key", TimeUnit::seconds, "/count"}), random(own.starts_),
              truth(own.loop_.get_executor(), own.shared_, own.clock_,
                    {own.options_.name, fmt::format("{} {}", own.number_, ++own.starts_), own.options_.lease},
                    static_cast<std::uint64_t>(own.number_ + 7 * own.starts_)),
              node(own.loop_.get_executor(), truth, *own.store_, own.clock_, own.options_, own.hooks()),
              writes(own.loop_, truth.outbox(), node.writes(), *own.store_, own.clock_, [this] { return deliverer; })
        {
            own.renew(*this);
        }

        /// A dead process sends nothing, and hears nothing; a frozen one does when it goes on.
        struct Transport final : upstream::Transport {
            Transport(sync::WritableUpstream& its_upstream, FreezableClock& its_clock, const bool& its_is_dead)
                : upstream(its_upstream), clock(its_clock), is_dead(its_is_dead)
            {}
            Task<upstream::Reply> send(upstream::Request request) override
            {
                if (clock.frozen) co_await clock.sleep(0ms);
                if (is_dead) throw Error(Fault::canceled, "", "it died");
                upstream::Reply reply = co_await upstream.send(std::move(request));
                if (clock.frozen) co_await clock.sleep(0ms);
                if (is_dead) throw Error(Fault::canceled, "", "it died");
                co_return reply;
            }
            sync::WritableUpstream& upstream;
            FreezableClock& clock;
            const bool& is_dead;
        };

        bool is_dead = false, delivers = false, ended = false;
        int apps = 0;
        std::optional<Clock::Steady> deadline;
        Transport transport;
        upstream::RateLimiter pace;
        upstream::Client client;
        SeededRandom random;
        support::ModelTruth truth;
        std::shared_ptr<sync::Deliverer> deliverer;
        asio::cancellation_signal cancel, cancel_delivery;
        cluster::Node node;
        daemon::SharedWrites writes;
    };

    static Fault failure_of(const std::exception_ptr& why)
    {
        try {
            std::rethrow_exception(why);
        } catch (const Error& error) {
            return error.fault();
        } catch (...) {
            return Fault::canceled;
        }
    }

    static Task<> steer(daemon::SharedWrites& writes, std::int64_t id, bool retries)
    {
        if (retries)
            co_await writes.retry(id);
        else
            co_await writes.discard(id);
    }

    static Task<> ask(daemon::SharedWrites& writes, cache::NewEntry entry, std::chrono::milliseconds patience,
                      std::shared_ptr<Written> written)
    {
        const daemon::SharedAcceptance accepted = co_await writes.accept(cache::new_write(std::move(entry)), patience);
        written->id = accepted.entry.id;
        written->key = accepted.entry.upstream_key;
        written->kind = accepted.kind;
        if (accepted.kind == cache::Acceptance::Kind::mismatch) co_return;
        written->reply = co_await writes.wait(accepted.entry.id, accepted.entry.upstream_key, patience);
    }

    void open()
    {
        cache::StoreOptions made{dir_ / "mirror.db", "http://model", false};
        made.on_open = &cache::begin_notes;
        store_ = std::make_unique<cache::Store>(made);
    }

    void renew(Process& process)
    {
        sync::DeliveryHooks hooks;
        hooks.changed = [](const ConversationId&) {};
        hooks.changed_many = [] {};
        hooks.begin = [&process](sync::Beginning beginning) { return process.writes.begin(std::move(beginning)); };
        hooks.settle = [&process](std::int64_t id, cache::Outcome outcome) {
            return process.writes.settle(id, std::move(outcome));
        };
        hooks.is_awaited = [&process](std::int64_t id) { return process.writes.is_awaited(id); };
        process.deliverer = std::make_shared<sync::Deliverer>(process.client, *store_, clock_, process.random,
                                                              sync::DeliveryOptions{}, std::move(hooks));
    }

    cluster::NodeHooks hooks()
    {
        cluster::NodeHooks hooks;
        hooks.begin = [this] {
            renew(*process_);
            process_->delivers = true;
            auto ended = [process = process_.get()](const std::exception_ptr&) { process->delivers = false; };
            asio::co_spawn(loop_, process_->deliverer->run(),
                           asio::bind_cancellation_slot(process_->cancel_delivery.slot(), ended));
        };
        hooks.cancel = [this] {
            if (process_->delivers) process_->cancel_delivery.emit(asio::cancellation_type::terminal);
        };
        hooks.ended = [this] { return end_delivery(); };
        hooks.deadline = [this](std::optional<Clock::Steady> when) { process_->deadline = when; };
        hooks.writes = [this](const auto& applied) { process_->writes.changed(applied); };
        return hooks;
    }
    Task<> end_delivery()
    {
        while (process_->delivers) co_await clock_.sleep(10ms);
    }

    bool has_ended() const
    {
        return process_->ended && !process_->delivers && process_->apps == 0 && process_->writes.is_idle();
    }

    void run_until(const std::function<bool()>& done)
    {
        for (int tries = 0; tries < 100'000 && !done(); ++tries) {
            support::run_until_idle(loop_);
            if (!done()) time_.jump_to_next();
        }
    }

    int number_;
    support::ModelDatabase& shared_;
    sync::WritableUpstream& upstream_;
    support::FakeClock& time_;
    FreezableClock clock_;
    boost::asio::io_context& loop_;
    cluster::NodeOptions options_;
    std::uint64_t starts_ = 0;
    support::TempDir dir_;
    std::unique_ptr<cache::Store> store_;
    std::unique_ptr<Process> process_;
};

} // namespace simulation
