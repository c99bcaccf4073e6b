// SPDX-License-Identifier: Apache-2.0
// `sandbox`: the look-alike on its own, until a signal.
#include "alli/error.hpp"
#include "alli/task.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/sandbox_home.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

namespace alli::daemon {

struct SandboxArguments {
    SandboxChoice choice;
    std::string listen = "127.0.0.1:0", latency, date_skew, read_lag, run_time;
    std::vector<std::string> faults, life;
    std::string time_unit = "ms-fraction", cursor = "key", bounds = "exclusive", chatless = "behind",
                categories_hold = "names";
    int embedded = 20;
    bool empty_pages = false, refuse_orders = false, no_daily_count = false, envelope = false, compress = false;
};

static std::int64_t read_span(const std::string& option, const std::string& text)
{
    if (text.empty()) return 0;
    const bool negative = text.starts_with('-');
    const auto span = read_duration(negative ? std::string_view(text).substr(1) : std::string_view(text));
    if (!span) throw Error(Fault::usage, "write it as 50ms or 2s", "{} {} is no duration", option, text);
    return negative ? -span->count() : span->count();
}

static sandbox::Options make_options(const SandboxArguments& arguments)
{
    static const std::map<std::string, sandbox::TimeStyle> styles{
        {"ms-fraction", sandbox::TimeStyle::milliseconds_fraction},
        {"ms", sandbox::TimeStyle::milliseconds},
        {"s", sandbox::TimeStyle::seconds},
    };
    static const std::map<std::string, sandbox::Chatless> places{
        {"behind", sandbox::Chatless::behind},
        {"oldest", sandbox::Chatless::oldest},
        {"newest", sandbox::Chatless::newest},
        {"nowhere", sandbox::Chatless::nowhere},
    };
    sandbox::Options options = sandbox_options(arguments.choice);
    options.listen = arguments.listen;
    options.time_style = styles.at(arguments.time_unit);
    options.cursor = arguments.cursor == "key" ? sandbox::CursorKind::key : sandbox::CursorKind::position;
    options.bounds_inclusive = arguments.bounds == "inclusive";
    options.embedded_chats = arguments.embedded;
    options.empty_pages = arguments.empty_pages;
    options.chatless = places.at(arguments.chatless);
    options.refuse_orders = arguments.refuse_orders;
    options.date_skew_ms = read_span("--date-skew", arguments.date_skew);
    options.read_lag = std::chrono::milliseconds(read_span("--read-lag", arguments.read_lag));
    if (!arguments.run_time.empty())
        options.run_time = std::chrono::milliseconds(read_span("--run-time", arguments.run_time));
    options.categories_hold =
        arguments.categories_hold == "ids" ? sandbox::CategoriesHold::ids : sandbox::CategoriesHold::names;
    options.envelope = arguments.envelope;
    options.compress = arguments.compress;
    options.daily_count = !arguments.no_daily_count;
    for (const std::string& fault : arguments.faults) options.faults.push_back(sandbox::parse_fault(fault));
    for (const std::string& event : arguments.life) options.life.push_back(sandbox::parse_life(event));
    if (!arguments.latency.empty()) {
        sandbox::FaultRule latency;
        latency.amount = read_span("--latency", arguments.latency);
        options.faults.push_back(latency);
    }
    return options;
}

static int run_sandbox(const SandboxArguments& arguments)
{
    asio::io_context loop(1);
    asio::signal_set signals(loop, SIGTERM, SIGINT); // before the sandbox's thread
    const sandbox::Sandbox sandbox(make_options(arguments));
    fmt::print("{}\n", sandbox.url());
    fmt::print("curl -H 'API-KEY: {}' '{}/webapi/v2/conversations?pageSize=2'\n", sandbox_key, sandbox.url());
    std::fflush(stdout);

    signals.async_wait([](const boost::system::error_code&, int) {});
    loop.run();
    return 0;
}

static std::string rules_in_words()
{
    return "A fault is KIND[:ROUTE[:COUNT[:AMOUNT]]], and behind it any of :p=CHANCE, :skip=N, :after=MS and :for=MS.\n"
           "ROUTE is an operationId of the contract or *; COUNT -1 is always; AMOUNT is seconds of Retry-After, else\n"
           "milliseconds. Kinds: " +
           sandbox::fault_kinds() +
           ".\nWhat happens by itself is KIND[:CHANCE[:AMOUNT]] after each answer; AMOUNT is how many milliseconds "
           "late a\n"
           "chat may turn up. Kinds: " +
           sandbox::life_kinds() +
           ".\nExamples: --fault too_many_date:*:-1:3:p=0.05 --fault unauthorized:for=30000 --life touch:0.2";
}

Action add_sandbox(CLI::App& arguments)
{
    auto chosen = std::make_shared<SandboxArguments>();
    add_sandbox_choice(arguments, chosen->choice);
    arguments.add_option("--listen", chosen->listen, "HOST:PORT; port 0 is any free one");
    arguments.add_option("--latency", chosen->latency, "pause before every answer")->type_name("DURATION");
    arguments.add_option("--fault", chosen->faults, "what goes wrong, see below; may be given several times")
        ->type_name("RULE");
    arguments.add_option("--life", chosen->life, "what happens by itself, see below; may be given several times")
        ->type_name("RULE");
    arguments.add_option("--run-time", chosen->run_time, "how long an app writes an answer")->type_name("DURATION");
    arguments.add_option("--time-unit", chosen->time_unit, "ms-fraction, ms or s")
        ->check(CLI::IsMember({"ms-fraction", "ms", "s"}));
    arguments.add_option("--cursor", chosen->cursor, "key or position")->check(CLI::IsMember({"key", "position"}));
    arguments.add_option("--bounds", chosen->bounds, "of its windows: exclusive or inclusive")
        ->check(CLI::IsMember({"exclusive", "inclusive"}));
    arguments.add_option("--embedded", chosen->embedded, "chats in a list item, 0 to 20")->check(CLI::Range(0, 20));
    arguments.add_option("--categories-hold", chosen->categories_hold, "what a conversation shows: names or ids")
        ->check(CLI::IsMember({"names", "ids"}));
    arguments.add_flag("--envelope", chosen->envelope, "answers about one thing come as {\"result\": ...}");
    arguments.add_flag("--compress", chosen->compress, "gzip for who accepts it");
    arguments.add_flag("--empty-pages", chosen->empty_pages, "now and then a page without items");
    arguments
        .add_option("--chatless", chosen->chatless,
                    "conversations without a chat, in an order by last chat time: behind all others, as the oldest, as "
                    "the newest, or nowhere")
        ->check(CLI::IsMember({"behind", "oldest", "newest", "nowhere"}));
    arguments.add_flag("--no-daily-count", chosen->no_daily_count, "404 for the counts of conversations by day");
    arguments.add_flag("--refuse-orders", chosen->refuse_orders, "400 for any order but the default");
    arguments.add_option("--date-skew", chosen->date_skew, "its clock against the true time")->type_name("DURATION");
    arguments.add_option("--read-lag", chosen->read_lag, "for so long after each write reads show the state before it")
        ->type_name("DURATION");
    arguments.footer(rules_in_words());
    return [chosen](const Context&) { return run_sandbox(*chosen); };
}

} // namespace alli::daemon
