// SPDX-License-Identifier: Apache-2.0
// `cluster init|migrate|status|settings|step-down`: the tables that several machines share, who leads them, what all
// must have set, and a leader that is to give the lease up. The last one asks the daemon of this machine, the others
// the database.
#include "cluster/libpq/url.hpp"
#include "cluster/postgres/schema.hpp"
#include "daemon/cluster/shared_settings.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/cluster_settings.hpp"
#include "daemon/settings/duration.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {
namespace {

struct ClusterArguments {
    std::string url, password_file, role, reader; // url: of the tables' owner
    bool json = false, take = false;
};

std::string user_of(const std::string& url)
{
    const auto targets = cluster::read_url(url, "");
    const auto found = targets.front().words.find("user");
    return found == targets.front().words.end() ? "" : found->second;
}

/// As the tables' owner: another password than the daemons'.
Settings settings_of_owner(const ClusterArguments& arguments, Context context)
{
    if (arguments.url.empty() && !arguments.password_file.empty())
        throw Error(Fault::usage, "give the owner's address by --url", "--password-file goes with --url alone");
    if (!arguments.url.empty()) {
        context.flags["cluster.url"] = arguments.url;
        context.flags["cluster.password_file"] = arguments.password_file;
    }
    return context.settings();
}

cluster::SessionOptions options_of_owner(const Settings& settings, const Context& context)
{
    cluster::SessionOptions options = session_options(settings, context.environment);
    options.needs_tables = false;
    return options;
}

/// The user that the daemons' own settings name, where that is not the owner.
std::string choose_role(const ClusterArguments& arguments, const Context& context)
{
    const std::string& url = context.settings().config.cluster.url;
    if (!arguments.role.empty() || arguments.url.empty() || !is_showable_cluster_url(url)) return arguments.role;
    const std::string user = user_of(url);
    return user == user_of(arguments.url) ? "" : user;
}

void print_made(const cluster::InitReport& report, const ClusterSettings& settings, const std::string& role)
{
    fmt::print("the cluster's tables are in schema {} of database {}{}\n", settings.schema,
               printable_line(cluster::database_of(settings.url)),
               role.empty() ? "" : fmt::format(", for the role {}", printable_line(role)));
    if (report.reader.empty())
        fmt::print("analysts: only the owner reads the views in {}_read; this role may make none: --reader ROLE names "
                   "one that is there, before init\n",
                   settings.schema);
    else
        fmt::print("analysts: the role {} reads the views in {}_read{}\n", printable_line(report.reader),
                   settings.schema, report.made_reader ? "; it was made: GRANT it to them" : "");
}

cluster::InitReport make_tables(const cluster::SessionOptions& session, cluster::InitOptions options)
{
    constexpr std::string_view no_right = "42501";
    try {
        return on_database<cluster::InitReport>(
            session, [&](cluster::Session& open) { return cluster::init_cluster(open, std::move(options)); });
    } catch (const cluster::ServerError& error) {
        if (error.state() != no_right) throw;
        throw Error(error.fault(), "as its owner, or GRANT CREATE ON DATABASE ... TO the one who makes the tables",
                    "{}", error.what());
    }
}

int init(const ClusterArguments& arguments, const Context& context)
{
    harden_process();
    const Settings settings = settings_of_owner(arguments, context);
    const cluster::SessionOptions session = options_of_owner(settings, context);
    cluster::InitOptions options{choose_role(arguments, context), arguments.reader};
    const std::string role = options.role;
    const auto report = make_tables(session, std::move(options));
    const ClusterSettings& cluster = settings.config.cluster;
    if (!arguments.json) {
        print_made(report, cluster, role);
        return 0;
    }
    Json json{{"database", cluster::database_of(cluster.url)},
              {"schema", cluster.schema},
              {"readSchema", cluster.schema + "_read"},
              {"role", role.empty() ? Json(nullptr) : Json(role)},
              {"reader", report.reader.empty() ? Json(nullptr) : Json(report.reader)},
              {"madeReader", report.made_reader},
              {"version", std::ssize(cluster::truth_schema.steps)}};
    print_json(dump(json));
    return 0;
}

int migrate(const ClusterArguments& arguments, const Context& context)
{
    harden_process();
    const Settings settings = settings_of_owner(arguments, context);
    const auto before = on_database<std::int64_t>(options_of_owner(settings, context), &cluster::migrate_cluster);
    const auto ours = static_cast<std::int64_t>(std::ssize(cluster::truth_schema.steps));
    if (arguments.json)
        print_json(dump(Json{{"before", before}, {"version", std::max(before, ours)}}));
    else if (before > ours)
        fmt::print("the cluster's tables are of version {}, newer than this program's {}: nothing to do\n", before,
                   ours);
    else if (before == ours)
        fmt::print("the cluster's tables are of version {} already\n", ours);
    else
        fmt::print("the cluster's tables were of version {}, they are of {} now\n", before, ours);
    return 0;
}

Json node_json(const cluster::NodeRow& node, const ClusterView& view, const std::optional<std::string>& here)
{
    Json json;
    json["node"] = node.name;
    json["here"] = here == node.name;
    json["role"] = node.role;
    json["doing"] = node.doing;
    json["position"] = node.position;
    json["lag"] = std::max<std::int64_t>(0, view.head.last.number - node.position);
    json["seenSecondsAgo"] = node.age.count() / 1000;
    json["version"] = node.version;
    json["address"] = node.address.empty() ? Json(nullptr) : Json(node.address);
    return json;
}

Json writes_json(const cluster::WriteCounts& writes)
{
    Json json;
    json["pending"] = writes.pending;
    json["sending"] = writes.sending;
    json["conflicts"] = writes.conflicts;
    json["failed"] = writes.failed;
    json["bytes"] = writes.bytes;
    json["oldest"] = writes.oldest ? Json(to_rfc3339(*writes.oldest)) : Json(nullptr);
    return json;
}

void print_writes(const cluster::WriteCounts& writes)
{
    const std::string oldest = writes.oldest ? ", the oldest since " + to_rfc3339(*writes.oldest) : "";
    fmt::print("writes    {} wait or are being sent{}; {} in conflict, {} failed\n", writes.pending + writes.sending,
               oldest, writes.conflicts, writes.failed);
}

void print_view(const ClusterView& view, const ClusterSettings& settings, const std::optional<std::string>& here)
{
    fmt::print("cluster   schema {} of database {}\n", settings.schema,
               printable_line(cluster::database_of(settings.url)));
    fmt::print("leader    {}, epoch {}\n", view.head.leader.empty() ? "none" : printable_line(view.head.leader),
               view.head.epoch);
    fmt::print("position  {}\n", view.head.last.number);
    print_writes(view.writes);
    if (view.nodes.empty()) fmt::print("nodes     none yet: alli-mirror serve joins\n");
    for (const cluster::NodeRow& node : view.nodes) {
        const auto age = std::chrono::floor<std::chrono::seconds>(node.age);
        const bool is_quiet = node.age > settings.lease * 3;
        fmt::print("node      {:<24}  {:<8}  {} behind  seen {} ago{}  {}{}{}\n", printable_line(node.name),
                   printable_line(node.doing), std::max<std::int64_t>(0, view.head.last.number - node.position),
                   say_duration(age), is_quiet ? " (silent)" : "", printable_line(node.version),
                   node.role == "reader" ? "  reader" : "", here == node.name ? "  (this machine)" : "");
    }
}

int status(const ClusterArguments& arguments, const Context& context)
{
    harden_process();
    const Settings settings = context.settings();
    const ClusterView view = view_cluster(session_options(settings, context.environment));
    const ClusterSettings& cluster = settings.config.cluster;
    const auto here = find_node_name(cluster, mirror_path(settings, context.environment));
    if (!arguments.json) {
        print_view(view, cluster, here);
        return 0;
    }
    Json json{{"database", cluster::database_of(cluster.url)}, {"schema", cluster.schema}};
    json["leader"] = view.head.leader.empty() ? Json(nullptr) : Json(view.head.leader);
    json["epoch"] = view.head.epoch;
    json["position"] = view.head.last.number;
    json["writes"] = writes_json(view.writes);
    json["nodes"] = Json::array();
    for (const cluster::NodeRow& node : view.nodes) json["nodes"].push_back(node_json(node, view, here));
    print_json(dump(json, 2));
    return 0;
}

int show_settings(const ClusterArguments& arguments, const Context& context)
{
    harden_process();
    const Settings settings = context.settings();
    const cluster::SessionOptions database = session_options(settings, context.environment);
    const cluster::SharedSettings ours = shared_settings(settings.config);
    if (arguments.take) put_shared_settings(database, ours);
    const cluster::SharedSettings shared = load_shared_settings(database);
    Json json = Json::object();
    for (const auto& [name, value] : ours) {
        const auto found = shared.find(name);
        const std::string there = found == shared.end() ? "" : found->second;
        json[name] = Json{{"here", value}, {"cluster", found == shared.end() ? Json(nullptr) : Json(there)}};
        if (!arguments.json)
            fmt::print("{:<21}  {}{}\n", name, printable_line(value),
                       found == shared.end() ? "  (the cluster has none yet)"
                       : there == value      ? ""
                                             : "  (the cluster has " + printable_line(there) + ")");
    }
    if (arguments.json) print_json(dump(json, 2));
    return 0;
}

int step_down(const ClusterArguments& arguments, const Context& context)
{
    const DaemonAnswer answer = call_daemon(context, {"POST", "/mirror/v1/cluster/step-down", ""});
    if (answer.status == 404)
        throw Error(Fault::refused, "alli-mirror cluster status shows who leads",
                    "the daemon of this machine is not part of a cluster");
    if (answer.status / 100 != 2) throw refused_by_daemon(answer);
    if (arguments.json)
        print_json(answer.body.empty() ? "{}" : answer.body);
    else
        fmt::print("this node gives the lead up; another takes over at once, if there is one that may\n");
    return 0;
}

void add_owner(CLI::App& sub, const std::shared_ptr<ClusterArguments>& chosen)
{
    sub.add_option("--url", chosen->url, "the database, as the tables' owner; by default cluster.url")
        ->type_name("URL");
    sub.add_option("--password-file", chosen->password_file, "the owner's password, a file of mode 0600")
        ->type_name("FILE");
}

} // namespace

