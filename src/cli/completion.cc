#include "cli/completion.h"

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::cli {
namespace {

// Calls `visit(path, command)` for the program ("") and every command below it (" plan nodes").
template <typename Visit>
void walk(const CommandShape& command, const std::string& path, const Visit& visit) {
  visit(path, command);
  for (const CommandShape& below : command.commands) walk(below, path + " " + below.name, visit);
}

std::vector<std::string> words_of(const CommandShape& command) {
  std::vector<std::string> words;
  for (const CommandShape& below : command.commands) words.push_back(below.name);
  for (const OptionShape& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
  }
  return words;
}

// Two tables: what follows an option that takes a value, and which words a command knows. What
// neither has is left to the shell's own completion of files (complete -o default).
std::string bash_script(const CommandShape& program) {
  std::string paths;
  std::string values;
  std::string words;
  walk(program, "", [&](const std::string& path, const CommandShape& command) {
    if (!path.empty()) paths += fmt::format("{}'{}'", paths.empty() ? "" : "|", path);
    for (const OptionShape& option : command.options) {
      if (!option.takes_value) continue;
      std::string patterns;
      for (const std::string& name : option.names) {
        patterns += fmt::format("{}'{}:{}'", patterns.empty() ? "" : "|", path, name);
      }
      values += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return ;;\n",
                            patterns, join(option.choices, " "));
    }
    words += fmt::format("    '{}') COMPREPLY=($(compgen -W '{}' -- \"$cur\")) ;;\n", path,
                         join(words_of(command), " "));
  });
  return fmt::format(R"(_{0}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} path='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${{COMP_WORDS[i]}}" in
    {1}) path="$path ${{COMP_WORDS[i]}}" ;;
    esac
  done
  COMPREPLY=()
  case "$path:$prev" in
{2}  esac
  case "$path" in
{3}  esac
}}
complete -o default -F _{0} {0}
)",
                     program.name, paths, values, words);
}

// The condition that exactly this chain of commands was typed.
std::string fish_condition(const std::string& path, const CommandShape& command) {
  std::string condition;
  for (const std::string_view word : split(path, ' ')) {
    if (word.empty()) continue;
    condition +=
        fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ", word);
  }
  if (condition.empty()) return "__fish_use_subcommand";
  for (const CommandShape& below : command.commands) {
    condition += fmt::format("; and not __fish_seen_subcommand_from {}", below.name);
  }
  return condition;
}

std::string fish_script(const CommandShape& program) {
  std::string script;
  walk(program, "", [&](const std::string& path, const CommandShape& command) {
    const std::string lead =
        fmt::format("complete -c {} -n '{}'", program.name, fish_condition(path, command));
    for (const CommandShape& below : command.commands) {
      script += fmt::format("{} -f -a '{}'\n", lead, below.name);
    }
    for (const OptionShape& option : command.options) {
      script += lead;
      for (const std::string& name : option.names) {
        script += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                         : fmt::format(" -s {}", name.substr(1));
      }
      if (!option.choices.empty()) {
        script += fmt::format(" -x -a '{}'", join(option.choices, " "));
      } else if (option.takes_value) {
        script += " -r";
      }
      script += "\n";
    }
  });
  return script;
}

}  // namespace

Result<std::string> completion_script(const CommandShape& program, std::string_view shell) {
  if (shell == "bash") return bash_script(program);
  if (shell == "zsh") {
    return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(program);
  }
  if (shell == "fish") return fish_script(program);
  return Error(
      fmt::format("\"{}\" is not a shell Windlass completes for (accepted: bash, zsh, "
                  "fish)",
                  shell));
}

}  // namespace windlass::cli
