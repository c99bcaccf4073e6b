// SPDX-License-Identifier: Apache-2.0
#include "cache/text/kanji_forms.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace alli::cache {
namespace {

// An old form, then the one in use. Not those whose form in use is another old letter as well (欠, 余, 予, 糸, 弁).
// clang-format off
constexpr std::u16string_view pairs =
    u"亞亜惡悪壓圧圍囲醫医爲為壹壱隱隠榮栄營営衞衛驛駅圓円鹽塩緣縁艷艶應応歐欧毆殴櫻桜奧奥橫横溫温價価"
    u"假仮會会繪絵壞壊懷懐擴拡殼殻覺覚學学嶽岳樂楽勸勧卷巻歡歓觀観關関陷陥顏顔歸帰氣気旣既龜亀僞偽戲戯"
    u"犧犠舊旧據拠擧挙舉挙虛虚峽峡挾挟狹狭鄕郷曉暁區区驅駆勳勲薰薫徑径惠恵揭掲攜携溪渓經経繼継莖茎螢蛍"
    u"輕軽鷄鶏雞鶏藝芸擊撃縣県儉倹劍剣險険圈圏檢検權権獻献硏研顯顕驗験嚴厳廣広恆恒黃黄鑛鉱礦鉱號号國国"
    u"黑黒碎砕濟済齋斎劑剤雜雑參参慘惨棧桟蠶蚕贊賛殘残齒歯兒児辭辞濕湿實実舍舎寫写釋釈壽寿收収從従澁渋"
    u"獸獣縱縦肅粛處処緖緒敍叙奬奨將将牀床燒焼稱称證証乘乗剩剰壤壌孃嬢條条淨浄狀状疊畳讓譲釀醸囑嘱觸触"
    u"寢寝愼慎眞真盡尽粹粋醉酔穗穂隨随髓髄樞枢數数瀨瀬聲声靜静齊斉攝摂竊窃專専戰戦淺浅潛潜纖繊踐践錢銭"
    u"禪禅雙双壯壮搜捜插挿爭争總総聰聡莊荘裝装騷騒增増藏蔵臟臓卽即屬属續続墮堕對対帶帯滯滞瀧滝擇択澤沢"
    u"單単擔担膽胆團団彈弾斷断癡痴遲遅晝昼蟲虫鑄鋳廳庁聽聴敕勅鎭鎮遞逓鐵鉄轉転點点傳伝黨党盜盗燈灯當当"
    u"鬭闘德徳獨独讀読屆届繩縄貳弐惱悩腦脳霸覇廢廃拜拝賣売麥麦發発髮髪拔抜蠻蛮祕秘濱浜甁瓶拂払佛仏竝並"
    u"變変邊辺邉辺步歩寶宝豐豊襃褒飜翻每毎槇槙萬万滿満默黙彌弥譯訳藥薬與与譽誉搖揺樣様謠謡遙遥瑤瑶來来"
    u"賴頼亂乱覽覧龍竜兩両獵猟壘塁淚涙勵励禮礼隸隷靈霊齡齢戀恋爐炉勞労樓楼錄録灣湾歷歴歲歳戶戸產産體体"
    u"圖図晚晩髙高﨑崎嵜崎嶋島嶌島冨富堯尭曾曽閱閲鍊錬畫画效効";
// clang-format on

struct Form {
    char16_t old, current;

    constexpr bool operator<(const Form& other) const { return old < other.old; }
};

constexpr auto forms = [] {
    std::array<Form, pairs.size() / 2> sorted{};
    for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i] = {pairs[2 * i], pairs[2 * i + 1]};
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}();

} // namespace

char32_t current_form(char32_t code) noexcept
{
    if (code < 0x4e00 || code > 0xfaff) return code;
    const Form wanted{static_cast<char16_t>(code), 0};
    const auto* found = std::lower_bound(forms.begin(), forms.end(), wanted);
    return found != forms.end() && found->old == wanted.old ? found->current : code;
}

} // namespace alli::cache
