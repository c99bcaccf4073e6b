// SPDX-License-Identifier: Apache-2.0
#include "daemon/status.hpp"

#include "alli/run_to_end.hpp"
#include "cache/problems.hpp"
#include "cache/store.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using testing::HasSubstr;

TEST(Status, GathersWhatIsWrongWithManyConversationsAlike)
{
    support::TempDir dir;
    cache::Store store({dir / "mirror.db", "http://upstream.test", true});
    const auto fill = [](cache::Writer& db) {
        for (int n = 0; n < 40; ++n) {
            cache::Problem problem;
            const std::string id = "c" + std::to_string(n);
            const char* field = n < 30 ? "chat.sender" : "conversation.createdAt";
            problem.what = fmt::format("fields of conversation {} cannot be read: {}", id, field);
            problem.hint = "held as it came";
            problem.conversation = id;
            cache::put_problem(db, "fields " + id, problem);
        }
        cache::Problem alone;
        alone.what = "conversation x cannot be read: it has no id";
        alone.conversation = "x";
        cache::put_problem(db, "conversation x", alone);
    };
    run_to_end(store.write(fill));
    const Json status = store.read([&](cache::Reader& db) {
        return store.read_outbox(
            [&](cache::Reader& outbox) { return make_status(db, outbox, "http://upstream.test", nullptr); });
    });
    ASSERT_EQ(status["problems"].size(), 3u) << status["problems"].dump(1);
    const std::string all = status["problems"].dump();
    EXPECT_THAT(all, HasSubstr("cannot be read: chat.sender (so are 29 more)"));
    EXPECT_THAT(all, HasSubstr("cannot be read: conversation.createdAt (so are 9 more)"));
    EXPECT_THAT(all, HasSubstr("conversation x cannot be read: it has no id\""));
}

} // namespace
} // namespace alli::daemon
