// SPDX-License-Identifier: Apache-2.0
#include "tests/support/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace support {

using Clock = std::chrono::steady_clock;

static std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (std::string& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

static int left_until(Clock::time_point deadline)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 600'000));
}

Process::Process(std::vector<std::string> words, const Environment& environment) : name_(words.at(0))
{
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    std::array<int, 2> out{}, err{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) fail("no pipe");
    stdout_.descriptor = out[0];
    stderr_.descriptor = err[0];

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    // A test's listening sockets must not live on in the program: a port of a server that is gone would go on
    // accepting.
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    const int fault =
        ::posix_spawn(&pid_, name_.c_str(), &actions, nullptr, pointers(words).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    ::close(err[1]);
    if (fault != 0) fail(std::string("cannot be started: ") + std::strerror(fault));
    watch_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)); // glibc 2.36 does not declare it for C++
    if (watch_ < 0) fail("cannot be watched");
}

Process::~Process()
{
    if (code_ < 0 && pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    stdout_.close();
    stderr_.close();
    if (watch_ >= 0) ::close(watch_);
}

void Process::Pipe::close()
{
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
}

void Process::Pipe::read_some()
{
    std::array<char, 16384> buffer{};
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count > 0)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
        close();
}

std::string Process::Pipe::find_line(std::string_view part, bool ended) const
{
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = text.find('\n', at);
        if (end == std::string::npos && !ended) break;
        end = std::min(end, text.size());
        const std::string line = text.substr(at, end - at);
        if (line.find(part) != std::string::npos) return line;
        at = end + 1;
    }
    return "";
}

bool Process::read_until(Deadline deadline)
{
    std::array<pollfd, 2> wanted{{{stdout_.descriptor, POLLIN, 0}, {stderr_.descriptor, POLLIN, 0}}};
    if (stdout_.descriptor < 0 && stderr_.descriptor < 0) return false;
    if (::poll(wanted.data(), wanted.size(), left_until(deadline)) <= 0) return Clock::now() < deadline;
    if (wanted[0].revents != 0) stdout_.read_some();
    if (wanted[1].revents != 0) stderr_.read_some();
    return true;
}

std::string Process::wait_for_line(std::string_view part, std::chrono::milliseconds patience)
{
    const auto deadline = Clock::now() + patience;
    for (bool more = true;; more = read_until(deadline))
        for (const Pipe* pipe : {&stdout_, &stderr_}) {
            const std::string line = pipe->find_line(part, pipe->descriptor < 0);
            if (!line.empty()) return line;
            if (!more && pipe == &stderr_) fail("did not say \"" + std::string(part) + "\"");
        }
}

void Process::send(int signal) const
{
    if (::kill(pid_, signal) != 0) fail("cannot be signalled");
}

int Process::wait(std::chrono::milliseconds patience)
{
    if (code_ >= 0) return code_;
    const auto deadline = Clock::now() + patience;
    while (read_until(deadline)) {
    }
    pollfd ended{watch_, POLLIN, 0};
    if (::poll(&ended, 1, left_until(deadline)) <= 0) fail("did not end in time");

    int status = 0;
    ::waitpid(pid_, &status, 0);
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return code_;
}

void Process::fail(const std::string& what) const
{
    throw std::runtime_error(name_ + " " + what + "\n--- stdout\n" + stdout_.text + "\n--- stderr\n" + stderr_.text);
}

Finished run_process(std::vector<std::string> words, const Process::Environment& environment,
                     std::chrono::milliseconds patience)
{
    Process process(std::move(words), environment);
    Finished finished;
    finished.code = process.wait(patience);
    finished.output = process.output();
    finished.errors = process.errors();
    return finished;
}

} // namespace support
