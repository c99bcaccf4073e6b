// SPDX-License-Identifier: Apache-2.0
#include "cluster/libpq/connection.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fcntl.h>
#include <libpq-fe.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace alli::cluster {
namespace {

using Wait = asio::posix::stream_descriptor::wait_type;
using namespace asio::experimental::awaitable_operators;

std::string name_of(const char* sql)
{
    return fmt::format("s{:x}", reinterpret_cast<std::uintptr_t>(sql));
}

std::string first_line(const char* said)
{
    const std::string text = said;
    return text.substr(0, text.find('\n'));
}

} // namespace

Connection::Connection(const asio::any_io_executor& executor) : socket_(executor), timer_(executor) {}

Connection::~Connection()
{
    detach();
    PQfinish(connection_);
}

Task<std::unique_ptr<Connection>> Connection::open(std::vector<Target> targets, Resolver& resolver, Patience patience)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::optional<Error> refused, away;
    for (const Target& target : targets) {
        std::unique_ptr<Connection> connection(new Connection(executor));
        try {
            co_await connection->connect(target, resolver, patience);
            co_return connection;
        } catch (const Error& error) {
            (error.fault() == Fault::unreachable ? away : refused) = error;
        }
    }
    if (!refused) throw *away;
    if (!away) throw *refused;
    // The one that is away may be the one that takes us: nothing is refused for good. What a person must mend is told.
    throw Error(Fault::unreachable, refused->hint(), "{}; {}", refused->what(), away->what());
}

// libpq would look the name up itself, and block the loop with it.
Task<> Connection::find_addresses(Target& target, Resolver& resolver, Patience patience)
{
    if (target.words.contains("hostaddr")) co_return;
    const std::vector<std::string> found = co_await resolver.find(target.host, patience);
    std::string hosts, addresses;
    for (const std::string& address : found) {
        const char* const comma = addresses.empty() ? "" : ",";
        addresses += comma + address;
        hosts += comma + target.host;
    }
    if (addresses.empty()) co_return;
    target.words["hostaddr"] = addresses;
    target.words["host"] = hosts; // the certificate is held against it
}

Task<> Connection::connect(Target target, Resolver& resolver, Patience patience)
{
    co_await find_addresses(target, resolver, patience);
    timer_.expires_after(patience);
    std::vector<const char*> keys, values;
    for (const auto& [key, value] : target.words) {
        keys.push_back(key.c_str());
        values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    connection_ = PQconnectStartParams(keys.data(), values.data(), 0);
    if (!connection_) throw std::bad_alloc();
    PQsetErrorVerbosity(connection_, PQERRORS_VERBOSE); // with SQLSTATE
    PQsetNoticeReceiver(connection_, &Connection::note_notice, this);
    co_await poll(target);
    if (PQconnectionNeedsPassword(connection_) != 0)
        throw Error(Fault::key_rejected, "cluster.password_file names the file that holds it",
                    "the cluster's database at {} wants a password", target.host);
    if (PQstatus(connection_) != CONNECTION_OK) throw connect_error(target.host, PQerrorMessage(connection_));
    PQsetnonblocking(connection_, 1);
    PQenterPipelineMode(connection_);
    attach();
}

Task<> Connection::poll(const Target& target)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (PQstatus(connection_) != CONNECTION_BAD && status != PGRES_POLLING_OK) {
        attach(); // the socket may be another one at each step
        const Wait direction = status == PGRES_POLLING_READING ? Wait::wait_read : Wait::wait_write;
        const auto first =
            co_await (socket_.async_wait(direction, asio::use_awaitable) || timer_.async_wait(asio::use_awaitable));
        detach();
        if (first.index() == 1) throw connect_error(target.host, "no answer in time");
        status = PQconnectPoll(connection_);
        if (status == PGRES_POLLING_FAILED) break;
    }
}

// A descriptor of our own: libpq closes its one where the connection ends, and another connection may have the number
// by the time that we take it out of the loop.
void Connection::attach()
{
    const int own = ::fcntl(PQsocket(connection_), F_DUPFD_CLOEXEC, 0);
    if (own < 0) fail(std::generic_category().message(errno));
    socket_.assign(own);
}

void Connection::detach()
{
    if (socket_.is_open()) ::close(socket_.release());
}

void Connection::cancel()
{
    socket_.cancel();
    timer_.cancel();
}

void Connection::fail(const std::string& what)
{
    broken_ = true;
    throw Error(Fault::unreachable, "does it run, and can this machine reach it?", "the cluster's database: {}", what);
}

Task<> Connection::wait_readable()
{
    const auto first =
        co_await (socket_.async_wait(Wait::wait_read, asio::use_awaitable) || timer_.async_wait(asio::use_awaitable));
    if (first.index() == 1) fail("no answer in time");
    if (PQconsumeInput(connection_) == 0) fail(first_line(PQerrorMessage(connection_)));
    timer_.expires_after(patience_);
}

// Reads meanwhile: a server that cannot write its answers does not read either.
Task<> Connection::flush()
{
    for (;;) {
        const int left = PQflush(connection_);
        if (left < 0) fail(first_line(PQerrorMessage(connection_)));
        if (left == 0) co_return;
        const auto first = co_await (socket_.async_wait(Wait::wait_write, asio::use_awaitable) ||
                                     socket_.async_wait(Wait::wait_read, asio::use_awaitable) ||
                                     timer_.async_wait(asio::use_awaitable));
        if (first.index() == 2) fail("nothing could be sent in time");
        if (first.index() == 1 && PQconsumeInput(connection_) == 0) fail(first_line(PQerrorMessage(connection_)));
        timer_.expires_after(patience_);
    }
}

