// SPDX-License-Identifier: Apache-2.0
// `completions bash|zsh|fish`: the script that a shell loads; it asks `__complete WORD...` for each word, and that
// answers with a line a candidate: the word, a tab, its description. The line ":files" asks the shell for paths.
#include "alli/error.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/store.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/completion.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>

namespace alli::daemon {
namespace {

struct Script {
    const char* shell;
    const char* text;
};
constexpr Script scripts[] = {
    {"bash", R"(# bash completion for alli-mirror
_alli_mirror() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        if [ "$line" = :files ]; then
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        else
            COMPREPLY+=("${line%%$'\t'*}")
        fi
    done < <(alli-mirror __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o nosort -F _alli_mirror alli-mirror
)"},
    {"zsh", R"(#compdef alli-mirror
# zsh completion for alli-mirror
_alli_mirror() {
    local line
    local -a candidates
    for line in "${(@f)$(alli-mirror __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == :files ]]; then
            _files
        elif [[ -n $line ]]; then
            candidates+=("${${line//:/\\:}/$'\t'/:}")
        fi
    done
    _describe -V alli-mirror candidates
}
if [ "$funcstack[1]" = _alli_mirror ]; then _alli_mirror "$@"; else compdef _alli_mirror alli-mirror; fi
)"},
    {"fish", R"(# fish completion for alli-mirror
function __alli_mirror_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (alli-mirror __complete $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c alli-mirror -f -k -a '(__alli_mirror_complete)'
)"},
};

constexpr int most_values = 100;

// Base64 and hexadecimal. A shell would expand other characters on the command line, and upstream chooses the ids.
bool is_plain(const std::string& word)
{
    const auto is_safe = [](unsigned char letter) {
        return std::isalnum(letter) != 0 ||
               std::string_view("-_+/=").find(static_cast<char>(letter)) != std::string_view::npos;
    };
    return !word.empty() && std::isalnum(static_cast<unsigned char>(word.front())) != 0 &&
           std::ranges::all_of(word, is_safe);
}

std::vector<Candidate> find_conversations(const std::string& mirror_path, const std::string& prefix)
{
    std::vector<Candidate> found;
    const auto db = cache::open_mirror(mirror_path);
    for (const cache::Summary& summary : cache::list_summaries_with_prefix(*db, prefix, most_values))
        found.push_back({summary.id, summary.title});
    return found;
}

std::vector<Candidate> find_entries(const std::string& mirror_path, const std::string&)
{
    std::vector<Candidate> found;
    cache::EntryQuery query;
    query.limit = most_values;
    const auto db = cache::open_outbox(mirror_path);
    for (const cache::Entry& entry : cache::list_entries(*db, query))
        found.push_back({fmt::format("{}", entry.id),
                         fmt::format("{} {} {}", cache::name_of(entry.state), entry.method, entry.path)});
    return found;
}

struct ValueType {
    std::string_view name; // of a CLI11 option's type
    std::vector<Candidate> (*find)(const std::string& mirror_path, const std::string& prefix);
};
constexpr ValueType value_types[] = {{"CONVERSATION", &find_conversations}, {"WRITE", &find_entries}};

// Where there is no mirror yet, or settings that cannot be read, a shell's prompt is no place to say so.
std::vector<Candidate> find_values(const Context& context, const std::string& type, const std::string& prefix)
{
    for (const ValueType& known : value_types) {
        if (known.name != type) continue;
        try {
            auto found = known.find(find_mirror_location(context.settings(), context.environment).mirror_path, prefix);
            std::erase_if(found, [](const Candidate& candidate) { return !is_plain(candidate.word); });
            return found;
        } catch (const Error&) {
            return {};
        }
    }
    return {};
}

} // namespace

Action add_completions(CLI::App& arguments)
{
    auto shell = std::make_shared<std::string>();
    arguments.add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    arguments.footer("bash: source <(alli-mirror completions bash)\n"
                     "zsh:  alli-mirror completions zsh > a directory of $fpath/_alli-mirror\n"
                     "fish: alli-mirror completions fish > ~/.config/fish/completions/alli-mirror.fish");
    return [shell](const Context&) {
        for (const Script& script : scripts)
            if (*shell == script.shell) fmt::print("{}", script.text);
        return 0;
    };
}

int print_candidates(std::vector<std::string> words, Context context)
{
    for (std::size_t i = 0; i + 2 < words.size(); ++i) { // which mirror the line is about
        if (words[i] == "--config") context.settings_file = words[i + 1];
        if (words[i] == "--mirror-path") context.flags["mirror.path"] = words[i + 1];
    }
    const auto find = [&](const std::string& type, const std::string& prefix) {
        return find_values(context, type, prefix);
    };
    const Completion completion = complete(read_commands(), std::move(words), find);
    for (const auto& [word, help] : completion.candidates)
        fmt::print("{}\t{}\n", printable_line(word), printable_line(help));
    if (completion.files) fmt::print(":files\n");
    return 0;
}

} // namespace alli::daemon
