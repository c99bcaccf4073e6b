// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.hpp"

#include "alli/instant.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

/// %* : the priority that the journal reads off the start of a line (sd-daemon(3)).
class JournalPriority final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override
    {
        static constexpr std::string_view priorities[] = {"<7>", "<7>", "<6>", "<4>", "<3>", "<2>", "<6>"};
        const std::string_view priority = priorities[static_cast<std::size_t>(message.level)];
        out.append(priority.data(), priority.data() + priority.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JournalPriority>(); }
};

class JsonLines final : public spdlog::formatter {
  public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override
    {
        nlohmann::ordered_json line;
        line["time"] = to_rfc3339(std::chrono::time_point_cast<Instant::duration>(message.time));
        const auto level = spdlog::level::to_string_view(message.level);
        line["level"] = std::string(level.data(), level.size());
        line["message"] = std::string(message.payload.data(), message.payload.size());
        const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
        out.append(text.data(), text.data() + text.size());
    }
    std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonLines>(); }
};

/// $JOURNAL_STREAM is inherited by children whose stderr goes elsewhere: it counts only where it names ours.
static bool is_journal(const Environment& environment)
{
    struct stat status = {};
    return ::fstat(STDERR_FILENO, &status) == 0 &&
           environment("JOURNAL_STREAM") == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

static std::unique_ptr<spdlog::formatter> make_formatter(const Config& config, const Environment& environment)
{
    if (config.log_format == "json") return std::make_unique<JsonLines>();
    auto text = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    text->add_flag<JournalPriority>('*');
    text->set_pattern(is_journal(environment) ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v");
    return text;
}

void start_log(const Config& config, const Environment& environment)
{
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("alli-mirror", std::move(sink));
    logger->set_formatter(make_formatter(config, environment));
    logger->set_level(spdlog::level::from_str(config.log_level));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

} // namespace alli::daemon
