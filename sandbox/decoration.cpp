// SPDX-License-Identifier: Apache-2.0
#include "sandbox/decoration.hpp"

#include "sandbox/encoding.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>

namespace alli::sandbox {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t user_count = 120;

constexpr auto first_names = std::to_array<std::string_view>(
    {"Mina", "Jonas", "Aiko", "민준", "서연", "太郎", "美咲", "Zoë", "Omar", "지우", "Ingrid", "健", "Priya", "Łucja"});
constexpr auto last_names = std::to_array<std::string_view>(
    {"Park", "Lindqvist", "田中", "김", "이", "佐藤", "Okafor", "Müller", "박", "García", "鈴木", "O'Neill", "Novák"});

struct AppText {
    std::string_view name, description;
};
constexpr auto app_texts = std::to_array<AppText>({{"Concierge", "Finds rooms and answers questions about a stay"},
                                                   {"주문 도우미", "주문과 배송을 안내합니다"},
                                                   {"旅行アシスタント", "宿と温泉をご案内します"},
                                                   {"Help desk", ""},
                                                   {"Everyday chat", "Small talk, weather, cooking"}});

constexpr auto categories =
    std::to_array<std::string_view>({"booking", "배송", "返品", "complaint", "question", "VIP"});
constexpr std::string_view another_category = "archive"; // beside one of these
constexpr auto states = std::to_array<std::string_view>({"OPEN", "PENDING", "RESOLVED"});
constexpr auto channels = std::to_array<std::string_view>({"WEB", "APP", "KAKAO", "LINE"});
constexpr auto memos = std::to_array<std::string_view>(
    {"called back, all settled", "고객이 다시 연락할 예정", "次回は担当者が電話する", "prefers e-mail"});

struct CitationText {
    std::string_view lang, title, text;
};
constexpr auto citation_texts = std::to_array<CitationText>({
    {"en", "Guest handbook", "Check-in from 15:00; the front desk keeps luggage free of charge."},
    {"en", "Return policy", "Goods may be sent back within thirty days, unused and in their box."},
    {"ko", "이용 안내", "체크인은 오후 3시부터이며 짐은 무료로 맡아 드립니다."},
    {"ko", "반품 규정", "받은 날부터 30일 안에 반품할 수 있습니다."},
    {"ja", "宿泊約款", "チェックインは１５時から、荷物は無料でお預かりします。"},
    {"ja", "返品について", "到着から３０日以内であれば返品できます。"},
});

template <class Choices>
std::string one_of(Random& random, const Choices& choices)
{
    return std::string{choices[random.below(choices.size())]};
}

bool one_in(Random& random, std::uint64_t count)
{
    return random.below(count) == 0;
}

std::string draft_js(Random& random, std::string_view text)
{
    return fmt::format(R"({{"blocks":[{{"key":"{:05x}","text":{},"type":"unstyled","depth":0,"inlineStyleRanges":[],)"
                       R"("entityRanges":[],"data":{{}}}}],"entityMap":{{}}}})",
                       random.below(0x100000), json_text(text));
}

std::string citation(Random& random, const std::string& lang)
{
    std::size_t at = random.below(citation_texts.size());
    while (citation_texts[at].lang != lang && lang.size() == 2) at = (at + 1) % citation_texts.size();
    const auto clue = random.below(1'000'000), base = random.below(20), page = random.below(60) + 1;
    return fmt::format(
        R"({{"clueId":"clue-{}","source":"KNOWLEDGE_BASE","title":{},"knowledgeBaseId":"kb-{}","pageNo":{},)"
        R"("url":"https://kb.example.com/{}/{}","text":{}}})",
        clue, json_text(citation_texts[at].title), base, one_in(random, 4) ? "null" : std::to_string(page), base, clue,
        json_text(citation_texts[at].text));
}

std::string citations(Random& random, const std::string& lang)
{
    std::string out = "[" + citation(random, lang);
    if (one_in(random, 3)) out += ',' + citation(random, lang);
    return out + ']';
}

Json variables(Random& random)
{
    Json all = Json::object();
    all["plan"] = one_in(random, 3) ? "premium" : "basic";
    all["visits"] = random.below(50);
    all["locale"] = one_of(random, std::array{"en-US"sv, "ko-KR"sv, "ja-JP"sv});
    if (one_in(random, 2)) all["orderNo"] = fmt::format("A-{}", random.below(100'000));
    if (one_in(random, 5)) all["coupon"] = nullptr;
    return all;
}

} // namespace

void add_users_and_apps(World& world)
{
    for (const std::string_view name : categories) world.add_category(std::string{name});
    world.add_category(std::string{another_category});
    Random& random = world.random();
    for (std::size_t i = 0; i < user_count; ++i) {
        User user{.id = fmt::format("user-{:04}{}", i, i % 11 == 4 ? "@example.com" : "")};
        if (!one_in(random, 8)) user.first_name = one_of(random, first_names);
        if (!one_in(random, 6)) user.last_name = one_of(random, last_names);
        world.add_user(std::move(user));
    }
    world.add_user(User{}); // somebody whom the service does not know
    for (const AppText& app : app_texts) world.add_app(std::string{app.name}, std::string{app.description});
}

void decorate(World& world, Conversation& c, const std::string& topic)
{
    Random& random = world.random();
    // The square makes some users talk far more than others.
    const double share = random.unit();
    const auto who = static_cast<std::size_t>(share * share * static_cast<double>(world.users().size()));
    if (!one_in(random, 25)) c.user = world.users()[who].get();
    if (!one_in(random, 12)) c.app = world.apps()[random.below(world.apps().size())].get();
    c.is_end = random.below(10) < 6;
    c.state = one_of(random, states);
    if (one_in(random, 4)) c.assignee = fmt::format("member{}@example.com", random.below(5));
    if (one_in(random, 9)) c.memo = one_of(random, memos);
    if (one_in(random, 3)) c.categories.push_back(world.category_id(one_of(random, categories)));
    if (one_in(random, 9)) c.categories.push_back(world.category_id(another_category));
    c.variables = variables(random);
    c.extra = fmt::format(R"(,"type":"CHAT","channel":"{}")", one_of(random, channels));
    if (!topic.empty()) c.extra += fmt::format(R"(,"metadata":{{"topic":"{}","score":{}}})", topic, random.below(100));
}

ChatDraft decorated(Random& random, const std::string& lang, const Turn& turn)
{
    ChatDraft draft{.sender = turn.sender, .message = turn.text, .rating = turn.rating};
    if (one_in(random, 10)) draft.message = draft_js(random, turn.text);
    if (turn.sender == "USER") return draft;
    if (one_in(random, 30)) draft.sender = "AGENT";
    if (one_in(random, 8)) draft.citations = citations(random, lang);
    if (one_in(random, 6)) draft.source = R"({"type":"LLM_APP","model":"large"})";
    if (one_in(random, 12)) draft.extra = R"(,"metadata":{"tokens":)" + std::to_string(random.below(900) + 20) + '}';
    draft.has_steps = draft.sender == "BOT" && one_in(random, 3);
    return draft;
}

} // namespace alli::sandbox
