// SPDX-License-Identifier: Apache-2.0
// A machine of a cluster, step by step: its files, its way to what is shared, and a node's loops whose engine is a
// flag.
#pragma once

#include "cache/conversations.hpp"
#include "cache/replica/notes.hpp"
#include "cache/rows/coverage.hpp"
#include "cluster/node.hpp"
#include "tests/cache/replica/dump.hpp"
#include "tests/support/make.hpp"
#include "tests/support/model_truth.hpp"
#include "tests/support/pass_time.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace simulation {

using namespace alli;
using namespace std::chrono_literals;

/// Something may happen before a campaign arrives.
struct CampaigningTruth final : support::ModelTruth {
    using support::ModelTruth::ModelTruth;
    Task<std::optional<std::int64_t>> campaign(std::int64_t epoch, std::int64_t beat) override
    {
        if (before_campaign) std::exchange(before_campaign, {})();
        return ModelTruth::campaign(epoch, beat);
    }
    Task<cluster::Position> publish_after(cluster::Position mine, std::int64_t epoch,
                                          cache::PublishedRows rows) override
    {
        if (foreign) throw boost::system::system_error(boost::asio::error::connection_reset);
        for (const cache::PublishedConversation& row : rows.conversations)
            if (row.id == refused_id && ++refused > 0) throw Error(Fault::refused, "", "its id is too long");
        if (refuses) throw Error(*refuses, "", "a row does not fit");
        return ModelTruth::publish_after(std::move(mine), epoch, std::move(rows));
    }
    // Nothing cancels it: as a call that waits for what its loop does.
    Task<cluster::Beat> beat(std::int64_t epoch, cluster::Position mine) override
    {
        if (stubborn) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        co_return co_await ModelTruth::beat(epoch, std::move(mine));
    }
    bool stubborn = false;
    std::function<void()> before_campaign;
    Task<cluster::Round> read(cluster::Position after, std::size_t limit) override
    {
        if (dies_at_read) throw Error(Fault::unreachable, "", "it is away");
        return ModelTruth::read(std::move(after), limit);
    }
    Task<> resign(std::int64_t epoch) override
    {
        ++resigned;
        co_await ModelTruth::resign(epoch);
    }
    Task<cluster::Head> head() override
    {
        ++asked;
        if (bars) throw Error(*bars, "", "the password is wrong");
        co_return co_await ModelTruth::head();
    }
    Task<bool> wait_news(std::chrono::milliseconds longest) override
    {
        ++asked;
        if (bars) throw Error(*bars, "", "the password is wrong");
        co_return co_await ModelTruth::wait_news(longest);
    }
    Task<> ask_refresh(std::vector<std::string> conversations) override
    {
        for (const std::string& one : conversations)
            if (one == refused_request) throw Error(Fault::refused, "", "no index holds it");
        return ModelTruth::ask_refresh(std::move(conversations));
    }
    std::string refused_id, refused_request;
    std::optional<Fault> refuses, bars;
    bool dies_at_read = false;
    bool foreign = false; // what fails is none of our errors
    int asked = 0, resigned = 0, refused = 0;
};

/// Files, a way to what is shared, and a node's loops whose engine is a flag.
struct Machine {
    Machine(int number, support::ModelDatabase& shared, support::FakeClock& its_clock,
            boost::asio::io_context& its_loop, bool threads = false, cluster::NodeOptions node_options = {})
        : loop(its_loop), clock(its_clock), store(options(threads)),
          truth(loop.get_executor(), shared, its_clock,
                {"node " + std::to_string(number), "holder " + std::to_string(number), node_options.lease},
                static_cast<std::uint64_t>(number) + 1),
          node(loop.get_executor(), truth, store, its_clock, node_options, hooks())
    {
        truth.link.delay = 20ms;
    }

    cache::StoreOptions options(bool threads) const
    {
        cache::StoreOptions made{dir / "mirror.db", "http://model", threads};
        made.on_open = &cache::begin_notes;
        return made;
    }

    cluster::NodeHooks hooks()
    {
        cluster::NodeHooks made;
        made.begin = [this] {
            leads = began = true;
            at_begin = dump();
        };
        made.cancel = [this] { leads = false; };
        made.run = [this](const cluster::Run& run) {
            runs[run.conversation] = run.state;
            if (on_run) on_run(run);
        };
        made.has_fetched = [this](const cluster::Run& run) { return fetched_runs.contains(run.conversation); };
        made.refresh = [this](std::vector<std::string> ids) { return refresh(std::move(ids)); };
        made.erased = [this] { ++erased; };
        made.deadline = [this](std::optional<Clock::Steady> when) { deadline = when; };
        return made;
    }

    Task<> refresh(std::vector<std::string> ids)
    {
        if (fetch) fetch(ids);
        while (fetch_hangs) co_await clock.sleep(1s);
    }

    void run()
    {
        asio::co_spawn(loop, node.run(), [this](std::exception_ptr why) {
            ended = true;
            failure = why;
        });
    }

    template <class F>
    void write(F function)
    {
        asio::co_spawn(loop, store.write(std::move(function)), [](std::exception_ptr why) { EXPECT_FALSE(why); });
        support::run_until_idle(loop);
    }

    void put(const std::string& id, std::int64_t seconds, const std::string& title)
    {
        nlohmann::json more;
        more["title"] = title;
        const Conversation made = support::make_conversation(id, seconds, more);
        const std::vector<Chat> chats{support::make_chat(id, 0, seconds, "words")};
        write([&](cache::Writer& db) {
            cache::put_conversation(db, made);
            cache::put_chats(db, made.id, 0, chats);
        });
    }

    void claim(std::int64_t through)
    {
        write([through](cache::Writer& db) {
            cache::cover(db, {Instant{}, support::at_second(through), support::at_second(through)});
        });
    }

    std::map<std::string, std::string> dump()
    {
        return store.read([](cache::Reader& db) { return cache::dump_conversations(db); });
    }
    std::size_t claims()
    {
        return store.read([](cache::Reader& db) { return cache::load_coverage(db); }).size();
    }

    boost::asio::io_context& loop;
    support::FakeClock& clock;
    support::TempDir dir;
    cache::Store store;
    CampaigningTruth truth;
    std::map<std::string, std::string> at_begin; // what it had when it began to lead
    bool leads = false, began = false, ended = false;
    int erased = 0;                                // so often rows of what another node purged went
    bool fetch_hangs = false;                      // what the hook asked for is not answered
    std::map<std::string, cluster::RunState> runs; // as they were told last
    std::function<void(const cluster::Run&)> on_run;
    std::set<std::string> fetched_runs; // by its engine
    std::function<void(const std::vector<std::string>&)> fetch;
    std::exception_ptr failure;
    std::optional<Clock::Steady> deadline;
    cluster::Node node;
};

} // namespace simulation
