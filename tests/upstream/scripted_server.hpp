// SPDX-License-Identifier: Apache-2.0
// A server that says byte for byte what a test tells it to, over TCP or TLS, on a thread and a port of its own. The
// script runs on that thread, once a request.
#pragma once

#include "alli/headers.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace upstream_test {

struct Heard {
    std::string method, target, body;
    alli::Headers headers;

    std::string header(const std::string& name) const { return headers.joined(name); }
    bool has(const std::string& name) const { return headers.find(name) != nullptr; }
};

struct Answer {
    enum class Then { keep, close, reset, stall };

    std::vector<std::string> pieces; // bytes of the answer, its status line included
    Then then = Then::keep;
    std::chrono::milliseconds gap{0}; // between two pieces
};

/// A whole answer: status line, the headers given (lines with their CRLF), Content-Length, body.
Answer answer(int status, const std::string& body, const std::string& headers = "Content-Type: application/json\r\n");
/// Bytes as they are, and then the connection's end.
Answer raw(const std::string& bytes, Answer::Then then);
std::string gzipped(const std::string& text);

struct Certificate {
    std::string certificate, key; // PEM, self-signed for 127.0.0.1
};
Certificate make_certificate();

class ScriptedServer {
  public:
    using Script = std::function<Answer(const Heard&)>;

    explicit ScriptedServer(Script script, const Certificate* tls = nullptr);
    ~ScriptedServer();
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::string url() const; // "http://127.0.0.1:PORT"
    std::vector<Heard> heard() const;
    int connections() const; // that were accepted

    /// Writes this on every connection that is open, unasked, and ends it then where `close` says so. Returns when it
    /// has arrived at all clients, which are of this process.
    void say_unasked(const std::string& bytes, bool close);

  private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

} // namespace upstream_test
