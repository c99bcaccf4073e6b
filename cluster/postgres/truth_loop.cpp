// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/truth_loop.hpp"

#include "cluster/postgres/publish.hpp"

#include <boost/asio/detached.hpp>

#include <pthread.h>

#include <utility>

namespace alli::cluster {
namespace {

SessionOptions session_options(const PostgresOptions& options, bool listens)
{
    SessionOptions made;
    made.targets = read_url(options.url, options.password);
    made.schema = options.schema;
    made.listens = listens;
    made.patience = options.patience;
    made.look_up = options.look_up;
    return made;
}

} // namespace

TruthLoop::TruthLoop(const PostgresOptions& options)
    : lease(loop_, session_options(options, false)), rows(loop_, session_options(options, false)),
      writes(loop_, session_options(options, false)), begins(loop_, session_options(options, false)),
      news(loop_, session_options(options, true)), thread_([this] {
          pthread_setname_np(pthread_self(), "cluster");
          loop_.run();
      })
{}

// The calls' coroutines end by themselves, each on the loop; only then does it have no work.
TruthLoop::~TruthLoop()
{
    asio::post(loop_, [this] {
        for (Session* const session : {&lease, &rows, &writes, &begins, &news}) session->close();
        work_.reset();
    });
    thread_.join();
}

Task<> TruthLoop::tell_news(Session& session)
{
    try {
        co_await notify_news(session);
    } catch (const Error&) {
    }
}

void TruthLoop::tell_news_soon()
{
    has_news_ = true;
    if (!std::exchange(telling_, true)) asio::co_spawn(loop_, tell_all_news(), asio::detached);
}

Task<> TruthLoop::tell_all_news()
{
    while (std::exchange(has_news_, false)) co_await tell_news(writes);
    telling_ = false;
}

} // namespace alli::cluster
