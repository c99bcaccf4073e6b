// SPDX-License-Identifier: Apache-2.0
// The fixture of the contract of the shared outbox: two nodes of a store, which begins empty.
#pragma once

#include "tests/cluster/truths.hpp"
#include "tests/cluster/writes.hpp"

#include <gtest/gtest.h>

namespace cluster_tests {

struct StoreKind {
    const char* name;
    std::unique_ptr<Store> (*make)();
};

class OutboxContract : public testing::TestWithParam<StoreKind> {
  protected:
    template <class T>
    T wait(Task<T> task)
    {
        return store->wait(std::move(task));
    }
    std::int64_t lead(Truth& truth)
    {
        const Head head = wait(truth.head());
        return wait(truth.campaign(head.epoch, head.beat)).value();
    }
    Accepted accept(Truth& truth, NewWrite write, cache::OutboxLimits limits = {})
    {
        return wait(truth.outbox().accept(std::move(write), limits));
    }
    SharedWrite accepted(Truth& truth, const std::string& conversation, const std::string& key)
    {
        return accept(truth, title_of(conversation, key)).write;
    }
    SharedWrite begin(Truth& truth, std::int64_t epoch, const SharedWrite& write)
    {
        return wait(truth.outbox().begin(epoch, known(write), std::nullopt)).value();
    }
    SharedWrite settle(Truth& truth, std::int64_t epoch, const SharedWrite& write, WriteOutcome outcome)
    {
        return wait(truth.outbox().settle(epoch, known(write), std::move(outcome))).value();
    }
    SharedWrite find(Truth& truth, const SharedWrite& write)
    {
        return wait(truth.outbox().find(write.entry.id)).value();
    }
    Position last(Truth& truth) { return wait(truth.head()).last; }
    std::vector<SharedWrite> all(Truth& truth) { return wait(truth.outbox().read_all(0, 1'000)).writes; }

    std::unique_ptr<Store> store = GetParam().make();
    std::unique_ptr<Truth> one = store->node("one"), two = store->node("two");
};

inline auto both_stores()
{
    return testing::Values(StoreKind{"TheModel", make_model_store}, StoreKind{"PostgreSQL", make_postgres_store});
}

inline std::string name_of_store(const testing::TestParamInfo<StoreKind>& kind)
{
    return kind.param.name;
}

} // namespace cluster_tests
