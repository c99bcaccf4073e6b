// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/curl_multi.hpp"

#include "alli/error.hpp"

namespace alli::upstream {
namespace {

curl::MultiHandle make_multi()
{
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT); // once a process, thread-safe by the static
    curl::MultiHandle multi(ready == CURLE_OK ? curl_multi_init() : nullptr);
    if (!multi) throw Error(Fault::io, "libcurl and its TLS library must be installed whole", "libcurl does not start");
    return multi;
}

} // namespace

struct CurlMulti::Socket {
    Socket(const asio::any_io_executor& loop, curl_socket_t fd) : descriptor(loop, fd) {}
    ~Socket() { descriptor.release(); } // the descriptor is curl's to close

    asio::posix::stream_descriptor descriptor;
    int wanted = 0;
    bool reading = false, writing = false; // a wait is under way
};

struct CurlMulti::Way {
    int wanted, event;
    asio::posix::stream_descriptor::wait_type wait;
    bool Socket::*armed;
};

const CurlMulti::Way CurlMulti::ways[2] = {
    {CURL_POLL_IN, CURL_CSELECT_IN, asio::posix::stream_descriptor::wait_read, &Socket::reading},
    {CURL_POLL_OUT, CURL_CSELECT_OUT, asio::posix::stream_descriptor::wait_write, &Socket::writing},
};

// However a request ends, by its answer, its deadline, its cancellation or the end of the loop, it leaves the multi
// here.
struct CurlMulti::UnderWay {
    UnderWay(CurlMulti& owner, Transfer& started) : multi(owner), transfer(started) { multi.add(transfer); }
    ~UnderWay() { multi.remove(transfer); }

    CurlMulti& multi;
    Transfer& transfer;
};

CurlMulti::CurlMulti(asio::any_io_executor loop, CurlOptions options)
    : loop_(std::move(loop)), options_(std::move(options)), site_(read_origin(options_.base_url)),
      authorities_(options_.ca_file), multi_(make_multi()), timer_(loop_)
{
    const long connections = std::max(1, options_.max_connections);
    idle_.reserve(static_cast<std::size_t>(connections));
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, connections);
}

CurlMulti::~CurlMulti()
{
    close();
    multi_.reset(); // may still call on_socket, so before the map goes
}

Task<Reply> CurlMulti::send(std::shared_ptr<CurlMulti> self, Request request)
{
    Transfer transfer(self->loop_, std::move(request), self->options_, self->site_);
    {
        UnderWay guard(*self, transfer);
        co_await transfer.wait();
    }
    co_return transfer.take();
}

void CurlMulti::close()
{
    closed_ = true;
    timer_.cancel();
    for (Transfer* transfer : std::exchange(queue_, {})) transfer->end(Transfer::Ending::abandoned);
    while (!under_way_.empty()) {
        Transfer& transfer = **under_way_.begin();
        transfer.end(Transfer::Ending::abandoned);
        remove(transfer);
    }
}

bool CurlMulti::has_room() const noexcept
{
    return under_way_.size() < static_cast<std::size_t>(std::max(1, options_.max_connections));
}

// The queue is ours: libcurl 7.88's own, behind CURLMOPT_MAX_TOTAL_CONNECTIONS, was seen to crash in socket_action.
void CurlMulti::add(Transfer& transfer)
{
    if (closed_) return transfer.end(Transfer::Ending::abandoned);
    if (!has_room()) return queue_.push_back(&transfer);
    start(transfer);
}

void CurlMulti::start(Transfer& transfer) noexcept
try {
    curl::Easy easy;
    if (idle_.empty()) {
        easy.reset(curl_easy_init());
    } else {
        easy = std::move(idle_.back());
        idle_.pop_back();
    }
    if (!easy) throw std::bad_alloc();
    transfer.prepare(std::move(easy), connections_);
    authorities_.add_to(transfer.easy());
    under_way_.insert(&transfer);
    const CURLMcode code = curl_multi_add_handle(multi_.get(), transfer.easy());
    if (code == CURLM_OK) return;
    under_way_.erase(&transfer);
    throw Error(Fault::io, "this is a fault of the program", "libcurl takes no request: {}", curl_multi_strerror(code));
} catch (...) {
    transfer.fail(std::current_exception());
}

