// SPDX-License-Identifier: Apache-2.0
// Which words a shell is offered, over the real table of commands and a made-up mirror.
#include "daemon/commands/completion.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

std::vector<Candidate> find_values(const std::string& type, const std::string&)
{
    if (type == "CONVERSATION") return {{"5f1a", "Hotel in Busan"}, {"6b2c", "Football"}};
    if (type == "WRITE") return {{"17", "failed PUT"}};
    return {};
}

std::vector<std::string> offered(std::vector<std::string> words)
{
    std::vector<std::string> found;
    const Completion completion = complete(read_commands(), std::move(words), &find_values);
    for (const Candidate& candidate : completion.candidates) found.push_back(candidate.word);
    if (completion.files) found.emplace_back(":files");
    return found;
}

TEST(Completion, OffersCommandsAndTheirInnerOnes)
{
    EXPECT_THAT(offered({""}), AllOf(Contains("serve"), Contains("search"), Not(Contains("manual"))));
    EXPECT_THAT(offered({"sea"}), ElementsAre("search"));
    EXPECT_THAT(offered({"outbox", "dis"}), ElementsAre("discard"));
    EXPECT_THAT(offered({"--config", "x.toml", "outbox", "re"}), ElementsAre("retry"));
    EXPECT_THAT(offered({"nothing-of-the-kind", ""}), Not(Contains("serve")));
}

TEST(Completion, OffersOptionsWhereOneBeginsAndWhereNothingElseMayStand)
{
    EXPECT_THAT(offered({"export", "--for"}), ElementsAre("--format"));
    EXPECT_THAT(offered({"status", ""}), Contains("--json"));
    EXPECT_THAT(offered({"show", "5"}), ElementsAre("5f1a")) << "no options between ids";
    EXPECT_THAT(offered({"search", "--", "--li"}), IsEmpty()) << "no option stands behind --";
    EXPECT_THAT(offered({"--sync-in"}), IsEmpty()) << "settings are many: config show lists them";
}

TEST(Completion, OffersTheValuesOfTheOptionBefore)
{
    EXPECT_THAT(offered({"search", "x", "--sort", ""}), ElementsAre("newest", "relevance"));
    EXPECT_THAT(offered({"export", "--format", ""}), ElementsAre("jsonl", "csv", "markdown", "sqlite"));
    EXPECT_THAT(offered({"show", "x", "--format", "j"}), ElementsAre("json")) << "another command's --format";
    EXPECT_THAT(offered({"export", "--log-level", ""}), ElementsAre("debug", "info", "warn", "error"));
    EXPECT_THAT(offered({"export", "--sync-interval", ""}), IsEmpty()) << "any text";
    EXPECT_THAT(offered({"export", "--output", ""}), ElementsAre(":files"));
    EXPECT_THAT(offered({"show", "--config", "x"}), ElementsAre(":files"));
    EXPECT_THAT(offered({"completions", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, KnowsAnOptionThatIsJoinedToItsValue)
{
    EXPECT_THAT(offered({"export", "--format=c"}), ElementsAre("--format=csv")) << "zsh and fish";
    EXPECT_THAT(offered({"export", "--format", "=", "c"}), ElementsAre("csv")) << "bash splits at =";
    EXPECT_THAT(offered({"export", "--format", "="}), ElementsAre("jsonl", "csv", "markdown", "sqlite"));
}

TEST(Completion, OffersIdsOfConversationsAndWrites)
{
    EXPECT_THAT(offered({"show", ""}), ElementsAre("5f1a", "6b2c"));
    EXPECT_THAT(offered({"purge", "--conversation", "6"}), ElementsAre("6b2c"));
    EXPECT_THAT(offered({"purge", "--user", ""}), IsEmpty());
    EXPECT_THAT(offered({"outbox", "retry", ""}), ElementsAre("17"));
    EXPECT_THAT(offered({"show", "5f1a", ""}), Not(Contains("6b2c"))) << "one id is enough";
}

} // namespace
} // namespace alli::daemon
