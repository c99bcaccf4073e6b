// SPDX-License-Identifier: Apache-2.0
// `token new|list|revoke`: the credentials of local apps. A running daemon writes its file, asked over its Unix socket,
// and the command ends when the change is in force; without a daemon the command writes it.
#include "alli/error.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"
#include "daemon/service/token_registry.hpp"
#include "daemon/settings/paths.hpp"
#include "upstream/target.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>

namespace alli::daemon {

struct TokenArguments {
    std::string name, scope, expires, app, user;
    bool json = false;
};

static constexpr const char* tokens_target = "/mirror/v1/tokens";

/// Where no daemon runs.
struct Here {
    explicit Here(const Context& context)
        : place(find_place(context)),
          registry(place, context.environment, clock, [](const std::vector<proxy::Token>&) {})
    {}
    static TokensFile find_place(const Context& context)
    {
        const Settings settings = context.settings();
        return find_tokens_file(settings.config, find_mirror_location(settings, context.environment));
    }
    std::string add(const std::string& request) const
    {
        make_directory_of(place.path, "proxy.tokens_file");
        return registry.add(request);
    }

    TokensFile place;
    SystemClock clock;
    TokenRegistry registry;
};

static bool has_daemon(const Context& context)
{
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    std::error_code hidden;
    const bool is_there = std::filesystem::exists(place.mirror_path, hidden) || hidden;
    return find_owner(place.mirror_path) || (!is_there && find_owner(sandbox_mirror_path(context.environment)));
}

static std::string ask(const Context& context, const DaemonRequest& request, int wanted)
{
    DaemonAnswer answer = call_daemon(context, request);
    if (answer.status != wanted) throw refused_by_daemon(answer);
    return std::move(answer.body);
}

// A daemon that began while the file was written has read it before or after.
static const char* when_in_force(const Context& context, bool asked)
{
    if (asked) return "it is in force now";
    return has_daemon(context) ? "a daemon was started meanwhile: have it reload (SIGHUP)"
                               : "no daemon runs: it counts from the next start on";
}

static std::string say_limits(const Json& token)
{
    std::string text;
    for (const char* name : {"app", "user"})
        if (token[name].is_string())
            text += fmt::format("  {} {}", name, printable_line(token[name].get<std::string>()));
    if (token["expires"].is_string())
        text += fmt::format("  until {}", say_time(from_rfc3339(token["expires"].get<std::string>())));
    return text;
}

static int make(const TokenArguments& arguments, const Context& context)
{
    const std::string secret = make_token_secret();
    Json request{{"name", arguments.name}, {"scope", arguments.scope}};
    for (const auto& [name, value] :
         {std::pair{"expires", &arguments.expires}, {"app", &arguments.app}, {"user", &arguments.user}})
        if (!value->empty()) request[name] = *value;
    std::string hash; // the token itself leaves this process by its output alone
    for (const unsigned char byte : sha256(secret)) hash += fmt::format("{:02x}", byte);
    request["sha256"] = hash;
    const bool asked = has_daemon(context);
    const std::string said =
        asked ? ask(context, {"POST", tokens_target, dump(request)}, 201) : Here(context).add(dump(request));
    Json made = Json::parse(said);
    if (arguments.json) {
        made["token"] = secret;
        print_json(dump(made));
        return 0;
    }
    fmt::print("{}\n", secret);
    std::fflush(stdout);
    fmt::print(stderr, "scope {}{}; {}. It is shown this once: give it to the app, in API-KEY or as Bearer.\n",
               arguments.scope, say_limits(made), when_in_force(context, asked));
    return 0;
}

static std::string say_line(const Json& token)
{
    const auto state = token["state"].get<std::string>();
    const std::string note = state == "old"       ? "  (a bare token of an older version: replace it by token new)"
                             : state == "expired" ? "  (expired)"
                                                  : "";
    return fmt::format("{:<24}  {:<7}{}{}", printable_line(token["name"].get<std::string>()),
                       token["scope"].get<std::string>(), say_limits(token), note);
}

static int list(const TokenArguments& arguments, const Context& context)
{
    const std::string said =
        has_daemon(context) ? ask(context, {"GET", tokens_target, ""}, 200) : Here(context).registry.list();
    if (arguments.json) {
        print_json(said);
        return 0;
    }
    const Json tokens = Json::parse(said)["tokens"];
    for (const Json& token : tokens) fmt::print("{}\n", say_line(token));
    if (tokens.empty()) fmt::print("there are no tokens: alli-mirror token new makes one\n");
    return 0;
}

static bool revoke_here(const Context& context, const std::string& name)
{
    return Here(context).registry.revoke(name);
}

static bool ask_to_revoke(const Context& context, const std::string& name)
{
    const std::string target = std::string(tokens_target) + '/' + upstream::percent_encoded(name);
    const DaemonAnswer answer = call_daemon(context, {"DELETE", target, ""});
    if (answer.status != 204 && answer.status != 404) throw refused_by_daemon(answer);
    return answer.status == 204;
}

static int revoke(const TokenArguments& arguments, const Context& context)
{
    const bool asked = has_daemon(context);
    const bool found = asked ? ask_to_revoke(context, arguments.name) : revoke_here(context, arguments.name);
    if (!found)
        throw Error(Fault::refused, "alli-mirror token list shows what there is", "there is no token of that name");
    fmt::print("token {} was revoked{}\n", printable_line(arguments.name),
               asked ? ", with its sessions and event streams" : "");
    return 0;
}

static void add_new(CLI::App& sub, const std::shared_ptr<TokenArguments>& chosen)
{
    sub.add_option("NAME", chosen->name, "what it is for: prometheus, qa-dashboard")->required();
    sub.add_option("--scope", chosen->scope, "what it may do; each includes those before it")
        ->required()
        ->check(CLI::IsMember({"metrics", "read", "write", "admin"}));
    sub.add_option("--expires", chosen->expires, "a day (its end), a time, or a duration: 2027-01-31, 90d")
        ->type_name("DATE");
    sub.add_option("--app", chosen->app, "only this app's conversations")->type_name("ID");
    sub.add_option("--user", chosen->user, "only this user's conversations")->type_name("ID");
    sub.add_flag("--json", chosen->json, "as JSON");
}

Action add_token(CLI::App& arguments)
{
    auto chosen = std::make_shared<TokenArguments>();
    auto action = std::make_shared<Action>();
    arguments.require_subcommand(1);
    const auto add = [&](const char* name, const char* help, int (*run)(const TokenArguments&, const Context&)) {
        CLI::App* sub = arguments.add_subcommand(name, help);
        sub->callback([=] { *action = [=](const Context& context) { return run(*chosen, context); }; });
        return sub;
    };
    add_new(*add("new", "make one, and print it this once", &make), chosen);
    add("list", "all with their scopes and limits", &list)->add_flag("--json", chosen->json, "as JSON");
    add("revoke", "take one away, with its sessions and event streams", &revoke)
        ->add_option("NAME", chosen->name, "as list shows it")
        ->required();
    return [action](const Context& context) { return (*action)(context); };
}

} // namespace alli::daemon
