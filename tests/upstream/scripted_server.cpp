// SPDX-License-Identifier: Apache-2.0
#include "tests/upstream/scripted_server.hpp"

#include "http/chunks.hpp"
#include "http/framing.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace upstream_test {

namespace asio = boost::asio;
namespace http = alli::http;
using asio::ip::tcp;
using Stop = boost::system::system_error;

Answer answer(int status, const std::string& body, const std::string& headers)
{
    Answer whole;
    whole.pieces.push_back(
        fmt::format("HTTP/1.1 {} Whatever\r\n{}Content-Length: {}\r\n\r\n{}", status, headers, body.size(), body));
    return whole;
}

Answer raw(const std::string& bytes, Answer::Then then)
{
    Answer whole;
    whole.pieces.push_back(bytes);
    whole.then = then;
    return whole;
}

std::string gzipped(const std::string& text)
{
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

namespace {

std::string pem(const std::function<void(BIO*)>& write)
{
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
    write(memory.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

void add_extension(X509* certificate, int which, const char* value)
{
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, which, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

} // namespace

Certificate make_certificate()
{
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> x509(X509_new(), &X509_free);
    X509_set_version(x509.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    X509_NAME* name = X509_get_subject_name(x509.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509.get(), name);
    add_extension(x509.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x509.get(), NID_subject_alt_name, "IP:127.0.0.1");
    X509_set_pubkey(x509.get(), key.get());
    X509_sign(x509.get(), key.get(), EVP_sha256());

    Certificate made;
    made.certificate = pem([&](BIO* out) { PEM_write_bio_X509(out, x509.get()); });
    made.key = pem([&](BIO* out) { PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    return made;
}

struct ScriptedServer::Inside {
    explicit Inside(Script s) : script(std::move(s)) {}

    Answer reply_to(Heard request)
    {
        auto reply = script(request);
        const std::lock_guard lock(mutex);
        heard.push_back(std::move(request));
        return reply;
    }

    using SayUnasked = std::function<void(const std::string&, bool)>;

    std::map<int, SayUnasked> open; // by a number of their own; before the loop, whose end ends the sessions
    asio::io_context loop;
    Script script;
    std::optional<asio::ssl::context> tls;
    tcp::acceptor acceptor{loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    std::atomic<int> connections{0};
    mutable std::mutex mutex;
    std::vector<Heard> heard;
    std::thread thread;
};

namespace {

template <class Stream>
asio::awaitable<void> receive(Stream& stream, std::string& bytes)
{
    std::array<char, 16384> room;
    const std::size_t count = co_await stream.async_read_some(asio::buffer(room), asio::use_awaitable);
    bytes.append(room.data(), count);
}

template <class Stream>
asio::awaitable<http::RequestHead> hear_head(Stream& stream, std::string& bytes)
{
    using Result = http::RequestParser::Result;
    constexpr http::RequestLimits limits{.header_bytes = 1 << 20, .header_lines = 1000, .target_bytes = 1 << 20};
    http::RequestParser parser(limits);
    Result result = parser.read(bytes);
    while (result == Result::more) {
        co_await receive(stream, bytes);
        result = parser.read(bytes);
    }
    if (result == Result::refused) throw Stop(asio::error::invalid_argument);
    http::RequestHead head = parser.take(bytes);
    bytes.erase(0, parser.size());
    co_return head;
}

template <class Stream>
asio::awaitable<std::string> hear_body(Stream& stream, std::string& bytes, http::RequestFraming framing)
{
    using Result = http::ChunkReader::Result;
    while (!framing.chunked && bytes.size() < framing.length) co_await receive(stream, bytes);
    std::string body = framing.chunked ? "" : bytes.substr(0, framing.length);
    bytes.erase(0, body.size());
    http::ChunkReader chunks;
    for (Result result = Result::more; framing.chunked && result != Result::done;) {
        const auto piece = chunks.read(bytes);
        result = piece.result;
        if (result == Result::refused) throw Stop(asio::error::invalid_argument);
        body.append(bytes, piece.framing, piece.data);
        bytes.erase(0, piece.framing + piece.data);
        if (result == Result::more) co_await receive(stream, bytes);
    }
    co_return body;
}

/// The next request. `bytes`: received and not consumed.
template <class Stream>
asio::awaitable<Heard> hear(Stream& stream, std::string& bytes)
{
    http::RequestHead head = co_await hear_head(stream, bytes);
    const auto framing = http::read_framing(head);
    if (!std::holds_alternative<http::RequestFraming>(framing)) throw Stop(asio::error::invalid_argument);
    Heard heard;
    heard.body = co_await hear_body(stream, bytes, std::get<http::RequestFraming>(framing));
    heard.method = std::move(head.method);
    heard.target = std::move(head.target);
    heard.headers = std::move(head.headers);
    co_return heard;
}

template <class Stream>
asio::awaitable<void> say(Stream& stream, const Answer& reply)
{
    asio::steady_timer pause(stream.get_executor());
    for (const auto& piece : reply.pieces) {
        co_await asio::async_write(stream, asio::buffer(piece), asio::use_awaitable);
        pause.expires_after(reply.gap);
        if (reply.gap.count() > 0) co_await pause.async_wait(asio::use_awaitable);
    }
    pause.expires_at(asio::steady_timer::time_point::max());
    if (reply.then == Answer::Then::stall) co_await pause.async_wait(asio::use_awaitable);
}

template <class Stream>
void say_at_once(Stream& stream, const std::string& bytes, bool close)
{
    boost::system::error_code gone;
    auto& socket = stream.lowest_layer();
    asio::write(stream, asio::buffer(bytes), gone);
    if (close) socket.shutdown(tcp::socket::shutdown_send, gone);
}

bool leads_to(int fd, std::uint16_t port)
{
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET &&
           ntohs(peer.sin_port) == port;
}

// The client is of this process: its descriptors are looked at, because an acknowledgement may be held back.
void wait_until_there(std::uint16_t port, std::size_t bytes, bool closed)
{
    constexpr int descriptors = 512;
    for (int fd = 0; fd < descriptors; ++fd) {
        if (!leads_to(fd, port)) continue;
        for (int arrived = 0;;) {
            pollfd look{fd, POLLIN | POLLRDHUP, 0};
            ::poll(&look, 1, 0);
            ::ioctl(fd, FIONREAD, &arrived);
            if ((look.revents & POLLHUP) != 0) break;
            if (static_cast<std::size_t>(arrived) >= bytes && (!closed || (look.revents & POLLRDHUP) != 0)) break;
            std::this_thread::yield();
        }
    }
}

// One that is open, for say_unasked().
struct Registered {
    template <class Stream>
    Registered(std::map<int, std::function<void(const std::string&, bool)>>& all, Stream& stream) : open(all)
    {
        number = open.empty() ? 0 : open.rbegin()->first + 1;
        open[number] = [&stream](const std::string& bytes, bool close) { say_at_once(stream, bytes, close); };
    }
    ~Registered() { open.erase(number); }

    std::map<int, std::function<void(const std::string&, bool)>>& open;
    int number = 0;
};

template <class Stream, class Reply>
asio::awaitable<void> converse(Stream& stream, Reply& reply_to)
{
    std::string bytes;
    while (true) {
        Heard heard = co_await hear(stream, bytes);
        const Answer reply = reply_to(std::move(heard));
        co_await say(stream, reply);
        auto& socket = stream.lowest_layer();
        if (reply.then == Answer::Then::reset) socket.set_option(asio::socket_base::linger(true, 0));
        if (reply.then != Answer::Then::keep) co_return socket.close();
    }
}

} // namespace

ScriptedServer::ScriptedServer(Script script, const Certificate* tls)
    : inside_(std::make_unique<Inside>(std::move(script)))
{
    if (tls) {
        auto& context = inside_->tls.emplace(asio::ssl::context::tls_server);
        context.use_certificate_chain(asio::buffer(tls->certificate));
        context.use_private_key(asio::buffer(tls->key), asio::ssl::context::pem);
    }
    // Plain functions of the object: a capturing lambda must not be a coroutine.
    struct Serve {
        static asio::awaitable<void> session(Inside* in, tcp::socket socket)
        try {
            auto reply_to = [in](Heard request) { return in->reply_to(std::move(request)); };
            if (!in->tls) {
                const Registered one(in->open, socket);
                co_return co_await converse(socket, reply_to);
            }
            asio::ssl::stream<tcp::socket> stream(std::move(socket), *in->tls);
            co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
            const Registered one(in->open, stream);
            co_await converse(stream, reply_to);
        } catch (const Stop&) {
            // The client went away: as tests want it.
        }
        static asio::awaitable<void> accept(Inside* in)
        {
            while (true) {
                tcp::socket socket = co_await in->acceptor.async_accept(asio::use_awaitable);
                ++in->connections;
                socket.set_option(tcp::no_delay(true));
                asio::co_spawn(in->loop, session(in, std::move(socket)), asio::detached);
            }
        }
    };
    asio::co_spawn(inside_->loop, Serve::accept(inside_.get()), asio::detached);
    inside_->thread = std::thread([in = inside_.get()] { in->loop.run(); });
}

ScriptedServer::~ScriptedServer()
{
    inside_->loop.stop();
    inside_->thread.join();
}

std::string ScriptedServer::url() const
{
    return fmt::format("{}://127.0.0.1:{}", inside_->tls ? "https" : "http", inside_->acceptor.local_endpoint().port());
}

std::vector<Heard> ScriptedServer::heard() const
{
    const std::lock_guard lock(inside_->mutex);
    return inside_->heard;
}

void ScriptedServer::say_unasked(const std::string& bytes, bool close)
{
    std::promise<void> said;
    asio::post(inside_->loop, [&] {
        for (auto& [number, say] : inside_->open) say(bytes, close);
        said.set_value();
    });
    said.get_future().wait();
    wait_until_there(inside_->acceptor.local_endpoint().port(), bytes.size(), close);
}

int ScriptedServer::connections() const
{
    return inside_->connections;
}

} // namespace upstream_test
