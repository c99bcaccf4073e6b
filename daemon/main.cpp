// SPDX-License-Identifier: Apache-2.0
// The program: a command line in, an exit code out. The one place that turns a Fault into an exit code.
#include "alli/error.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/log.hpp"

#include <cstdio>
#include <exception>
#include <filesystem>

using namespace alli;

static int exit_code(Fault fault) noexcept
{
    struct Row {
        Fault fault;
        int code;
    };
    static constexpr Row rows[] = {
        {Fault::usage, 2},       {Fault::settings, 2},    {Fault::key_rejected, 3},
        {Fault::unreachable, 4}, {Fault::unavailable, 4}, {Fault::damaged, 5},
    };
    for (const Row& row : rows)
        if (row.fault == fault) return row.code;
    return 1;
}

static int complain(const std::string& sentence, const std::string& hint, int code)
{
    std::fflush(stdout);
    daemon::tell_failure(sentence, hint);
    return code;
}

static constexpr const char* unwritten = "the output could not be written";

int main(int count, char** words)
{
    try {
        const int code = daemon::run_command(count, words);
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) // now, or when it was flushed before
            return complain(unwritten, "is the disk full?", exit_code(Fault::io));
        return code;
    } catch (const Error& error) {
        return complain(error.what(), error.hint(), exit_code(error.fault()));
    } catch (const std::filesystem::filesystem_error& error) {
        return complain(error.path1().string() + ": " + error.code().message(), "whose is it, and with what mode?",
                        exit_code(Fault::io));
    } catch (const std::exception& error) {
        if (std::ferror(stdout) != 0) return complain(unwritten, "is the disk full?", exit_code(Fault::io));
        return complain(error.what(), "this is a fault of the program, or the system ran out of something", 1);
    }
}
