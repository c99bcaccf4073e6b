// SPDX-License-Identifier: Apache-2.0
// What the contract suite asks: upstream itself, or the real daemon that mirrors it, with upstream there or gone.
// Beside it a twin of upstream, made of the same seed and clock, tells what the answer has to be. Made once a program
// and way.
#pragma once

#include "sandbox/sandbox.hpp"
#include "tests/support/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace alli::contract {

enum class Way { direct, online, offline };

inline constexpr const char* list_path = "/webapi/v2/conversations";

class Subject {
  public:
    static Subject& of(Way way);
    ~Subject();

    support::HttpReply send(std::string_view method, std::string_view target, support::Headers more = {},
                            std::string_view body = {}) const;
    support::HttpReply get(std::string_view target, support::Headers more = {}) const;
    support::HttpReply send_with(const std::string& key, std::string_view target) const;
    /// What upstream answers to the same.
    support::HttpReply truth(std::string_view target) const;
    sandbox::Sandbox& twin() const;

  private:
    explicit Subject(Way way);

    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// Every test of the suite, for every way.
class Contract : public testing::TestWithParam<Way> {
  protected:
    static Subject& subject() { return Subject::of(GetParam()); }
    static bool mirrored() { return GetParam() != Way::direct; }
    static bool offline() { return GetParam() == Way::offline; }

    /// The same status and JSON as upstream's, and the same bytes where both say 200.
    static void expect_truth(const std::string& target);
    /// 400 or 404 in the service's shape.
    static void expect_refusal(const std::string& target, int status);
};

std::string way_name(const testing::TestParamInfo<Way>& info);

/// Percent-encoded, all but what RFC 3986 calls unreserved.
std::string escaped(std::string_view text);
std::string path_of(const std::string& id, std::string_view rest = {});

} // namespace alli::contract

#define ALLI_EVERY_WAY(suite)                                                                                          \
    INSTANTIATE_TEST_SUITE_P(                                                                                          \
        Every, suite,                                                                                                  \
        testing::Values(alli::contract::Way::direct, alli::contract::Way::online, alli::contract::Way::offline),       \
        alli::contract::way_name)
