// SPDX-License-Identifier: Apache-2.0
#include "sandbox/phrases.hpp"

#include <array>

namespace alli::sandbox {
namespace {

template <class... Text>
constexpr auto texts(Text... text)
{
    return std::array<std::string_view, sizeof...(Text)>{text...};
}

// English
constexpr auto en_city = texts("Lisbon", "Kyoto", "Busan", "Montréal", "Reykjavík", "Nairobi", "Oslo", "Zürich");
constexpr auto en_day = texts("Monday", "Tuesday", "Friday", "Sunday morning", "next week", "the 14th", "tomorrow");
constexpr auto en_item =
    texts("rain jacket", "espresso cup", "USB-C cable", "reading lamp", "travel adapter", "wool scarf");
constexpr auto en_team = texts("the Harbour Rovers", "Northgate United", "FC Millbrook", "the Lakeside Eleven");
constexpr auto en_dish = texts("crème brûlée", "ramen (라면)", "grilled mackerel", "mushroom soup", "rice cakes");

constexpr auto en_travel_titles = texts("Trip to {city}", "Hotel in {city} for {day}", "Which train to {city}?");
constexpr auto en_travel_questions =
    texts("I need a hotel in {city} for {n} nights, arriving {day}.", "Is breakfast included?",
          "How far is it to the station?", "Could you find something quieter, please?", "We are {n} people and a dog.",
          "What does it cost to cancel?", "Does the room have a bath, or only a shower?",
          "My train to {city} was cancelled. What now?");
constexpr auto en_travel_answers =
    texts("There are {n} rooms left in {city} for {day}.", "Breakfast is served from 7 to 10 and costs nothing extra.",
          "It is a {n} minute walk; bus {n} stops at the door.",
          "**The quiet wing** faces the garden:\n\n- no lift noise\n- no bar below",
          "You can cancel free of charge until {day}.", "The next train to {city} leaves from platform {n}.",
          "Of course. I have noted it in your booking.", "The ryokan (旅館) at {city} has an outdoor bath.");
constexpr auto en_order_titles = texts("Order of a {item}", "Where is my {item}?", "Return of the {item}");
constexpr auto en_order_questions =
    texts("Where is my {item}? It was due on {day}.", "It arrived broken, I would like another one.",
          "Can I pay on invoice?", "Please send it to the office in {city} instead.", "I ordered {n} and got only one.",
          "How do I return the {item}?");
constexpr auto en_order_answers =
    texts("Your {item} left our warehouse in {city} on {day}.", "I am sorry about that. A new {item} is on its way.",
          "1. Open *My orders*\n2. Choose the {item}\n3. Press **Return**", "The refund takes {n} working days.",
          "I have changed the address; the delivery moves to {day}.",
          "Please see the [return policy](https://help.example.com/returns).");
constexpr auto en_leisure_titles = texts("{team} on {day}", "What to cook on {day}", "Weather in {city}");
constexpr auto en_leisure_questions =
    texts("Is there football on {day}? Who do {team} play?", "Will it rain in {city} on {day}?",
          "How do I make {dish}?", "Can I still get {n} football tickets?", "Did {team} really lose by {n} goals?",
          "Is {dish} hard to make for {n} people?");
constexpr auto en_leisure_answers = texts(
    "{team} play at home on {day}, kick-off at {n} o'clock.", "Take an umbrella: {n} degrees and showers in {city}.",
    "For {dish} you need about {n} eggs and some patience.", "There are {n} tickets left in the east stand.",
    "The second half was far better than the first.", "```\nserves: {n}\ntime: 40 min\n```");

// Korean
constexpr auto ko_city = texts("부산", "제주도", "강릉", "경주", "오사카", "속초", "전주");
constexpr auto ko_day = texts("월요일", "이번 주말", "내일", "다음 주 금요일", "3월 14일", "모레");
constexpr auto ko_item = texts("우산", "무선 이어폰", "커피잔", "운동화", "USB-C 케이블", "책상 스탠드");
constexpr auto ko_dish = texts("김치찌개", "비빔밥", "떡볶이", "잡채", "된장국");

constexpr auto ko_travel_titles = texts("{city} 여행 문의", "{day} {city} 숙소", "가족 여행 추천");
constexpr auto ko_travel_questions =
    texts("{day}에 {city} 여행을 가려고 하는데 숙소를 찾고 있어요.", "조식이 포함되어 있나요?", "역에서 얼마나 걸려요?",
          "아이 {n}명도 같이 가요.", "취소하면 수수료가 얼마인가요?", "와이파이(Wi-Fi)는 방에서도 되나요?",
          "온천이 있는 곳이면 좋겠어요.", "여행가방을 미리 맡길 수 있을까요?");
constexpr auto ko_travel_answers = texts(
    "{city}에 {n}개의 방이 남아 있습니다.", "조식은 7시부터 10시까지이고 무료입니다.", "역에서 걸어서 {n}분 거리예요.",
    "{day}까지는 무료로 취소하실 수 있습니다.",
    "**바다가 보이는 방**을 추천해 드려요.\n\n- 체크인 15:00\n- 체크아웃 11:00", "네, 예약 메모에 적어 두었습니다.",
    "{city} 여행은 {day}에 날씨가 맑을 것 같아요.", "Late check-out은 {n}시까지 가능합니다.");
constexpr auto ko_order_titles = texts("{item} 배송 문의", "{item} 교환", "주문 취소");
constexpr auto ko_order_questions =
    texts("{item}을(를) 주문했는데 아직 안 왔어요.", "색상을 바꿀 수 있나요?", "{n}개를 주문했는데 한 개만 왔어요.",
          "환불은 며칠이나 걸리나요?", "배송지를 {city}로 바꿔 주세요.", "주문번호 A-10{n}번입니다.");
constexpr auto ko_order_answers = texts(
    "{item}은(는) {day}에 도착할 예정입니다.", "불편을 드려 죄송합니다. 새 {item}을 보내 드리겠습니다.",
    "환불에는 영업일 기준 {n}일이 걸립니다.", "1. *내 주문*을 여세요\n2. {item}을 고르세요\n3. **반품**을 누르세요",
    "배송지를 {city}로 변경했습니다.", "자세한 내용은 [안내](https://help.example.com/ko)를 보세요.");
constexpr auto ko_daily_titles = texts("오늘 저녁 메뉴", "{city} 날씨", "{dish} 만드는 법");
constexpr auto ko_daily_questions = texts("오늘 저녁에 뭐 먹을까?", "{city} {day} 날씨 어때?", "{dish} 만들기 어려워?",
                                          "요즘 잠이 잘 안 와.", "축구 경기 몇 시에 시작해?", "ㅋㅋㅋ 정말?");
constexpr auto ko_daily_answers =
    texts("{dish} 어떠세요?", "{day}에는 비가 온대요. 우산 챙기세요.", "{dish}는 {n}분이면 만들 수 있어요.",
          "따뜻한 차를 마셔 보세요.", "저녁 {n}시에 시작해요.", "맛있게 드세요 😊");

// Japanese
constexpr auto ja_city = texts("箱根", "京都", "札幌", "金沢", "別府", "ソウル", "那覇");
constexpr auto ja_day = texts("土曜日", "来週", "明日", "３月１４日", "今度の連休", "月末");
constexpr auto ja_item = texts("折りたたみ傘", "コーヒーカップ", "充電ケーブル", "スニーカー", "ﾉｰﾄﾊﾟｿｺﾝ", "本棚");
constexpr auto ja_dish = texts("親子丼", "味噌汁", "肉じゃが", "ラーメン", "お好み焼き");

constexpr auto ja_travel_titles = texts("{city}の宿", "{day}の温泉旅行", "{city}旅行の相談");
constexpr auto ja_travel_questions =
    texts("{day}に{city}で温泉のある宿を探しています。", "朝食は付いていますか？", "駅から歩いて行けますか？",
          "大人{n}人と子ども１人です。", "露天風呂はありますか？", "キャンセル料はいくらですか？",
          "Wi-Fiは使えますか？", "もう少し安い宿はありませんか？");
constexpr auto ja_travel_answers =
    texts("{city}温泉の宿が{n}軒見つかりました。", "朝食は７時から１０時までで、料金に含まれています。",
          "駅から徒歩{n}分です。", "はい、露天風呂付きのお部屋がございます。", "{day}まではキャンセル無料です。",
          "**本館**と別館があります。\n\n- 本館：和室\n- 別館：洋室（Twin）",
          "かしこまりました。予約に書き添えておきます。", "ＡＢＣホテル{city}は温泉街の近くです。");
constexpr auto ja_order_titles = texts("{item}の配送について", "{item}の返品", "注文の変更");
constexpr auto ja_order_questions =
    texts("{item}がまだ届きません。", "色違いに交換できますか？", "{n}個頼んだのに１個しか入っていませんでした。",
          "返金は何日かかりますか？", "届け先を{city}に変えてください。", "領収書（receipt）をもらえますか？");
constexpr auto ja_order_answers =
    texts("{item}は{day}に届く予定です。", "申し訳ございません。新しい{item}をお送りします。",
          "返金には{n}営業日ほどかかります。", "1. *注文履歴* を開く\n2. {item}を選ぶ\n3. **返品** を押す",
          "届け先を{city}に変更しました。", "詳しくは[ご案内](https://help.example.com/ja)をご覧ください。");
constexpr auto ja_daily_titles = texts("今日の晩ごはん", "{city}の天気", "{dish}の作り方");
constexpr auto ja_daily_questions = texts("今日の晩ごはんは何がいい？", "{day}の{city}の天気は？", "{dish}は難しい？",
                                          "最近よく眠れません。", "試合は何時からですか？", "それは本当？");
constexpr auto ja_daily_answers =
    texts("{dish}はいかがですか。", "{day}は雨のようです。傘をお忘れなく。", "{dish}なら{n}分で作れますよ。",
          "温かいお茶を飲んでみてください。", "夜{n}時からです。", "おいしく召し上がれ！");

constexpr auto en_words =
    std::to_array<Words>({{"city", en_city}, {"day", en_day}, {"item", en_item}, {"team", en_team}, {"dish", en_dish}});
constexpr auto ko_words =
    std::to_array<Words>({{"city", ko_city}, {"day", ko_day}, {"item", ko_item}, {"dish", ko_dish}});
constexpr auto ja_words =
    std::to_array<Words>({{"city", ja_city}, {"day", ja_day}, {"item", ja_item}, {"dish", ja_dish}});

constexpr auto en_topics =
    std::to_array<Topic>({{"travel", en_travel_titles, en_travel_questions, en_travel_answers},
                          {"orders", en_order_titles, en_order_questions, en_order_answers},
                          {"leisure", en_leisure_titles, en_leisure_questions, en_leisure_answers}});
constexpr auto ko_topics = std::to_array<Topic>({{"travel", ko_travel_titles, ko_travel_questions, ko_travel_answers},
                                                 {"orders", ko_order_titles, ko_order_questions, ko_order_answers},
                                                 {"leisure", ko_daily_titles, ko_daily_questions, ko_daily_answers}});
constexpr auto ja_topics = std::to_array<Topic>({{"travel", ja_travel_titles, ja_travel_questions, ja_travel_answers},
                                                 {"orders", ja_order_titles, ja_order_questions, ja_order_answers},
                                                 {"leisure", ja_daily_titles, ja_daily_questions, ja_daily_answers}});

constexpr auto all_languages =
    std::to_array<Language>({{"en", en_words, en_topics}, {"ko", ko_words, ko_topics}, {"ja", ja_words, ja_topics}});

} // namespace

const std::span<const Language> languages = all_languages;

} // namespace alli::sandbox
