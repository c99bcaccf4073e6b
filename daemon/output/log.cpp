// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/log.hpp"

#include "alli/instant.hpp"
#include "alli/log.hpp"
#include "daemon/output/log_sink.hpp"
#include "daemon/output/terminal.hpp"

#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

/// The priority prefix of a line (sd-daemon(3)).
static std::string_view priority_of(spdlog::level::level_enum level)
{
    static constexpr std::string_view priorities[] = {"<7>", "<7>", "<6>", "<4>", "<3>", "<2>", "<6>"};
    return priorities[static_cast<std::size_t>(level)];
}

static void append(spdlog::memory_buf_t& out, std::string_view text)
{
    out.append(text.data(), text.data() + text.size());
}

static std::string_view view(spdlog::string_view_t text)
{
    return {text.data(), text.size()};
}

static std::string time_text(std::chrono::system_clock::time_point when)
{
    using namespace std::chrono;
    const auto second = floor<seconds>(when);
    std::string text = to_rfc3339(second);
    text.pop_back(); // the Z
    return fmt::format("{}.{:03}Z", text, duration_cast<milliseconds>(when - second).count());
}

/// The journal records time and level itself.
class Lines final : public spdlog::formatter {
  public:
    Lines(bool json, bool journal) : json_(json), journal_(journal) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override
    {
        const std::string time = time_text(message.time);
        const std::string_view level = view(spdlog::level::to_string_view(message.level));
        if (journal_) append(out, priority_of(message.level));
        if (json_)
            append(out, fmt::format(R"({{"time":"{}","level":"{}",{}}})", time, level, view(message.payload)));
        else if (journal_)
            append(out, view(message.payload));
        else
            append(out, fmt::format("{} {} {}", time, level, view(message.payload)));
        append(out, "\n");
    }
    std::unique_ptr<formatter> clone() const override { return std::make_unique<Lines>(json_, journal_); }

  private:
    bool json_, journal_;
};

static bool machines_read = false; // the main thread's

/// Child processes inherit $JOURNAL_STREAM although their stderr may go elsewhere, so it is compared with stderr's
/// device and inode.
static bool is_journal(const Environment& environment)
{
    struct stat status = {};
    return ::fstat(STDERR_FILENO, &status) == 0 &&
           environment("JOURNAL_STREAM") == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

static const std::shared_ptr<LogSink>& the_sink()
{
    static const auto sink = std::make_shared<LogSink>(STDERR_FILENO);
    return sink;
}

/// A single sink for the lifetime of the process: a reload reconfigures it while other threads write to it.
static spdlog::logger& the_logger()
{
    static const std::shared_ptr<spdlog::logger> logger = [] {
        auto made = std::make_shared<spdlog::logger>("alli-mirror", the_sink());
        spdlog::set_default_logger(made);
        return made;
    }();
    return *logger;
}

void start_log(const Config& config, const Environment& environment)
{
    const bool json = config.log_format == "json", journal = is_journal(environment);
    spdlog::logger& log = the_logger();
    log.set_formatter(std::make_unique<Lines>(json, journal));
    log.set_level(spdlog::level::from_str(config.log_level));
    set_log_style(json ? LogStyle::json : LogStyle::text);
    machines_read = json || journal;
}

void tell_lost_lines()
{
    const std::uint64_t lost = the_sink()->lost();
    if (lost == 0) return;
    log_event<Event::lines_lost>(static_cast<std::int64_t>(lost));
    if (the_sink()->lost() == lost) the_sink()->note_told(lost); // else this one found no room either
}

void tell_failure(const std::string& sentence, const std::string& hint)
{
    if (machines_read)
        log_event<Event::failed>(sentence, hint);
    else
        print_failure(sentence, hint);
}

} // namespace alli::daemon
