// SPDX-License-Identifier: Apache-2.0
// Whom a node trusts as the cluster's database: certificate and name, by an authority of one's own.
#include "cluster/postgres/inspect.hpp"
#include "cluster/postgres/schema.hpp"
#include "tests/cluster/truths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace cluster_tests {
namespace {

class Authority {
  public:
    explicit Authority(const std::string& name)
    {
        openssl({"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-keyout",
                 directory_ / "ca.key", "-out", certificate()});
    }
    std::string certificate() const { return directory_ / "ca.pem"; }

    /// For localhost: certificate and key.
    std::pair<std::string, std::string> make_server() const
    {
        std::ofstream(directory_ / "names") << "subjectAltName=DNS:localhost\n";
        openssl({"req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", directory_ / "server.key",
                 "-out", directory_ / "server.csr"});
        openssl({"x509", "-req", "-in", directory_ / "server.csr", "-CA", certificate(), "-CAkey",
                 directory_ / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", directory_ / "names", "-out",
                 directory_ / "server.pem"});
        return {read(directory_ / "server.pem"), read(directory_ / "server.key")};
    }

  private:
    static void openssl(std::vector<std::string> words)
    {
        words.insert(words.begin(), "/usr/bin/openssl");
        if (const auto done = support::run_process(words, {{"PATH", "/usr/bin"}}); done.code != 0)
            throw std::runtime_error(done.errors);
    }
    static std::string read(const std::string& path)
    {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }

    support::TempDir directory_;
};

TEST(ClusterTls, AServerIsTrustedByItsAuthorityAndItsName)
{
    const Authority ours("ours"), theirs("theirs");
    const auto [certificate, key] = ours.make_server();
    const support::PostgresServer server(certificate, key);
    const auto inspect = [&](const std::string& host, const Authority& trusted) {
        SessionOptions options;
        options.targets =
            read_url(server.remote_url(host) + "?sslmode=verify-full&sslrootcert=" + trusted.certificate(), "");
        options.schema = "alli_mirror";
        options.needs_tables = false;
        return on_session<bool>(options, [](Session& session) -> Task<bool> {
            InitOptions none;
            const InitReport made = co_await init_cluster(session, std::move(none));
            const DatabaseReport report = co_await inspect_database(session);
            co_return made.made_reader&& report.is_encrypted;
        });
    };
    const auto fault = [&](const std::string& host, const Authority& trusted) {
        try {
            inspect(host, trusted);
        } catch (const Error& error) {
            return error.fault();
        }
        return Fault::canceled; // none
    };
    EXPECT_EQ(fault("localhost", theirs), Fault::key_rejected);
    EXPECT_EQ(fault("127.0.0.1", ours), Fault::key_rejected) << "the certificate is localhost's";
    EXPECT_TRUE(inspect("localhost", ours));
}

} // namespace
} // namespace cluster_tests
