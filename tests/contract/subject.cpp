// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/subject.hpp"

#include "tests/daemon/daemon.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <optional>

namespace alli::contract {
namespace {

sandbox::Options options()
{
    static const Instant now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    sandbox::Options made;
    made.seed = 7;
    made.conversations = 160;
    made.embedded_chats = 3;
    made.categories_hold = sandbox::CategoriesHold::ids; // as filters do
    made.clock = [] { return now; };
    return made;
}

} // namespace

struct Subject::Parts {
    sandbox::Sandbox twin{options()};
    std::optional<sandbox::Sandbox> upstream; // what the daemon mirrors
    std::optional<daemon::Home> home;
    std::optional<daemon::Daemon> daemon;
    std::uint16_t port = twin.port();
};

Subject::Subject(Way way) : parts_(std::make_unique<Parts>())
{
    if (way == Way::direct) return;
    parts_->upstream.emplace(options());
    parts_->home.emplace();
    parts_->home->use(*parts_->upstream);
    parts_->daemon.emplace(*parts_->home, std::vector<std::string>{"serve", "--sync-variables", "plan,visits"});
    parts_->daemon->wait_until_complete();
    parts_->port = parts_->daemon->port;
    if (way == Way::online) return;
    for (const std::string& id : parts_->twin.conversation_ids()) // what is asked for is kept
        get(path_of(id, "?variables=plan,visits,nothing"));
    parts_->upstream->stop();
}

Subject::~Subject() = default;

Subject& Subject::of(Way way)
{
    static std::array<std::unique_ptr<Subject>, 3> made;
    auto& one = made[static_cast<std::size_t>(way)];
    if (!one) one.reset(new Subject(way)); // its constructor is for this function alone
    return *one;
}

support::HttpReply Subject::send(std::string_view method, std::string_view target, support::Headers more,
                                 std::string_view body) const
{
    more.emplace_back("API-KEY", "sandbox");
    return support::http(parts_->port, method, target, more, body);
}

support::HttpReply Subject::get(std::string_view target, support::Headers more) const
{
    return send("GET", target, std::move(more));
}

support::HttpReply Subject::send_with(const std::string& key, std::string_view target) const
{
    return support::http(parts_->port, "GET", target, {{"API-KEY", key}});
}

support::HttpReply Subject::truth(std::string_view target) const
{
    return support::http(parts_->twin.port(), "GET", target);
}

sandbox::Sandbox& Subject::twin() const
{
    return parts_->twin;
}

void Contract::expect_truth(const std::string& target)
{
    const auto found = subject().get(target), expected = subject().truth(target);
    ASSERT_EQ(found.status, expected.status) << target << ' ' << found.error << found.body.substr(0, 300);
    EXPECT_EQ(found.header("Content-Type"), expected.header("Content-Type")) << target;
    if (found.body == expected.body) return;
    if (expected.status >= 400) return; // its message is ours to word
    const auto patch = nlohmann::json::diff(nlohmann::json::parse(expected.body), nlohmann::json::parse(found.body));
    ADD_FAILURE() << target << ": other bytes; the first difference: "
                  << (patch.empty() ? "white space" : patch.front().dump().substr(0, 300));
}

void Contract::expect_refusal(const std::string& target, int status)
{
    const auto reply = subject().get(target);
    EXPECT_EQ(reply.status, status) << target << ' ' << reply.body.substr(0, 300);
    EXPECT_EQ(reply.header("Content-Type"), "application/json") << target;
    const auto error = nlohmann::json::parse(reply.body, nullptr, false);
    ASSERT_TRUE(error.is_object()) << target;
    EXPECT_EQ(error.value("type", ""), "APIError") << target;
    EXPECT_EQ(error.value("code", 0), 7003) << target;
    EXPECT_TRUE(error.contains("message") && error["message"].is_string()) << target;
}

std::string way_name(const testing::TestParamInfo<Way>& info)
{
    constexpr std::array names{"Direct", "Online", "Offline"};
    return names[static_cast<std::size_t>(info.param)];
}

std::string escaped(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-_.~").find(c) != std::string_view::npos)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

std::string path_of(const std::string& id, std::string_view rest)
{
    return std::string(list_path) + '/' + escaped(id) + std::string(rest);
}

} // namespace alli::contract
