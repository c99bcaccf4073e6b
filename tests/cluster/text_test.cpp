// SPDX-License-Identifier: Apache-2.0
#include "alli/random.hpp"
#include "cluster/libpq/server_error.hpp"
#include "cluster/libpq/url.hpp"
#include "cluster/postgres/text.hpp"

#include <gtest/gtest.h>

namespace alli::cluster {
namespace {

TEST(ClusterText, AnIdIsReadBackWhateverItsBytes)
{
    SeededRandom random(7);
    for (int round = 0; round < 2'000; ++round) {
        std::string id = random.bytes(random.below(9));
        for (char& c : id)
            if (random.below(3) == 0) c = "\\x0a"[random.below(4)];
        const std::string escaped = escape_id(id);
        EXPECT_TRUE(fits_text(escaped));
        EXPECT_EQ(unescape_id(escaped), id);
    }
    EXPECT_EQ(escape_id("6a1f-é"), "6a1f-é");
}

TEST(ClusterText, WhatDoesNotFitIsReplacedForReaders)
{
    EXPECT_EQ(readable_text(std::string("a\0b\xff", 4)), "a\xEF\xBF\xBD"
                                                         "b\xEF\xBF\xBD");
    EXPECT_EQ(readable_text("Grüße"), "Grüße");
}

TEST(ClusterText, PlainJsonIsWhatEveryOperatorReads)
{
    const std::string deep(600, '[');
    for (const char* const plain : {R"({"a":1})", "[]", R"("\u00e9")", R"("\ud83d\ude00")", R"("\\u0000")", "1e300"})
        EXPECT_TRUE(is_plain_json(plain)) << plain;
    for (const std::string& odd :
         {std::string(R"({"a":NaN})"), std::string(R"("\u0000")"), std::string(R"("\ud83d")"),
          std::string(R"("\ud83dx")"), std::string(R"("\ude00\ud83d")"), std::string(R"("\ud83d\u0041")"),
          std::string(), std::string("{'a':1}"), std::string("[1,]"), std::string("\"\0\"", 3), std::string("\"\xff\""),
          deep + std::string(600, ']')})
        EXPECT_FALSE(is_plain_json(odd)) << odd;
}

TEST(ClusterUrl, SaysWhatIsWrong)
{
    const auto fault = [](const std::string& url) { return find_url_fault(url).value_or("right"); };
    for (const char* const right : {"postgresql://alli@db1,db2/mirror", "postgres://localhost/x?sslmode=disable",
                                    "postgresql:///mirror", "postgresql://alli@127.0.0.1:5433/x?sslmode=require",
                                    "postgresql://alli@%2Frun%2Fpostgresql/x?sslmode=disable",
                                    "postgresql://alli@db/x?sslmode=verify-full&sslrootcert=/etc/ca.pem",
                                    "postgresql://db/x?hostaddr=127.0.0.1&sslmode=prefer"})
        EXPECT_EQ(fault(right), "right") << right;
    EXPECT_NE(fault("postgresql://alli:secret@db/x").find("no password"), std::string::npos);
    EXPECT_EQ(fault("postgresql://alli:secret@db/x").find("secret"), std::string::npos);
    EXPECT_NE(fault("postgresql://db/x?password=secret").find("no password"), std::string::npos);
    for (const char* const mode : {"disable", "allow", "prefer", "require", "verify-ca"})
        EXPECT_NE(fault(std::string("postgresql://localhost,db/x?sslmode=") + mode).find("verify-full"),
                  std::string::npos);
    EXPECT_NE(fault("postgresql://localhost/x?hostaddr=10.0.0.1&sslmode=prefer"), "right");
    EXPECT_NE(fault("postgresql://alli@127.db.example.com/x?sslmode=prefer"), "right") << "a name, no address";
    EXPECT_NE(fault("postgresql://db/x?sslpassword=secret").find("no password"), std::string::npos);
    EXPECT_NE(fault("mysql://db/x"), "right");
    EXPECT_NE(fault("postgresql://db/x?no_such_word=1"), "right");
    EXPECT_NE(fault("host=db password=x"), "right");
}

TEST(ClusterUrl, WhatIsWrongWithItIsSaidWithoutAWordOfIt)
{
    for (const char* const url :
         {"postgresql://alli:secret%@db/x", "postgresql://alli:secret%zz@db/x", "postgresql://alli:secret@[::1/x",
          "postgresql://alli:secret@[]/x", "postgresql://alli:secret@[::1]x/y", "postgresql://db/x?secret=1",
          "postgresql://db/x?password=secret=1", "postgresql://db/x?secret", "postgresql://alli:secret/1@db/x",
          "postgresql://db:secret/x", "postgresql://db/x?port=secret"}) {
        const auto fault = find_url_fault(url);
        ASSERT_TRUE(fault) << url;
        EXPECT_EQ(fault->find("secret"), std::string::npos) << *fault;
    }
}

TEST(ClusterUrl, ANameThatBeginsAsAnAddressOfThisMachineIsVerified)
{
    const auto mode = [](const std::string& host) {
        return read_url("postgresql://alli@" + host + "/x", "").at(0).words.at("sslmode");
    };
    EXPECT_EQ(mode("127.db.example.com"), "verify-full");
    EXPECT_EQ(mode("127.0.0.1.example.com"), "verify-full");
    EXPECT_EQ(mode("127.8.0.1"), "prefer");
}

TEST(ClusterUrl, AHostOnAnotherMachineIsVerified)
{
    const auto targets = read_url("postgresql://alli@db1:5433,localhost/mirror?connect_timeout=3", "secret");
    ASSERT_EQ(targets.size(), 2U);
    EXPECT_EQ(targets[0].host, "db1");
    EXPECT_EQ(targets[0].words.at("sslmode"), "verify-full");
    EXPECT_EQ(targets[0].words.at("target_session_attrs"), "read-write");
    EXPECT_EQ(targets[0].words.at("gssencmode"), "disable");
    EXPECT_EQ(targets[0].words.at("password"), "secret");
    EXPECT_EQ(targets[1].words.at("sslmode"), "prefer");
    EXPECT_EQ(targets[1].words.at("dbname"), "mirror");
}

TEST(ClusterErrors, AFaultIsChosenByWhoMustAct)
{
    const auto fault = [](const char* said) { return connect_error("db", said).fault(); };
    EXPECT_EQ(fault("connection to server at \"db\" failed: FATAL:  28P01: password authentication failed\n"),
              Fault::key_rejected);
    EXPECT_EQ(fault("FATAL:  3D000: database \"x\" does not exist"), Fault::settings);
    EXPECT_EQ(fault("FATAL:  57P03: the database system is starting up"), Fault::unreachable);
    EXPECT_EQ(fault("could not translate host name \"db\" to address: Name or service not known"), Fault::unreachable);
    EXPECT_EQ(fault("SSL error: certificate verify failed"), Fault::key_rejected);
    EXPECT_EQ(ServerError("42501", "permission denied").fault(), Fault::key_rejected);
    EXPECT_EQ(ServerError("40001", "could not serialize").fault(), Fault::unreachable);
}

} // namespace
} // namespace alli::cluster