void Connection::begin(Patience patience)
{
    patience_ = patience;
    timer_.expires_after(patience);
    broken_ = true; // until all of it is read: canceled on the way, nobody knows what comes next
}

void Connection::send(const std::vector<Query>& queries)
{
    expected_.clear();
    std::set<const char*> preparing;
    for (const Query& query : queries) {
        const std::string name = name_of(query.sql);
        if (!prepared_.contains(query.sql) && preparing.insert(query.sql).second) {
            if (PQsendPrepare(connection_, name.c_str(), query.sql, 0, nullptr) == 0)
                fail(first_line(PQerrorMessage(connection_)));
            expected_.push_back(query.sql);
        }
        std::vector<const char*> values;
        std::vector<int> lengths, formats(query.params.size(), 1);
        for (const Param& param : query.params) {
            values.push_back(param ? param->c_str() : nullptr);
            lengths.push_back(param ? static_cast<int>(param->size()) : 0);
        }
        if (PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(values.size()), values.data(),
                                lengths.data(), formats.data(), 1) == 0)
            fail(first_line(PQerrorMessage(connection_)));
        expected_.push_back(nullptr);
    }
    if (PQpipelineSync(connection_) == 0) fail(first_line(PQerrorMessage(connection_)));
}

// Without a receiver libpq prints it. The severity is there in English, whatever the server speaks.
void Connection::note_notice(void* self, const PGresult* notice)
{
    const char* const severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && std::string_view(severity) == "WARNING") static_cast<Connection*>(self)->warned_ = true;
}

Task<> Connection::wait_result()
{
    while (PQisBusy(connection_) != 0) co_await wait_readable();
}

void Connection::note_failure(const PGresult* result)
{
    const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* const said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!state) fail(first_line(PQresultErrorMessage(result))); // the connection's, not the server's
    if (!failure_) failure_.emplace(state, said ? said : "");
}

// Each command ends with no result; the sync point has one of its own.
Task<> Connection::collect(std::vector<Result>& results)
{
    failure_.reset();
    for (std::size_t at = 0;;) {
        co_await wait_result();
        PGresult* const raw = PQgetResult(connection_);
        if (!raw) {
            if (PQstatus(connection_) == CONNECTION_BAD) fail("the connection ended");
            ++at;
            continue;
        }
        Result result(raw);
        const ExecStatusType status = PQresultStatus(raw);
        if (status == PGRES_PIPELINE_SYNC) co_return;
        if (status == PGRES_FATAL_ERROR)
            note_failure(raw);
        else if (status != PGRES_PIPELINE_ABORTED && at < expected_.size()) {
            if (expected_[at]) prepared_.insert(expected_[at]);
            if (!expected_[at]) results.push_back(std::move(result));
        }
    }
}

Task<std::vector<Result>> Connection::run(std::vector<Query> queries, Patience patience)
{
    std::vector<Result> results;
    warned_ = false;
    begin(patience);
    send(queries);
    co_await flush();
    co_await collect(results);
    broken_ = PQstatus(connection_) == CONNECTION_BAD;
    if (!failure_) co_return results;
    const ServerError failure = *failure_;
    co_await roll_back();
    throw failure;
}

Task<> Connection::roll_back()
{
    static const char* const rollback = "ROLLBACK";
    const PGTransactionStatusType status = PQtransactionStatus(connection_);
    if (broken_ || (status != PQTRANS_INERROR && status != PQTRANS_INTRANS)) co_return;
    broken_ = true;
    const std::vector<Query> one{{rollback}};
    std::vector<Result> ignored;
    send(one);
    co_await flush();
    co_await collect(ignored);
    broken_ = failure_.has_value();
}

Task<> Connection::run_script(std::string sql, Patience patience)
{
    begin(patience);
    PQexitPipelineMode(connection_);
    if (PQsendQuery(connection_, sql.c_str()) == 0) fail(first_line(PQerrorMessage(connection_)));
    co_await flush();
    failure_.reset();
    for (;;) {
        co_await wait_result();
        PGresult* const raw = PQgetResult(connection_);
        if (!raw) break;
        const Result result(raw);
        if (PQresultStatus(raw) == PGRES_FATAL_ERROR) note_failure(raw);
    }
    PQenterPipelineMode(connection_);
    broken_ = PQstatus(connection_) == CONNECTION_BAD;
    if (failure_) throw ServerError(*failure_);
}

Task<bool> Connection::wait_notification(Patience patience)
{
    const auto heard = [this] {
        bool any = false;
        while (PGnotify* const one = PQnotifies(connection_)) {
            PQfreemem(one);
            any = true;
        }
        return any;
    };
    if (heard()) co_return true;
    timer_.expires_after(patience);
    for (;;) {
        const auto first = co_await (socket_.async_wait(Wait::wait_read, asio::use_awaitable) ||
                                     timer_.async_wait(asio::use_awaitable));
        if (first.index() == 1) co_return false;
        if (PQconsumeInput(connection_) == 0) fail(first_line(PQerrorMessage(connection_)));
        if (heard()) co_return true;
    }
}

} // namespace alli::cluster
