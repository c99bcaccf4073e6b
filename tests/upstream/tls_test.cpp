// SPDX-License-Identifier: Apache-2.0
#include "tests/upstream/fetch.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/curl/authorities.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace {

using namespace alli;
using namespace alli::upstream;
using testing::AllOf;
using testing::HasSubstr;
using upstream_test::answer;
using upstream_test::Heard;
using upstream_test::ScriptedServer;

struct PemFile {
    explicit PemFile(const std::string& text)
    {
        close(mkstemp(path.data()));
        std::ofstream(path) << text;
    }
    ~PemFile() { unlink(path.c_str()); }

    std::string path = testing::TempDir() + "certificate-XXXXXX";
};

struct Secure {
    Secure() : server([](const Heard&) { return answer(200, "over TLS"); }, &certificate) {}

    CurlOptions options(const std::string& ca_file) const
    {
        CurlOptions made;
        made.base_url = server.url();
        made.ca_file = ca_file;
        return made;
    }
    Request request;
    asio::io_context loop;
    upstream_test::Certificate certificate = upstream_test::make_certificate();
    ScriptedServer server;
};

TEST(Tls, RefusesACertificateThatNobodyVouchesFor)
{
    Secure secure;
    secure.request.target = "/x";
    CurlTransport transport(secure.loop.get_executor(), secure.options(""));
    const auto error = upstream_test::error_of(secure.loop, transport.send(secure.request));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
    EXPECT_THAT(error->what(), HasSubstr("certificate is not trusted"));
    EXPECT_THAT(error->hint(), AllOf(HasSubstr("ca-certificates"), HasSubstr("upstream.ca_file")));
    EXPECT_TRUE(secure.server.heard().empty());
}

TEST(Tls, AcceptsTheCertificateThatIsNamed)
{
    Secure secure;
    secure.request.target = "/x";
    const PemFile trusted(secure.certificate.certificate);
    CurlTransport transport(secure.loop.get_executor(), secure.options(trusted.path));
    EXPECT_EQ(upstream_test::run(secure.loop, transport.send(secure.request)).body, "over TLS");
}

TEST(Tls, TrustsWhatIsNamedBesidesTheSystemsOwnAndManyAtATime)
{
    const auto company = upstream_test::make_certificate(), another = upstream_test::make_certificate();
    const PemFile both("# our own\r\n" + company.certificate + "\n" + company.key + another.certificate);
    Authorities named(both.path);
    EXPECT_EQ(named.size(), 2U);
    EXPECT_TRUE(named.expired().empty());

    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    const PemFile systems(upstream_test::make_certificate().certificate); // as libcurl has loaded them by then
    ASSERT_EQ(SSL_CTX_load_verify_file(context.get(), systems.path.c_str()), 1);
    for (int times = 0; times < 2; ++times)
        EXPECT_EQ(Authorities::add_to_context(nullptr, context.get(), &named), CURLE_OK);
    EXPECT_EQ(sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context.get()))), 3);
}

std::string complaint(const std::string& file)
try {
    Authorities{file};
    return "no complaint";
} catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::settings);
    return error.what();
}

TEST(Tls, RefusesAFileThatNamesNoAuthority)
{
    EXPECT_EQ(complaint(""), "no complaint");
    EXPECT_THAT(complaint("/nowhere/ca.pem"), HasSubstr("upstream.ca_file: cannot read /nowhere/ca.pem: No such file"));
    EXPECT_THAT(complaint(testing::TempDir()), HasSubstr("Is a directory"));
    const auto good = upstream_test::make_certificate();
    for (const std::string& text : {std::string(), std::string("hello\n"), std::string(3000, '\0'), good.key})
        EXPECT_THAT(complaint(PemFile(text).path), HasSubstr("holds no certificate"));
    const std::string cut = good.certificate.substr(0, good.certificate.size() / 2);
    std::string spoiled = good.certificate;
    spoiled.replace(60, 8, "AAAAAAAA");
    for (const std::string& text : {cut, good.certificate + cut, spoiled})
        EXPECT_THAT(complaint(PemFile(text).path), HasSubstr(" is damaged")) << text;
    CurlOptions options;
    options.ca_file = "/nowhere/ca.pem";
    options.base_url = "https://127.0.0.1:1";
    asio::io_context loop;
    EXPECT_THROW(CurlTransport(loop.get_executor(), options), Error);
}

TEST(Tls, RefusesACertificateOfAnotherHost)
{
    Secure secure;
    secure.request.target = "/x";
    const PemFile trusted(secure.certificate.certificate);
    auto options = secure.options(trusted.path);
    options.base_url.replace(options.base_url.find("127.0.0.1"), 9, "localhost");
    CurlTransport transport(secure.loop.get_executor(), options);
    const auto error = upstream_test::error_of(secure.loop, transport.send(secure.request));
    ASSERT_TRUE(error);
    EXPECT_THAT(error->what(), HasSubstr("certificate is not trusted"));
}

TEST(Tls, SaysSoWhenTheOtherSideDoesNotSpeakIt)
{
    ScriptedServer plain([](const Heard&) { return answer(200, ""); });
    asio::io_context loop;
    CurlOptions options;
    options.base_url = "https" + plain.url().substr(4);
    options.request_timeout = std::chrono::milliseconds(500);
    CurlTransport transport(loop.get_executor(), options);
    Request request;
    request.target = "/x";
    const auto error = upstream_test::error_of(loop, transport.send(request));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
}

TEST(Tls, GivesUpAHandshakeThatDoesNotGoOn)
{
    asio::io_context loop;
    const asio::ip::tcp::acceptor silent(loop,
                                         {asio::ip::address_v4::loopback(), 0}); // the kernel connects, nobody speaks
    CurlOptions options;
    options.base_url = "https://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
    options.connect_timeout = std::chrono::milliseconds(50);
    CurlTransport transport(loop.get_executor(), options);
    Request request;
    request.target = "/x";
    const auto error = upstream_test::error_of(loop, transport.send(request));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable);
    EXPECT_THAT(error->what(), HasSubstr("timed out after 50 ms"));
}

} // namespace
