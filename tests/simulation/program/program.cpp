// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/program/program.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "proxy/dispatch.hpp"
#include "tests/proxy/whole_headers.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace simulation {

using namespace alli;

namespace {

// Nothing is relayed here: what goes upstream is asked by the client.
class NoExchanges final : public upstream::Exchanges {
  public:
    std::unique_ptr<upstream::Exchange> open(upstream::StreamRequest) override
    {
        throw Error(Fault::unreachable, "", "nothing is relayed in the simulation");
    }
};

} // namespace

Program::Program(World& world, support::FakeClock& clock, asio::io_context& loop, const std::string& directory,
                 const sync::Options& options, const sync::DeliveryOptions& delivery, std::uint64_t seed)
    : world_(world), clock_(clock), loop_(loop),
      store_({directory + "/mirror.db", "http://world", false,
              [this](const std::exception_ptr& why) { damaged_ = fault_of(why) == Fault::damaged; }}),
      random_(seed), delivery_random_(seed + 1), relay_random_(seed + 2), pace_(clock, {0, 4}),
      client_(world, pace_, clock, {"key", TimeUnit::unknown, "/webapi/v2/conversations/daily_count"}),
      engine_(client_, store_, clock, random_, options),
      deliverer_(client_, store_, clock, delivery_random_, delivery, hooks()),
      feed_(loop.get_executor(), store_, request_metrics_.of(0)),
      routes_(proxy::routes(), options_.operations), context_{proxy::Backend{store_, clock, *this, *this, *this, *this,
                                                                             *this, *this},
                                                              options_,
                                                              response_cache_,
                                                              coalescer_,
                                                              request_metrics_.of(0),
                                                              request_metrics_,
                                                              request_ids_,
                                                              nullptr,
                                                              exchange_breaker_,
                                                              feed_,
                                                              browser_sessions_,
                                                              unsupported_parameters_,
                                                              runs_,
                                                              routes_}
{
    options_.zone = Zone::load("UTC");
    coalescer_.set_executor(loop.get_executor());
    grant_ = std::make_shared<const proxy::Grant>(proxy::Principal{"an app", proxy::Scope::write, {}});
    client_.tell([this](const upstream::Outcome& outcome) { engine_.heard(outcome); });
    engine_.when_back([this] { deliverer_.make_due(); });
    engine_.on_fetched([this](const ConversationId& id, std::uint64_t fence, bool whole) {
        runs_.fetched(id, fence, whole, clock_.steady());
    });
    spawn(engine_.run(), [this] { ++ended_; });
    spawn(deliverer_.run(), [this] { ++ended_; });
}

Program::~Program()
{
    if (!dying_) die();
}

sync::DeliveryHooks Program::hooks()
{
    return {[this](ConversationId id) { engine_.wake_conversation(std::move(id)); }, [this] { engine_.wake(); }};
}

void Program::spawn(Task<> task, std::function<void()> ended)
{
    ++begun_;
    auto done = [this, ended = std::move(ended)](std::exception_ptr) {
        ++finished_;
        if (!dying_) ended();
    };
    asio::co_spawn(loop_, std::move(task), asio::bind_cancellation_slot(tasks_.emplace_back().slot(), std::move(done)));
}

void Program::die()
{
    dying_ = true;
    for (asio::cancellation_signal& task : tasks_) task.emit(asio::cancellation_type::terminal);
    support::run_until_idle(loop_); // a task that is over has been sent its cancellation all the same
    for (int i = 0; i < 1000 && finished_ < begun_; ++i) {
        support::run_until_idle(loop_);
        if (finished_ < begun_) clock_.jump_to_next();
    }
}

Answer Program::ask(std::string_view method, std::string target, const std::map<std::string, std::string>& headers,
                    std::string body)
{
    proxy::Request request;
    request.method = method;
    request.target = std::move(target);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.body = std::move(body);
    request.request_id = "r";
    request.principal = proxy::principal_of(grant_);
    request.grant = grant_;
    auto asked = std::make_shared<Asked>();
    spawn(answer(asked, std::move(request)));
    support::run_until_idle(loop_);
    return asked;
}

Task<> Program::answer(Answer asked, proxy::Request request)
{
    proxy::Response response = co_await proxy::answer(context_, request);
    if (dying_) co_return; // the connection is gone
    asked->status = response.status;
    asked->headers = proxy::whole_headers(response);
    asked->body = response.body.text();
    asked->done = true;
}

Task<upstream::Reply> Program::send(upstream::Request request)
{
    return client_.relay(std::move(request));
}

std::unique_ptr<upstream::Exchanges> Program::connect(asio::any_io_executor)
{
    return std::make_unique<NoExchanges>();
}

proxy::UpstreamState Program::state() const
{
    const auto live = engine_.state();
    return {"http://world", live->reachable, live->key_accepted, live->error};
}

} // namespace simulation
