// Shell completion, made from the commands there are, so that it can never lag behind them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass::cli {

struct OptionShape {
  std::vector<std::string> names;    // "-o", "--output"
  bool takes_value = false;          // else a flag
  std::vector<std::string> choices;  // of the value; empty: a file, or free
};

struct CommandShape {
  std::string name;
  std::vector<OptionShape> options;
  std::vector<CommandShape> commands;
};

// A script to be sourced: bash, zsh (through bashcompinit) or fish. Error on another shell, naming
// the accepted ones.
Result<std::string> completion_script(const CommandShape& program, std::string_view shell);

}  // namespace windlass::cli
