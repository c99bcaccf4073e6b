// SPDX-License-Identifier: Apache-2.0
// GET /metrics of the real program: in Prometheus' format, behind the key, and true.
#include "daemon/node/prometheus_text.hpp"
#include "tests/daemon/daemon.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <regex>

namespace alli::daemon {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The value of one sample; NaN where there is none.
static double value_of(const std::string& text, const std::string& sample)
{
    const std::string start = "\n" + sample + " ";
    const auto at = text.find(start);
    return at == std::string::npos ? std::nan("") : std::stod(text.substr(at + start.size()));
}

class MetricsOfADaemon : public testing::Test {
  protected:
    MetricsOfADaemon() : upstream_(small_sandbox())
    {
        home_.use(upstream_);
        home_.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "100ms";
        daemon_.emplace(home_, std::vector<std::string>{"serve"});
        daemon_->wait_until_complete();
    }
    std::string metrics() const
    {
        const auto reply = daemon_->get("/metrics");
        EXPECT_EQ(reply.status, 200) << reply.body;
        EXPECT_EQ(reply.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
        return reply.body;
    }

    sandbox::Sandbox upstream_;
    Home home_;
    std::optional<Daemon> daemon_;
};

TEST_F(MetricsOfADaemon, SayWhatItDid)
{
    for (int i = 0; i < 3; ++i) daemon_->get("/webapi/v2/conversations?pageSize=7");
    const std::string text = metrics();
    EXPECT_EQ(value_of(text, "alli_mirror_conversations"), 12);
    EXPECT_EQ(value_of(text, "alli_mirror_coverage_complete"), 1);
    EXPECT_EQ(value_of(text, "alli_mirror_upstream_reachable"), 1);
    EXPECT_GE(value_of(text, R"(alli_mirror_http_requests_total{route="listConversations",cache="hit",code="2xx"})"),
              3);
    EXPECT_GE(value_of(text, R"(alli_mirror_upstream_requests_total{operation="list",outcome="success"})"), 1);
    EXPECT_GE(value_of(text, R"(alli_mirror_upstream_request_duration_seconds_count{operation="list"})"), 1);
    EXPECT_EQ(value_of(text, R"(alli_mirror_breaker_state{state="closed"})"), 1);
    EXPECT_LT(value_of(text, "alli_mirror_sync_lag_seconds"), 60);
    EXPECT_EQ(value_of(text, R"(alli_mirror_outbox_entries{state="pending"})"), 0);
    EXPECT_GE(value_of(text, R"(alli_mirror_file_bytes{file="mirror.db",part="database"})"), 4096);
    EXPECT_GT(value_of(text, "alli_mirror_process_resident_memory_bytes"), 1 << 20);
    EXPECT_GT(value_of(text, "alli_mirror_process_open_fds"), 3);
    EXPECT_EQ(daemon_->stop(), 0);
}

TEST_F(MetricsOfADaemon, NeedTheKeyAndNeverShowIt)
{
    EXPECT_EQ(support::http(daemon_->port, "GET", "/metrics", {}).status, 401);
    EXPECT_THAT(metrics(), AllOf(Not(HasSubstr("sandbox\"")), Not(HasSubstr("Q29u"))));
    EXPECT_EQ(daemon_->stop(), 0);
}

TEST_F(MetricsOfADaemon, FollowTheOutboxAndUpstream)
{
    upstream_.stop();
    const auto list = nlohmann::json::parse(daemon_->get("/webapi/v2/conversations?pageSize=1").body);
    const std::string id = list["conversations"][0]["id"];
    std::string path = "/webapi/v2/conversations/";
    for (const char c : id) path += std::isalnum(c) ? std::string(1, c) : fmt::format("%{:02X}", c);
    EXPECT_EQ(support::http(daemon_->port, "PUT", path + "/title",
                            {{"API-KEY", daemon_->key}, {"Content-Type", "application/json"}}, R"({"title":"t"})")
                  .status,
              202);
    daemon_->wait_for([](const nlohmann::json& now) { return now["upstream"]["reachable"] == false; });
    const std::string text = metrics();
    EXPECT_EQ(value_of(text, R"(alli_mirror_outbox_entries{state="pending"})"), 1);
    EXPECT_EQ(value_of(text, "alli_mirror_upstream_reachable"), 0);
    EXPECT_GE(
        value_of(text, R"(alli_mirror_http_requests_total{route="setConversationTitle",cache="none",code="2xx"})"), 1);
    EXPECT_EQ(daemon_->stop(), 0);
}

// An alert goes by it: what status says of writes, webhooks, settings and the cluster has none of its own, or another.
TEST_F(MetricsOfADaemon, CountTheProblemsThatStatusLists)
{
    EXPECT_EQ(value_of(metrics(), "alli_mirror_problems"), 0);
    for (int n = 0; n < 100; ++n) daemon_->get("/webapi/v2/conversations?zebra=" + std::to_string(n));
    const nlohmann::json problems = daemon_->status()["problems"];
    EXPECT_THAT(problems.dump(), HasSubstr("zebra"));
    EXPECT_EQ(value_of(metrics(), "alli_mirror_problems"), static_cast<double>(problems.size()));
    EXPECT_EQ(daemon_->stop(), 0);
}

TEST_F(MetricsOfADaemon, AreWhatPrometheusTakes)
{
    daemon_->get("/webapi/apps");
    const std::string file = home_.write("metrics.txt", metrics());
    EXPECT_EQ(daemon_->stop(), 0);
    const std::map<std::string, std::string> path = {{"PATH", std::getenv("PATH")}};
    if (support::run_process({"/bin/sh", "-c", "command -v promtool"}, path).code != 0)
        GTEST_SKIP() << "promtool is missing: tests/support/tools.sh fetches it";
    const auto checked = support::run_process({"/bin/sh", "-c", "promtool check metrics < " + file}, path);
    EXPECT_EQ(checked.code, 0) << checked.output << checked.errors;
    EXPECT_EQ(checked.errors, "");
}

TEST(ExpositionText, EscapesLabelsAndWritesWholeNumbersWhole)
{
    PrometheusText out;
    out.family("x", PrometheusText::Type::gauge, "Help.");
    out.sample(12345678901.0, {{"name", "a\"b\\c\nd"}});
    out.sample(0.25);
    EXPECT_EQ(out.take(), "# HELP alli_mirror_x Help.\n# TYPE alli_mirror_x gauge\n"
                          "alli_mirror_x{name=\"a\\\"b\\\\c\\nd\"} 12345678901\nalli_mirror_x 0.25\n");
}

TEST(ExpositionText, AddsUpTheBucketsOfAHistogram)
{
    Histogram histogram;
    histogram.observe(std::chrono::microseconds(50));
    histogram.observe(std::chrono::microseconds(200));
    histogram.observe(std::chrono::minutes(1));
    PrometheusText out;
    out.family("t_seconds", PrometheusText::Type::histogram, "Help.");
    out.histogram(histogram.read(), {{"a", "b"}});
    const std::string text = out.take();
    EXPECT_THAT(text, HasSubstr("alli_mirror_t_seconds_bucket{a=\"b\",le=\"0.0001\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("alli_mirror_t_seconds_bucket{a=\"b\",le=\"0.00025\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("alli_mirror_t_seconds_bucket{a=\"b\",le=\"30\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("alli_mirror_t_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("alli_mirror_t_seconds_count{a=\"b\"} 3\n"));
}

} // namespace alli::daemon
