// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_probe.hpp"

#include "alli/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace alli::daemon {

namespace beast = boost::beast;
namespace http = beast::http;
using asio::local::stream_protocol;

static constexpr std::chrono::seconds patience{3};

/// Read off /proc/locks: asking for the lock itself, for a moment, could make a starting daemon fail. The file holds
/// the owner's number; the device is left out, for some file systems show another one there.
std::optional<int> find_owner(const std::string& mirror_path)
{
    const auto file = std::filesystem::path(mirror_path).parent_path() / "alli-mirror.lock";
    struct stat status = {};
    int owner = 0;
    if (::stat(file.c_str(), &status) != 0 || !(std::ifstream(file) >> owner)) return std::nullopt;
    const std::string place_ending = fmt::format(":{}", status.st_ino);

    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line); // 1: FLOCK ADVISORY WRITE 4711 fe:01:12345 0 EOF
        std::string number, kind, strength, access, place;
        int process = 0;
        if (words >> number >> kind >> strength >> access >> process >> place && kind == "FLOCK" && process == owner &&
            place.ends_with(place_ending))
            return owner;
    }
    return std::nullopt;
}

using Answer = http::response<http::string_body>;

static Task<> ask(std::string path, std::string method, std::string target, std::optional<Answer>& answer)
{
    beast::basic_stream<stream_protocol> stream(co_await asio::this_coro::executor);
    stream.expires_after(patience);
    const stream_protocol::endpoint endpoint(path);
    co_await stream.async_connect(endpoint, asio::use_awaitable);

    http::request<http::empty_body> request(http::string_to_verb(method), target, 11);
    request.set(http::field::host, "localhost");
    request.set(http::field::connection, "close");
    request.prepare_payload();
    co_await http::async_write(stream, request, asio::use_awaitable);

    beast::flat_buffer buffer;
    Answer response;
    co_await http::async_read(stream, buffer, response, asio::use_awaitable);
    answer = std::move(response);
}

static std::optional<Answer> ask_first(const std::vector<std::string>& addresses, const std::string& method,
                                       const std::string& target)
{
    static constexpr std::string_view scheme = "unix:";
    for (const std::string& address : addresses) {
        if (!address.starts_with(scheme)) continue;
        asio::io_context loop(1);
        std::optional<Answer> answer;
        // A failure is an answer here: no daemon listens, or not one that talks to us.
        const auto ended = [](std::exception_ptr) {};
        asio::co_spawn(loop, ask(address.substr(scheme.size()), method, target, answer), ended);
        loop.run();
        if (answer) return answer;
    }
    return std::nullopt;
}

std::optional<std::string> ask_daemon(const std::vector<std::string>& addresses, const std::string& target)
{
    auto answer = ask_first(addresses, "GET", target);
    if (!answer || answer->result() != http::status::ok) return std::nullopt;
    return std::move(answer->body());
}

std::optional<int> tell_daemon(const std::vector<std::string>& addresses, const std::string& method,
                               const std::string& target)
{
    const auto answer = ask_first(addresses, method, target);
    if (!answer) return std::nullopt;
    return static_cast<int>(answer->result_int());
}

} // namespace alli::daemon
