// SPDX-License-Identifier: Apache-2.0
#include "tests/cluster/truths.hpp"

#include "cluster/postgres/postgres_truth.hpp"
#include "tests/support/model_truth.hpp"

namespace cluster_tests {
namespace {

Member member(const std::string& name)
{
    static int made = 0;
    const std::chrono::seconds lease(name == "one" ? 30 : 4);
    return {name, name + "-" + std::to_string(++made), lease};
}

class ModelStore final : public Store {
  public:
    std::unique_ptr<Truth> node(const std::string& name) override
    {
        return std::make_unique<support::ModelTruth>(loop_.get_executor(), database_, clock_, member(name), ++made_);
    }
    asio::io_context& loop() override { return loop_; }

  private:
    asio::io_context loop_{1};
    SystemClock clock_;
    support::ModelDatabase database_{clock_, 1};
    std::uint64_t made_ = 0;
};

class PostgresStore final : public Store {
  public:
    PostgresStore() : schema_(make_schema()) {}

    std::unique_ptr<Truth> node(const std::string& name) override
    {
        PostgresOptions options;
        options.url = postgres().url();
        options.schema = schema_;
        options.self = member(name);
        return std::make_unique<PostgresTruth>(options);
    }
    asio::io_context& loop() override { return loop_; }

  private:
    asio::io_context loop_{1};
    std::string schema_;
};

} // namespace

support::PostgresServer& postgres()
{
    static support::PostgresServer server;
    return server;
}

SessionOptions session_options(const std::string& schema, const std::string& user)
{
    SessionOptions options;
    options.targets = read_url(postgres().url(user), "");
    options.schema = schema;
    options.needs_tables = false;
    return options;
}

std::string make_schema()
{
    static int made = 0;
    const std::string schema = "alli_" + std::to_string(++made);
    on_session<InitReport>(session_options(schema), [](Session& session) { return init_cluster(session, {}); });
    return schema;
}

std::unique_ptr<Store> make_model_store()
{
    return std::make_unique<ModelStore>();
}

std::unique_ptr<Store> make_postgres_store()
{
    return std::make_unique<PostgresStore>();
}

} // namespace cluster_tests
