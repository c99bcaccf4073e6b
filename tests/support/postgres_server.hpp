// SPDX-License-Identifier: Apache-2.0
// A PostgreSQL of a test program's own: in a temporary directory, reached by a Unix socket alone, as a user that is not
// root, without syncs to disk. Throws std::runtime_error where Debian's package postgresql is not installed.
#pragma once

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

#include <memory>

namespace support {

class PostgresServer {
  public:
    PostgresServer();
    /// Beside the socket on localhost, by TLS: the texts of a certificate and its key.
    PostgresServer(const std::string& certificate, const std::string& key);
    ~PostgresServer();

    /// `user`: of its roles; postgres is the superuser. What follows the `?` of the URL may be added.
    std::string url(const std::string& user = "postgres", const std::string& database = "postgres") const;

    /// What psql prints, unaligned, tuples only. Throws std::runtime_error with its words where it fails.
    std::string run_sql(const std::string& sql, const std::string& database = "postgres") const;

    /// By TLS.
    std::string remote_url(const std::string& host) const;

    void stop();
    void start();
    /// The postmaster and all that it started.
    void freeze() const;
    void thaw() const;
    /// Writes pg_hba.conf anew and has it read.
    void set_rules(const std::string& rules);

  private:
    std::vector<std::string> words(const std::string& program) const;
    void make_cluster();
    std::string write(const std::string& name, const std::string& text) const;

    TempDir directory_;
    std::string programs_;
    std::vector<std::string> more_words_;
    int port_ = 5432; // of the socket's name, and of TCP where it listens
    std::unique_ptr<Process> process_;
};

} // namespace support
