// SPDX-License-Identifier: Apache-2.0
// Two nodes over a model of what is shared, and time that a test lets pass.
#pragma once

#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "tests/simulation/cluster/machine.hpp"

namespace simulation {

class ClusterLoops : public testing::Test {
  protected:
    void pass(std::chrono::milliseconds time) { support::pass_time(loop_, clock_, time); }

    void TearDown() override
    {
        for (Machine* const machine : {&a_, &b_}) machine->node.stop();
        pass(10s);
    }

    /// The first node leads, publishes and loses the database; the second one follows it.
    void publish_one_and_cut_off()
    {
        a_.put("one", 100, "published");
        a_.claim(200);
        a_.run();
        pass(6s);
        b_.run();
        pass(2s);
        a_.truth.link.cut = true;
    }

    /// The process ends at that commit from here on, while `meanwhile` happens; `look` sees what the next process over
    /// its files makes of them.
    template <class Meanwhile, class Look>
    void end_at_commit(Machine& machine, int commit, Meanwhile meanwhile, Look look)
    {
        int left = commit;
        machine.store.watch([&left] {
            if (left > 0 && --left == 0) throw std::runtime_error("it died");
        });
        meanwhile();
        machine.store.watch({});
        if (!machine.ended) machine.node.stop();
        pass(1s);
        cluster::Node again{loop_.get_executor(), machine.truth, machine.store, clock_, {}, {}};
        bool ended = false;
        asio::co_spawn(loop_, again.run(), [&ended](std::exception_ptr) { ended = true; });
        pass(3s);
        look();
        again.stop();
        pass(2s);
        EXPECT_TRUE(ended);
    }

    // As a deliverer does.
    void deliver(Machine& at, std::int64_t number, cache::EditKind kind, const std::string& id, const std::string& body)
    {
        cache::Entry entry;
        entry.id = entry.place = number;
        entry.kind = kind;
        if (kind != cache::EditKind::bulk_update) entry.conversation = ConversationId{id};
        if (kind == cache::EditKind::feedback) entry.chat = ChatId{id + "/0"};
        entry.body = body;
        at.write([&](cache::Writer& db) {
            cache::show_edit(db, entry);
            cache::confirm_edit(db, entry, std::nullopt, {clock_.steady(), clock_.now(), 10s});
        });
    }

    support::FakeClock clock_;
    support::ModelDatabase database_{clock_, 1};
    support::ModelDatabase::Contents& shared_ = database_.contents;
    boost::asio::io_context loop_;
    Machine a_{0, database_, clock_, loop_}, b_{1, database_, clock_, loop_};
};

} // namespace simulation
