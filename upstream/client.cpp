// SPDX-License-Identifier: Apache-2.0
#include "upstream/client.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "upstream/absence.hpp"
#include "upstream/daily_count.hpp"
#include "upstream/header.hpp"
#include "upstream/members.hpp"
#include "upstream/reply.hpp"
#include "upstream/running.hpp"
#include "upstream/target.hpp"

#include <nlohmann/json.hpp>

namespace alli::upstream {
namespace {

constexpr std::string_view key_header = "API-KEY";
constexpr std::chrono::seconds ask_absence_again{30};
constexpr std::size_t shortest_secret = 16; // shorter ones ("sandbox") are words that an answer may well hold

Request get(std::string target, Priority priority)
{
    Request request;
    request.target = std::move(target);
    request.priority = priority;
    request.headers.add("Cache-Control", "no-cache"); // a gateway's cache may hold what was true a minute ago
    return request;
}

// Outward, to whole units: there are services that bind integers and refuse a fraction, and no window may leave out
// what it should hold.
Instant rounded_down(Instant at, TimeUnit unit)
{
    if (unit == TimeUnit::seconds) return std::chrono::floor<std::chrono::seconds>(at);
    return std::chrono::floor<std::chrono::milliseconds>(at);
}

Instant rounded_up(Instant at, TimeUnit unit)
{
    if (unit == TimeUnit::seconds) return std::chrono::ceil<std::chrono::seconds>(at);
    return std::chrono::ceil<std::chrono::milliseconds>(at);
}

void add_header(Request& request, std::string_view name, std::string value)
{
    Header header{std::string(name), std::move(value)};
    request.headers.push_back(std::move(header));
}

std::optional<Content> find_content_of(Shape shape)
{
    if (shape == Shape::conversation) return Content::conversation;
    if (shape == Shape::chats) return Content::chats;
    return shape == Shape::chat ? std::optional(Content::chat) : std::nullopt;
}

void redact(std::string& text, const std::string& secret)
{
    if (secret.size() < shortest_secret) return;
    for (auto at = text.find(secret); at != text.npos; at = text.find(secret, at))
        text.replace(at, secret.size(), "***");
}

} // namespace

Client::Client(Transport& transport, RateLimiter& pace, Clock& clock, Options options)
    : transport_(transport), pace_(pace), clock_(clock), options_(std::move(options)), unit_(options_.time_unit)
{}

Client::Sent::Sent(CallKind wanted, Clock::Steady now, const Request& request)
    : kind(wanted), at(now), request_id(request.headers.first("X-Request-Id"))
{}

Task<RateLimiter::Permit> Client::admit(Priority priority)
{
    if (admit_) co_await admit_();
    co_return co_await pace_.acquire(priority);
}

Task<Client::Answer> Client::call(Request request, CallKind kind)
{
    RateLimiter::Permit permit = co_await admit(request.priority);
    co_return co_await send(std::move(request), kind, std::move(permit));
}

Task<Client::Answer> Client::send(Request request, CallKind kind, RateLimiter::Permit permit)
{
    add_header(request, key_header, options_.api_key);
    Answer answer;
    answer.asked_at = clock_.now();
    answer.started = clock_.steady();
    const Sent sent(kind, answer.started, request);
    try {
        answer.reply = co_await transport_.send(std::move(request));
    } catch (const Error& error) {
        settle(permit, outcome_of(error), sent);
        throw;
    }
    answer.elapsed = clock_.steady() - answer.started;
    const std::string* date = answer.reply.header("Date");
    if (const auto theirs = date ? from_http_date(*date) : std::nullopt) clock_ahead_ = *theirs - clock_.now();
    settle(permit, outcome_of(answer.reply, clock_.now()), sent);
    co_return answer;
}

void Client::settle(RateLimiter::Permit& permit, Outcome outcome, const Sent& sent)
{
    outcome.call = sent.kind;
    outcome.elapsed = clock_.steady() - sent.at;
    redact(outcome.words, options_.api_key);
    meters_.count(outcome);
    permit.settle(outcome);
    if (listener_) listener_(outcome);
    log_event<Event::upstream_call>(call_names[static_cast<std::size_t>(sent.kind)], Meters::name_of(outcome),
                                    outcome.status, milliseconds_of(outcome.elapsed), sent.request_id);
}

// What upstream says in an error becomes a message of ours: should it repeat the key, that must not get into a log.
void Client::require_read(const Reply& reply, const Expected& expected, std::string_view what)
{
    const Authenticity authenticity = authenticity_of(reply, expected);
    if (authenticity == Authenticity::service) answered_at_ = clock_.steady();
    if (authenticity == Authenticity::service && reply.status < 300) return;
    Reply masked = reply;
    redact(masked.body, options_.api_key);
    require_own_success(masked, expected, what);
}

void Client::learn_envelope(const std::string& body, Content content)
{
    if (!envelope_listener_) return;
    const auto found = find_envelope(body, content);
    auto& known = wrapped_[static_cast<std::size_t>(content)];
    if (!found || known == !found->is_none()) return;
    if (content == Content::list && found->is_none() && !known) return; // a list that always came bare needs no note
    known = !found->is_none();
    envelope_listener_(content, *found);
}

// Before the first time was seen nobody knows in which unit upstream wants one, and a wrong guess finds nothing: then
// all is asked for.
void Client::add_windows(std::string& target, const ListQuery& query) const
{
    if (unit_ == TimeUnit::unknown) return;
    const std::pair<const char*, std::optional<Instant>> bounds[] = {
        {"startedAt", query.started_at},
        {"endAt", query.end_at},
        {"firstChatStartedAt", query.first_chat_started_at},
        {"firstChatEndAt", query.first_chat_end_at},
    };
    for (const auto& [name, at] : bounds) {
        if (!at) continue;
        const bool begins = std::string_view(name).ends_with("tartedAt");
        add_query(target, name, write_instant(begins ? rounded_down(*at, unit_) : rounded_up(*at, unit_), unit_));
    }
}

std::string Client::list_target(const ListQuery& query) const
{
    std::string target(conversations_path);
    add_windows(target, query);
    if (query.cursor) add_query(target, "cursor", *query.cursor);
    for (const auto& variable : options_.variables) add_query(target, "variables", variable);
    add_query(target, "pageSize", std::to_string(query.page_size));
    if (query.order == ListOrder::oldest) add_query(target, "order", "LAST_CHAT_TIME_ASC");
    if (query.order == ListOrder::newest_created) add_query(target, "order", "CREATED_AT_DESC");
    return target;
}

void Client::read_clocks(Listed& listed, const Answer& answer) const
{
    const auto took = std::chrono::ceil<std::chrono::microseconds>(answer.elapsed);
    listed.asked_at = answer.asked_at;
    listed.clocks.ours = answer.asked_at + took;
    const std::string* date = answer.reply.header("Date");
    listed.clocks.theirs = date ? from_http_date(*date) : std::nullopt;
    if (!listed.clocks.theirs) return;
    listed.clocks.ours_is_heeded = answer.asked_at >= options_.built_at;
    const Instant by_theirs = *listed.clocks.theirs - took;
    if (!listed.clocks.ours_is_heeded || by_theirs < listed.asked_at) listed.asked_at = by_theirs;
}

ConversationPage Client::read_page(const ListQuery& query, std::string body)
{
    if (!query.mend) return read_conversation_page(std::move(body), unit_, options_.variables);
    try {
        return read_conversation_page(body, unit_, options_.variables);
    } catch (const Error& error) {
        if (error.fault() != Fault::bad_reply) throw;
    }
    return salvage_conversation_page(body, unit_, options_.variables);
}

Task<Listed> Client::list_conversations(ListQuery query, Priority priority)
{
    constexpr auto what = "the list of conversations";
    Request request = get(list_target(query), priority);
    Answer answer = co_await call(std::move(request), CallKind::list);
    const Expected page{Shape::list};
    require_read(answer.reply, page, what);

    Listed listed;
    read_clocks(listed, answer);
    learn_envelope(answer.reply.body, Content::list);
    listed.page = read_page(query, std::move(answer.reply.body));
    for (Conversation& conversation : listed.page.conversations) conversation.asked_at = answer.started;
    co_return listed;
}

// `behind`: so many chats what is asked for stands behind; of fewer nothing is there, whoever says so.
Task<std::optional<Reply>> Client::find(std::string target, Expected expected, std::string what, CallKind kind,
                                        Priority priority, std::int64_t behind)
{
    Request request = get(std::move(target), priority);
    Answer answer = co_await call(std::move(request), kind);
    if (says_absent(answer.reply)) {
        const bool own = co_await is_absence(answer.reply, priority);
        if (own) co_return std::nullopt;
        ConversationId whose{std::string(expected.id)};
        const bool ends = behind > 0 && co_await counts_no_more(std::move(whose), behind, priority);
        if (ends) co_return std::nullopt;
        redact(answer.reply.body, options_.api_key);
        refuse_foreign(answer.reply, expected, what); // a gateway's, or a wrong URL's: no word about the thing
    }
    require_read(answer.reply, expected, what);
    if (const auto content = find_content_of(expected.shape)) learn_envelope(answer.reply.body, *content);
    co_return std::move(answer.reply);
}

Task<bool> Client::counts_no_more(ConversationId id, std::int64_t chats, Priority priority)
{
    const auto found = co_await find_conversation(std::move(id), priority);
    if (!found || !found->chat_count) co_return false;
    co_return *found->chat_count <= chats;
}

Task<bool> Client::is_absence(Reply reply, Priority priority)
{
    const std::string shape = shape_of_absence(reply);
    const auto now = clock_.steady();
    const bool stale = !absence_asked_at_ || now - *absence_asked_at_ >= ask_absence_again;
    if (absence_ != shape && stale) {
        absence_ = co_await learn_absence(priority);
        absence_asked_at_ = now;
    }
    if (absence_) co_return *absence_ == shape;
    // The service does not say 404 for an id that nobody has: then only what the contract calls an error is its word.
    co_return absence_asked_at_&& has_error_shape(reply.body);
}

// While one who answers 404 to everything stands in between, the list does not come, and nothing is learned.
Task<std::optional<std::string>> Client::learn_absence(Priority priority)
{
    Request first = get(conversation_target(ConversationId{made_up_id(0)}), priority);
    const Answer answer = co_await call(std::move(first), CallKind::single);
    ListQuery least;
    least.page_size = 1;
    const Listed listed = co_await list_conversations(std::move(least), priority);
    if (!says_absent(answer.reply)) co_return std::nullopt;
    std::string shape = shape_of_absence(answer.reply);
    if (has_error_shape(answer.reply.body)) co_return shape;
    // Any page says 404: it is the service's if it says so of each that nobody has, and not of one that is there.
    for (int n = 1; n < made_up_ids; ++n) {
        Request next = get(conversation_target(ConversationId{made_up_id(n)}), priority);
        const Answer again = co_await call(std::move(next), CallKind::single);
        if (!says_absent(again.reply) || shape_of_absence(again.reply) != shape) co_return std::nullopt;
    }
    if (listed.page.conversations.empty()) co_return shape;
    Request real = get(conversation_target(listed.page.conversations.front().id), priority);
    const Answer there = co_await call(std::move(real), CallKind::single);
    if (says_absent(there.reply)) co_return std::nullopt;
    co_return shape;
}

Task<std::optional<Conversation>> Client::find_conversation(ConversationId id, Priority priority)
{
    const auto asked_at = clock_.steady();
    const Expected one{Shape::conversation, id.value};
    auto reply = co_await find(conversation_target(id), one, "a conversation", CallKind::single, priority);
    if (!reply) co_return std::nullopt;
    Conversation found = read_conversation(std::move(reply->body), unit_);
    found.id = id; // it may be shown decoded, or not at all
    found.asked_at = asked_at;
    co_return found;
}

Task<std::optional<Reply>> Client::find_chats(ConversationId id, int page_no, Expected expected, Priority priority)
{
    std::string target = conversation_target(id, "/chats");
    add_query(target, "pageNo", std::to_string(page_no));
    const std::int64_t behind = expected.id.empty() ? 0 : chats_a_page * (page_no - 1);
    co_return co_await find(std::move(target), expected, "the chats of a conversation", CallKind::chats, priority,
                            behind);
}

Task<std::optional<std::vector<Chat>>> Client::list_chats(ConversationId id, int page_no, Priority priority)
{
    const Expected page{Shape::chats, id.value};
    auto reply = co_await find_chats(id, page_no, page, priority);
    if (!reply) co_return std::nullopt;
    co_return read_chat_page(std::move(reply->body), unit_);
}

Task<std::optional<std::vector<Chat>>> Client::salvage_chats(ConversationId id, int page_no, std::size_t expected,
                                                             Priority priority)
{
    const Expected any{Shape::list}, page{Shape::chats, id.value};
    auto reply = co_await find_chats(id, page_no, any, priority);
    if (!reply) co_return std::nullopt;
    // What is broken has no members to know it by; what is not may still be the answer to another request.
    if (members_of(reply->body)) require_read(*reply, page, "the chats of a conversation");
    try {
        co_return read_chat_page(reply->body, unit_);
    } catch (const Error& error) {
        if (error.fault() != Fault::bad_reply) throw;
    }
    co_return salvage_chat_page(reply->body, unit_, expected);
}

Task<std::optional<Chat>> Client::find_chat(ConversationId id, ChatId chat, Priority priority)
{
    const Expected one{Shape::chat, chat.value};
    auto reply = co_await find(chat_target(id, chat), one, "a chat", CallKind::single, priority);
    if (!reply) co_return std::nullopt;
    Chat found = read_chat(std::move(reply->body), unit_);
    found.id = chat;
    co_return found;
}

Task<bool> Client::is_running(ConversationId id, Priority priority)
{
    Request request = get(conversation_target(id, "/running"), priority);
    const Answer answer = co_await call(std::move(request), CallKind::single);
    const Expected state{Shape::running};
    require_read(answer.reply, state, "whether a conversation is running");
    co_return read_running(answer.reply.body);
}

Task<std::optional<std::vector<DailyCount>>> Client::daily_counts(std::string start_date, std::string end_date,
                                                                  Priority priority)
{
    std::string target = options_.daily_count_path;
    add_query(target, "startDate", start_date);
    add_query(target, "endDate", end_date);
    Request request = get(std::move(target), priority);
    const Answer answer = co_await call(std::move(request), CallKind::count);
    const Expected counts{Shape::list}; // a page, whose form is read off it
    try {
        require_read(answer.reply, counts, "the daily counts");
    } catch (const Error& error) {
        const bool absent = says_absent(answer.reply) || answer.reply.status == 405;
        if (error.fault() != Fault::refused || !absent) throw;
        co_return std::nullopt;
    }
    co_return read_daily_counts(answer.reply.body);
}

Task<std::optional<ListedCategories>> Client::list_categories(Priority priority)
{
    Request request = get(std::string(categories_path), priority);
    Answer answer = co_await call(std::move(request), CallKind::single);
    if (says_absent(answer.reply) || answer.reply.status == 405) co_return std::nullopt;
    const Expected page{Shape::list}; // whose form is read off it
    require_read(answer.reply, page, "the list of categories");
    ListedCategories listed;
    listed.categories = read_categories(answer.reply.body);
    listed.raw = std::move(answer.reply.body);
    co_return listed;
}

Task<Reply> Client::deliver(Request request)
{
    std::optional<Reply> reply = co_await deliver(std::move(request), std::function<Task<bool>()>());
    co_return std::move(*reply);
}

Task<std::optional<Reply>> Client::deliver(Request request, std::function<Task<bool>()> begin)
{
    std::erase_if(request.headers, [](const Header& header) { return same_name(header.name, key_header); });
    request.priority = Priority::delivery;
    RateLimiter::Permit permit = co_await admit(request.priority);
    if (begin && !co_await begin()) co_return std::nullopt;
    Answer answer = co_await send(std::move(request), CallKind::write, std::move(permit));
    redact(answer.reply.body, options_.api_key); // it is kept, and shown to people
    co_return std::move(answer.reply);
}

Task<Reply> Client::relay(Request request)
{
    std::erase_if(request.headers, [](const Header& header) { return same_name(header.name, key_header); });
    request.priority = Priority::app;
    Answer answer = co_await call(std::move(request), CallKind::relay);
    co_return std::move(answer.reply);
}

} // namespace alli::upstream
