// SPDX-License-Identifier: Apache-2.0
#include "cluster/ask_refresh.hpp"

#include "alli/error.hpp"

namespace alli::cluster {
namespace {

// False: one of them was refused.
Task<bool> ask(Truth& truth, std::vector<std::string> conversations)
{
    bool refused = false;
    try {
        co_await truth.ask_refresh(std::move(conversations));
    } catch (const Error& error) {
        refused = error.fault() == Fault::refused;
        if (!refused) throw;
    }
    co_return !refused;
}

} // namespace

Task<> ask_refresh(Truth& truth, std::vector<std::string> conversations)
{
    if (co_await ask(truth, conversations)) co_return;
    for (std::string& one : conversations) {
        std::vector<std::string> alone;
        alone.push_back(std::move(one));
        co_await ask(truth, std::move(alone));
    }
}

} // namespace alli::cluster