Action add_cluster(CLI::App& arguments)
{
    auto chosen = std::make_shared<ClusterArguments>();
    auto action = std::make_shared<Action>();
    arguments.require_subcommand(1);
    const auto add = [&](const char* name, const char* help, int (*does)(const ClusterArguments&, const Context&)) {
        CLI::App* sub = arguments.add_subcommand(name, help);
        sub->add_flag("--json", chosen->json, "as JSON");
        sub->callback([=] { *action = [=](const Context& context) { return does(*chosen, context); }; });
        return sub;
    };
    CLI::App* made = add("init", "make the tables that the nodes share, and the views for analysts", &init);
    add_owner(*made, chosen);
    made->add_option("--role", chosen->role, "the daemons' role, there already; by default the user of cluster.url")
        ->type_name("ROLE");
    made->add_option("--reader", chosen->reader,
                     "the analysts' role, there already; by default SCHEMA_read, which is made")
        ->type_name("ROLE");
    add_owner(*add("migrate", "bring the tables to this version of the program", &migrate), chosen);
    add("status", "the nodes, who leads, and how far each is", &status);
    add("settings", "the settings that all nodes must have: of this machine, and where the cluster's differ",
        &show_settings)
        ->add_flag("--take", chosen->take,
                   "make this machine's the cluster's: nodes with others do not take part until they have these");
    add("step-down", "let the daemon of this machine give the lead up, so that another node takes over", &step_down);
    return [action](const Context& context) { return (*action)(context); };
}

} // namespace alli::daemon