void CurlMulti::remove(Transfer& transfer) noexcept
{
    queue_.remove(&transfer);
    if (under_way_.erase(&transfer) == 0) return;
    curl_multi_remove_handle(multi_.get(), transfer.easy());
    auto easy = transfer.give_back();
    if (idle_.size() < idle_.capacity()) idle_.push_back(std::move(easy));
    while (!queue_.empty() && has_room()) {
        Transfer& next = *queue_.front();
        queue_.pop_front();
        start(next);
    }
}

int CurlMulti::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept
try {
    auto& multi = *static_cast<CurlMulti*>(self);
    if (what == CURL_POLL_REMOVE)
        multi.forget(fd);
    else
        multi.watch(fd, what);
    return 0;
} catch (const std::exception&) {
    return -1; // curl fails the transfer
}

// Let go of now, while it is still this one: whoever serves it right now holds it longer than curl does, and by then
// its number may be another connection's.
void CurlMulti::forget(curl_socket_t fd)
{
    const auto found = sockets_.find(fd);
    if (found == sockets_.end()) return;
    found->second->descriptor.release();
    sockets_.erase(found);
}

void CurlMulti::watch(curl_socket_t fd, int wanted)
{
    auto found = sockets_.find(fd);
    // Made first: where the loop cannot watch it, there must be no entry for forget() to find.
    if (found == sockets_.end()) found = sockets_.emplace(fd, std::make_shared<Socket>(loop_, fd)).first;
    found->second->wanted = wanted; // CURL_POLL_IN, _OUT, or both as bits
    arm(found->second);
}

void CurlMulti::arm(const std::shared_ptr<Socket>& socket)
{
    for (const Way& way : ways) {
        if (!(socket->wanted & way.wanted) || (*socket).*way.armed) continue;
        (*socket).*way.armed = true;
        auto on_ready = [weak = weak_from_this(), watched = std::weak_ptr(socket),
                         &way](boost::system::error_code failed) {
            const auto self = weak.lock();
            const auto same = watched.lock();
            if (self && same && failed != asio::error::operation_aborted) self->ready(same, way, bool(failed));
        };
        socket->descriptor.async_wait(way.wait, std::move(on_ready));
    }
}

void CurlMulti::ready(const std::shared_ptr<Socket>& socket, const Way& way, bool failed)
{
    (*socket).*way.armed = false;
    if (!(socket->wanted & way.wanted)) return;
    const auto fd = socket->descriptor.native_handle();
    act(fd, failed ? CURL_CSELECT_ERR : way.event);
    const auto now = sockets_.find(fd);
    if (now != sockets_.end() && now->second == socket) arm(socket);
}

int CurlMulti::on_timer(CURLM*, long timeout_ms, void* self) noexcept
try {
    static_cast<CurlMulti*>(self)->schedule(timeout_ms);
    return 0;
} catch (const std::exception&) {
    return -1;
}

// Even a timeout of nothing goes through the loop: curl must not be entered from its own callback.
void CurlMulti::schedule(long timeout_ms)
{
    timer_.cancel();
    if (timeout_ms < 0 || closed_) return;
    timer_.expires_after(std::chrono::milliseconds(timeout_ms));
    auto on_due = [weak = weak_from_this()](boost::system::error_code canceled) {
        const auto self = weak.lock();
        if (self && !canceled) self->act(CURL_SOCKET_TIMEOUT, 0);
    };
    timer_.async_wait(std::move(on_due));
}

void CurlMulti::act(curl_socket_t fd, int events)
{
    int running = 0;
    curl_multi_socket_action(multi_.get(), fd, events, &running);
    reap();
}

void CurlMulti::reap()
{
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const CURLcode code = message->data.result; // gone once the handle is removed
        Transfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        transfer->finish(code);
        remove(*transfer);
    }
}

} // namespace alli::upstream
