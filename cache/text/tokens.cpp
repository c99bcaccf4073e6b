// SPDX-License-Identifier: Apache-2.0
#include "cache/text/tokens.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace alli::cache {
namespace {

// Besides hiragana. A change is a change of index_version.
constexpr std::u32string_view common =
    U"ーンストルイラドクリシアフレマグプタカジテコデサバトロッメ"
    U"이다는을가에고하의지를은한도사로기어자리나시아그대일서인해것수들라있정게만여보장전부주제상스비구소과오동공요국미"
    U"안음"
    U"트네면야거세습니데까어떻했없좋싶말람더무신마려문원안내계속저생건경관연우조모든개년월금분화진성중행교입출방실바물"
    U"물"
    U"的一是不了在人有我他这個个们來来上大为和国地到以说時时要就出会可也你对生能而子那得于着下自之年过發后作里用道行所"
    U"然"
    U"家事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日月円泊宿屋室場所食風呂";

constexpr auto sorted_common = [] {
    std::array<char32_t, common.size()> sorted{};
    std::copy(common.begin(), common.end(), sorted.begin());
    std::sort(sorted.begin(), sorted.end());
    return sorted;
}();

/// Takes letters, gives tokens.
class Tokenizer {
  public:
    Tokenizer(TokenSet set, TakeToken take, void* to) : set_(set), take_(take), to_(to) {}

    int add(const Letter& letter)
    {
        if (letter.kind != kind_) {
            if (letter.code == soft_break) return break_word();
            if (const int stop = end_run(letter.kind); stop != 0) return stop;
        }
        kind_ = letter.kind;
        end_ = letter.end;
        if (kind_ == LetterKind::word) return add_to_word(letter);
        if (kind_ == LetterKind::unspaced) return add_to_run(letter);
        return 0;
    }

    int finish() { return end_run(LetterKind::separator); }

  private:
    int emit(std::string_view text, std::uint32_t begin, std::uint32_t end, bool beside)
    {
        return take_(to_, Token{text, begin, end, beside});
    }

    int emit_glued(std::uint32_t begin, std::uint32_t end) // buffer_ with a '+' before it
    {
        buffer_.insert(buffer_.begin(), '+');
        return emit(buffer_, begin, end, true);
    }

    int add_to_word(const Letter& letter)
    {
        if (buffer_.empty()) begin_ = letter.begin;
        ended_ = 0;
        if (set_ == TokenSet::letters || buffer_.size() >= longest_word) return 0;
        if (letter.code < 0x80)
            buffer_ += static_cast<char>(letter.code);
        else
            append_utf8(buffer_, letter.code);
        return 0;
    }

    int add_to_run(const Letter& letter)
    {
        int stop = 0;
        if (set_ == TokenSet::letters)
            stop = is_common(letter.code) ? emit_letter(letter, false) : 0;
        else
            stop = last_.code != 0 ? emit_pair(letter) : part_runs(letter);
        paired_ = last_.code != 0;
        last_ = letter;
        return stop;
    }

    // "학교 교실" is not "학교실", whose pairs are the same.
    int part_runs(const Letter& first)
    {
        const bool mistakable = std::exchange(ended_, 0) == first.code;
        return mistakable ? emit(run_break, first.begin, first.end, false) : 0;
    }

    int emit_letter(const Letter& letter, bool beside)
    {
        buffer_.clear();
        append_utf8(buffer_, letter.code);
        return emit(buffer_, letter.begin, letter.end, beside);
    }

    int emit_pair(const Letter& letter)
    {
        buffer_.clear();
        append_utf8(buffer_, last_.code);
        const std::size_t one = buffer_.size();
        append_utf8(buffer_, letter.code);
        int stop = emit(buffer_, last_.begin, letter.end, false);
        if (stop == 0 && set_ == TokenSet::everything)
            stop = emit(std::string_view(buffer_).substr(0, one), last_.begin, last_.end, true);
        if (stop != 0 || !glued_) return stop;
        glued_ = false; // only the first of a run
        stop = emit_glued(last_.begin, letter.end);
        buffer_.resize(one + 1);
        return stop != 0 ? stop : emit(buffer_, last_.begin, last_.end, true);
    }

    int end_letters(LetterKind next)
    {
        if (set_ == TokenSet::letters) return is_common(last_.code) ? 0 : emit_letter(last_, false);
        if (paired_ && next == LetterKind::separator) {
            ended_ = last_.code;
            return set_ == TokenSet::everything ? emit_letter(last_, true) : 0;
        }
        const int stop = emit_letter(last_, false);
        return stop != 0 || !glued_ ? stop : emit_glued(last_.begin, last_.end);
    }

    // Between parts of a word, and nowhere else, it parts.
    int break_word()
    {
        if (kind_ != LetterKind::word || buffer_.empty()) return 0;
        if (whole_.size() < longest_word) whole_ += buffer_;
        const int stop = end_part();
        glued_ = false;
        buffer_.clear();
        return stop;
    }

    int end_part()
    {
        const int stop = emit(buffer_, begin_, end_, false);
        return stop != 0 || !glued_ ? stop : emit_glued(begin_, end_);
    }

    int end_word() // the whole stands where its last part does
    {
        if (whole_.empty()) return end_part();
        whole_ = (whole_ + buffer_).substr(0, longest_word);
        const int stop = end_part();
        return stop != 0 ? stop : emit(whole_, begin_, end_, true);
    }

    int end_run(LetterKind next)
    {
        int stop = 0;
        if (kind_ == LetterKind::unspaced)
            stop = end_letters(next);
        else if (!buffer_.empty())
            stop = end_word();
        glued_ = kind_ != LetterKind::separator;
        whole_.clear();
        buffer_.clear();
        last_.code = 0;
        return stop;
    }

    TokenSet set_;
    TakeToken take_;
    void* to_;
    LetterKind kind_ = LetterKind::separator;
    bool glued_ = false;  // the run began right after one of the other kind
    bool paired_ = false; // last_ is the second of a pair
    char32_t ended_ = 0;  // what the run of pairs before ended with, when a separator did and nothing came since
    std::uint32_t begin_ = 0, end_ = 0;
    std::string buffer_;                          // of a word: all of it so far
    std::string whole_;                           // its parts before a soft break
    Letter last_{0, LetterKind::separator, 0, 0}; // of a run; code 0: none yet
};

} // namespace

bool is_common(char32_t code) noexcept
{
    return (code >= 0x3041 && code <= 0x3096) || std::binary_search(sorted_common.begin(), sorted_common.end(), code);
}

int tokenize(std::string_view text, TokenSet set, TakeToken take, void* to)
{
    Tokenizer tokenizer(set, take, to);
    Normalizer letters(text);
    Letter letter;
    while (letters.next(letter))
        if (const int stop = tokenizer.add(letter); stop != 0) return stop;
    return tokenizer.finish();
}

} // namespace alli::cache
