// SPDX-License-Identifier: Apache-2.0
// What happens beside a write that is being sent: its app leaves, its neighbour is discarded, the disk is full.
#include "tests/support/recording_vfs.hpp"
#include "tests/sync/deliver_fixture.hpp"

namespace alli::sync {
namespace {

using cache::EditKind;
using cache::EntryState;
using testing::ElementsAre;
using testing::SizeIs;
using namespace std::chrono_literals;

using WaitingTest = DeliverTest;

TEST_F(WaitingTest, WriteOfAnAppThatLeftShowsAndIsDelivered)
{
    upstream_.takes = 60s;
    asio::cancellation_signal leave;
    const auto nobody = [](std::exception_ptr, std::optional<upstream::Reply>) {};
    auto accepted = accept(write_of(EditKind::title, "a", R"({"title":"new"})"));
    asio::co_spawn(loop_, deliverer_->offer(std::move(accepted), 100s),
                   asio::bind_cancellation_slot(leave.slot(), nobody));
    support::run_until_idle(loop_);
    ASSERT_EQ(mirrored_title("a"), "old") << "its app is to have upstream's own answer";
    leave.emit(asio::cancellation_type::terminal);
    until([&] { return clock_.passed() >= 20s; }, 20);
    EXPECT_EQ(mirrored_title("a"), "new");
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, SizeIs(1));
}

// Both were committed before either was offered.
TEST_F(WaitingTest, SecondWriteThatIsOfferedFirstGoesSecond)
{
    accept(write_of(EditKind::title, "a", R"({"title":"1"})"));
    begin(accept(write_of(EditKind::title, "a", R"({"title":"2"})")), 10s);
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, ElementsAre(R"(PUT a/title {"title":"1"})", R"(PUT a/title {"title":"2"})"));
}

TEST_F(WaitingTest, DiscardingTheNextOneLeavesWhatIsBeingSentAlone)
{
    upstream_.takes = 10s;
    title("a", "sent");
    offer(write_of(EditKind::title, "a", R"({"title":"discarded"})"), 0ms);
    const auto requests = upstream_.requests.size();
    EXPECT_EQ(run(deliverer_->discard(2)), cache::OperatorResult::done);
    EXPECT_THAT(upstream_.requests, SizeIs(requests));
    ASSERT_TRUE(until([&] { return all_settled(); }));
    EXPECT_THAT(upstream_.applied, ElementsAre(R"(PUT a/title {"title":"sent"})"));
}

class FullDisk : public DeliverTest {
  protected:
    FullDisk()
    {
        disk_.fail_where([this](const support::ComingCall& call) {
            const bool outbox = call.kind == support::ComingCall::Kind::write && call.path.starts_with("outbox.db");
            return full_ && outbox ? support::DiskFault::no_room : support::DiskFault::none;
        });
        store_ = std::make_unique<cache::Store>(cache::StoreOptions{dir_ / "mirror.db", "http://127.0.0.1:1", false});
    }
    ~FullDisk() override { store_.reset(); } // before the disk below it

    bool full_ = false;

  private:
    struct Close {
        explicit Close(std::unique_ptr<cache::Store>& store) { store.reset(); }
    } close_{store_};
    support::RecordingVfs disk_{dir_.path()};
};

TEST_F(FullDisk, KeepsAnOutcomeUntilThereIsRoomToWriteItDown)
{
    upstream_.after = [this](const upstream::Request& request) { full_ = full_ || request.method == "PUT"; };
    const auto offered = title("a", "new");
    until([&] { return clock_.passed() >= 5s; }, 20);
    EXPECT_FALSE(offered->done) << "nothing is said that is not on the disk";
    full_ = false;
    upstream_.after = nullptr;
    ASSERT_TRUE(until([&] { return offered->done && all_settled(); }));
    EXPECT_EQ(entry(last_).state, EntryState::delivered);
    EXPECT_THAT(upstream_.applied, SizeIs(1));
}

} // namespace
} // namespace alli::sync
