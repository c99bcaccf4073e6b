// SPDX-License-Identifier: Apache-2.0
// `list` through the real program: one conversation a line, the columns below each other, in the time of whoever reads.
#include "tests/daemon/home.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace alli::daemon {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class List : public testing::Test {
  protected:
    void SetUp() override
    {
        for (const std::string& id : upstream_.conversation_ids()) upstream_.erase(id);
        one_ = add("\xEC\x98\x88\xEC\x95\xBD \xED\x99\x95\xEC\x9D\xB8",
                   1); // three letters of a language are as wide as six
        many_ = add("Refund", 12);
        untitled_ = add("", 1);
        home_.use(upstream_);
        ASSERT_EQ(home_.run({"sync"}).code, 0);
    }

    std::string add(const std::string& title, int chats)
    {
        const std::string id = upstream_.add_conversation(0);
        for (int n = 0; n < chats; ++n) upstream_.add_chat(id, "USER", "hello");
        upstream_.edit_title(id, title);
        return id;
    }
    std::vector<std::string> lines()
    {
        const auto finished = home_.run({"list"});
        EXPECT_EQ(finished.code, 0) << finished.errors;
        std::istringstream text(finished.output);
        std::vector<std::string> all;
        for (std::string line; std::getline(text, line);) all.push_back(line);
        return all;
    }

    sandbox::Sandbox upstream_{small_sandbox(1)};
    std::string one_, many_, untitled_;
    Home home_;
};

TEST_F(List, HasItsColumnsBelowEachOther)
{
    const auto said = lines();
    ASSERT_EQ(said.size(), 3U);
    for (const auto& [id, chats] :
         {std::pair(one_, "    1 chat "), {many_, "   12 chats"}, {untitled_, "    1 chat "}}) {
        const auto line = std::find_if(said.begin(), said.end(),
                                       [&, id = id](const std::string& it) { return it.find(id) != it.npos; });
        ASSERT_NE(line, said.end()) << id;
        EXPECT_EQ(line->find(chats), 28U) << *line;
        EXPECT_EQ(line->find(id), 41U) << *line;
    }
    const std::string all = said[0] + '\n' + said[1] + '\n' + said[2];
    EXPECT_THAT(all, HasSubstr("(no title)"));
    EXPECT_THAT(all, HasSubstr("Refund"));
}

TEST_F(List, SaysTimesOfWhoeverReads)
{
    const std::string when =
        nlohmann::json::parse(home_.run({"list", "--json"}).output)["conversations"][0]["lastChatTime"];
    EXPECT_THAT(when, EndsWith("Z"));
    home_.environment["TZ"] = "UTC";
    const std::string here = lines().at(0).substr(0, 26);
    home_.environment["TZ"] = "Asia/Kolkata"; // five hours and a half before
    const std::string there = lines().at(0).substr(0, 26);
    EXPECT_THAT(here, StartsWith(when.substr(0, 10) + " " + when.substr(11, 5)));
    EXPECT_NE(there.substr(14, 2), here.substr(14, 2)) << here << there;
    EXPECT_THAT(there, HasSubstr("+05:30"));
}

} // namespace alli::daemon
