// SPDX-License-Identifier: Apache-2.0
// Nodes of one cluster over the private PostgreSQL of the tests, in a schema of this test's own.
#pragma once

#include "alli/error.hpp"
#include "cluster/postgres/postgres_truth.hpp"
#include "tests/cluster/truths.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

namespace cluster_tests {

class PostgresNodes : public testing::Test {
  protected:
    std::unique_ptr<Truth> node(const std::string& name, std::chrono::milliseconds patience = std::chrono::seconds(10),
                                const std::string& user = "postgres")
    {
        PostgresOptions options;
        options.url = postgres().url(user);
        options.schema = schema;
        options.self = {name, name + "-process"};
        options.patience = patience;
        return std::make_unique<PostgresTruth>(options);
    }
    static std::int64_t lead(Truth& truth)
    {
        const Head head = sync_wait(truth.head());
        return sync_wait(truth.campaign(head.epoch, head.beat)).value();
    }
    std::string sql(const std::string& text) const
    {
        return postgres().run_sql("SET search_path TO " + schema + ";" + text);
    }

    std::string schema = make_schema();
};

inline Fault fault_of(const std::function<void()>& call)
{
    try {
        call();
    } catch (const Error& error) {
        return error.fault();
    }
    throw std::runtime_error("it succeeded");
}

} // namespace cluster_tests
