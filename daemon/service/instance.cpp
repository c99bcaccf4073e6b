// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/instance.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "cache/db/log_key.hpp"
#include "cache/replica/notes.hpp"
#include "cache/restore.hpp"
#include "daemon/node/background_maintenance.hpp"
#include "daemon/node/cluster_status.hpp"
#include "daemon/service/disk_state.hpp"
#include "daemon/service/memory.hpp"
#include "daemon/service/metrics.hpp"
#include "daemon/service/neighbours.hpp"
#include "daemon/service/part_options.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/egress.hpp"
#include "daemon/settings/operations.hpp"
#include "daemon/settings/paths.hpp"
#include "proxy/access/base64url.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>

namespace alli::daemon {

static constexpr std::chrono::seconds engine_deadline{4};

static cache::StoreOptions store_options(const InstanceOptions& from, std::function<void(std::exception_ptr)> gave_up,
                                         std::function<void()> room_again)
{
    cache::StoreOptions options;
    options.mirror_path = from.mirror_path;
    options.url = from.identity;
    options.gave_up = std::move(gave_up);
    options.room_again = std::move(room_again);
    if (from.cluster) options.on_open = &cache::begin_notes;
    return options;
}

static LeaderWorkOptions work_options(InstanceOptions& from)
{
    const Config& config = from.config;
    return {.sync = sync_options(config, from.accept_deletions),
            .delivery = delivery_options(config),
            .webhooks = std::move(from.webhooks),
            .retention = read_retention(config),
            .follows = from.cluster.has_value()};
}

Instance::Instance(InstanceOptions options)
    : options_(std::move(options)),
      transport_(engine_loop_.get_executor(), curl_options(options_.config, options_.proxy)),
      pace_(clock_, random_, pace_options(options_.config)),
      client_(transport_, pace_, clock_, client_options(options_.config, options_.api_key)),
      store_(store_options(
          options_, [this](std::exception_ptr why) { end_for_damage(why); },
          [this] { asio::post(engine_loop_, [this] { work_.engine()->try_again(); }); })),
      asking_(transport_, pace_, clock_, client_options(options_.config, options_.api_key)),
      project_(asking_, store_, clock_, options_.api_key),
      work_({engine_loop_, client_, store_, clock_, random_}, work_options(options_)),
      routes_(engine_loop_.get_executor(), [this](bool lost) { work_.engine()->network_changed(lost); }),
      maintenance_(maintenance_tools(),
                   [this](Task<> task) { asio::co_spawn(engine_loop_, std::move(task), asio::detached); })
{
    client_.admit_by([this] { return project_.make_sure(); });
    for (upstream::Client* client : {&client_, &asking_})
        client->tell([this](const upstream::Outcome& outcome) { work_.engine()->heard(outcome); });
    if (options_.accept_key) project_.accept();
    for (const std::string& damage : store_.damage()) log_event<Event::file_damaged>(damage);
    tell_restore();
}

void Instance::tell_restore()
{
    const auto note = store_.read_outbox([](cache::Reader& db) { return cache::find_restore_note(db); });
    if (note && note->at >= started_at_) log_event<Event::restored>(note->what);
}

// Whoever found it: the process stops rather than to go on with a file that cannot be trusted.
void Instance::end_for_damage(std::exception_ptr why)
{
    asio::post(engine_loop_, [this, why] {
        if (work_guard_ && failed_) failed_(why);
    });
}

MaintenanceTools Instance::maintenance_tools()
{
    MaintenanceTools tools{store_, {}};
    tools.hooks.lines_changed = [this](const auto& lines) { work_.deliverer()->look_again(lines); };
    tools.hooks.stopping = [this] { return stopping_.load(); };
    if (options_.cluster) tools.share_purge = [this] { return cluster_->hand_over_purges(); };
    tools.restart = options_.restart;
    tools.wake_webhooks = [this](std::string_view id) { work_.wake_webhooks(id); };
    return tools;
}

Instance::~Instance()
{
    stop();
}

// On one machine; in a cluster its node does this for as long as it leads.
void Instance::begin_work()
{
    work_.begin(failed_, [this] { ended_.set_value(); });
}

void Instance::spawn_index(Task<> work)
{
    auto ended = [this](std::exception_ptr failure) {
        try {
            if (failure && !stopping_) std::rethrow_exception(failure);
        } catch (const std::exception&) {
            log_event<Event::index_paused>(reason_of(std::current_exception()));
        }
    };
    asio::co_spawn(engine_loop_, std::move(work), asio::bind_cancellation_slot(cancel_index_.slot(), ended));
}

void Instance::run_once(std::function<void(const sync::State&)> report)
{
    std::exception_ptr failure;
    const auto begun = [&](std::exception_ptr error) { failure = error; };
    // Before the first page: what is not to be kept is not even fetched.
    asio::co_spawn(engine_loop_, keep_to_retention(store_, read_retention(options_.config), stopping_), begun);
    engine_loop_.run();
    engine_loop_.restart();
    if (failure) std::rethrow_exception(failure);
    bool stopped = false;
    asio::signal_set signals(engine_loop_, SIGINT, SIGTERM);
    signals.async_wait([&](const boost::system::error_code& fault, int) {
        if (fault) return;
        stopped = true;
        stopping_ = true;
        signals.clear(); // a second one ends the process at once
        cancel_.emit(asio::cancellation_type::terminal);
    });
    const auto ended = [&](std::exception_ptr error) {
        failure = error;
        signals.cancel();
    };
    asio::co_spawn(engine_loop_, work_.engine()->run_once(std::move(report)),
                   asio::bind_cancellation_slot(cancel_.slot(), ended));
    spawn_index(complete_index(store_, stopping_));
    engine_loop_.run();

    if (stopped && failure)
        throw Error(Fault::canceled, "the next sync goes on from here", "stopped before the mirror was complete");
    if (failure) std::rethrow_exception(failure);
}

static Task<> keep_log_key(cache::Store& store, std::string key)
{
    const auto put = [&](cache::Writer& db) { cache::put_log_key(db, key); };
    co_await store.write_outbox(put);
}

void Instance::adopt_log_key()
{
    auto key = store_.read_outbox([](cache::Reader& db) { return cache::find_log_key(db); });
    if (!key) {
        key = proxy::to_base64url(random_.bytes(24));
        asio::co_spawn(engine_loop_, keep_log_key(store_, *key), asio::detached); // one that is lost is made anew
    }
    set_log_key(*key);
}

// Said where it is not what it is meant to be: with many apps some will be told to make room.
void Instance::plan_room()
{
    room_ = plan_descriptors(find_descriptors(options_.config.max_connections, options_.config.proxy_loops));
    if (room_.connections < most_local_connections)
        log_event<Event::few_descriptors>(descriptor_limit(), room_.connections,
                                          std::string_view("LimitNOFILE=4096 in the unit, or ulimit -n 4096"));
}

void Instance::serve(ListenConfig doors, std::function<void(std::exception_ptr)> failed)
{
    adopt_log_key();
    plan_room();
    tokens_ =
        std::make_unique<TokenRegistry>(doors.tokens_place, doors.environment, clock_,
                                        [this](const std::vector<proxy::Token>& tokens) { server_->set_keys(tokens); });
    environment_ = doors.environment;
    if (options_.cluster)
        cluster_ =
            std::make_unique<ClusterNode>(LeaderWorkTools{engine_loop_, client_, store_, clock_, random_},
                                          *options_.cluster, work_, run_barrier(), [this](std::exception_ptr error) {
                                              if (work_guard_) failed_(error);
                                          });
    server_ = std::make_unique<proxy::Server>(proxy_options(std::move(doors)), make_backend());
    note_page_address(options_.mirror_path, addresses());
    work_.on_fetched([this](const ConversationId& id, std::uint64_t fence, bool whole) {
        if (!stopping_) server_->fetched(id, fence, whole);
    });
    work_guard_.emplace(engine_loop_.get_executor());
    failed_ = std::move(failed);
    if (cluster_)
        cluster_->start([this] { ended_.set_value(); });
    else
        begin_work();
    spawn_index(tend_files(store_, stopping_));
    asio::co_spawn(engine_loop_, tend_figures(store_, stopping_),
                   asio::bind_cancellation_slot(cancel_figures_.slot(), asio::detached));
    asio::co_spawn(engine_loop_, watch_files(store_, options_.config.sync_interval),
                   asio::bind_cancellation_slot(cancel_files_.slot(), asio::detached));
    asio::co_spawn(engine_loop_, return_memory(store_),
                   asio::bind_cancellation_slot(cancel_memory_.slot(), asio::detached));
    routes_.start();
    engine_thread_ = std::thread([this] { engine_loop_.run(); });
}

void Instance::adjust(const Config& config, std::vector<proxy::Token> tokens, TokensFile place)
{
    tokens_->move_to(std::move(place));
    const bool refuse = config.on_key_rejected == "refuse";
    server_->adjust({std::move(tokens), refuse, config.max_age, config.forward_timeout});
}

void Instance::tell_cluster()
{
    if (cluster_) cluster_->tell_changes();
}

std::vector<std::string> Instance::addresses() const
{
    return server_->addresses();
}

void Instance::stop()
{
    stopping_ = true;
    if (!engine_thread_.joinable()) return;
    // The engine winds down while the sessions end; its loop goes on until then, for their requests upstream.
    asio::post(engine_loop_, [this] {
        if (!cluster_) work_.cancel_sync();
        cancel_index_.emit(asio::cancellation_type::terminal);
        cancel_figures_.emit(asio::cancellation_type::terminal);
        cancel_files_.emit(asio::cancellation_type::terminal);
        cancel_memory_.emit(asio::cancellation_type::terminal);
        routes_.stop();
    });
    server_->stop();
    // Delivery goes on for the sessions that wait for an answer; it ends after them.
    asio::post(engine_loop_, [this] {
        if (cluster_)
            cluster_->stop();
        else
            work_.cancel_delivery();
    });
    const bool ended = ended_.get_future().wait_for(engine_deadline) == std::future_status::ready;
    asio::post(engine_loop_, [this] { work_guard_.reset(); });
    if (!ended) {
        log_event<Event::stop_forced>(engine_deadline.count());
        engine_loop_.stop();
    }
    engine_thread_.join();
    store_.finish();
    if (!ended) wind_down();
    server_.reset();
}

// What waited for the files goes on to its end, cancelled, while all that it refers to is there.
void Instance::wind_down()
{
    constexpr std::chrono::seconds most{1};
    engine_loop_.restart();
    engine_loop_.run_for(most);
}

static Task<> take_turns(cache::Store& store, proxy::Server& server, std::function<void()> alive)
{
    co_await store.take_turns();
    server.probe(std::move(alive));
}

void Instance::probe(std::function<void()> alive)
{
    // What throws on the way (a file given up) is no sign of life either.
    asio::co_spawn(engine_loop_, take_turns(store_, *server_, std::move(alive)), asio::detached);
}

// What the page reads of the settings.
static Json page_json(const Config& config)
{
    Json page;
    page["alliUrl"] = config.alli_url.empty() ? Json(nullptr) : Json(config.alli_url);
    return page;
}

Json Instance::describe(cache::Reader& db, cache::Reader& outbox)
{
    const upstream::RateLimiter::State budget = client_.pace();
    const sync::State live =
        sync::describe(*work_.engine()->state(), clock_.steady(), clock_.now(), options_.config.sync_interval,
                       std::max(budget.probe_in, budget.retry_after));
    const bool follows = work_.is_elsewhere(); // then upstream is the leader's to tell of
    Json status = make_status(db, outbox, options_.config.upstream_url, follows ? nullptr : &live);
    status["upstream"]["budget"] = make_budget(budget);
    add_notes(status["problems"], options_.notes);
    add_unsupported_parameters(status["problems"], server_->unsupported_parameters());
    status["operations"] = operations_json(options_.config);
    status["page"] = page_json(options_.config);
    add_disk(status);
    if (cluster_) add_cluster(status, cluster_->name(), *cluster_->status(), cache::count_notes(db));
    if (follows && !options_.config.webhooks.empty()) add_silent_webhooks(status["problems"]);
    add_long_logs(status["problems"]);
    return status;
}

std::string Instance::status()
{
    return store_.read([&](cache::Reader& db) {
        return store_.read_outbox([&](cache::Reader& outbox) { return dump(describe(db, outbox)); });
    });
}

std::string Instance::status_in_view(const cache::Visibility& seen)
{
    const sync::State live = *work_.engine()->state();
    return store_.read([&](cache::Reader& db) {
        return store_.read_outbox([&](cache::Reader& outbox) {
            Json status = make_status_in_view(db, outbox, options_.config.upstream_url, live, seen);
            status["operations"] = operations_json(options_.config);
            status["page"] = page_json(options_.config);
            return dump(status);
        });
    });
}

std::string Instance::projects()
{
    const bool is_sandbox = options_.identity == "sandbox:";
    return projects_json(options_.mirror_path, is_sandbox, environment_);
}

std::string Instance::metrics(const proxy::RequestMetrics& request_metrics)
{
    const auto live = work_.engine()->state();
    return store_.read([&](cache::Reader& db) {
        return store_.read_outbox([&](cache::Reader& outbox) {
            const std::size_t problems = describe(db, outbox)["problems"].size();
            return make_metrics({db, outbox, *live, client_, request_metrics, clock_.now(), started_at_, problems,
                                 find_disk_full().has_value(), cluster_ ? cluster_->status() : nullptr});
        });
    });
}

} // namespace alli::daemon
