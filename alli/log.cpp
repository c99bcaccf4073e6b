// SPDX-License-Identifier: Apache-2.0
#include "alli/log.hpp"

#include "alli/digest.hpp"
#include "alli/error.hpp"
#include "alli/log_limit.hpp"
#include "alli/published.hpp"
#include "alli/random.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <system_error>

namespace alli {
namespace {

std::atomic<LogStyle> style{LogStyle::plain};
Published<std::string> id_key; // empty: none yet

constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};

spdlog::level::level_enum level_of(Severity severity) noexcept
{
    return levels[static_cast<std::size_t>(severity)];
}

std::string json_text(std::string_view text)
{
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_control(char c) noexcept
{
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Whatever a value holds, the line stays one, and its parts can be told apart.
std::string as_word(std::string_view text)
{
    const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
        return is_control(c) || c == ' ' || c == '"' || c == '=' || static_cast<unsigned char>(c) >= 0x80;
    });
    return plain ? std::string(text) : json_text(text);
}

std::string as_words(std::string_view text) // within a sentence
{
    if (std::none_of(text.begin(), text.end(), is_control)) return std::string(text);
    const std::string escaped = json_text(text);
    return escaped.substr(1, escaped.size() - 2);
}

struct Shown { // a field as it is written
    std::string_view name;
    std::string text;
    bool is_text = false; // and not a number
};

Shown show(std::string_view name, const LogValue& value)
{
    const bool is_id = name.starts_with('#');
    Shown shown{name.substr(is_id ? 1 : 0), {}, false};
    if (const auto* number = std::get_if<std::int64_t>(&value)) shown.text = fmt::format("{}", *number);
    if (const auto* number = std::get_if<double>(&value)) shown.text = fmt::format("{:.3f}", *number);
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        shown.text = is_id ? hashed_id(*text) : std::string(*text);
        shown.is_text = true;
    }
    return shown;
}

std::string sentence_of(const EventRow& row, const std::vector<Shown>& fields)
{
    std::string sentence;
    for (std::string_view rest = row.sentence; !rest.empty();) {
        const auto open = rest.find('{'), close = rest.find('}');
        sentence += rest.substr(0, open);
        if (open == rest.npos) break;
        const std::string_view name = rest.substr(open + 1, close - open - 1);
        for (const Shown& field : fields)
            if (field.name == name) sentence += as_words(field.text);
        rest.remove_prefix(close + 1);
    }
    return sentence;
}

bool says(const EventRow& row, std::string_view field)
{
    return row.sentence.find('{' + std::string(field) + '}') != std::string_view::npos;
}

std::string text_line(const EventRow& row, const std::vector<Shown>& fields)
{
    std::string line(row.name);
    if (!row.sentence.empty()) line += ": " + sentence_of(row, fields);
    for (const Shown& field : fields)
        if (!field.text.empty() && !says(row, field.name))
            line += fmt::format(" {}={}", field.name, as_word(field.text));
    return line;
}

std::string json_members(const EventRow& row, const std::vector<Shown>& fields)
{
    std::string line = fmt::format(R"("event":"{}")", row.name);
    if (!row.sentence.empty()) line += R"(,"message":)" + json_text(sentence_of(row, fields));
    for (const Shown& field : fields)
        if (!field.text.empty())
            line += fmt::format(R"(,"{}":{})", field.name, field.is_text ? json_text(field.text) : field.text);
    return line;
}

void put_line(const EventRow& row, const std::vector<Shown>& fields)
{
    const LogStyle now = style.load(std::memory_order_relaxed);
    const std::string line = now == LogStyle::json ? json_members(row, fields) : text_line(row, fields);
    if (now == LogStyle::plain)
        fmt::print(stderr, "alli-mirror: {}\n", line);
    else
        spdlog::default_logger_raw()->log(level_of(row.severity), spdlog::string_view_t(line));
}

std::size_t cause_of(const EventRow& row, std::span<const LogValue> values)
{
    for (std::size_t i = 0; i < values.size(); ++i)
        if (!row.cause.empty() && row.fields[i] == row.cause) return std::hash<LogValue>{}(values[i]);
    return 0;
}

bool is_limited() noexcept // with log.level = "debug" everything is wanted
{
    return style.load(std::memory_order_relaxed) == LogStyle::plain || !spdlog::should_log(spdlog::level::debug);
}

} // namespace

void set_log_style(LogStyle wanted) noexcept
{
    style.store(wanted, std::memory_order_relaxed);
}

void set_log_key(std::string key)
{
    id_key.store(std::make_shared<const std::string>(std::move(key)));
}

std::string hashed_id(std::string_view id)
{
    if (id.empty()) return {};
    if (id_key.load()->empty()) {
        const std::string made = SystemRandom().bytes(32);
        id_key.update([&](std::string& key) {
            if (key.empty()) key = made;
        });
    }
    const auto key = id_key.load();
    const Digest digest = seal(*key, id);
    std::string text;
    for (std::size_t i = 0; i < 6; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

bool is_logged(Severity severity) noexcept
{
    if (style.load(std::memory_order_relaxed) == LogStyle::plain) return severity >= Severity::warning;
    return spdlog::should_log(level_of(severity));
}

void write_event(const EventRow& row, std::span<const LogValue> values)
{
    std::uint64_t held = 0;
    if (is_limited()) {
        const auto pass = limit_of(row.event, cause_of(row, values)).pass(std::chrono::steady_clock::now());
        if (!pass) return;
        held = *pass;
    }
    std::vector<Shown> fields;
    for (std::size_t i = 0; i < values.size(); ++i) fields.push_back(show(row.fields[i], values[i]));
    if (held > 0) fields.push_back({"suppressed", fmt::format("{}", held), false});
    put_line(row, fields);
}

void log_repeats(bool all)
{
    const auto now = std::chrono::steady_clock::now();
    for_each_limit([&](Event event, LogLimit& limit) {
        const std::uint64_t held = limit.take_held(now, all);
        if (held > 0 && is_logged(row_of(event).severity))
            put_line(row_of(Event::repeats),
                     {{"count", fmt::format("{}", held), false}, {"of", std::string(row_of(event).name), true}});
    });
}

std::optional<Fault> fault_of(const std::exception_ptr& failure)
{
    if (!failure) return std::nullopt;
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.fault();
    } catch (...) {
        return std::nullopt;
    }
}

std::string reason_of(const std::exception_ptr& failure)
{
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.what();
    } catch (const std::system_error& error) {
        return error.code().message();
    } catch (const nlohmann::json::exception& error) { // its words quote what was read
        return fmt::format("JSON that is not what it must be ({})", error.id);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "a failure without a name";
    }
}

} // namespace alli
